#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/memory/consequences.hpp>
#include <taskflux/broker/memory/inspect.hpp>
#include <taskflux/broker/memory/queues.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/detail/event.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::memory {

/// The queues of an embedded broker behind their lock, and the coroutines that wait for something in them.
/// Thread-safe: the mutex is held for the length of a batch, never while waiting.
class hub : public std::enable_shared_from_this<hub> {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    /// `max_pending` and `max_ended` as in `task_queue`; `clock` must outlive the hub.
    hub(asio::any_io_executor executor, std::size_t max_pending, std::size_t max_ended, taskflux::clock& clock)
        : executor_(std::move(executor)), clock_(clock), queues_(max_pending, max_ended), timer_(std::in_place, executor_) {}

    ~hub() { drop_timer(); }

    const asio::any_io_executor& get_executor() const { return executor_; }
    taskflux::clock& clock() { return clock_; }

    /// `action(queue, now)`, on an empty queue where there is none of that name.
    template <class Action>
    auto in_existing(const std::string& name, Action action) {
        const std::lock_guard lock(mutex_);
        check_open();
        return change(queues_.look(name), name, std::move(action));
    }

    /// `action(queue, now)`, on a new queue where there is none of that name. Errors: `invalid_argument`.
    template <class Action>
    auto in_any(const std::string& name, Action action) {
        const std::lock_guard lock(mutex_);
        check_open();
        queues_.make(name).follow(ahead_);
        return change(queues_.look(name), name, std::move(action));
    }

    /// `action(queue, item, now)` for each item.
    template <class Items, class Action>
    std::vector<effect> for_each(const std::string& name, Items& items, Action action) {
        return in_existing(name, [&](auto& queue, time_point now) {
            std::vector<effect> effects;
            effects.reserve(items.size());
            for (auto& item : items) effects.push_back(action(queue, item, now));
            return effects;
        });
    }

    /// Takes over how far the wall clock has been set: before a time of it comes in or goes out.
    void follow_wall() { const std::lock_guard lock(mutex_); follow(); }

    /// `action(queues)` when all of them are up to date.
    template <class Action>
    auto in_all(Action action) {
        const std::lock_guard lock(mutex_);
        check_open();
        const auto now = clock_.now();
        follow();
        for (auto& [name, queue] : queues_.all()) queue->advance(now);
        pass_consequences(now);
        return action(queues_.all());
    }

    awaitable<std::vector<delivery>> fetch(fetch_request request) {
        const auto self = shared_from_this();
        const auto deadline = later(clock_.now(), request.wait);
        std::optional<waiter> place;
        for (;;) {
            {
                const std::lock_guard lock(mutex_);
                std::vector<delivery> found;
                const bool has_seen_all = try_fetch(request, found);
                if (!found.empty() || request.max == 0) co_return found;
                if (has_seen_all && clock_.now() >= deadline) co_return found;
                if (!has_seen_all) continue;
                if (!place) place.emplace(*this, deadline).request = &request;
                place->park();
            }
            place->is_suspended = true;
            co_await place->wake.wait();
            place->is_suspended = false;
            const auto state = co_await asio::this_coro::cancellation_state;
            if (state.cancelled() != asio::cancellation_type::none) {  // what it would take, nobody would get
                throw boost::system::system_error(asio::error::operation_aborted);
            }
        }
    }

    awaitable<void> watch(std::string consumer, duration wait) {
        const auto self = shared_from_this();
        waiter place(*this, later(clock_.now(), wait));
        place.consumer = &consumer;
        {
            const std::lock_guard lock(mutex_);
            check_open();
            for (const auto& [name, queue] : queues_.all()) {
                if (queue->has_news(consumer)) co_return;
            }
            place.park();
        }
        co_await place.end();
    }

    awaitable<std::optional<task_outcome>> wait(task_id id, duration wait) {
        const auto self = shared_from_this();
        std::optional<waiter> place;
        {
            const std::lock_guard lock(mutex_);
            check_open();
            auto& queue = queues_.look(id.queue);
            queue.advance(clock_.now());
            auto* const task = queue.find(id.key);
            if (!task) throw detail::no_such_task(id);
            if (is_terminal(task->state)) co_return task->outcome();
            if (wait <= duration::zero()) co_return std::nullopt;
            place.emplace(*this, later(clock_.now(), wait)).await_outcome(id, *task);
            place->park();
        }
        co_await place->end();
        co_return std::move(place->outcome);
    }

