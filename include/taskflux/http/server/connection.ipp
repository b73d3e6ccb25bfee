#pragma once

#include <taskflux/core/error/quoted.hpp>
#include <taskflux/detail/platform/socket.hpp>
#include <taskflux/detail/spawn.hpp>
#include <taskflux/http/server/access_log.hpp>
#include <taskflux/http/server/connection.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <variant>

namespace taskflux::detail {

inline constexpr std::size_t head_piece = 4 * 1024;     // bytes read at once of a head, and
inline constexpr std::size_t body_piece = 32 * 1024;    // of a body
inline constexpr std::uint64_t most_skipped = 256 * 1024;

inline http::problem body_too_large(std::uint64_t most) {
    http::problem made(413, "the body has more than " + std::to_string(most) + " bytes, which are the most here; send less");
    return made.closing();
}

inline http::response too_busy(bool by_connections, std::string_view request_id) {
    http::problem full(503, by_connections ? "this server has as many connections as it takes, in all or of one address; close some, or try again"
                                           : "this server answers as many requests as it takes; try again");
    full.code("too_busy").header("Retry-After", "1");
    return http::problem_json(full, request_id);
}

/// To the same target, encrypted.
inline http::response redirection(const http::request& asked, std::uint16_t port) {
    const std::string host(asked.fields["Host"]);
    const auto name = host.substr(0, host.find(':', host.find(']') == std::string::npos ? 0 : host.find(']')));
    if (name.empty()) {
        const http::problem why(400, "this port is for encrypted connections; use https, port " + std::to_string(port));
        return http::problem_json(why, "");
    }
    http::response made(308);
    const auto path = asked.target.starts_with('/') ? asked.target : std::string("/");
    made.header("Location", "https://" + name + (port == 443 ? std::string() : ':' + std::to_string(port)) + path);
    return made;
}

/// Before the head of its answer is sent.
inline bool is_file_missing(const http::response& made) {
    const auto* file = std::get_if<http::response::file>(&made.body());
    return file && !std::ifstream(file->path(), std::ios::binary);
}

inline http::response file_is_gone(std::string_view request_id) {
    http::problem gone(404, "the file is not there any more, or can't be read");
    return http::problem_json(gone, request_id);
}

/// Counts a request while it is answered.
class flight_mark {
public:
    explicit flight_mark(server_common& of) : of_(of), before_(of.in_flight.fetch_add(1)) {}
    ~flight_mark() { --of_.in_flight; }
    flight_mark(const flight_mark&) = delete;
    flight_mark& operator=(const flight_mark&) = delete;

