#pragma once

// Certificates for tests, each with its key: P-256, made by `openssl req -x509 -newkey ec -days 36500 -subj /CN=…`. They protect
// nothing.

namespace http_test {

inline constexpr const char* certificate_one =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBcjCCARmgAwIBAgIUZ+lTtuIvVfqvUJDGn0TTRMSSMuIwCgYIKoZIzj0EAwIw\n"
    "DjEMMAoGA1UEAwwDb25lMCAXDTI2MTEzMDIxMzUxNloYDzIxMjYxMTA2MjEzNTE2\n"
    "WjAOMQwwCgYDVQQDDANvbmUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASvCvAL\n"
    "FxdX3w7uQKH3Ku31w7jPsYUBwpoarQzD6kci/enC8tVWR3gXs6qz0Tm3mNKhYlwG\n"
    "KbsX1jSNFmIP/Tc0o1MwUTAdBgNVHQ4EFgQUGhuLHHpfN2NXz67U1DhEQBd3nfYw\n"
    "HwYDVR0jBBgwFoAUGhuLHHpfN2NXz67U1DhEQBd3nfYwDwYDVR0TAQH/BAUwAwEB\n"
    "/zAKBggqhkjOPQQDAgNHADBEAiAEd38vN3tq1I7+vvSIwTet3AUv7+SQJqB8U98h\n"
    "AtKh3QIgeaq3/7ig7WP0EtI7dt00nF7Q4tyfvKEwRM21van06O0=\n"
    "-----END CERTIFICATE-----\n";

inline constexpr const char* key_one =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgfKP5SikTWRwir1Qm\n"
    "RW9oyUUtQKFoLEzFi5MXPnnrHmuhRANCAASvCvALFxdX3w7uQKH3Ku31w7jPsYUB\n"
    "wpoarQzD6kci/enC8tVWR3gXs6qz0Tm3mNKhYlwGKbsX1jSNFmIP/Tc0\n"
    "-----END PRIVATE KEY-----\n";

inline constexpr const char* certificate_two =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBcjCCARmgAwIBAgIUciO3B/2qs/5jecjGb1JPSA9mVrkwCgYIKoZIzj0EAwIw\n"
    "DjEMMAoGA1UEAwwDdHdvMCAXDTI2MTEzMDIxMzUxNloYDzIxMjYxMTA2MjEzNTE2\n"
    "WjAOMQwwCgYDVQQDDAN0d28wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARKB4Vm\n"
    "b5TW3qO8OR1iGd/18SY4SWpaN2MNC+RgK6cd0u2I7OvlLGJuXL1/nVC3f8dDBNOr\n"
    "/WZvcMTuHCXMNnQ5o1MwUTAdBgNVHQ4EFgQUTuzvTEhWgJ0ioG8MoMKouphX5ZQw\n"
    "HwYDVR0jBBgwFoAUTuzvTEhWgJ0ioG8MoMKouphX5ZQwDwYDVR0TAQH/BAUwAwEB\n"
    "/zAKBggqhkjOPQQDAgNHADBEAiB/zehyGqFKkedCTdz6Vgbt3/wOQt2/iwgqqgqs\n"
    "dTmdRAIgJQjlIBnr5W4pdCuev3z6Xo/gWmlScp/+b8Q+2FGqS6U=\n"
    "-----END CERTIFICATE-----\n";

inline constexpr const char* key_two =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgU4+wcdflkh2+N64t\n"
    "34AYhACLCx2t12oQGCxyba+V6BuhRANCAARKB4Vmb5TW3qO8OR1iGd/18SY4SWpa\n"
    "N2MNC+RgK6cd0u2I7OvlLGJuXL1/nVC3f8dDBNOr/WZvcMTuHCXMNnQ5\n"
    "-----END PRIVATE KEY-----\n";

}  // namespace http_test
