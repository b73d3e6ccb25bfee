#pragma once

#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/http/call.hpp>
#include <taskflux/http/problem.hpp>
#include <taskflux/http/response.hpp>
#include <taskflux/http/server/answer_head.hpp>
#include <taskflux/http/server/common.hpp>
#include <taskflux/http/server/head.hpp>
#include <taskflux/http/server/transport.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux::detail {

/// What a connection is for.
class connection_role {
public:
    connection_role(bool secure, std::uint16_t redirect) : is_secure(secure), redirect_to(redirect) {}

    bool is_secure;
    std::uint16_t redirect_to;  ///< the port to which all requests are sent, encrypted; 0: they are answered
    bool is_refused = false;    ///< its first request is answered with 503
};

/// One client's connection: reads requests, has them answered one after the other, writes the answers. On a strand of its own,
/// kept alive by its coroutine. It holds no buffer while nothing comes. Time limits are kept by the server's ticks, so that a
/// request costs no timer.
class http_connection final : public http::body_source, public std::enable_shared_from_this<http_connection> {
public:
    http_connection(std::shared_ptr<server_common> with, asio::any_io_executor strand, std::unique_ptr<byte_stream> stream,
                    std::string address, const connection_role& role);

    /// Begins. `on_end` is called on the strand, once.
    void start(std::function<void(std::exception_ptr)> on_end);

    // Thread-safe: what happens, happens on the strand.

    /// Time has passed: ends what has taken too long, and the handler of a client that is gone.
    void tick(time_point now);

    /// Answers what is under way, and ends; at once where it waits for a request.
    void drain();

    /// Ends at once where it waits for a request: others need its descriptor.
    void close_if_idle();

    /// Cancels what is under way.
    void abort();

    const std::string& address() const { return address_; }

    // Of `body_source`, for the handler that runs.
    asio::awaitable<std::string> read(std::uint64_t most) override;

private:
    class piece_writer;
    enum class phase { opening, idle, receiving, handling, sending, closing };

    static asio::awaitable<void> live(std::shared_ptr<http_connection> self);

    /// Whether another request may follow.
    asio::awaitable<bool> serve_one();

    /// Waits for a request. False: none comes.
    asio::awaitable<bool> await_first_byte();

    /// False: the client is gone, or has sent nothing in time.
    asio::awaitable<bool> receive_head(http::request& into, std::optional<http::problem>& refused);
    asio::awaitable<bool> answer(http::request asked);
    asio::awaitable<bool> refuse(const http::problem& why, http::request asked);

    /// Reads into the buffer. False: the end, an error, or too late (`is_late_`).
    asio::awaitable<bool> receive(std::size_t most);

    /// Writes an answer; false: the connection is broken, or must be closed.
    asio::awaitable<bool> send(http::response& what, const http::request& to, std::uint64_t& sent);
    asio::awaitable<void> send_body(http::response& what, std::uint64_t& sent, bool is_chunked);
    asio::awaitable<void> send_file(const http::response::file& which, std::uint64_t& sent);

    /// Errors: `operation_aborted` where it can't be written, or not in time.
    asio::awaitable<void> write(std::string_view first, std::string_view second);

    /// Reads what is left of a body that no handler has read. False: that is too much.
    asio::awaitable<bool> skip_body();
    bool is_rest_short() const;

    /// Whether the client may be sending still.
    bool may_more_come();

    /// Closes so that the client gets the answer, though it may be sending still.
    asio::awaitable<void> say_goodbye();

    void log_access(const http::call& in, unsigned status, std::uint64_t sent, time_point began) const;
    void log_failure(const http::call& in, const std::exception_ptr& why) const;
    void limit_time(duration by);
    void no_time_limit() { deadline_.store(never_rep, std::memory_order_relaxed); }
    bool is_peer_gone();

    /// Gives the buffer back where nothing is in it: before what may wait for long.
    void release_buffer();
    std::string_view received() const { return {static_cast<const char*>(buffer_.data().data()), buffer_.size()}; }

    [[noreturn]] static void throw_lost();

    static constexpr duration::rep never_rep = never.time_since_epoch().count();

    const std::shared_ptr<server_common> common_;
    const asio::any_io_executor strand_;
    const std::unique_ptr<byte_stream> stream_;
    const std::string address_;
    const connection_role role_;
    asio::cancellation_signal stop_;
    std::atomic<duration::rep> deadline_ = never_rep;
    std::atomic<duration::rep> handling_since_ = never_rep;

    // On the strand.
    phase phase_ = phase::opening;
    bool is_first_ = true;
    bool is_late_ = false;      // a tick has ended an operation
    bool is_ending_ = false;    // the server drains, or needs the descriptor
    bool is_lost_ = false;      // the client has closed the connection, or it is broken
    bool is_stopped_ = false;   // `stop_` was emitted
    boost::beast::flat_buffer buffer_;
    std::optional<message_reader> reader_;  // of the request that is under way
    std::uint64_t body_read_ = 0;
    time_point body_began_{};
    bool is_continue_sent_ = false;
};

}  // namespace taskflux::detail