    /// Wakes everybody who watches for `consumer`. From within an action only.
    void nudge(const std::string& consumer) {
        for (auto* place : waits_) {
            if (place->consumer && *place->consumer == consumer) place->finish();
        }
    }

    void close() {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        for (const auto* list : {&fetches_, &waits_}) {
            for (auto* place : *list) place->finish();
        }
    }

    /// At the end of the context: closes, and wakes nobody.
    void end() {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        drop_timer();
    }

private:
    struct waiter;
    using waiter_list = std::list<waiter*>;

    /// A coroutine that waits: for tasks to fetch, for a task's end, or to be told to renew. It lives in that
    /// coroutine's frame, and is parked from its first `park` on.
    struct waiter : result_waiter {
        waiter(hub& in, time_point until) : of(in), deadline(until) {}
        waiter(const waiter&) = delete;
        waiter& operator=(const waiter&) = delete;

        ~waiter() {
            const std::lock_guard lock(of.mutex_);
            withdraw();
            of.unpark(*this);
        }

        /// With the hub locked, before each wait.
        void park() {
            if (std::exchange(is_woken, false)) of.pass_on(*request);
            of.park(*this);
        }

        void await_outcome(task_id id, entry& task) {
            awaited = std::move(id);
            notify = [](result_waiter& self) { static_cast<waiter&>(self).finish(); };
            task.add_waiter(*this);
        }

        /// With the hub locked: from here on, nobody writes an outcome.
        void withdraw() {
            if (!awaited || outcome) return;
            if (auto* task = of.queues_.look(awaited->queue).find(awaited->key)) task->remove_waiter(*this);
            awaited.reset();
        }

        void finish() {
            is_over = true;
            wake.set();
        }

        /// Waits for `finish`, which comes at the latest at the deadline.
        awaitable<void> end() {
            while (!is_over) co_await wake.wait();
            const std::lock_guard lock(of.mutex_);
            withdraw();
            if (!outcome) of.check_open();
        }

        hub& of;
        detail::event wake;
        time_point deadline;
        const fetch_request* request = nullptr;  // of a fetch
        const std::string* consumer = nullptr;   // of a watch
        std::optional<task_id> awaited;          // of a wait
        waiter_list* home = nullptr;             // where it is parked, and at which place
        waiter_list::iterator place;
        bool is_woken = false;
        bool is_suspended = false;               // a fetch
        std::atomic<bool> is_over = false;
    };

    // Everything below: with the hub locked.

    void check_open() const {
        if (is_closed_) throw detail::broker_is_closed();
    }

    void follow() {
        const auto ahead = clock_.ahead();
        if (std::exchange(ahead_, ahead) == ahead) return;
        for (auto& [name, queue] : queues_.all()) queue->follow(ahead);
    }

    /// Arms for what falls due in a queue, also when the wall clock is set before.
    void arm_for(const task_queue& queue) {
        arm(queue.follows_wall() ? (std::min)(queue.next(), later(clock_.now(), clock_.look_every())) : queue.next());
    }

    bool try_fetch(const fetch_request& request, std::vector<delivery>& found) {
        check_open();
        const auto now = clock_.now();
        for (const auto& name : request.queues) {
            auto& queue = queues_.look(name);
            if (queue.follows_wall()) follow();
            queue.advance(now);
            if (!queue.find_consumer(request.consumer)) throw detail::consumer_is_gone(request.consumer, name);
        }
        pass_consequences(now);
        bool has_seen_all = true;
        for (const auto i : request.places()) {
            if (found.size() >= request.max) break;
            auto& queue = queues_.look(request.queues[i]);
            queue.fetch(*queue.find_consumer(request.consumer), request.names.get(), i, request.max - found.size(), now, found);
            has_seen_all = has_seen_all && !queue.has_work(request.names.get());
            arm_for(queue);
        }
        return has_seen_all;
    }

