#pragma once

#include <taskflux/broker/redis/certificate.hpp>
#include <taskflux/broker/redis/connection_options.hpp>
#include <taskflux/broker/redis/greeting.hpp>
#include <taskflux/broker/redis/url.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/verify_context.hpp>
#include <boost/redis/config.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::redis::wire {

inline boost::redis::address to_boost(const address& from) {
    return {from.host, std::to_string(from.port)};
}

/// What Boost.Redis is told. It never connects again by itself: its interval is fixed, ours backs off. With
/// Sentinels the address is filled in later, when they have been asked.
inline boost::redis::config make_config(const redis_url& url, const connection_options& options,
                                        std::string_view channel) {
    boost::redis::config out;
    out.use_ssl = url.tls;
    out.unix_socket = url.unix_socket;
    if (!url.addresses.empty()) out.addr = to_boost(url.addresses.front());
    out.use_setup = true;
    out.setup = make_setup(url, channel);
    out.health_check_id = "taskflux";
    out.health_check_interval = options.health_check();
    out.resolve_timeout = options.connect_timeout();
    out.connect_timeout = options.connect_timeout();
    out.ssl_handshake_timeout = options.connect_timeout();
    out.reconnect_wait_interval = std::chrono::seconds(0);
    // A large reply is moved again with every piece that arrives; but so many bytes are zeroed before each read.
    constexpr std::size_t for_replies = 32 * 1024, for_messages = 8 * 1024;
    out.read_buffer_append_size = channel.empty() ? for_replies : for_messages;
    return out;
}

/// Like `make_config`, for a Sentinel: nothing is sent by itself, as `make_sentinel_question` says it all.
inline boost::redis::config make_sentinel_config(boost::redis::config from, const address& who) {
    from.addr = to_boost(who);
    from.setup.clear();
    return from;
}

/// What the check of a server's certificate and its link tell each other. Copies share one state; for one connection at a time.
class tls_state {
public:
    /// The host whose name the next certificate must have.
    void connect_to(const std::string& host) { *shared_ = {host, {}}; }

    bool accepts(bool is_trusted, asio::ssl::verify_context& certificate) {
        const bool fits = asio::ssl::host_name_verification(shared_->host)(is_trusted, certificate);
        if (!fits && shared_->complaint.empty()) shared_->complaint = why_refused(shared_->host, is_trusted, certificate);
        return fits;
    }

    /// Why the certificate was refused, once; empty when it was not.
    std::string take_complaint() { return std::exchange(shared_->complaint, {}); }

private:
    struct names {
        std::string host;
        std::string complaint;
    };
    std::shared_ptr<names> shared_ = std::make_shared<names>();
};

/// How servers prove their identity.
struct tls {
    asio::ssl::context context{asio::ssl::context::tls_client};
    tls_state state;
};

/// Trusts what the URL says, else what the system trusts, and insists on the host's name.
/// Errors: `invalid_argument` for a file that can't be used.
inline tls make_tls(const redis_url& url) {
    tls made;
    if (!url.tls) return made;
    auto& out = made.context;
    const auto check = [](const boost::system::error_code& ec, std::string_view what,
                          const std::string& file) {
        if (!ec) return;
        throw error(errc::invalid_argument,
                    "Redis URL: " + std::string(what) + file + " can't be used: " + ec.message());
    };
    boost::system::error_code ec;
    if (url.ca.empty()) {
        out.set_default_verify_paths(ec);
        check(ec, "the system's certificates", "");
    } else {
        out.load_verify_file(url.ca, ec);
        check(ec, "ca=", url.ca);
    }
    if (!url.cert.empty()) {
        out.use_certificate_chain_file(url.cert, ec);
        check(ec, "cert=", url.cert);
        out.use_private_key_file(url.key, asio::ssl::context::pem, ec);
        check(ec, "the file of key=", "");
    }
    out.set_verify_mode(asio::ssl::verify_peer);
    out.set_verify_callback([state = made.state](bool is_trusted, asio::ssl::verify_context& certificate) mutable {
        return state.accepts(is_trusted, certificate);
    });
    return made;
}

}  // namespace taskflux::redis::wire