    bool is_too_many() const { return before_ >= of_.limits.requests(); }

private:
    server_common& of_;
    const std::size_t before_;
};

http_connection::http_connection(std::shared_ptr<server_common> with, asio::any_io_executor strand, std::unique_ptr<byte_stream> stream,
                                 std::string address, const connection_role& role)
    : common_(std::move(with)), strand_(std::move(strand)), stream_(std::move(stream)), address_(std::move(address)), role_(role),
      buffer_(common_->limits.head() + body_piece) {}

void http_connection::start(std::function<void(std::exception_ptr)> on_end) {
    spawn_on(strand_, live(shared_from_this()), std::move(on_end), stop_.slot());
}

void http_connection::tick(time_point now) {
    const auto at = now.time_since_epoch().count();
    constexpr duration::rep look_after = 1000;  // ms: short requests are over before anybody asks whether their client is there
    const auto since = handling_since_.load(std::memory_order_relaxed);
    const bool is_long = since != never_rep && at - since >= look_after;
    if (at < deadline_.load(std::memory_order_relaxed) && !is_long) return;
    asio::post(strand_, [self = shared_from_this(), at] {
        if (at >= self->deadline_.load(std::memory_order_relaxed)) {
            self->is_late_ = true;
            self->no_time_limit();
            self->stream_->cancel();
        } else if (self->phase_ == phase::handling && self->is_peer_gone()) {
            self->is_lost_ = true;
            if (!std::exchange(self->is_stopped_, true)) self->stop_.emit(asio::cancellation_type::terminal);
        }
    });
}

void http_connection::drain() { close_if_idle(); }

void http_connection::close_if_idle() {
    asio::post(strand_, [self = shared_from_this()] {
        const bool is_all = self->common_->ending->has_begun();
        const bool is_idle = self->phase_ == phase::idle || (is_all && self->phase_ == phase::opening);
        if (is_idle || is_all) self->is_ending_ = true;
        if (is_idle) self->stream_->cancel();
    });
}

void http_connection::abort() {
    asio::post(strand_, [self = shared_from_this()] {
        if (!std::exchange(self->is_stopped_, true)) self->stop_.emit(asio::cancellation_type::terminal);
    });
}

void http_connection::limit_time(duration by) {
    is_late_ = false;
    deadline_.store(later(common_->clock.now(), by).time_since_epoch().count(), std::memory_order_relaxed);
}

bool http_connection::is_peer_gone() { return has_peer_finished(stream_->socket().native_handle()); }

void http_connection::release_buffer() {
    if (buffer_.size() > 0) return;
    buffer_.clear();
    buffer_.shrink_to_fit();
}

asio::awaitable<void> http_connection::live(std::shared_ptr<http_connection> self) {
    boost::system::error_code ec;
    self->limit_time(self->common_->limits.first_byte());
    co_await self->stream_->open(ec);
    if (ec) co_return self->stream_->close();
    bool goes_on = true;
    while (goes_on) goes_on = co_await self->serve_one();
    co_await self->say_goodbye();
}

asio::awaitable<bool> http_connection::serve_one() {
    if (buffer_.size() == 0) {
        const bool is_there = co_await await_first_byte();
        if (!is_there) co_return false;
    }
    http::request asked;
    std::optional<http::problem> refused;
    reader_.emplace();
    body_read_ = 0;
    is_continue_sent_ = false;
    const bool is_whole = co_await receive_head(asked, refused);
    bool goes_on = false;
    if (is_whole && refused) goes_on = co_await refuse(*refused, std::move(asked));
    else if (is_whole) goes_on = co_await answer(std::move(asked));
    is_first_ = false;
    if (goes_on) reader_.reset();  // else `say_goodbye` asks whether a body is left
    co_return goes_on && !is_ending_;
}

asio::awaitable<bool> http_connection::await_first_byte() {
    release_buffer();
    phase_ = phase::idle;
    if (is_ending_ || common_->ending->has_begun()) co_return false;
    const auto& limits = common_->limits;
    limit_time(is_first_ ? limits.first_byte() : limits.idle());
    boost::system::error_code ec;
    co_await stream_->wait_readable(ec);
    no_time_limit();
    if (ec) is_lost_ = true;  // nothing is said to who has asked nothing
    co_return !ec;
}

asio::awaitable<bool> http_connection::receive(std::size_t most) {
    boost::system::error_code ec;
    const auto room = (std::min)(most, buffer_.max_size() - buffer_.size());
    const auto size = co_await stream_->read_some(buffer_.prepare(room), ec);
    buffer_.commit(size);
    if (!ec && size > 0 && !is_late_) co_return true;  // what comes just as the time is over is too late: the limit is spent
    if (!is_late_) is_lost_ = true;
    co_return false;
}

asio::awaitable<bool> http_connection::receive_head(http::request& into, std::optional<http::problem>& refused) {
    phase_ = phase::receiving;
    limit_time(common_->limits.head_time());
    head_limits most;
    most.line = common_->limits.request_line();
    most.whole = common_->limits.head();
    most.fields = common_->limits.header_count();
    bool skips_lines = true;
    for (;;) {
        if (skips_lines) buffer_.consume(empty_lines(received()));
        skips_lines = skips_lines && buffer_.size() < 2;
        try {
            if (const auto size = find_head(received(), most)) {
                reader_->read_head(received().substr(0, size), most, into);
                buffer_.consume(size);
                no_time_limit();
                co_return true;
            }
        } catch (const http::problem& e) {
            refused = e;
            no_time_limit();
            co_return true;
        }
        const bool is_more = co_await receive(head_piece);
        if (is_more) continue;
        if (!is_late_ || buffer_.size() == 0) co_return false;
        refused = http::problem(408, "the request has not come to its end within the time for it; send it faster").closing();
        co_return true;
    }
}

asio::awaitable<std::string> http_connection::read(std::uint64_t most) {
    const auto& limits = common_->limits;
    most = (std::min)(most, limits.body());
    std::string piece;
    if (!reader_ || reader_->is_done()) co_return piece;
    if (reader_->content_length().value_or(0) > most) throw body_too_large(most);
    if (body_read_ == 0 && body_began_ == time_point()) body_began_ = common_->clock.now();
    handling_since_ = never_rep;
    while (piece.empty() && !reader_->is_done()) {
        buffer_.consume(reader_->read_body(received(), piece));
        if (!piece.empty() || reader_->is_done()) break;
        if (buffer_.size() >= buffer_.max_size()) throw http::problem(400, "a chunk of the body has too long a head").closing();
        if (reader_->expects_continue() && !std::exchange(is_continue_sent_, true)) co_await write("HTTP/1.1 100 Continue\r\n\r\n", "");
        const auto spent = (common_->clock.now() - body_began_).count();
        constexpr std::uint64_t grace = 30'000;  // ms
        const auto due = static_cast<std::uint64_t>((std::max)(spent, duration::rep(0)));
        const bool is_slow = due > grace && body_read_ < (due - grace) / 1000 * limits.body_rate();
        phase_ = phase::receiving;
        limit_time(limits.body_pause());
        const bool is_more = is_slow ? false : co_await receive(body_piece);
        no_time_limit();
        phase_ = phase::handling;
        if (is_more) continue;
        if (is_slow || is_late_) throw http::problem(408, "the body has come too slowly; send it faster").closing();
        throw_lost();
    }
    body_read_ += piece.size();
    if (reader_->is_done()) release_buffer();
    handling_since_ = common_->clock.now().time_since_epoch().count();
    if (body_read_ > most) throw body_too_large(most);
    co_return piece;
}

asio::awaitable<bool> http_connection::refuse(const http::problem& why, http::request asked) {
    const auto began = common_->clock.now();
    http::call in(std::move(asked), std::string());
    in.set_request_id(common_->id_of(in.request()));
    in.set_peer(address_, role_.is_secure);
    auto made = http::problem_json(why, in.request_id());
    made.header("X-Request-Id", in.request_id());
    is_ending_ = true;
    std::uint64_t sent = 0;
    co_await send(made, in.request(), sent);
    log_access(in, made.status(), sent, began);
    co_return false;
}

asio::awaitable<bool> http_connection::answer(http::request asked) {
    const auto began = common_->clock.now();
    const flight_mark mark(*common_);
    http::call in(std::move(asked), *this, common_->ending);
    in.set_request_id(common_->id_of(in.request()));
    in.set_peer(address_, role_.is_secure);
    if (common_->locate) common_->locate(in);
    if (reader_->is_done()) release_buffer();
    phase_ = phase::handling;
    handling_since_ = began.time_since_epoch().count();
    body_began_ = time_point();
    std::optional<http::response> made;
    if (role_.is_refused || mark.is_too_many()) {
        made = too_busy(role_.is_refused, in.request_id());
        is_ending_ = is_ending_ || role_.is_refused;
    } else if (role_.redirect_to != 0) {
        made = redirection(in.request(), role_.redirect_to);
    } else {
        std::function<void(const std::exception_ptr&)> on_failure = [&](const std::exception_ptr& e) { log_failure(in, e); };
        auto work = common_->router.answer(in, std::move(on_failure));
        made.emplace(co_await std::move(work));
    }
    if (is_file_missing(*made)) made = file_is_gone(in.request_id());
    handling_since_ = never_rep;
    if (common_->decorate) common_->decorate(in, *made);
    made->header("X-Request-Id", in.request_id());
    std::uint64_t sent = 0;
    const bool goes_on = co_await send(*made, in.request(), sent);
    log_access(in, made->status(), sent, began);
    if (!goes_on) co_return false;
    const bool is_clean = co_await skip_body();
    co_return is_clean;
}

bool http_connection::is_rest_short() const {
    if (!reader_ || reader_->is_done()) return true;
    if (reader_->expects_continue() && !is_continue_sent_) return false;  // it may come, or not
    const auto length = reader_->content_length();
    return length && *length - (std::min)(*length, body_read_) <= most_skipped;
}

asio::awaitable<bool> http_connection::skip_body() {
    std::uint64_t skipped = 0;
    while (reader_ && !reader_->is_done()) {
        std::string piece;
        bool is_good = true;
        try {
            buffer_.consume(reader_->read_body(received(), piece));
        } catch (const http::problem&) {  // it has its answer
            is_good = false;
        }
        skipped += piece.size();
        if (reader_->is_done()) break;
        if (!is_good || skipped > most_skipped) co_return false;
        limit_time(common_->limits.body_pause());
        const bool is_more = co_await receive(body_piece);
        no_time_limit();
        if (!is_more) co_return false;
    }
    co_return true;
}

void http_connection::log_access(const http::call& in, unsigned status, std::uint64_t sent, time_point began) const {
    if (common_->access == http::access_form::none) return;
    const auto took = common_->clock.now() - began;
    common_->log(access_line(common_->access, in, status, sent, took, common_->clock.wall()));
}

void http_connection::log_failure(const http::call& in, const std::exception_ptr& why) const {
    common_->log(failure_line(in, why, common_->clock.wall()));
}

}  // namespace taskflux::detail
