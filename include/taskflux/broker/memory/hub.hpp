#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/memory.hpp>
#include <taskflux/broker/memory/agenda.hpp>
#include <taskflux/broker/memory/assignments.hpp>
#include <taskflux/broker/memory/choice.hpp>
#include <taskflux/broker/memory/consequences.hpp>
#include <taskflux/broker/memory/inspect.hpp>
#include <taskflux/broker/memory/parking.hpp>
#include <taskflux/broker/memory/queues.hpp>
#include <taskflux/broker/memory/reporter.hpp>
#include <taskflux/broker/memory/tick_timer.hpp>
#include <taskflux/broker/memory/waiting.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/detail/courtesy.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
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

    /// How much of what has fallen due is done before an action: all of it, or a part, which is enough for what concerns tasks
    /// under way or new ones.
    enum class pace { all, some };

    hub(asio::any_io_executor executor, const memory_options& options, taskflux::clock& clock)
        : executor_(std::move(executor)), clock_(clock.shared()),
          reporter_(std::make_shared<reporter>(executor_, clock_, options)), queues_(options.max_pending(), options.max_ended()),
          timer_(executor_, clock_) {}

    const asio::any_io_executor& get_executor() const { return executor_; }
    taskflux::clock& clock() { return *clock_; }

    /// `action(queue, now)`, on an empty queue where there is none of that name.
    template <class Action>
    auto in_existing(const std::string& name, Action action, pace how = pace::all) {
        const std::lock_guard lock(mutex_);
        check_open();
        return change(queues_.look(name), std::move(action), how);
    }

    /// `action(queue, now)`, on a new queue where there is none of that name. Errors: `invalid_argument`.
    template <class Action>
    auto in_any(const std::string& name, Action action, pace how = pace::all) {
        const std::lock_guard lock(mutex_);
        check_open();
        auto& queue = queues_.make(name);
        queue.follow(ahead_);
        return change(queue, std::move(action), how);
    }

    /// `action(queue, item, now)` for each item.
    template <class Items, class Action>
    std::vector<effect> for_each(const std::string& name, Items& items, Action action, pace how = pace::all) {
        return in_existing(name, [&](auto& queue, time_point now) {
            std::vector<effect> effects;
            effects.reserve(items.size());
            for (auto& item : items) effects.push_back(action(queue, item, now));
            return effects;
        }, how);
    }

    /// Takes over how far the wall clock has been set: before a time of it comes in or goes out.
    void follow_wall() {
        const std::lock_guard lock(mutex_);
        follow();
        arm_next();
    }

    /// `action(queues)` when all of them are up to date.
    template <class Action>
    auto in_all(Action action) {
        const std::lock_guard lock(mutex_);
        check_open();
        const auto now = clock_->now();
        follow();
        for_all([&](task_queue& queue) { queue.advance(now); });
        pass_consequences(now);
        return action(queues_.all());
    }

    awaitable<std::vector<delivery>> fetch(fetch_request request) {
        const auto self = shared_from_this();
        const auto deadline = later(clock_->now(), request.wait);
        std::optional<waiter> place;
        for (;;) {
            {
                const std::lock_guard lock(mutex_);
                std::vector<delivery> found;
                std::shared_ptr<const queue_list> serves;
                const bool has_seen_all = try_fetch(request, serves, found);
                if (!found.empty() || request.max == 0) co_return found;
                if (has_seen_all && clock_->now() >= deadline) co_return found;
                if (!has_seen_all) continue;
                if (!place) place.emplace(*this, deadline).request = &request;
                place->serves = std::move(serves);
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
        waiter place(*this, later(clock_->now(), wait));
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
            const auto now = clock_->now();
            wait > duration::zero() ? queue.advance_some(now) : queue.advance(now);
            note(queue);
            pass_consequences(now);
            auto* const task = queue.find(id.key);
            if (!task) throw detail::no_such_task(id);
            if (is_terminal(task->state)) co_return task->outcome();
            if (wait <= duration::zero()) co_return std::nullopt;
            place.emplace(*this, later(now, wait)).await_outcome(id, *task, now);
            if (!queue.is_served()) place->look_at = next_look(queue, now);
            place->park();
        }
        co_await place->end();
        co_return std::move(place->outcome);
    }

    /// Wakes everybody who watches for `consumer`. From within an action only.
    void nudge(const std::string& consumer) { parked_.nudge(consumer); }

    void close() {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        parked_.for_each([](waiting& place) { place.finish(); });
    }

    /// At the end of the context: closes, and wakes nobody.
    void end() {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        timer_.drop();
    }

private:
    /// A coroutine that waits. It lives in that coroutine's frame, and is parked from its first `park` on.
    struct waiter : waiting {
        waiter(hub& in, time_point until) : waiting(until), of(in) {}
        waiter(const waiter&) = delete;
        waiter& operator=(const waiter&) = delete;

        ~waiter() {
            const std::lock_guard lock(of.mutex_);
            withdraw();
            if (of.unpark(*this)) detail::as_courtesy([this] { of.leave_to_others(*this); });  // else a tick does
        }

        /// With the hub locked, before each wait.
        void park() {
            if (std::exchange(is_woken, false)) of.pass_on(*serves);
            of.park(*this);
        }

        /// With the hub locked: from here on, nobody writes an outcome.
        void withdraw() {
            if (!awaited || outcome) return;
            if (auto* task = of.queues_.look(awaited->queue).find(awaited->key)) task->remove_waiter(*this);
            awaited.reset();
        }

        /// Waits for `finish`, which comes at the latest at the deadline.
        awaitable<void> end() {
            while (!is_over) co_await wake.wait();
            const std::lock_guard lock(of.mutex_);
            const auto whose = awaited;
            withdraw();
            if (outcome) co_return;
            of.check_open();
            if (deserted) throw detail::no_worker_left(*whose, *deserted);
        }

        hub& of;
    };

    // Everything below: with the hub locked.

    void check_open() const {
        if (is_closed_) throw detail::broker_is_closed();
    }

    void follow() {
        const auto ahead = clock_->ahead();
        if (std::exchange(ahead_, ahead) == ahead) return;
        for_all([&](task_queue& queue) { queue.follow(ahead); });
    }

    template <class Action>
    void for_all(Action action) {
        for (auto& [name, queue] : queues_.all()) {
            action(*queue);
            note(*queue);
        }
    }

    /// To be called after each change of a queue; `arm_next` follows once for all that a call has changed.
    void note(task_queue& queue) {
        agenda_.note(queue);
        reporter_->failed(queue);
        if (!queue.attended.notes_deserted()) return;
        if (const auto when = next_look(queue, clock_->now()); parked_.look_at(queue.listed.name, when)) arm(when);
    }

    /// Arms for what falls due next, also when the wall clock is set before.
    void arm_next() {
        const auto next = agenda_.soonest();
        arm(agenda_.on_wall().empty() ? next : (std::min)(next, later(clock_->now(), clock_->look_every())));
    }

    /// Adds tasks to `found`; `serves` becomes the list of the request's queues. False where there is more to look at.
    bool try_fetch(const fetch_request& request, std::shared_ptr<const queue_list>& serves, std::vector<delivery>& found) {
        check_open();
        const auto now = clock_->now();
        if (!agenda_.on_wall().empty()) follow();
        serves = assignments_.list_of(request);
        const auto on_change = [this](task_queue& queue) { note(queue); };
        const bool is_up_to_date = assignments_.advance_some(*serves, now, on_change);
        pass_consequences(now);
        assignments_.check_joined(request.consumer, serves);
        const bool has_seen_all = assignments_.hand_out(request, *serves, now, found, on_change);
        arm_next();
        return has_seen_all && is_up_to_date;
    }

    /// A fetch that was woken leaves tasks to others: wakes the next one.
    void pass_on(const queue_list& of) {
        for (const auto i : assignments_.ready_among(of)) wake_fetch(parked_.fetches(), queues_.look(of.names()[i]));
    }

    /// Passes on what woke a fetch that has ended. One that ends while suspended may be taken down with its
    /// context, and then setting an event of that context crashes; a posted handler is dropped.
    void leave_to_others(const waiter& who) {
        if (!who.is_suspended) return pass_on(*who.serves);
        asio::post(executor_, [self = weak_from_this(), serves = who.serves] {
            const auto alive = self.lock();
            if (!alive) return;
            const std::lock_guard lock(alive->mutex_);
            alive->pass_on(*serves);
        });
    }

    void park(waiter& who) {
        parked_.enter(who);
        arm((std::min)(who.deadline, who.look_at));
        arm_next();
    }

    /// Whether others are to look for what this one was woken for.
    bool unpark(waiter& who) {
        if (!parked_.leave(who)) return false;
        if (parked_.is_empty()) timer_.disarm();
        return who.request && !is_closed_;
    }

    /// Sees to it that `tick` comes by `when`, as long as anybody waits. Otherwise time is made up for in
    /// the next call.
    void arm(time_point when) {
        if (parked_.is_empty()) return;
        timer_.arm(when, [self = weak_from_this()](std::uint64_t alarm) {
            const auto alive = self.lock();
            if (!alive) return;
            for (const auto& [queue, waited] : alive->tick(alarm)) alive->reporter_->unserved(queue, waited);
        });
    }

    /// Returns the queues that nobody serves, to be told of without the lock, and for how long a caller has waited there.
    std::vector<detail::unserved_queue> tick(std::uint64_t alarm) {
        std::vector<detail::unserved_queue> unserved;
        const std::lock_guard lock(mutex_);
        if (!timer_.take(alarm)) return unserved;
        const auto now = clock_->now();
        follow();
        for (auto* queue : agenda_.due(now)) {
            queue->advance_some(now);
            note(*queue);
        }
        pass_consequences(now);
        for (const auto* queue : agenda_.ready()) wake_fetch(parked_.fetches(), *queue);
        parked_.for_each([&](waiting& place) {
            if (place.look_at <= now) look_for_workers(place, queues_, now, unserved);
            if (place.deadline <= now) place.finish();
            else arm((std::min)(place.deadline, place.look_at));
        });
        return unserved;
    }

    /// Does `action(queue, now)`, and wakes the calls that its changes concern.
    template <class Action>
    auto change(task_queue& queue, Action action, pace how) {
        const auto now = clock_->now();
        if (queue.follows_wall()) follow();
        auto answer = [&] {
            try {
                how == pace::all ? queue.advance(now) : queue.advance_some(now);
                return action(queue, now);
            } catch (...) {  // what was done until then stays done
                note(queue);
                arm_next();
                throw;
            }
        }();
        note(queue);
        wake_fetch(parked_.fetches(), queue);
        pass_consequences(now);
        return answer;
    }

    /// Does what has come about by the changes that were noted, and arms for what falls due next.
    void pass_consequences(time_point now) {
        carry_consequences(queues_.all(), agenda_, now, [this](task_queue& queue) {
            note(queue);
            wake_fetch(parked_.fetches(), queue);
        }, [this](const std::string& consumer) { nudge(consumer); });
        arm_next();
    }

    asio::any_io_executor executor_;
    const std::shared_ptr<taskflux::clock> clock_;
    const std::shared_ptr<const reporter> reporter_;
    std::mutex mutex_;
    queues queues_;
    agenda agenda_;
    assignments assignments_{queues_, agenda_};
    parking parked_;
    tick_timer timer_;
    duration ahead_{};  // of the wall clock, as the queues know it
    bool is_closed_ = false;
};

}  // namespace taskflux::memory
