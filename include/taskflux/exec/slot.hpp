#pragma once

#include <taskflux/detail/intrusive_list.hpp>
#include <taskflux/detail/small_function.hpp>
#include <taskflux/exec/job.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/require.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <utility>

namespace taskflux::detail {

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

/// One lane of `slots`: a long-lived coroutine on a strand of its own. All members belong to the strand,
/// but the atomic ones, which anyone may read. Padded, so that two lanes never share a cache line.
struct alignas(64) slot : list_hook<slot> {
    explicit slot(asio::any_io_executor strand)
        : executor(std::move(strand)), poster(asio::require(executor, asio::execution::blocking.never)) {}

    job* pop() noexcept {
        job* j = taken.pop_front();
        waiting.store(taken.size(), std::memory_order_relaxed);
        return j;
    }

    /// Emits cancellation to the job that runs.
    void interrupt() { signal.emit(asio::cancellation_type::terminal); }

    /// The job under way. Abandons it when the coroutine is destroyed around it.
    class running {
    public:
        running(slot& s, job* j) noexcept : slot_(s), job_(j, false) {
            s.current = j;
            ++j->runs_;
            s.is_running.store(true, std::memory_order_relaxed);
        }
        running(const running&) = delete;
        running& operator=(const running&) = delete;
        ~running() {
            slot_.current = nullptr;
            if (job_) job_->abandon();
        }

        job& operator*() const noexcept { return *job_; }
        job* operator->() const noexcept { return job_.get(); }

        void end(std::exception_ptr error) noexcept {
            const job_ptr ended = std::move(job_);
            slot_.current = nullptr;
            const job_end what = ended->judge(error);
            slot_.ends.add(what);
            slot_.is_running.store(false, std::memory_order_relaxed);
            if (what != job_end::retried) ended->deliver(std::move(error));
        }

    private:
        slot& slot_;
        job_ptr job_;
    };

    const asio::any_io_executor executor;  // the strand
    const asio::any_io_executor poster;    // the strand, never running anything at once
    asio::any_io_executor work;            // keeps the context running while a job is suspended
    asio::cancellation_signal signal;
    small_function parked;
    job_list taken;  // owns a reference to each
    job* current = nullptr;
    bool resuming = false;  // inside `slots::resume`, so that what is left of a batch will be given back
    std::atomic<std::size_t> waiting{0};
    std::atomic<bool> is_running{false};
    end_counters ends;
};

}  // namespace taskflux::detail
