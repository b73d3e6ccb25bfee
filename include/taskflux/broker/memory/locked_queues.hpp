#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/memory.hpp>
#include <taskflux/broker/memory/agenda.hpp>
#include <taskflux/broker/memory/choice.hpp>
#include <taskflux/broker/memory/consequences.hpp>
#include <taskflux/broker/memory/parking.hpp>
#include <taskflux/broker/memory/queues.hpp>
#include <taskflux/broker/memory/reporter.hpp>
#include <taskflux/broker/memory/tick_timer.hpp>
#include <taskflux/broker/memory/waiting.hpp>
#include <taskflux/clock.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::memory {

/// The queues of an embedded broker behind their lock: an action on one of them comes after what has fallen due there, and
/// before the calls that it concerns are woken. Thread-safe: the mutex is held for the length of a batch.
class locked_queues : public std::enable_shared_from_this<locked_queues> {
public:
    /// How much of what has fallen due is done before an action: all of it, or a part, which is enough for what concerns tasks
    /// under way or new ones.
    enum class pace { all, some };

    locked_queues(asio::any_io_executor executor, const memory_options& options, taskflux::clock& clock)
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

protected:
    ~locked_queues() = default;

    // Everything below: with the lock held.

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
        queue.events().seal();
        reporter_->failed(queue);
        for (const auto& consumer : queue.take_nudged()) parked_.nudge(consumer);
        if (queue.store().take_arrived()) parked_.tell_peeks(queue.listed.name);
        if (!queue.attended().notes_deserted()) return;
        if (const auto when = next_look(queue, clock_->now()); parked_.look_at(queue.listed.name, when)) arm(when);
    }

    /// Arms for what falls due next, also when the wall clock is set before.
    void arm_next() {
        const auto next = agenda_.soonest();
        arm(agenda_.on_wall().empty() ? next : (std::min)(next, later(clock_->now(), clock_->look_every())));
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
        });
        arm_next();
    }

    asio::any_io_executor executor_;
    const std::shared_ptr<taskflux::clock> clock_;
    const std::shared_ptr<const reporter> reporter_;
    std::mutex mutex_;
    queues queues_;
    agenda agenda_;
    parking parked_;
    tick_timer timer_;
    duration ahead_{};  // of the wall clock, as the queues know it
    bool is_closed_ = false;
};

}  // namespace taskflux::memory
