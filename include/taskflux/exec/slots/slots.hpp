#pragma once

// The class; what a slot does is in slots.ipp.

#include <taskflux/core/error.hpp>
#include <taskflux/detail/waiters.hpp>
#include <taskflux/exec/slots/slot.hpp>
#include <taskflux/exec/slots/slot_job.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/require.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// Runs jobs, at most `concurrency` at a time: long-lived coroutines ("slots"), started when first needed,
/// take them from one queue in order. No job costs a `co_spawn`. Idle slots don't keep the context running.
/// Thread-safe. Lives in a `shared_ptr`; `close` it, or its parked slots keep it alive.
class slots : public std::enable_shared_from_this<slots> {
public:
    struct snapshot {
        std::size_t queued = 0;
        std::size_t running = 0;
        end_counts ends{};
    };

    /// Coroutines run on `ex`, plain functions on `cpu`, or on `ex` too where `cpu` is empty. At most
    /// `limit` jobs may be queued; zero = no limit.
    slots(asio::any_io_executor ex, asio::any_io_executor cpu, std::size_t concurrency, std::size_t limit)
        : executor_(std::move(ex)), cpu_(std::move(cpu)), target_(concurrency), limit_(limit) {}
    slots(const slots&) = delete;
    slots& operator=(const slots&) = delete;

    virtual ~slots() { abandon_all(); }

    const asio::any_io_executor& get_executor() const noexcept { return executor_; }

    /// Queues the job and empties the pointer. `shut_down` after `close`, `queue_full` at the limit: then
    /// nothing was touched. `awaited`: the caller does nothing else before it returns to its event loop.
    std::optional<errc> push(slot_job_ptr& j, bool awaited = false) {
        std::unique_lock lock(mutex_);
        if (const auto refusal = refuse(1)) return refusal;
        mark_queued(*j);
        queue_.push_back(*j.detach());
        if (!(awaited && reserve())) wake_and_unlock(1, lock);
        return std::nullopt;
    }

    /// Queues all or none, under one lock. Takes over one reference to each.
    std::optional<errc> push(slot_job_list& jobs) {
        const std::size_t n = jobs.size();
        std::unique_lock lock(mutex_);
        if (const auto refusal = refuse(n)) return refusal;
        for (slot_job* j = jobs.front(); j; j = slot_job_list::next(*j)) mark_queued(*j);
        queue_.append(jobs);
        wake_and_unlock(n, lock);
        return std::nullopt;
    }

    /// Says that a job, which `judge` is about to call `retried`, will come back by `readmit`, or end by
    /// `finish`; until then nothing counts as drained. False if `cancel_all` was called since its push: then
    /// it must not.
    bool adjourn(const slot_job& j) {
        const std::lock_guard lock(mutex_);
        if (j.epoch_ != epoch_) return false;
        ++adjourned_;
        return true;
    }

    /// Queues an adjourned job again, whatever the limit.
    void readmit(slot_job_ptr j) {
        std::unique_lock lock(mutex_);
        --adjourned_;
        if (j->epoch_ != epoch_) j->stop(errc::cancelled);
        j->queued_ = true;
        queue_.push_back(*j.detach());
        wake_and_unlock(1, lock);
    }

    /// Ends an adjourned job without running it again.
    void finish(slot_job_ptr j, std::exception_ptr error) {
        const job_end what = j->judge(error);
        {
            const std::lock_guard lock(mutex_);
            ends_.add(what);
        }
        j->deliver(std::move(error), false);
        std::unique_lock lock(mutex_);
        --adjourned_;
        settle_and_unlock(lock);
    }

    /// Cancels a job: at once if it is queued, by its cancellation slot if it runs.
    void cancel(slot_job& j, errc reason) {
        j.stop(reason);
        std::unique_lock lock(mutex_);
        if (j.queued_) {
            queue_.erase(j);
            j.queued_ = false;
            ++adjourned_;
            lock.unlock();
            finish(slot_job_ptr(&j, false), stopped(j, reason));
        } else if (slot* s = j.slot_) {
            lock.unlock();
            interrupt(*s, slot_job_ptr(&j), 0);
        }
    }

    /// Emits cancellation to a job's attempt number `run`, if that is still under way.
    void interrupt(slot_job& j, std::uint32_t run) {
        std::unique_lock lock(mutex_);
        slot* s = j.slot_;
        lock.unlock();
        if (s) interrupt(*s, slot_job_ptr(&j), run);
    }

