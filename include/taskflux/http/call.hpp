#pragma once

#include <taskflux/fwd.hpp>
#include <taskflux/http/identity.hpp>
#include <taskflux/http/request.hpp>
#include <taskflux/http/server/drain.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::http {

/// Where the body of a request comes from.
class body_source {
public:
    virtual ~body_source() = default;

    /// The next piece; empty once the body has ended. Errors: `problem` for a body that is broken, comes too slowly, or is larger
    /// than `most` bytes in all.
    virtual asio::awaitable<std::string> read(std::uint64_t most) = 0;
};

/// What a handler gets: the request, who makes it, and its body, which is read on demand. For the handler's coroutine, until it
/// has answered, and a body that it streams has been written. A handler is cancelled (terminal) when its client goes away.
class call {
public:
    /// `body`, which must outlive the call, and `drain`, null for a server that never drains: of the server. For tests:
    /// a call with a body that is there, and nobody in particular.
    call(http::request asked, body_source& body, std::shared_ptr<detail::drain> drain);
    call(http::request asked, std::string body);
    call(const call&) = delete;
    call& operator=(const call&) = delete;
    ~call();

    const http::request& request() const { return request_; }

    /// Who makes the request; nobody where the route asks for no permission.
    const identity& who() const { return who_; }

    /// Of the request: taken over from `X-Request-Id`, or made.
    const std::string& request_id() const { return request_id_; }

    /// The client's address, as text; that of the last proxy where none is trusted.
    const std::string& peer() const { return peer_; }

    /// Whether the client's connection to this server is encrypted.
    bool is_secure() const { return is_secure_; }

    /// A parameter of the path, decoded; empty where the route has none of this name.
    std::string_view path_parameter(std::string_view name) const;

    /// The next piece of the body; empty once it has ended. Errors: `problem` 413 past `max_body`, 408, 400.
    asio::awaitable<std::string> read_some();

    /// The whole body. Errors: as of `read_some`.
    asio::awaitable<std::string> read_all();

    /// The most bytes of a body; set by the route.
    std::uint64_t max_body() const { return max_body_; }

    /// Whether the server ends: what waits should answer now.
    bool is_draining() const { return drain_ && drain_->has_begun(); }

    /// Awaits `work`, for a long poll. When the server begins to drain, cancels it (terminal cancellation) and returns nothing.
    /// Cancellation and errors: those of `work`. Pass a named awaitable.
    template <class T>
    asio::awaitable<std::optional<T>> unless_draining(asio::awaitable<T> work) {
        return detail::unless_draining(drain_, std::move(work));
    }

    // For the server, the router and authenticators.
    void set_who(identity who) { who_ = std::move(who); }
    void set_request_id(std::string id) { request_id_ = std::move(id); }
    void set_peer(std::string address, bool is_secure) { peer_ = std::move(address), is_secure_ = is_secure; }
    void set_max_body(std::uint64_t bytes) { max_body_ = bytes; }
    void set_path_parameters(std::vector<std::pair<std::string_view, std::string>> found) { path_ = std::move(found); }
    void set_route(std::string_view pattern) { route_ = pattern; }

    /// The pattern of the route that answers, for metrics and logs; empty while there is none.
    std::string_view route() const { return route_; }

private:
    class held_body;

    http::request request_;
    std::unique_ptr<body_source> held_;
    body_source* body_;
    std::shared_ptr<detail::drain> drain_;
    identity who_;
    std::string request_id_;
    std::string peer_;
    bool is_secure_ = false;
    std::uint64_t max_body_ = 16 * 1024 * 1024;
    std::vector<std::pair<std::string_view, std::string>> path_;  // names are those of the route
    std::string_view route_;
};

}  // namespace taskflux::http
