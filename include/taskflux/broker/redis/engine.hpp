#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/redis/connection.hpp>
#include <taskflux/broker/redis/consumers.hpp>
#include <taskflux/broker/redis/inbox.hpp>
#include <taskflux/broker/redis/queue.hpp>
#include <taskflux/broker/redis/server_clock.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/detail/sleep.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::redis {

template <class T>
using awaitable = asio::awaitable<T>;

/// What the calls of a Redis broker share: the connection, the queues, who waits, and the time. Thread-safe;
/// lives in a shared_ptr, which every call keeps.
class engine : public std::enable_shared_from_this<engine> {
public:
    /// Items of one script call, at most: what the usual case needs, and what any case can take, so that no call
    /// keeps the server from others for more than a few milliseconds.
    static constexpr std::size_t batch_size = batcher_limits::max_items;
    static constexpr std::size_t careful_batch_size = 100;
    /// Numbers that one call looks at.
    static constexpr std::size_t scan_size = 250;

    engine(asio::any_io_executor executor, redis_url url, connection_options options, taskflux::clock& base)
        : executor_(std::move(executor)),
          server_(connection::make(executor_, std::move(url), std::move(options))), clock_(base) {}

    /// To be called once, before anything else.
    void start() {
        server_->on_message([weak = weak_from_this()](std::string_view message) {
            if (const auto self = weak.lock()) self->hear(message);
        });
        server_->on_reconnect([weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->come_back();
        });
        server_->start();
    }

    /// After a reconnection: messages may be missing, and it may be another server, which does not know the queues,
    /// and must see to the leases.
    void come_back() {
        std::vector<std::shared_ptr<queue>> all;
        {
            const std::lock_guard lock(mutex_);
            announced_.clear();
            for (const auto& [name, one] : queues_) all.push_back(one);
        }
        for (auto& one : all) asio::co_spawn(executor_, maintain(one), [](std::exception_ptr) {});  // others will
        inbox_.wake_all();
    }

    const asio::any_io_executor& get_executor() const { return executor_; }
    server_clock& clock() { return clock_; }
    /// The local clock, by which waits go.
    taskflux::clock& base() const { return clock_.base(); }
    redis::inbox& inbox() { return inbox_; }
    redis::consumers& consumers() { return consumers_; }
    /// Where this process is told things.
    const std::string& channel() const { return server_->inbox(); }

    void close() {
        is_closed_ = true;
        server_->close();
        inbox_.wake_all();
    }

    void check_open() const {
        if (is_closed_) throw error(errc::shut_down, "the broker has been closed");
    }

    /// The queue of that name. Errors: `invalid_argument`, `shut_down`.
    std::shared_ptr<queue> at(const std::string& name) {
        check_open();
        if (!is_valid_name(name)) {
            throw error(errc::invalid_argument,
                        "not a queue name: \"" + name + "\"; use 1 to 128 characters of A-Z a-z 0-9 _ - . /");
        }
        const std::lock_guard lock(mutex_);
        auto& made = queues_[name];
        if (!made) made = std::make_shared<queue>(executor_, server_, name, producer_);
        return made;
    }

    static awaitable<void> maintain(std::shared_ptr<queue> of) { co_await of->calls().maintain(); }

    /// Calls a script that may be called twice. `own` are keys beside the queue's.
    awaitable<answer> call(std::string name, const script& what, std::vector<std::string> own, arguments with) {
        const auto on = at(name);
        auto& calls = on->calls();
        co_return co_await calls.run(what, std::move(own), std::move(with), true);
    }

    /// The key of what a consumer holds. (GCC 12 compiles no list in braces inside a co_await expression.)
    static std::vector<std::string> set_of(const std::string& consumer) { return {"a:" + consumer}; }

    /// Makes the queue known to `queues`.
    awaitable<void> announce(std::string name) {
        {
            const std::lock_guard lock(mutex_);
            if (announced_.contains(name)) co_return;
        }
        const std::vector<std::string> words{"SADD", all_queues, name};
        co_await server_->command(words, true);
        const std::lock_guard lock(mutex_);
        announced_.insert(name);
    }

    awaitable<std::vector<std::string>> queues() {
        const auto self = shared_from_this();
        check_open();
        const std::vector<std::string> words{"SMEMBERS", all_queues};
        const auto got = co_await server_->command(words, true);
        reader from(got);
        std::vector<std::string> names(from.list());
        for (auto& name : names) name = from.text();
        std::ranges::sort(names);
        co_return names;
    }

    /// Somebody else must look for tasks in a queue, as the sleeper of that name (empty: it has gone long since)
    /// does not any more. Waits for nothing.
    void resign(std::string name, std::string member) {
        if (is_closed_) return;
        asio::co_spawn(executor_, wake_another(std::move(name), std::move(member)), [](std::exception_ptr) {});
    }

    /// Until the inbox has something, or `when` by the local clock. Throws when cancelled, or closed.
    awaitable<void> sleep(redis::inbox::ticket& who, time_point when) {
        using namespace asio::experimental::awaitable_operators;
        bool is_cancelled = false;
        try {
            co_await (who.wake().wait() || detail::sleep_until(base(), when));
        } catch (const asio::multiple_exceptions&) {
            is_cancelled = true;
        }
        if (is_cancelled) throw boost::system::system_error(asio::error::operation_aborted);
        check_open();
    }

    /// A point in the server's time by the local clock, which read `sent` when the request was made that the server
    /// answered at `now`: rather too early than too late.
    static time_point local(time_point sent, double when, double now) {
        return later(sent, to_duration((std::max)(when - now, 0.0)));
    }

    /// Messages may get lost: so often is asked without one, not all at the same time.
    duration safety_poll() {
        const std::lock_guard lock(mutex_);
        return std::chrono::seconds(5) + duration(std::uniform_int_distribution<int>(0, 2000)(random_));
    }

private:
    static constexpr const char* all_queues = "tf:{queues}";

    /// A message from the server, on the connection's strand.
    void hear(std::string_view message) {
        std::optional<std::string> unheard;
        try {
            unheard = inbox_.deliver(message);
        } catch (const std::exception&) {
            return;  // not one of ours; polls make up for it
        }
        if (unheard) resign(std::move(*unheard), {});
    }

    awaitable<void> wake_another(std::string name, std::string member) {
        const auto self = shared_from_this();
        arguments with;
        with.add(std::move(member));
        co_await call(std::move(name), scripts::resign, {}, std::move(with));
    }

    const asio::any_io_executor executor_;
    const std::shared_ptr<connection> server_;
    server_clock clock_;
    const std::string producer_ = uuid_generator().text();
    redis::inbox inbox_;
    redis::consumers consumers_;
    std::atomic<bool> is_closed_ = false;

    std::mutex mutex_;  // guards all below
    std::map<std::string, std::shared_ptr<queue>> queues_;
    std::set<std::string> announced_;
    std::minstd_rand random_{std::random_device()()};
};

using engine_ptr = std::shared_ptr<engine>;

}  // namespace taskflux::redis
