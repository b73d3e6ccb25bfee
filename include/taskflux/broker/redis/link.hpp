#pragma once

#include <taskflux/broker/broker/server_trouble.hpp>
#include <taskflux/broker/redis/connection_options.hpp>
#include <taskflux/broker/redis/link_state.hpp>
#include <taskflux/broker/redis/master_finder.hpp>
#include <taskflux/broker/redis/observed.hpp>
#include <taskflux/broker/redis/reply.hpp>
#include <taskflux/broker/redis/script.hpp>
#include <taskflux/broker/redis/settings.hpp>
#include <taskflux/broker/redis/verdict.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/detail/spawn.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancel_after.hpp>
#include <boost/asio/cancel_at.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/redis/adapter/any_adapter.hpp>
#include <boost/redis/config.hpp>
#include <boost/redis/connection.hpp>
#include <boost/redis/error.hpp>
#include <boost/redis/logger.hpp>
#include <boost/redis/operation.hpp>
#include <boost/redis/request.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::redis::wire {

/// What one link is for. All of it is called on the link's executor.
struct link_purpose {
    boost::redis::config config;
    /// The first request on each new connection.
    boost::redis::request greeting;
    /// Reads its reply and gives the server's run id; throws `taskflux::error` to refuse the server, for the
    /// moment if that is `unavailable`.
    std::function<std::string(const reply&)> greeted;
    /// Calls may come; `again`: after the connection was lost.
    std::function<void(bool again)> ready;
    /// Where what the server sends by itself goes.
    boost::redis::any_adapter push_adapter;
    /// Some of that is complete.
    std::function<void()> pushed;
    /// Names the Sentinels that know where the server is; nothing where `config` says it.
    std::optional<redis_url> sentinels;
};

/// Answers a call in the place of a server whose run id it does not name.
inline constexpr std::string_view another_server = "SERVER";

/// The run of a server that a call names, as it was known when that was written.
struct named_run {
    named_run() = default;
    named_run(std::optional<std::string> run_id, std::chrono::steady_clock::time_point deadline)
        : id(std::move(run_id)), until(deadline) {}

    std::optional<std::string> id;  ///< nothing: it names none
    std::chrono::steady_clock::time_point until{};  ///< the call's deadline, also where it is begun again for another one
};

/// One request of a caller.
struct link_call {
    boost::redis::request request;
    std::optional<script> which;  ///< the script that it runs
    bool repeatable = false;      ///< may be sent again when nobody knows whether it was carried out
    std::chrono::steady_clock::time_point deadline;
    bool has_parts = false;  ///< several commands; of an error of one its caller hears, unless something helps against it
    std::optional<std::string> run_id;  ///< that the request names: no other server gets it
};

/// One connection of Boost.Redis, reconnected whenever it is lost; `link_state` decides, this carries out. Lives as long as its loops do, which is
/// until `stop` or the end of its context, so that no socket outlives either; hold it weakly. `executor` runs
/// one thing at a time.
class link : public std::enable_shared_from_this<link> {
public:
    link(asio::any_io_executor executor, link_purpose purpose, tls security,
         const connection_options& options)
        : executor_(std::move(executor)),
          purpose_(std::move(purpose)),
          security_(security.state),
          options_(options),
          connection_(executor_, std::move(security.context),
                      boost::redis::logger(boost::redis::logger::level::err,
                                           [this](boost::redis::logger::level, std::string_view text) { note(text); })),
          changed_(executor_, (std::chrono::steady_clock::time_point::max)()),
          random_(std::random_device{}()) {
        if (purpose_.sentinels)
            finder_.emplace(connection_, security_, *purpose_.sentinels, options_.connect_timeout() / 3);
        auto adapter = purpose_.push_adapter;
        connection_.set_receive_response(adapter);
    }

    const asio::any_io_executor& executor() const noexcept { return executor_; }

    void start() {
        const auto report = [](const std::exception_ptr& failure) {
            if (failure) std::rethrow_exception(failure);
        };
        detail::spawn_on(executor_, keep_connected(shared_from_this()), report);
        detail::spawn_on(executor_, keep_receiving(shared_from_this()), report);
    }

    /// Ends all calls and both loops. From any thread.
    void stop() {
        asio::dispatch(executor_, [self = shared_from_this()] {
            self->state_.stop();
            if (self->finder_) self->finder_->stop();
            self->ready_ = false;
            self->connection_.cancel(boost::redis::operation::all);
            self->changed_.cancel();
        });
    }

    /// Which server this leads to; empty while it leads to none. On the executor.
    const std::string& server() const noexcept { return state_.server(); }

    /// Whether calls may come. Thread-safe.
    bool is_ready() const noexcept { return ready_; }

    /// Whether calls could ever come. Thread-safe.
    bool was_ready() const noexcept { return was_ready_; }

