#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/http/server/transport.hpp>
#include <taskflux/http/tls.hpp>
#include <taskflux/log.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>

namespace taskflux {

namespace detail {

using tls_context = std::shared_ptr<asio::ssl::context>;

class tls_stream final : public byte_stream {
public:
    tls_stream(asio::ip::tcp::socket accepted, tls_context context) : context_(std::move(context)), stream_(std::move(accepted), *context_) {}

    asio::awaitable<void> open(boost::system::error_code& ec) override {
        return stream_.async_handshake(asio::ssl::stream_base::server, asio::redirect_error(asio::use_awaitable, ec));
    }

    asio::awaitable<void> wait_readable(boost::system::error_code& ec) override {
        if (has_ahead_) co_return;
        // Not a wait on the socket: what has come may be here already, in OpenSSL's buffers.
        const auto size = co_await stream_.async_read_some(asio::buffer(&ahead_, 1), asio::redirect_error(asio::use_awaitable, ec));
        has_ahead_ = size == 1;
    }

    asio::awaitable<std::size_t> read_some(asio::mutable_buffer into, boost::system::error_code& ec) override {
        if (std::exchange(has_ahead_, false)) {
            *static_cast<char*>(into.data()) = ahead_;
            co_return 1;
        }
        co_return co_await stream_.async_read_some(into, asio::redirect_error(asio::use_awaitable, ec));
    }

    asio::awaitable<void> write(std::array<asio::const_buffer, 2> pieces, boost::system::error_code& ec) override {
        co_await asio::async_write(stream_, pieces, asio::redirect_error(asio::use_awaitable, ec));
    }

    asio::awaitable<void> finish(boost::system::error_code& ec) override {
        return stream_.async_shutdown(asio::redirect_error(asio::use_awaitable, ec));
    }

    void cancel() override {
        boost::system::error_code ignored;
        socket().cancel(ignored);
    }

    void close() override {
        boost::system::error_code ignored;
        socket().close(ignored);
    }

    asio::ip::tcp::socket& socket() override { return stream_.next_layer(); }

private:
    const tls_context context_;  // may be replaced for others
    asio::ssl::stream<asio::ip::tcp::socket> stream_;
    char ahead_ = 0;
    bool has_ahead_ = false;
};

inline tls_context new_tls_context() {
    auto made = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    auto* const handle = made->native_handle();
    SSL_CTX_set_min_proto_version(handle, TLS1_2_VERSION);
    SSL_CTX_set_options(handle, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(handle, SSL_MODE_RELEASE_BUFFERS);  // idle connections hold less
    return made;
}

/// A certificate from files that may change.
class tls_files final : public transport {
public:
    tls_files(std::string certificate, std::string key)
        : certificate_(std::move(certificate)), key_(std::move(key)), stamp_(stamp()), context_(load()) {}

    std::unique_ptr<byte_stream> make(asio::ip::tcp::socket accepted) override {
        return std::make_unique<tls_stream>(std::move(accepted), current());
    }

    bool is_secure() const override { return true; }

    void log_to(const log_sink& to) override {
        const std::lock_guard lock(mutex_);
        log_ = to;
    }

private:
    using time = std::filesystem::file_time_type;
    using steady = std::chrono::steady_clock;

    std::pair<time, time> stamp() const {
        std::error_code ignored;
        return {std::filesystem::last_write_time(certificate_, ignored), std::filesystem::last_write_time(key_, ignored)};
    }

    /// Errors: `invalid_argument`.
    tls_context load() const {
        auto made = new_tls_context();
        const char* what = "the certificate";
        const std::string* file = &certificate_;
        try {
            made->use_certificate_chain_file(certificate_);
            what = "the key, of that certificate,";
            file = &key_;
            made->use_private_key_file(key_, asio::ssl::context::pem);
        } catch (const boost::system::system_error& e) {
            throw error(errc::invalid_argument, std::string("tls: ") + what + " can't be used, in " + in_quotes(*file, 200) + ": " +
                                                    e.code().message() + "; give PEM files that belong together");
        }
        return made;
    }

    tls_context current() {
        constexpr auto between_looks = std::chrono::seconds(1);
        const std::lock_guard lock(mutex_);
        const auto now = steady::now();
        if (now - looked_ < between_looks) return context_;
        looked_ = now;
        const auto found = stamp();
        if (found == stamp_) return context_;
        try {
            context_ = load();
            log_(log_level::info, "gateway: the certificate in " + in_quotes(certificate_, 200) + " was read again");
            said_.clear();
            stamp_ = found;
        } catch (const std::exception& e) {  // half written, perhaps: looked at again
            if (said_ != e.what()) log_(log_level::error, std::string("gateway: ") + e.what() + "; the one before stays in use");
            said_ = e.what();
        }
        return context_;
    }

    const std::string certificate_;
    const std::string key_;
    std::mutex mutex_;  // guards all below
    log_sink log_;
    std::pair<time, time> stamp_;  // of the files in use
    tls_context context_;
    steady::time_point looked_ = steady::now();
    std::string said_;
};

/// A certificate of our own making.
class tls_made final : public transport {
public:
    tls_made() : context_(new_tls_context()) {
        const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
        const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), &X509_free);
        bool is_good = key && made && fill(made.get(), key.get());
        is_good = is_good && SSL_CTX_use_certificate(context_->native_handle(), made.get()) == 1;
        is_good = is_good && SSL_CTX_use_PrivateKey(context_->native_handle(), key.get()) == 1;
        if (!is_good) throw error(errc::unsupported, "tls_self_signed: OpenSSL can't make a certificate here; give files to http::tls");
    }

    std::unique_ptr<byte_stream> make(asio::ip::tcp::socket accepted) override {
        return std::make_unique<tls_stream>(std::move(accepted), context_);
    }

    bool is_secure() const override { return true; }

private:
    static bool fill(X509* made, EVP_PKEY* key) {
        constexpr long a_day = 24 * 60 * 60;
        std::uint64_t serial = 0;
        if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) return false;
        auto* const name = X509_get_subject_name(made);
        const auto* const host = reinterpret_cast<const unsigned char*>("localhost");
        X509V3_CTX context;
        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, made, made, nullptr, nullptr, 0);
        const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> names(
            X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1"), &X509_EXTENSION_free);
        return X509_set_version(made, 2) == 1 && ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), serial >> 1) == 1 &&
               X509_gmtime_adj(X509_getm_notBefore(made), -a_day) && X509_gmtime_adj(X509_getm_notAfter(made), 365 * a_day) &&
               X509_set_pubkey(made, key) == 1 && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, host, -1, -1, 0) == 1 &&
               X509_set_issuer_name(made, name) == 1 && names && X509_add_ext(made, names.get(), -1) == 1 &&
               X509_sign(made, key, EVP_sha256()) > 0;
    }

    const tls_context context_;
};

}  // namespace detail

namespace http {

std::shared_ptr<detail::transport> tls(std::string certificate, std::string key) {
    return std::make_shared<detail::tls_files>(std::move(certificate), std::move(key));
}

std::shared_ptr<detail::transport> tls_self_signed() { return std::make_shared<detail::tls_made>(); }

}  // namespace http
}  // namespace taskflux