    /// Cancels all that is queued or running now.
    void cancel_all() {
        std::unique_lock lock(mutex_);
        const auto epoch = ++epoch_;
        slot_job_list jobs = std::move(queue_);
        adjourned_ += jobs.size();
        for (slot_job* j = jobs.front(); j; j = slot_job_list::next(*j)) j->queued_ = false;
        for (const auto& s : all_) {
            asio::post(s->executor, [self = shared_from_this(), s = s.get(), epoch] {
                for (slot_job* j = s->taken.front(); j; j = slot_job_list::next(*j)) {
                    if (j->epoch_ < epoch) j->stop(errc::cancelled);
                }
                if (s->lane->current && s->lane->current->epoch_ < epoch) {
                    s->lane->current->stop(errc::cancelled);
                    s->interrupt();
                }
            });
        }
        lock.unlock();
        while (slot_job* j = jobs.pop_front()) {
            j->stop(errc::cancelled);
            finish(slot_job_ptr(j, false), stopped(*j, errc::cancelled));
        }
    }

    /// Changes how many jobs may run at a time; zero: none starts. Running jobs go on.
    void concurrency(std::size_t n) {
        std::unique_lock lock(mutex_);
        target_ = n + lent_;
        wake_and_unlock(live_ > target_ ? live_ - target_ : queue_.size(), lock);
    }

    /// A job that only waits lets another run beside it, until it takes its slot back: then there is one more than may
    /// be, until the next one ends.
    void lend() {
        std::unique_lock lock(mutex_);
        ++target_, ++lent_;
        wake_and_unlock(queue_.size(), lock);
    }
    void take_back() {
        std::unique_lock lock(mutex_);
        --target_, --lent_;
        wake_and_unlock(live_ > target_ ? 1 : 0, lock);  // one that idles must leave, not the next to be woken for a job
    }

    /// Accepts no more; slots end as the queue runs empty.
    void close() {
        std::unique_lock lock(mutex_);
        closed_ = true;
        wake_and_unlock(idle_.size(), lock);
    }

    snapshot counts() const {
        const std::lock_guard lock(mutex_);
        snapshot sum;
        sum.queued = queue_.size();
        ends_.add_to(sum.ends);
        for (const auto& s : all_) {
            sum.queued += s->waiting.load(std::memory_order_relaxed);
            sum.running += s->is_running.load(std::memory_order_relaxed);
            s->ends.add_to(sum.ends);
        }
        return sum;
    }

    /// Completes when nothing is queued, adjourned or running.
    template <class Token>
    auto async_drained(Token&& token) {
        return async_wait(&slots::drained_, std::forward<Token>(token));
    }

    /// Completes when, after `close`, every slot has ended.
    template <class Token>
    auto async_closed(Token&& token) {
        return async_wait(&slots::ended_, std::forward<Token>(token));
    }

    /// What this job ends with when it is told to stop for this reason.
    static std::exception_ptr stopped(const slot_job& j, errc reason) {
        std::string why;
        if (reason == errc::timed_out) {
            why = "the deadline of " + j.subject() + " passed before it had ended: allow a longer one";
        }
        return std::make_exception_ptr(error(reason, why));
    }

protected:
    /// Abandons what has not started; for destructors.
    void abandon_all() noexcept {
        const auto abandon = [](slot_job_list& jobs) {
            while (slot_job* j = jobs.pop_front()) slot_job_ptr(j, false)->abandon();
        };
        abandon(queue_);
        for (const auto& s : all_) abandon(s->taken);
    }

private:
    friend struct slot;
    enum class taken { jobs, nothing, leave };
    using slot_list = intrusive_list<slot>;
    // Jobs run in a row before a slot lets others use the thread; as many are taken under one lock.
    static constexpr std::size_t turn = 32;

    /// Resumes a parked slot. Destroyed without being called (the context was), it destroys the parked
    /// coroutine, which would else keep all of this alive.
    struct wake_up {
        wake_up(std::shared_ptr<slots> o, slot& s, bool inside) noexcept
            : owner(std::move(o)), who(&s), is_inside(inside) {}
        wake_up(wake_up&&) noexcept = default;
        ~wake_up() {
            if (owner) who->parked.reset();
        }
        void operator()() {
            const auto self = std::exchange(owner, {});
            is_inside ? self->resume(*who) : self->wake(*who);
        }

        std::shared_ptr<slots> owner;
        slot* who;
        bool is_inside;
    };

    /// Ends a job that has left, and makes its slot one that can be started again, whose coroutine is gone. Destroyed
    /// without being called (the context was), it abandons the job.
    struct departure {
        departure(std::shared_ptr<slots> o, slot& s, slot_job_ptr j) noexcept
            : owner(std::move(o)), who(&s), job(std::move(j)) {}
        departure(departure&&) noexcept = default;
        ~departure() {
            if (job) job->abandon();
        }
        void operator()() { std::exchange(owner, {})->end_left(*who, std::exchange(job, {})); }

        std::shared_ptr<slots> owner;
        slot* who;
        slot_job_ptr job;
    };

    std::optional<errc> refuse(std::size_t n) const noexcept {
        if (closed_) return errc::shut_down;
        if (limit_ != 0 && queue_.size() + n > limit_) return errc::queue_full;
        return std::nullopt;
    }

