#pragma once

#include <taskflux/broker/redis/connection_options.hpp>
#include <taskflux/broker/redis/master_finder.hpp>
#include <taskflux/broker/redis/reply.hpp>
#include <taskflux/broker/redis/script.hpp>
#include <taskflux/broker/redis/settings.hpp>
#include <taskflux/broker/redis/verdict.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/retry.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancel_after.hpp>
#include <boost/asio/cancel_at.hpp>
#include <boost/asio/co_spawn.hpp>
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

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
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
    /// Names the Sentinels who know where the server is; nothing where `config` says it.
    std::optional<redis_url> sentinels;
};

/// One request of a caller.
struct link_call {
    boost::redis::request request;
    std::optional<script> which;  ///< the script that it runs
    bool repeatable = false;      ///< may be sent again when nobody knows whether it was carried out
    std::chrono::steady_clock::time_point deadline;
};

/// One connection of Boost.Redis, made again whenever it is lost. Lives as long as its loops do, which is
/// until `stop` or the end of its context, so that no socket outlives either; hold it weakly. `executor` runs
/// one thing at a time.
class link : public std::enable_shared_from_this<link> {
public:
    link(asio::any_io_executor executor, link_purpose purpose, tls security,
         const connection_options& options)
        : executor_(std::move(executor)),
          purpose_(std::move(purpose)),
          tls_host_(std::move(security.host)),
          options_(options),
          connection_(executor_, std::move(security.context),
                      boost::redis::logger(boost::redis::logger::level::err,
                                           [this](boost::redis::logger::level, std::string_view text) {
                                               if (!is_finding_) last_error_ = text;
                                           })),
          changed_(executor_, (std::chrono::steady_clock::time_point::max)()),
          random_(std::random_device{}()) {
        if (purpose_.sentinels)
            finder_.emplace(connection_, tls_host_, *purpose_.sentinels, options_.connect_timeout() / 3);
        auto adapter = purpose_.push_adapter;
        connection_.set_receive_response(adapter);
    }

    const asio::any_io_executor& executor() const noexcept { return executor_; }

    void start() {
        const auto report = [](const std::exception_ptr& failure) {
            if (failure) std::rethrow_exception(failure);
        };
        asio::co_spawn(executor_, keep_connected(shared_from_this()), report);
        asio::co_spawn(executor_, keep_receiving(shared_from_this()), report);
    }

    /// Ends all calls and both loops. From any thread.
    void stop() {
        asio::dispatch(executor_, [self = shared_from_this()] {
            self->stopped_ = true;
            if (self->finder_) self->finder_->stop();
            self->ready_ = false;
            self->connection_.cancel(boost::redis::operation::all);
            self->changed_.cancel();
        });
    }

    /// Which server this leads to; empty while it leads to none. On the executor.
    const std::string& server() const noexcept { return server_; }

    /// Whether calls may come. Thread-safe.
    bool is_ready() const noexcept { return ready_; }

    /// Returns when they may. On the executor. Errors: as `connection::eval`.
    static asio::awaitable<void> wait(std::shared_ptr<link> self, std::chrono::steady_clock::time_point deadline) {
        co_await self->until_ready(deadline);
    }

    /// Finds the server anew. On the executor.
    void leave(std::string_view why) { give_up_on_server(generation_, why); }

    /// Carries out one call, on the executor. Errors: see `connection::eval`.
    static asio::awaitable<reply> call(std::shared_ptr<link> self, link_call what) {
        std::optional<boost::redis::request> load;  // to be sent first
        unsigned put_off = 0;
        for (;;) {
            co_await self->until_ready(what.deadline);
            const auto generation = self->generation_;
            reply answer;
            const auto& next = load ? *load : what.request;
            const bool answered = co_await self->exec(next, answer, what.deadline);
            if (!answered) {
                if (!load && !what.repeatable) throw self->unavailable("the connection was lost in a call");
                continue;
            }
            const auto refused = answer.error();
            if (refused.empty()) {
                if (!load) co_return answer;
                check_digest(answer, *what.which);
                load.reset();
                continue;
            }
            switch (remedy_for(refused)) {
                case remedy::load_script:
                    if (!what.which) throw to_error(refused);
                    load.emplace(what.request.get_config()).push("SCRIPT", "LOAD", what.which->text);
                    break;
                case remedy::reconnect: self->give_up_on_server(generation, refused); break;
                case remedy::put_off:
                    self->last_error_ = refused;
                    ++put_off;
                    co_await self->wait_a_moment(put_off, what.deadline);
                    break;
                case remedy::none: throw to_error(refused);
            }
        }
    }

private:
    using time_point = std::chrono::steady_clock::time_point;
    using milliseconds = std::chrono::milliseconds;