    /// Returns when calls could come once, or an attempt to connect has failed, or at `until`. On the executor. Errors: what the
    /// server refuses, as `connection::eval`, where calls could never come.
    asio::awaitable<void> until_tried(std::chrono::steady_clock::time_point until) {
        while (state_.is_untried() && clock::now() < until) co_await change(until);
        if (!was_ready_ && state_.refusal()) throw taskflux::detail::server_trouble(*state_.refusal());
    }

    /// Returns when calls may come. On the executor. Errors: as `connection::eval`.
    static asio::awaitable<void> wait(std::shared_ptr<link> self, std::chrono::steady_clock::time_point deadline) {
        co_await self->until_ready(deadline);
    }

    /// Finds the server anew. On the executor.
    void leave(std::string_view why) { perform(state_.leave(state_.generation(), why)); }

    /// Carries out one call, on the executor. Where the link leads to another server than the call names, now or after it was
    /// lost, nothing is sent, and the answer is {another_server, that one's run id}. Errors: see `connection::eval`.
    static asio::awaitable<reply> call(std::shared_ptr<link> self, link_call what) {
        std::optional<boost::redis::request> load;  // to be sent first
        unsigned put_off = 0;
        for (;;) {
            co_await self->until_ready(what.deadline);
            if (what.run_id && *what.run_id != self->state_.server()) co_return reply::of({another_server, self->state_.server()});
            const auto generation = self->state_.generation();
            reply answer;
            const auto& next = load ? *load : what.request;
            const bool may_repeat = load || what.repeatable;
            const bool answered = co_await self->exec(next, answer, may_repeat, what.deadline);
            if (!answered) continue;
            const auto refused = what.has_parts && !load ? curable_error(answer) : answer.error();
            if (refused.empty()) {
                if (!load) co_return answer;
                check_digest(answer, *what.which);
                load.reset();
                continue;
            }
            switch (remedy_for(refused)) {
                case remedy::load_script:
                    if (!what.which) throw_error(refused);
                    load.emplace(what.request.get_config()).push("SCRIPT", "LOAD", what.which->text);
                    break;
                case remedy::reconnect: self->perform(self->state_.leave(generation, in_words(refused))); break;
                case remedy::put_off:
                    self->state_.note_trouble(in_words(refused));
                    ++put_off;
                    co_await self->wait_a_moment(put_off, what.deadline);
                    break;
                case remedy::none: throw_error(refused);
            }
        }
    }

private:
    using clock = std::chrono::steady_clock;
    using time_point = clock::time_point;

    // The first error in an answer that something helps against.
    static std::string_view curable_error(const reply& answer) {
        for (const auto& each : answer.nodes()) {
            if (each.kind == node_kind::error && remedy_for(answer.bytes(each)) != remedy::none) return answer.bytes(each);
        }
        return {};
    }

    static void check_digest(const reply& answer, const script& which) {
        const auto digest = reader(answer).text();
        if (digest == which.sha1) return;
        throw taskflux::error(errc::protocol, "the script " + std::string(which.name) + " can't be called: the server gives it the SHA-1 " +
                                                  std::string(digest) + ", not " + std::string(which.sha1) +
                                                  "; see what stands between it and this program");
    }

    static asio::awaitable<void> keep_connected(std::shared_ptr<link> self) {
        while (!self->state_.is_stopped()) {
            co_await self->connect_once();
            const auto until = self->state_.rest(clock::now(), self->random_);
            while (!self->state_.is_stopped() && clock::now() < until) co_await self->change(until);
        }
    }

    static asio::awaitable<void> keep_receiving(std::shared_ptr<link> self) {
        while (!self->state_.is_stopped()) {
            boost::system::error_code ec;
            co_await self->connection_.async_receive2(asio::redirect_error(asio::use_awaitable, ec));
            if (!self->state_.is_stopped() && self->purpose_.pushed) self->purpose_.pushed();
        }
    }

    // Returns when the connection is lost, or there was none.
    asio::awaitable<void> connect_once() {
        using namespace asio::experimental::awaitable_operators;
        state_.begin_attempt(finder_.has_value());
        auto config = purpose_.config;
        if (finder_) {
            sentinel_report said;
            said.master = co_await finder_->find(purpose_.config);
            said.has_heard = finder_->has_heard();
            if (!said.master) {
                said.failures = finder_->failures();
                said.refusal = finder_->refusal();
            }
            const auto master = state_.hear(said);
            if (!master) {
                perform(state_.give_up_attempt());
                co_return;
            }
            config.addr = to_boost(*master);
        }
        security_.connect_to(config.addr.host);
        state_.connect();
        co_await (run(std::move(config)) && greet());
        if (state_.was_ready() || !finder_) co_return;
        finder_->misled();
        state_.was_misled(finder_->failures());
    }

