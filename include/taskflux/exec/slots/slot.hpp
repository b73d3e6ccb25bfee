#pragma once

#include <taskflux/detail/intrusive_list.hpp>
#include <taskflux/detail/serial_executor.hpp>
#include <taskflux/detail/small_function.hpp>
#include <taskflux/exec/slots/slot_job.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <thread>
#include <utility>

namespace taskflux::detail {

class slots;

using end_counts = std::array<std::uint64_t, 4>;  // by job_end

/// How jobs ended. Written by one thread at a time, read by any: no read-modify-write instruction.
class end_counters {
public:
    void add(job_end end) noexcept {
        auto& counter = counters_[static_cast<std::size_t>(end)];
        counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }

    void add_to(end_counts& sum) const noexcept {
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += counters_[i].load(std::memory_order_relaxed);
    }

private:
    std::array<std::atomic<std::uint64_t>, 4> counters_{};
};

/// The strand of a slot. It may outlive the slot, with what a job has left running on it.
class slot_lane final : public serial_queue {
public:
    using serial_queue::serial_queue;

    slot_job* current = nullptr;  // whose coroutine the slot runs; for whoever is inside
};

/// The job of the slot whose strand this executor is; null for any other executor. To be called on that executor. The job may
/// be another than the one from which the caller was started: see `slot_job::runs_in`.
inline slot_job* job_on(const asio::any_io_executor& executor) {
    const auto* strand = executor.target<serial_executor>();
    const auto* lane = strand ? dynamic_cast<const slot_lane*>(strand->queue().get()) : nullptr;
    return lane ? lane->current : nullptr;
}

/// One lane of `slots`: a long-lived coroutine that runs one job after another. All members belong to
/// whoever is inside `lane`, but for the atomic ones, which anyone may read, and `reserved`. Padded, so that
/// two slots never share a cache line.
struct alignas(64) slot : list_hook<slot> {
    explicit slot(const asio::any_io_executor& home)
        : lane(std::make_shared<slot_lane>(home)), executor(executor_of(lane)) {}

    slot_job* pop() noexcept {
        slot_job* j = taken.pop_front();
        waiting.store(taken.size(), std::memory_order_relaxed);
        return j;
    }

    /// Delivers later, or, if this may turn out to be the last job for now, keeps it for `slots::wake`.
    void deliver(const slot_job_ptr& j, std::exception_ptr error) {
        if (!holding || !taken.empty()) return j->deliver(std::move(error), false);
        held = j;
        held_error = std::move(error);
    }

    /// Delivers what was kept, as it is not the last one.
    void flush() {
        if (const auto j = std::move(held)) j->deliver(std::move(held_error), false);
    }

    /// Emits cancellation to the job that runs.
    void interrupt() { signal.emit(asio::cancellation_type::terminal); }

    /// The job under way. When the coroutine is destroyed around it, `on_destroyed` gets the job.
    class running {
    public:
        running(slot& s, slot_job* j, const std::shared_ptr<slots>& owner) noexcept
            : slot_(s), job_(j, false), owner_(owner) {
            s.flush();
            s.lane->current = j;
            ++j->runs_;
            s.is_running.store(true, std::memory_order_relaxed);
        }
        running(const running&) = delete;
        running& operator=(const running&) = delete;
        ~running() {
            slot_.lane->current = nullptr;
            if (job_) on_destroyed(owner_, slot_, std::move(job_));
        }

        slot_job& operator*() const noexcept { return *job_; }
        slot_job* operator->() const noexcept { return job_.get(); }

        void end(std::exception_ptr error) noexcept {
            const slot_job_ptr ended = std::move(job_);
            slot_.lane->current = nullptr;
            const job_end what = ended->judge(error);
            slot_.ends.add(what);
            slot_.is_running.store(false, std::memory_order_relaxed);
            if (what != job_end::retried) slot_.deliver(ended, std::move(error));
        }

    private:
        slot& slot_;
        slot_job_ptr job_;
        const std::shared_ptr<slots>& owner_;  // the coroutine's
    };

    /// Abandons the job, or ends it if it has left its coroutine.
    static void on_destroyed(const std::shared_ptr<slots>& owner, slot& s, slot_job_ptr j) noexcept;

    const std::shared_ptr<slot_lane> lane;
    const asio::any_io_executor executor;  // the lane, as an executor
    asio::any_io_executor work;            // keeps the context running while a job is suspended
    asio::cancellation_signal signal;
    small_function parked;
    slot_job_list taken;  // owns a reference to each
    const void* chain = nullptr;  // of the coroutine
    bool resuming = false;  // inside `slots::resume`, so that what is left of a batch will be given back
    bool holding = false;   // and by `slots::wake`, so that what is held will be delivered
    slot_job_ptr held;           // ended, but not delivered
    std::exception_ptr held_error;
    std::atomic<std::thread::id> lingers;   // who is in `slots::wake`, delivering, after this slot was parked
    std::atomic<std::thread::id> reserved;  // by that thread, for itself: it need not be woken
    std::atomic<std::size_t> waiting{0};
    std::atomic<bool> is_running{false};
    end_counters ends;
};

}  // namespace taskflux::detail
