#pragma once

// How a slot works.

#include <taskflux/detail/coroutine_chain.hpp>
#include <taskflux/exec/slots/slots.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace taskflux::detail {

bool slot_job::runs_in(const void* chain) const noexcept {
    return kind_ == kind::coroutine && chain && slot_ && slot_->chain == chain;
}

void slot::on_destroyed(const std::shared_ptr<slots>& owner, slot& s, slot_job_ptr j) noexcept {
    if (!j->has_left_) {
        s.work = {};  // a job's handle may outlive the context
        return j->abandon();
    }
    asio::post(s.executor, slots::departure(owner, s, std::move(j)));
}

// Inside the slot's lane, after its coroutine has been destroyed.
void slots::end_left(slot& s, slot_job_ptr j) {
    std::exception_ptr none;
    j->judge(none);
    s.ends.add(job_end::retried);
    s.is_running.store(false, std::memory_order_relaxed);
    s.work = {};
    j->deliver(std::move(none), false);
    std::unique_lock lock(mutex_);
    --live_;
    --busy_;
    dormant_.push_back(s);
    wake_and_unlock(queue_.empty() ? 0 : 1, lock);
}

// Resumes a slot, and then, outside of it, delivers the last result, for whose awaiter the slot is free
// again. An awaiter that submits the next job at once is served without a post between.
void slots::wake(slot& s) {
    struct inside {
        ~inside() {
            s.holding = false;
            s.lane->leave();
        }
        slot& s;
    };
    struct lingering {
        lingering(slots& o, slot& w) noexcept : owner(o), s(w) {
            s.lingers.store(std::this_thread::get_id(), std::memory_order_relaxed);
        }
        ~lingering() {
            if (again()) owner.post_wake(s);
        }
        bool again() noexcept {
            const auto me = std::this_thread::get_id();
            if (s.lingers.load(std::memory_order_relaxed) == me)
                s.lingers.store({}, std::memory_order_relaxed);
            if (s.reserved.load(std::memory_order_relaxed) != me) return false;
            s.reserved.store({}, std::memory_order_relaxed);
            return true;
        }
        slots& owner;
        slot& s;
    };
    for (std::size_t n = 1;; ++n) {
        if (!s.lane->try_enter()) return s.lane->post(wake_up(shared_from_this(), s, true));
        slot_job_ptr held;
        std::exception_ptr error;
        {
            const inside leaves{s};
            s.holding = true;
            resume(s);
            held = std::move(s.held);
            error = std::move(s.held_error);
        }
        if (!held) return;
        lingering here(*this, s);
        std::exchange(held, {})->deliver(std::move(error), true);
        if (n == turn || !here.again()) return;
    }
}

// Inside the slot's lane.
void slots::resume(slot& s) {
    s.resuming = true;
    if (s.parked) {
        s.parked();
    } else {
        asio::co_spawn(
            s.executor, serve(shared_from_this(), s),
            asio::bind_cancellation_slot(
                s.signal.slot(), [self = shared_from_this(), &s](std::exception_ptr) { self->left(s); }));
    }
    s.resuming = false;
    if (!s.taken.empty()) give_back(s);
    if (s.lane->current) s.work = asio::prefer(executor_, asio::execution::outstanding_work.tracked);
}

// A job of the batch suspended: the rest must not wait for it.
void slots::give_back(slot& s) {
    std::unique_lock lock(mutex_);
    const std::size_t n = s.taken.size();
    for (slot_job* j = s.taken.front(); j; j = slot_job_list::next(*j)) {
        if (j->epoch_ != epoch_) j->stop(errc::cancelled);
        j->queued_ = true;
    }
    queue_.prepend(s.taken);
    s.waiting.store(0, std::memory_order_relaxed);
    wake_and_unlock(n, lock);
}

slots::taken slots::take(slot& s) {
    std::unique_lock lock(mutex_);
    const bool leave = live_ > target_ || (closed_ && queue_.empty());
    if (!leave && !queue_.empty()) {
        auto n = s.resuming ? std::clamp<std::size_t>(queue_.size() / busy_, 1, turn) : 1;
        for (; n > 0; --n) {
            slot_job* j = queue_.pop_front();
            j->queued_ = false;
            j->slot_ = &s;
            s.taken.push_back(*j);
        }
        s.waiting.store(s.taken.size(), std::memory_order_relaxed);
        return taken::jobs;
    }
    if (leave) {
        --live_;
        return taken::leave;
    }
    --busy_;
    idle_.push_back(s);
    settle_and_unlock(lock);
    if (s.work) s.work = {};
    return taken::nothing;
}

void slots::left(slot& s) {
    s.work = {};
    std::unique_lock lock(mutex_);
    --busy_;
    dormant_.push_back(s);
    settle_and_unlock(lock);
}

inline auto slots::find_chain(slot& s) {
    return asio::async_initiate<const asio::deferred_t, void()>(
        [&s](auto handler) {
            s.chain = coroutine_chain(handler);
            std::move(handler)();
        },
        asio::deferred);
}

inline auto slots::park(slot& s) {
    return asio::async_initiate<const asio::deferred_t, void()>(
        [&s](auto&& handler) { s.parked.emplace(std::move(handler)); }, asio::deferred);
}

inline auto slots::yield(slot& s) {
    return asio::async_initiate<const asio::deferred_t, void()>(
        [this, &s](auto handler) {
            s.parked.emplace(std::move(handler));
            post_wake(s);
        },
        asio::deferred);
}

// Calls a plain function on the CPU executor, and comes back.
inline auto slots::offload(slot& s, slot_job& j, std::exception_ptr& error) {
    return asio::async_initiate<const asio::deferred_t, void()>(
        [this, &s, &j, &error](auto handler) {
            // Before its threads are joined, the job is stopped: they are not joined before they have it, or that is seen here.
            const asio::any_io_executor alive = asio::prefer(cpu_, asio::execution::outstanding_work.tracked);
            if (j.stopping()) {
                error = stopped(j, j.stop_reason());
                return asio::post(s.executor, std::move(handler));
            }
            asio::post(cpu_, [&s, &j, &error, handler = std::move(handler)]() mutable {
                try {
                    j.call();
                } catch (...) {
                    error = std::current_exception();
                }
                asio::post(s.executor, std::move(handler));
            });
        },
        asio::deferred);
}

asio::awaitable<void> slots::serve(std::shared_ptr<slots> self, slot& s) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    co_await find_chain(s);
    for (std::size_t streak = 0;;) {
        if (s.taken.empty()) {
            const taken got = self->take(s);
            if (got == taken::leave) co_return;
            if (got == taken::nothing) {
                co_await park(s);
                streak = 0;
                continue;
            }
        }
        slot::running current(s, s.pop(), self);
        std::exception_ptr error;
        if (current->stopping()) {
            error = stopped(*current, current->stop_reason());
        } else {
            try {
                if (current->kind_ == slot_job::kind::coroutine) {
                    co_await current->run();
                } else if (!self->cpu_) {
                    current->call();
                } else {
                    co_await self->offload(s, *current, error);
                }
            } catch (...) {
                error = std::current_exception();
            }
        }
        // A handler may have been cancelled, or have changed how it is: the next one starts afresh.
        co_await asio::this_coro::throw_if_cancelled(true);
        co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
        current.end(std::move(error));
        if (++streak >= turn) {
            co_await self->yield(s);
            streak = 0;
        }
    }
}

}  // namespace taskflux::detail