    static void check_digest(const reply& answer, const script& which) {
        const auto digest = reader(answer).text();
        if (digest == which.sha1) return;
        throw taskflux::error(errc::protocol, "the script " + std::string(which.name) + " has the SHA-1 " +
                                                  std::string(digest) + ", not " + std::string(which.sha1));
    }

    duration back_off(unsigned failed) {
        const auto policy =
            retry_policy::exponential(milliseconds(20)).attempts(0).max_delay(longest_pause).full_jitter();
        return *next_delay(policy, failed, {}, random_);
    }

    static asio::awaitable<void> keep_connected(std::shared_ptr<link> self) {
        unsigned failed = 0;
        while (!self->stopped_) {
            const auto lasted = co_await self->connect_once();
            failed = lasted > longest_pause ? 1 : failed + 1;
            const auto until = std::chrono::steady_clock::now() + self->back_off(failed);
            while (!self->stopped_ && std::chrono::steady_clock::now() < until) co_await self->change(until);
        }
    }

    static asio::awaitable<void> keep_receiving(std::shared_ptr<link> self) {
        while (!self->stopped_) {
            boost::system::error_code ec;
            co_await self->connection_.async_receive2(asio::redirect_error(asio::use_awaitable, ec));
            if (!self->stopped_ && self->purpose_.pushed) self->purpose_.pushed();
        }
    }

    // Returns when the connection is lost, with how long it could be used.
    asio::awaitable<std::chrono::steady_clock::duration> connect_once() {
        using namespace asio::experimental::awaitable_operators;
        next_refusal_.reset();
        ready_since_ = {};
        auto config = purpose_.config;
        if (finder_) {
            is_finding_ = true;
            const auto master = co_await finder_->find(purpose_.config);
            is_finding_ = false;
            expected_server_.clear();
            if (master) {
                config.addr = to_boost(*master);
            } else if (!finder_->has_heard() && !last_server_.empty()) {
                // Who could not be asked can't have named another one to us, and it may well be there.
                config.addr = last_master_;
                expected_server_ = last_server_;
            } else {
                last_error_ = finder_->failures();
                next_refusal_ = finder_->refusal();
                settle_refusal();
                co_return std::chrono::steady_clock::duration::zero();
            }
            tried_master_ = config.addr;
        }
        *tls_host_ = config.addr.host;
        running_ = true;
        co_await (run(std::move(config)) && greet());
        if (ready_since_ != time_point()) co_return std::chrono::steady_clock::now() - ready_since_;
        if (finder_) finder_->misled();
        if (!expected_server_.empty()) last_error_ = finder_->failures() + "; the last one: " + last_error_;
        co_return std::chrono::steady_clock::duration::zero();
    }

    asio::awaitable<void> run(boost::redis::config config) {
        boost::system::error_code ec;
        if (!stopped_)
            co_await connection_.async_run(std::move(config), asio::redirect_error(asio::use_awaitable, ec));
        running_ = false;
        server_.clear();
        if (ec == boost::redis::error::resp3_hello) {
            constexpr std::string_view prefix = "Setup request execution failed: ";
            auto said = std::string_view(last_error_);
            if (said.starts_with(prefix)) said.remove_prefix(prefix.size());
            next_refusal_ = refusal_for(said);
        }
        if (ready_.exchange(false) && !stopped_) log("lost the connection: " + last_error_);
        connection_.cancel(boost::redis::operation::exec);
        settle_refusal();
    }

    // What this attempt found is what callers are told from now on.
    void settle_refusal() {
        refusal_ = next_refusal_;
        if (refusal_ && !stopped_) log(refusal_->what());
        changed_.cancel();
    }

