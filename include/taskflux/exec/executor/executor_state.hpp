#pragma once

#include <taskflux/core/retry.hpp>
#include <taskflux/exec/executor_options.hpp>
#include <taskflux/exec/slots/slot_job.hpp>
#include <taskflux/exec/slots/slots.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <utility>

namespace taskflux::detail {

class executor_state;

/// The retries and time limits of one job. Guarded by the executor's `retry_mutex_`.
struct retry_state : list_hook<retry_state> {
    enum class phase : std::uint8_t { queued, running, waiting };

    retry_state(slot_job& j, taskflux::clock& source, retry_policy retry, duration limit)
        : owner(j), policy(retry), timeout(limit), time(source) {}
    ~retry_state() { disarm(); }
    retry_state(const retry_state&) = delete;
    retry_state& operator=(const retry_state&) = delete;

    void disarm() noexcept {
        if (!timer) return;
        time.disarm(*timer);
        timer.reset();
    }

    /// The next point at which something must be done.
    time_point due() const noexcept {
        switch (state) {
            case phase::queued: return deadline;
            case phase::running: return (std::min)(deadline, attempt_ends);
            case phase::waiting: return (std::min)(deadline, resumes);
        }
        return never;
    }

    slot_job& owner;
    const retry_policy policy;
    const duration timeout;
    taskflux::clock& time;
    std::optional<asio::steady_timer> timer;  // made when there is something to wait for
    unsigned wait = 0;                        // which wait counts: an older one may still complete
    phase state = phase::queued;
    time_point deadline = never;
    time_point attempt_ends = never;
    time_point resumes = never;
    time_point first_start = never;
    std::uint32_t started = 0;
    bool timed_out = false;  // the attempt under way
};

/// A job of an `executor`: repeats itself by policy and keeps its time limits.
class executor_job : public slot_job {
public:
    executor_state& owner() const noexcept { return owner_; }

protected:
    executor_job(kind k, executor_state& owner) noexcept : slot_job(k), owner_(owner) {}

    /// To be called as an attempt starts. Throws `timed_out` past the deadline.
    void begin();
    /// Whether there may be another attempt, so that arguments must not be moved away.
    bool may_repeat() const noexcept { return repeats_; }
    job_end judge(std::exception_ptr& error) noexcept final;
    void abandon() noexcept final;
    /// Destroys the completion handler that waits, without calling it.
    virtual void let_go() noexcept = 0;

private:
    friend class executor_state;
    executor_state& owner_;
    std::unique_ptr<retry_state> retry_state_;  // made when first needed; set under retry_mutex_
    bool repeats_ = false;
};

/// The state that all handles and jobs of an executor share.
class executor_state final : public slots {
public:
    executor_state(asio::any_io_executor ex, executor_options options);

    ~executor_state() override;

    std::shared_ptr<executor_state> shared() {
        return std::static_pointer_cast<executor_state>(shared_from_this());
    }

    /// Sets a job up and queues it. Without options of its own it has the executor's. `repeatable`: its
    /// function can be called more than once. `awaited`: see `push`. A job that is not accepted gets the reason
    /// as its error.
    void launch(boost::intrusive_ptr<executor_job> j, const run_options* options, bool repeatable, bool awaited);

    /// Like `launch`, for several jobs: all are queued or none.
    void launch_all(slot_job_list& jobs, bool repeatable);

    void cancel(executor_job& j, errc reason);

    void cancel_all();

    void shut_down();

    executor_counts counts() const;

    /// Reports an error that nobody waits for.
    void unseen(const std::exception_ptr& error) noexcept;

private:
    friend class executor_job;

    std::optional<errc> prepare(executor_job& j, const run_options* own, bool repeatable);

    void refuse(executor_job& j, errc why);

    void give_up(executor_job& j) noexcept;

    void begin(executor_job& j);

    job_end judge(executor_job& j, std::exception_ptr& error);

    void end(retry_state& a) noexcept;

    // Waits for whatever is due next, in place of what was waited for.
    void arm(executor_job& j);

    void on_time(executor_job& j, unsigned wait);

    const executor_options options_;
    const bool has_defaults_ =
        options_.defaults().retry() || options_.defaults().timeout() || options_.defaults().deadline();
    mutable std::mutex retry_mutex_;  // taken before the slots' mutex, never after
    intrusive_list<retry_state> waiting_;   // of adjourned jobs; owns a reference to each
    std::minstd_rand random_;
};

}  // namespace taskflux::detail