    asio::awaitable<void> run(boost::redis::config config) {
        boost::system::error_code ec;
        if (!state_.is_stopped())
            co_await connection_.async_run(std::move(config), asio::redirect_error(asio::use_awaitable, ec));
        if (const auto complaint = security_.take_complaint(); !complaint.empty()) state_.note_trouble(complaint);
        perform(state_.disconnected(ec == boost::redis::error::resp3_hello));
    }

    asio::awaitable<void> greet() {
        if (!state_.awaits_greeting()) co_return;
        boost::system::error_code ec;
        reply answer;
        co_await connection_.async_exec(purpose_.greeting, answer.adapter(),
                                        asio::cancel_after(4 * options_.connect_timeout(),
                                                           asio::redirect_error(asio::use_awaitable, ec)));
        if (!state_.awaits_greeting()) co_return;
        link_actions then;
        try {
            if (ec) throw taskflux::error(errc::unavailable, "the Redis server does not answer its greeting");
            then = state_.greeted(purpose_.greeted(answer), clock::now());
        } catch (const taskflux::error& e) {
            then = state_.refuse(e);
        }
        perform(then);
    }

    // False: the connection was lost, perhaps after the request was carried out, and it may be sent again.
    asio::awaitable<bool> exec(const boost::redis::request& request, reply& answer, bool may_repeat, time_point deadline) {
        boost::system::error_code ec;
        co_await connection_.async_exec(
            request, answer.adapter(),
            asio::cancel_at(deadline, asio::redirect_error(asio::use_awaitable, ec)));
        if (!ec) co_return true;
        co_await throw_if_cancelled();
        switch (state_.after_loss(may_repeat, clock::now(), deadline)) {
            case loss::send_again: break;
            case loss::closed: throw closed();
            case loss::too_late: throw unavailable("no answer came in time");
            case loss::given_up: throw unavailable("the connection was lost in a call, which may have been carried out");
        }
        co_return false;
    }

    asio::awaitable<void> until_ready(time_point deadline) {
        for (;;) {
            switch (state_.for_call(clock::now(), deadline)) {
                case readiness::ready: co_return;
                case readiness::wait: break;
                case readiness::closed: throw closed();
                case readiness::refused: throw taskflux::detail::server_trouble(*state_.refusal());
                case readiness::too_late: throw unavailable("no connection in time");
            }
            co_await change(deadline);
        }
    }

    asio::awaitable<void> wait_a_moment(unsigned times, time_point deadline) {
        const auto until = link_state::put_off(times, clock::now(), deadline, random_);
        while (!state_.is_stopped() && clock::now() < until) co_await change(until);
        if (until == deadline) throw unavailable("the server kept refusing");
    }

    // Returns when the state has changed, or at `until`.
    asio::awaitable<void> change(time_point until) {
        boost::system::error_code ec;
        co_await changed_.async_wait(asio::cancel_at(until, asio::redirect_error(asio::use_awaitable, ec)));
        co_await throw_if_cancelled();
    }

    static asio::awaitable<void> throw_if_cancelled() {
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() == asio::cancellation_type::none) co_return;
        throw boost::system::system_error(asio::error::operation_aborted, "a call to Redis");
    }

    void perform(const link_actions& what) {
        ready_ = state_.is_ready();
        if (ready_) was_ready_ = true;
        for (const auto& line : what.log) log(line);
        if (what.ends_connection) connection_.cancel(boost::redis::operation::run);
        if (what.ends_requests) connection_.cancel(boost::redis::operation::exec);
        if (what.opens_calls) purpose_.ready(*what.opens_calls);
        if (what.opens_calls && *what.opens_calls) tell_reconnected(options_.observer());
        if (what.wakes_callers) changed_.cancel();
    }

    void note(std::string_view text) {
        state_.note_trouble(explained(reply::without_command(text), state_.trouble(), purpose_.config.use_ssl));
    }

    void log(const std::string& text) const {
        options_.log()(log_level::warning, "Redis: " + text);
    }

    taskflux::error unavailable(const std::string& what) const {
        return state_.unavailable(what, finder_ ? finder_->failures() : std::string());
    }

    static taskflux::error closed() { return {errc::shut_down, "the connection to Redis has been closed: make another broker to go on"}; }

    const asio::any_io_executor executor_;
    const link_purpose purpose_;
    tls_state security_;
    const connection_options options_;
    link_state state_;
    boost::redis::connection connection_;
    std::optional<master_finder> finder_;
    asio::steady_timer changed_;  // cancelled whenever callers must look again
    std::atomic<bool> ready_ = false;  // what `state_` says, for other threads
    std::atomic<bool> was_ready_ = false;
    std::mt19937_64 random_;
};

}  // namespace taskflux::redis::wire
