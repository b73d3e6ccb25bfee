#pragma once

#include <taskflux/core/error/quoted.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/ssl/verify_context.hpp>

#include <openssl/asn1.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <memory>
#include <string>

namespace taskflux::redis::wire {

/// A name of a certificate, as in "/CN=redis.example.org".
inline std::string name_text(const X509_NAME* name) {
    std::array<char, 256> text{};
    X509_NAME_oneline(name, text.data(), static_cast<int>(text.size()));
    return detail::printable(text.data(), text.size());
}

/// The day, as in "2026-01-31".
inline std::string day_text(const ASN1_TIME* time) {
    std::tm parts{};
    std::array<char, 16> text{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return "a day that can't be read";
    return std::string(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts));
}

/// The hosts that a certificate is for, separated by commas.
inline std::string hosts_of(X509* certificate) {
    const auto free_names = [](GENERAL_NAMES* names) { GENERAL_NAMES_free(names); };
    const std::unique_ptr<GENERAL_NAMES, decltype(free_names)> names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)), free_names);
    std::string out;
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const auto* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
        const auto* text = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
        const auto* bytes = ASN1_STRING_get0_data(text);
        const auto size = static_cast<std::size_t>(ASN1_STRING_length(text));
        if (!out.empty()) out += ", ";
        if (name->type == GEN_DNS) out.append(reinterpret_cast<const char*>(bytes), size);
        else if (size == 4) for (std::size_t n = 0; n < size; ++n) out += (n > 0 ? "." : "") + std::to_string(bytes[n]);
        else out += "an IPv6 address";
    }
    return out.empty() ? name_text(X509_get_subject_name(certificate)) : detail::printable(out, 200);
}

/// Why a server's certificate is refused, with the remedy. `is_trusted`: its chain is, and only its name does not fit `host`.
inline std::string why_refused(const std::string& host, bool is_trusted, asio::ssl::verify_context& from) {
    auto* const store = from.native_handle();
    auto* const certificate = X509_STORE_CTX_get_current_cert(store);
    const int code = X509_STORE_CTX_get_error(store);
    const std::string begin = "TLS: the server's certificate ";
    if (!certificate) return begin + "is refused: " + X509_verify_cert_error_string(code);
    if (is_trusted) {
        return begin + "is not for the host \"" + host + "\": it is for " + hosts_of(certificate) +
               "; write that name in the URL, or give the server a certificate for this one";
    }
    switch (code) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return begin + '"' + name_text(X509_get_subject_name(certificate)) + "\" expired on " +
                   day_text(X509_get0_notAfter(certificate)) + ": renew it";
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return begin + '"' + name_text(X509_get_subject_name(certificate)) + "\" is valid from " +
                   day_text(X509_get0_notBefore(certificate)) + " on: compare the clocks";
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            return begin + "is signed by \"" + name_text(X509_get_issuer_name(certificate)) +
                   "\", which is not trusted: name the file with that CA in the URL, ?ca=/path/ca.pem";
        default: return begin + "is refused: " + X509_verify_cert_error_string(code);
    }
}

}  // namespace taskflux::redis::wire