    /// Wakes the fetch that has waited longest of those that can run what is ready, and no other: it wakes
    /// the next when there is more.
    void wake_fetch(const std::string& name, const task_queue& queue) {
        const auto* const next = queue.next_name();
        waiter* chosen = nullptr;
        for (auto* candidate : fetches_) {
            const auto& request = *candidate->request;
            const auto* const names = request.names.get();
            if (candidate->is_woken || std::ranges::find(request.queues, name) == request.queues.end()) continue;
            if (!queue.has_work(names)) continue;
            if (!chosen) chosen = candidate;
            if (!names || !next || names->contains(*next)) {
                chosen = candidate;
                break;
            }
        }
        if (!chosen) return;
        chosen->is_woken = true;
        chosen->wake.set();
    }

    /// A fetch that was woken leaves tasks to others: wakes the next one.
    void pass_on(const fetch_request& request) {
        for (const auto& name : request.queues) wake_fetch(name, queues_.look(name));
    }

    /// Passes on what woke a fetch that has ended. One that ends while suspended may be taken down with its
    /// context, and then setting an event of that context crashes; a posted handler is dropped.
    void leave_to_others(const waiter& who) {
        if (!who.is_suspended) return pass_on(*who.request);
        asio::post(executor_, [self = weak_from_this(), request = *who.request] {
            const auto alive = self.lock();
            if (!alive) return;
            const std::lock_guard lock(alive->mutex_);
            alive->pass_on(request);
        });
    }

    void park(waiter& who) {
        if (!who.home) {
            who.home = who.request ? &fetches_ : &waits_;
            who.place = who.home->insert(who.home->end(), &who);
        }
        arm(who.deadline);
        for (const auto& [name, queue] : queues_.all()) arm_for(*queue);
    }

    void unpark(waiter& who) {
        if (!who.home) return;
        who.home->erase(who.place);
        if (who.request && !is_closed_) leave_to_others(who);
        if (is_waited_for()) return;
        ++alarm_;  // nothing needs the timer now, and it must not keep the user's context running
        armed_ = never;
        if (timer_) timer_->cancel();
    }

    bool is_waited_for() const { return !fetches_.empty() || !waits_.empty(); }

    /// Sees to it that `tick` comes by `when`, as long as anybody waits. Otherwise time is made up for in
    /// the next call.
    void arm(time_point when) {
        if (when >= armed_ || !is_waited_for() || !timer_) return;
        armed_ = when;
        clock_.arm(*timer_, when);
        timer_->async_wait([self = weak_from_this(), alarm = ++alarm_](const boost::system::error_code&) {
            if (const auto alive = self.lock()) alive->tick(alarm);
        });
    }

    void drop_timer() {
        if (timer_) clock_.disarm(*timer_);
        timer_.reset();
    }

    void tick(std::uint64_t alarm) {
        const std::lock_guard lock(mutex_);
        if (alarm != alarm_) return;
        armed_ = never;
        const auto now = clock_.now();
        follow();
        for (auto& [name, queue] : queues_.all()) {
            queue->advance(now);
            wake_fetch(name, *queue);
        }
        pass_consequences(now);
        for (auto& [name, queue] : queues_.all()) arm_for(*queue);
        for (const auto* list : {&fetches_, &waits_}) {
            for (auto* place : *list) {
                if (place->deadline <= now) place->finish();
                else arm(place->deadline);
            }
        }
    }

    /// Does `action(queue, now)`, and wakes the calls that its changes concern.
    template <class Action>
    auto change(task_queue& queue, const std::string& name, Action action) {
        const auto now = clock_.now();
        if (queue.follows_wall()) follow();
        queue.advance(now);
        auto answer = action(queue, now);
        if (!fetches_.empty()) wake_fetch(name, queue);
        arm_for(queue);
        if (queue.has_consequences()) pass_consequences(now);
        return answer;
    }

    void pass_consequences(time_point now) {
        carry_consequences(queues_.all(), now, [this](const std::string& name, task_queue& queue) {
            wake_fetch(name, queue);
            arm_for(queue);
        }, [this](const std::string& consumer) { nudge(consumer); });
    }

    asio::any_io_executor executor_;
    taskflux::clock& clock_;
    std::mutex mutex_;
    queues queues_;
    waiter_list fetches_;
    waiter_list waits_;
    std::optional<asio::steady_timer> timer_;  // none after the end of its context
    time_point armed_ = never;
    std::uint64_t alarm_ = 0;  // the number of the current timer wait; older ones are void
    duration ahead_{};         // of the wall clock, as the queues know it
    bool is_closed_ = false;
};

}  // namespace taskflux::memory