    asio::awaitable<void> greet() {
        if (!running_) co_return;
        boost::system::error_code ec;
        reply answer;
        co_await connection_.async_exec(purpose_.greeting, answer.adapter(),
                                        asio::cancel_after(4 * options_.connect_timeout(),
                                                           asio::redirect_error(asio::use_awaitable, ec)));
        if (!running_ || stopped_) co_return;
        try {
            if (ec) throw taskflux::error(errc::unavailable, "the Redis server does not answer");
            server_ = purpose_.greeted(answer);
            check_expected();
        } catch (const taskflux::error& e) {
            if (e.code() == errc::unavailable) {
                last_error_ = e.what();
            } else {
                next_refusal_ = e;
            }
            connection_.cancel(boost::redis::operation::run);
            co_return;
        }
        last_server_ = server_;
        last_master_ = tried_master_;
        const bool again = generation_++ != 0;
        ready_ = true;
        ready_since_ = std::chrono::steady_clock::now();
        refusal_.reset();
        if (again) log("connected again");
        purpose_.ready(again);
        changed_.cancel();
    }

    // Without a Sentinel's word, only the very process that was the master is one for sure: where it has been started
    // again there may be another by now.
    void check_expected() {
        if (expected_server_.empty() || server_ == expected_server_) return;
        server_.clear();
        throw taskflux::error(errc::unavailable, "it has been started again");
    }

    // False: the connection was lost, and perhaps the request was carried out.
    asio::awaitable<bool> exec(const boost::redis::request& request, reply& answer, time_point deadline) {
        boost::system::error_code ec;
        co_await connection_.async_exec(
            request, answer.adapter(),
            asio::cancel_at(deadline, asio::redirect_error(asio::use_awaitable, ec)));
        if (!ec) co_return true;
        co_await throw_if_cancelled();
        if (stopped_) throw closed();
        if (std::chrono::steady_clock::now() >= deadline) throw unavailable("no answer came in time");
        co_return false;
    }

    asio::awaitable<void> until_ready(time_point deadline) {
        while (!ready_) {
            if (stopped_) throw closed();
            if (refusal_) throw *refusal_;
            if (std::chrono::steady_clock::now() >= deadline) throw unavailable("no connection in time");
            co_await change(deadline);
        }
    }

    asio::awaitable<void> wait_a_moment(unsigned put_off, time_point deadline) {
        const auto until = (std::min)(deadline, std::chrono::steady_clock::now() + back_off(put_off));
        while (!stopped_ && std::chrono::steady_clock::now() < until) co_await change(until);
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

    void give_up_on_server(std::uint64_t generation, std::string_view why) {
        last_error_ = why;
        if (generation != generation_ || !ready_) return;
        ready_ = false;
        log("leaves a server that refuses: " + last_error_);
        connection_.cancel(boost::redis::operation::run);
    }

    void log(const std::string& text) const {
        if (options_.log()) options_.log()("Redis: " + text);
    }

    taskflux::error unavailable(const std::string& what) const {
        const auto trouble = is_finding_ ? finder_->failures() : last_error_;
        const auto last = trouble.empty() ? std::string() : "; the last trouble was: " + trouble;
        return {errc::unavailable, "Redis: " + what + last};
    }

    static taskflux::error closed() { return {errc::shut_down, "the connection to Redis has been closed"}; }

    static constexpr std::chrono::seconds longest_pause{1};

    const asio::any_io_executor executor_;
    const link_purpose purpose_;
    const std::shared_ptr<std::string> tls_host_;
    const connection_options options_;
    std::string last_error_;
    boost::redis::connection connection_;
    std::optional<master_finder> finder_;
    asio::steady_timer changed_;                   // cancelled whenever anything below has changed
    std::optional<taskflux::error> refusal_;       // why the server can't be used, until that has changed
    std::optional<taskflux::error> next_refusal_;  // what this attempt found
    std::uint64_t generation_ = 0;                 // how often calls could come
    time_point ready_since_;
    std::string server_;           // its run id, while there is a connection
    std::string expected_server_;  // the only one that will do now; empty: whichever is the master
    std::string last_server_;      // the last one that was used, and where, as the Sentinels said
    boost::redis::address last_master_;
    boost::redis::address tried_master_;
    bool is_finding_ = false;  // the Sentinels are being asked
    bool running_ = false;
    std::atomic<bool> ready_ = false;
    bool stopped_ = false;
    std::mt19937_64 random_;
};

}  // namespace taskflux::redis::wire
