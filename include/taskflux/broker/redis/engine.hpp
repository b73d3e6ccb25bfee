#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/redis/connection.hpp>
#include <taskflux/broker/redis/consumers.hpp>
#include <taskflux/broker/redis/inbox.hpp>
#include <taskflux/broker/redis/post_office.hpp>
#include <taskflux/broker/redis/queue.hpp>
#include <taskflux/broker/redis/server_clock.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/core/uuid.hpp>
#include <taskflux/detail/alarm.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/context_end.hpp>
#include <taskflux/detail/spawn.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace taskflux::redis {

template <class T>
using awaitable = asio::awaitable<T>;

/// What the calls of a Redis broker share: the connection, the queues, the waiting callers, and the time. Thread-safe;
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
          server_(connection::make(executor_, std::move(url), std::move(options))), clock_(base),
          post_(std::make_shared<post_office>(executor_, server_)) {
        detail::context_end::keep(executor_, clock_.kept_base());
    }

    /// To be called once, before anything else.
    void start() {
        server_->on_message([weak = weak_from_this()](std::string_view message) {
            if (const auto self = weak.lock()) self->hear(message);
        });
        server_->on_missed_messages([weak = weak_from_this()] {
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
            for (const auto& [name, one] : queues_) all.push_back(one);
        }
        consumers_.lost_messages();
        for (auto& one : all) {
            one->calls().doubt();
            detail::spawn_ignoring_errors(executor_, maintain(one));  // the next call on the queue maintains it too
        }
        inbox_.lost_messages();
    }

    const asio::any_io_executor& get_executor() const { return executor_; }
    server_clock& clock() { return clock_; }
    /// The local clock, by which waits go.
    taskflux::clock& base() const { return clock_.base(); }
    redis::inbox& inbox() { return inbox_; }
    awaited_ends& ends() { return inbox_.ends(); }
    post_office& post() { return *post_; }
    redis::consumers& consumers() { return consumers_; }

    /// A consumer has a lease in that queue again; of which length.
    duration recovered(const std::string& consumer, const std::string& name) {
        if (consumers_.has_failed(consumer, name)) at(name)->trouble_is_over(queue::trouble::with_lease);
        return consumers_.recovered(consumer, name);
    }
    /// Where this process is told things.
    const std::string& channel() const { return server_->inbox(); }

    void close() {
        is_closed_ = true;
        server_->close();
        inbox_.wake_all();
    }

    /// At the end of the context, in which the connection ends by itself.
    void end() { is_closed_ = true; }

    void check_open() const {
        if (is_closed_) throw detail::broker_is_closed();
    }

    /// Returns when this process hears what is sent to its mailboxes. Errors: `unavailable`, `shut_down`.
    awaitable<void> until_it_hears() {
        if (!server_->hears()) co_await server_->until_it_hears();
    }

    /// The queue of that name. Errors: `invalid_argument`, `shut_down`.
    std::shared_ptr<queue> at(const std::string& name) {
        check_open();
        detail::check_queue_name(name);
        return keys_of(name);
    }

    /// The keys of a board, which has a queue's. Errors: those of `at`.
    std::shared_ptr<queue> board(const std::string& name) {
        check_open();
        detail::check_board_name(name);
        return keys_of(name);
    }

    /// So that the server knows a call that it gets again.
    std::string new_call_id() { return producer_ + '.' + std::to_string(++calls_made_); }

    /// What carries to other queues that which a queue's outbox holds; set once, before the first call.
    void on_relay(std::function<awaitable<void>(std::shared_ptr<engine>, std::string)> action) { carry_ = std::move(action); }

    static awaitable<void> maintain(std::shared_ptr<queue> of) { co_await of->calls().maintain_once(); }

    /// Calls a script that may be called twice. `own` are keys beside the queue's.
    awaitable<answer> call(std::string name, const script& what, std::vector<std::string> own, arguments with) {
        const auto on = at(name);
        auto& calls = on->calls();
        co_return co_await calls.run(what, std::move(own), std::move(with), true);
    }

    /// Like `call`, for a script that reads, whose caller may pass over a queue that fails: `kind` is told once.
    awaitable<answer> read(queue::trouble kind, std::string name, const script& what, arguments with) {
        const auto self = shared_from_this();
        const auto on = at(name);
        auto reading = call(std::move(name), what, {}, std::move(with));
        auto got = co_await detail::caught(std::move(reading));
        if (!got.failure()) {
            on->trouble_is_over(kind);
        } else if (const auto why = detail::describe(got.failure()); detail::code_of(why) == errc::protocol) {
            on->report_trouble(kind, why.message);
        }
        co_return got.take();
    }

    /// Calls a script once with the keys of many queues: it costs the server least, and tells only in which of them there is
    /// something to do. Gives their places; all where it can't be called: a cluster has queues in many slots.
    awaitable<std::vector<std::size_t>> call_once(const script& what, std::vector<std::string> names, arguments with) {
        const auto self = shared_from_this();
        std::vector<std::size_t> left;
        for (std::size_t first = 0, many = 0; first < names.size(); first += many) {
            many = (std::min)(names.size() - first, lookout::most_at_once);
            std::vector<std::string> keys;
            keys.reserve(many * what.keys.size());
            for (auto i = first; i < first + many; ++i) at(names[i])->calls().add_keys(what, keys);
            auto calling = server_->eval(what, keys, with.words(), true);
            auto called = co_await detail::caught(std::move(calling));
            if (called.failure()) {
                if (detail::code_of(detail::describe(called.failure())) != errc::protocol) std::rethrow_exception(called.failure());
                for (auto i = first; i < first + many; ++i) left.push_back(i);
                continue;
            }
            const auto got = called.take();
            reader from(got);
            if (from.list() == 0 || from.text() != "OK") throw error(errc::protocol, "a script for several queues did not answer OK");
            while (!from.done()) {
                const auto place = from.integer();
                if (place < 0 || place >= static_cast<std::int64_t>(many)) {
                    throw error(errc::protocol, "a script for several queues told of one that it was not asked for");
                }
                left.push_back(first + static_cast<std::size_t>(place));
            }
        }
        co_return left;
    }

    /// Calls a script for each of several queues, in as few requests as may be: `own` are keys of each beside the script's, and
    /// `use` gets the place of the queue and the answer after its OK. Gives the places of the queues where it answered otherwise
    /// or failed: there it is to be called alone.
    awaitable<std::vector<std::size_t>> call_pipelined(const script& what, std::vector<std::string> names,
                                                       std::vector<std::string> own, arguments with,
                                                       std::function<void(std::size_t, reader)> use) {
        const auto self = shared_from_this();
        std::vector<std::size_t> alone;
        for (std::size_t first = 0, many = 0; first < names.size(); first += many) {
            many = (std::min)(names.size() - first, lookout::most_at_once);
            std::vector<std::vector<std::string>> keys;
            keys.reserve(many);
            for (auto i = first; i < first + many; ++i) keys.push_back(at(names[i])->calls().keys_for(what, own));
            const auto got = co_await server_->eval_each(what, keys, with.words());
            reader from(got);
            for (auto i = first; i < first + many; ++i) {
                auto one = from.part();
                const auto word = !one.is_error() && one.list() > 0 ? one.text() : std::string_view();
                if (word == "RELAY") relay(names[i]);
                if (word == "RELAY" || word == "OK") {
                    use(i, one);
                } else {
                    alone.push_back(i);
                }
            }
        }
        co_return alone;
    }

    /// The key of what a consumer holds. (GCC 12 compiles no list in braces inside a co_await expression.)
    static std::vector<std::string> set_of(const std::string& consumer) { return {named(own_key::held, consumer)}; }

    awaitable<std::vector<std::string>> queues() {
        const auto self = shared_from_this();
        check_open();
        const std::vector<std::string> words{"SMEMBERS", all_queues(server_->prefix())};
        const auto got = co_await server_->command(words, true);
        reader from(got);
        std::vector<std::string> names(from.list());
        for (auto& name : names) name = from.text();
        const auto foreign = std::erase_if(names, [](const auto& name) { return !detail::allows(detail::limits::queue, name); });
        if (foreign > 0 && !has_told_foreign_.exchange(true)) {
            server_->log(words[1] + " has " + std::to_string(foreign) + " members that are no queue names: they are passed over; "
                                                                        "find out who writes there");
        }
        std::ranges::sort(names);
        co_return names;
    }

    /// Others must look for tasks in these queues, where they relied on a sleeper that looks there no more. `member`: it is taken
    /// off the queues' lists; empty: it was when it was woken. `until_then` is kept until that has been done. Where it fails, the
    /// others wake by their own timers.
    static awaitable<void> resign(std::shared_ptr<engine> self, std::vector<std::string> names, std::string member,
                                  std::shared_ptr<void> until_then) {
        if (names.size() == 1) {
            co_await resign_alone(self, std::move(names.front()), std::move(member), std::move(until_then));
            co_return;
        }
        arguments with;
        with.add(member);
        const auto use = [](std::size_t, reader) {};
        const auto alone = co_await self->call_pipelined(scripts::resign, names, {}, std::move(with), use);
        for (const auto i : alone) {
            detail::spawn_ignoring_errors(self->executor_, resign_alone(self, names[i], member, until_then));
        }
    }

    /// For a task that was handed over and can't be used. Waits for nothing.
    void give_back(handed_task task) {
        if (is_closed_) return;
        // Where it fails, the lease ends.
        detail::spawn_ignoring_errors(executor_, return_to_queue(std::move(task)));
    }

    /// Waits until `who` has a message, or until `when` by the local clock; may return early. Throws when cancelled, or when the
    /// broker is closed.
    awaitable<void> sleep(redis::inbox::ticket& who, time_point when) { return sleep(who.wake(), when, base()); }
    awaitable<void> sleep(std::shared_ptr<detail::event> wake, time_point when) { return sleep(std::move(wake), when, base()); }

    /// By another clock.
    awaitable<void> sleep(redis::inbox::ticket& who, time_point when, taskflux::clock& by) { return sleep(who.wake(), when, by); }
    awaitable<void> sleep(std::shared_ptr<detail::event> wake, time_point when, taskflux::clock& by) {
        const auto executor = co_await asio::this_coro::executor;
        const detail::alarm at(by, executor, wake, when);
        co_await wake->wait();
        check_open();
    }

    /// A point in the server's time by the local clock, which read `sent` when the request was made that the server
    /// answered at `now`: rather too early than too late.
    static time_point local(time_point sent, double when, double now) {
        return later(sent, to_duration(std::clamp(when - now, 0.0, stored_time::never)));
    }

    /// Messages may get lost: so often is asked without one, not all at the same time.
    duration safety_poll() {
        const std::lock_guard lock(mutex_);
        return std::chrono::seconds(5) + duration(std::uniform_int_distribution<int>(0, 2000)(random_));
    }

private:
    std::shared_ptr<queue> keys_of(const std::string& name) {
        const std::lock_guard lock(mutex_);
        auto& made = queues_[name];
        if (!made) {
            made = std::make_shared<queue>(executor_, server_, name, producer_, [weak = weak_from_this(), name] {
                if (const auto self = weak.lock()) self->relay(name);
            });
        }
        return made;
    }

    /// A message from the server, on the connection's strand.
    void hear(std::string_view message) {
        std::optional<handed_task> unheard;
        try {
            if (message.starts_with(post_office::kind)) return post_->deliver(message.substr(1));
            unheard = inbox_.deliver(message, consumers_);
        } catch (const std::exception&) {
            return;  // not a message of this version; polling finds what it was about
        }
        if (!unheard) return;
        if (unheard->consumer.empty()) {
            std::vector<std::string> where(1, std::move(unheard->queue));
            detail::spawn_ignoring_errors(executor_, resign(shared_from_this(), std::move(where), {}, nullptr));
        } else {
            give_back(std::move(*unheard));
        }
    }

    /// One at a time for each queue; what comes meanwhile is looked for again. Waits for nothing.
    void relay(const std::string& name) {
        {
            const std::lock_guard lock(mutex_);
            auto& turns = relays_[name];
            if (is_closed_ || std::exchange(turns, 2) > 0) return;
        }
        detail::spawn_ignoring_errors(executor_, relay_all(shared_from_this(), name));
    }

    static awaitable<void> relay_all(std::shared_ptr<engine> self, std::string name) {
        bool goes_on = true;
        while (goes_on) {
            {
                const std::lock_guard lock(self->mutex_);
                self->relays_[name] = 1;
            }
            try {
                co_await self->carry_(self, name);
            } catch (const std::exception& e) {  // whoever renews its lease next tries again
                if (!self->is_closed_) self->server_->log("queue " + name + ": carrying ends of subtasks, or forwarded results, to other queues failed: " + e.what() +
                                           "; tried again when a lease is renewed");
            }
            const std::lock_guard lock(self->mutex_);
            goes_on = self->relays_[name] == 2;
            if (!goes_on) self->relays_.erase(name);
        }
    }

    static awaitable<void> resign_alone(std::shared_ptr<engine> self, std::string name, std::string member,
                                        [[maybe_unused]] std::shared_ptr<void> until_then) {
        arguments with;
        with.add(std::move(member));
        co_await self->call(std::move(name), scripts::resign, {}, std::move(with));
    }

    awaitable<void> return_to_queue(handed_task task) {
        const auto self = shared_from_this();
        arguments with;
        const held_task handed{task.sequence};
        with.add(task.consumer).add(handed.sequence).add(handed.token);
        consumers_.settled(task.consumer, task.queue, handed);
        auto returning = call(task.queue, scripts::reclaim, set_of(task.consumer), std::move(with));
        const auto returned = co_await detail::caught(std::move(returning));
        if (returned.failure()) consumers_.lost_an_answer(task.consumer, task.queue);
    }

    const asio::any_io_executor executor_;
    const std::shared_ptr<connection> server_;
    server_clock clock_;
    const std::shared_ptr<post_office> post_;
    const std::string producer_ = uuid_generator().text();
    redis::inbox inbox_;
    redis::consumers consumers_;
    std::atomic<bool> is_closed_ = false;
    std::atomic<bool> has_told_foreign_ = false;
    std::atomic<std::uint64_t> calls_made_ = 0;
    std::function<awaitable<void>(std::shared_ptr<engine>, std::string)> carry_;

    std::mutex mutex_;  // guards all below
    std::unordered_map<std::string, std::shared_ptr<queue>> queues_;
    std::map<std::string, int> relays_;  // 1: under way; 2: to be followed by another
    std::minstd_rand random_{std::random_device()()};
};

using engine_ptr = std::shared_ptr<engine>;

}  // namespace taskflux::redis
