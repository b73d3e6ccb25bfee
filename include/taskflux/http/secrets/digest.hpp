#pragma once

#include <taskflux/core/codec/text.hpp>
#include <taskflux/core/error.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// What the logins need of OpenSSL.
namespace taskflux::http::secrets {

inline constexpr std::size_t digest_size = 32;

inline const unsigned char* readable(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* writable(std::string& bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

inline void check(bool is_done, const char* what) {
    if (!is_done) throw error(errc::unavailable, std::string("OpenSSL could not ") + what);
}

inline std::string random_bytes(std::size_t count) {
    std::string made(count, '\0');
    check(RAND_bytes(writable(made), static_cast<int>(count)) == 1, "make random numbers");
    return made;
}

inline std::string sha256(std::string_view bytes) {
    std::string made(digest_size, '\0');
    check(EVP_Digest(bytes.data(), bytes.size(), writable(made), nullptr, EVP_sha256(), nullptr) == 1, "do SHA-256");
    return made;
}

inline std::string hmac_sha256(std::string_view key, std::string_view bytes) {
    std::string made(digest_size, '\0');
    check(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), readable(bytes), bytes.size(), writable(made), nullptr) !=
              nullptr,
          "do HMAC-SHA-256");
    return made;
}

/// Takes the same time wherever two texts of one size differ.
inline bool same(std::string_view one, std::string_view other) {
    return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

/// Texts of several parts that can't be confused: each after its size.
inline void append_part(std::string& out, std::string_view part) {
    out.append(std::to_string(part.size())).append(":").append(part);
}

/// RFC 4648, section 4, without padding.
inline std::string to_base64(std::string_view bytes) {
    std::string made((bytes.size() + 2) / 3 * 4 + 1, '\0');
    made.resize(static_cast<std::size_t>(EVP_EncodeBlock(writable(made), readable(bytes), static_cast<int>(bytes.size()))));
    while (made.ends_with('=')) made.pop_back();
    return made;
}

/// RFC 4648, section 5, without padding.
inline std::string to_base64url(std::string_view bytes) {
    auto made = to_base64(bytes);
    std::ranges::replace(made, '+', '-');
    std::ranges::replace(made, '/', '_');
    return made;
}

/// Nothing: `text` is not that.
inline std::optional<std::string> from_base64url(std::string_view text) {
    if (text.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
    std::string plain(text);
    std::ranges::replace(plain, '-', '+');
    std::ranges::replace(plain, '_', '/');
    plain.append((4 - plain.size() % 4) % 4, '=');
    return taskflux::detail::from_base64(plain);
}

}  // namespace taskflux::http::secrets