    void mark_queued(slot_job& j) noexcept {
        j.queued_ = true;
        j.epoch_ = epoch_;
    }

    slot* rouse() {
        if (slot* s = idle_.back()) {
            idle_.erase(*s);
            return s;
        }
        if (live_ >= target_) return nullptr;
        if (dormant_.empty()) {
            all_.push_back(std::make_unique<slot>(executor_));
            dormant_.push_back(*all_.back());
        }
        ++live_;
        return dormant_.pop_front();
    }

    void wake_and_unlock(std::size_t n, std::unique_lock<std::mutex>& lock) {
        slot_list woken;
        for (slot* s; n > 0 && (s = rouse()); --n) {
            ++busy_;
            woken.push_back(*s);
        }
        if (woken.empty()) return settle_and_unlock(lock);
        lock.unlock();
        while (slot* s = woken.pop_front()) post_wake(*s);
    }

    void settle_and_unlock(std::unique_lock<std::mutex>& lock) {
        if (drained_.empty() && ended_.empty()) return lock.unlock();
        waiters::list done;
        if (busy_ == 0 && adjourned_ == 0 && queue_.empty()) {
            done = drained_.take();
            if (closed_ && idle_.empty()) done.splice_after(done.before_begin(), ended_.take());
        }
        lock.unlock();
        if (!done.empty()) waiters::complete(std::move(done));
    }

    // A run of 0 means whichever.
    void interrupt(slot& s, slot_job_ptr j, std::uint32_t run) {
        asio::post(s.executor, [self = shared_from_this(), s = &s, j = std::move(j), run] {
            if (s->lane->current == j.get() && (run == 0 || j->runs_ == run)) s->interrupt();
        });
    }

    void post_wake(slot& s) { poster_.execute(wake_up(shared_from_this(), s, false)); }

    // If this thread is about to return to a slot that it parked, that slot can go on without being woken.
    bool reserve() noexcept {
        slot* s = idle_.back();
        if (!s || s->lingers.load(std::memory_order_relaxed) != std::this_thread::get_id()) return false;
        idle_.erase(*s);
        ++busy_;
        s->reserved.store(std::this_thread::get_id(), std::memory_order_relaxed);
        return true;
    }

    // How a slot works: slots.ipp.
    void wake(slot& s);
    void resume(slot& s);
    void give_back(slot& s);
    taken take(slot& s);
    void left(slot& s);
    void end_left(slot& s, slot_job_ptr j);
    static auto find_chain(slot& s);
    static auto park(slot& s);
    auto yield(slot& s);
    auto offload(slot& s, slot_job& j, std::exception_ptr& error);
    static asio::awaitable<void> serve(std::shared_ptr<slots> self, slot& s);

    template <class Token>
    auto async_wait(waiters slots::*event, Token&& token) {
        return asio::async_initiate<Token, waiters::signature>(
            [](auto handler, std::shared_ptr<slots> self, waiters slots::*which) {
                auto cancellation = asio::get_associated_cancellation_slot(handler);
                auto one = waiters::make(std::move(handler), self->executor_);
                std::unique_lock lock(self->mutex_);
                const auto id = ++self->waiter_ids_;
                ((*self).*which).add(one, id);
                if (cancellation.is_connected()) {
                    cancellation.assign([weak = self->weak_from_this(), which, id](asio::cancellation_type) {
                        if (const auto owner = weak.lock()) owner->forget(which, id);
                    });
                }
                self->settle_and_unlock(lock);
            },
            token, shared_from_this(), event);
    }

    void forget(waiters slots::*event, std::uint64_t id) {
        std::unique_lock lock(mutex_);
        auto found = (this->*event).take(id);
        lock.unlock();
        waiters::complete(std::move(found), asio::error::operation_aborted);
    }

    const asio::any_io_executor executor_;
    const asio::any_io_executor poster_ = asio::require(executor_, asio::execution::blocking.never);
    const asio::any_io_executor cpu_;
    mutable std::mutex mutex_;  // guards all below, and the marked members of job
    slot_job_list queue_;            // owns a reference to each
    std::vector<std::unique_ptr<slot>> all_;
    slot_list idle_;     // parked
    slot_list dormant_;  // without a coroutine
    std::size_t target_;    // slots, with those that are lent
    std::size_t lent_ = 0;  // of jobs that only wait
    const std::size_t limit_;
    std::size_t live_ = 0;       // slots with a coroutine that has not been told to leave
    std::size_t busy_ = 0;       // slots with a coroutine that is not parked
    std::size_t adjourned_ = 0;  // jobs between two attempts, or being cancelled
    std::uint32_t epoch_ = 0;    // counts cancel_all
    bool closed_ = false;
    end_counters ends_;  // of jobs that ended outside a slot
    waiters drained_;
    waiters ended_;
    std::uint64_t waiter_ids_ = 0;
};

}  // namespace taskflux::detail
