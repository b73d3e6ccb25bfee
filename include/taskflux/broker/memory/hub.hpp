#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/memory/assignments.hpp>
#include <taskflux/broker/memory/choice.hpp>
#include <taskflux/broker/memory/claims.hpp>
#include <taskflux/broker/memory/locked_queues.hpp>
#include <taskflux/broker/memory/waiting.hpp>
#include <taskflux/detail/courtesy.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::memory {

/// An embedded broker's queues, and the coroutines that wait for something in them. Thread-safe.
class hub final : public locked_queues {
public:
    using locked_queues::locked_queues;

    template <class T>
    using awaitable = asio::awaitable<T>;

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

    awaitable<peek_page> peek(std::string name, peek_query query) {
        const auto self = shared_from_this();
        auto at = detail::check_peek(name, query);
        const auto deadline = later(clock_->now(), query.wait);
        std::optional<waiter> place;
        peek_page page;
        for (;;) {
            {
                const std::lock_guard lock(mutex_);
                check_open();
                const auto now = clock_->now();
                auto& queue = queues_.look(name);
                if (queue.follows_wall()) follow();
                queue.advance(now);
                note(queue);
                pass_consequences(now);
                const bool has_seen_all = memory::peek(queue, query, at, page, now);
                page.cursor = at.text();
                if (!page.tasks.empty() || (has_seen_all && now >= deadline)) co_return page;
                if (!has_seen_all) continue;
                if (!place) place.emplace(*this, deadline).peeks = &name;
                place->park();
            }
            co_await place->wake.wait();
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

    // Everything below: with the lock held.

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
            const auto alive = std::static_pointer_cast<hub>(self.lock());
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

    assignments assignments_{queues_, agenda_};
};

}  // namespace taskflux::memory
