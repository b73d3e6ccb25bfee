#pragma once

#include <taskflux/core/retry.hpp>
#include <taskflux/exec/executor_options.hpp>
#include <taskflux/exec/slots/job.hpp>
#include <taskflux/exec/slots/slots.hpp>

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <utility>

namespace taskflux::detail {

class executor_state;

/// The retries and time limits of one job. Guarded by the executor's `attempts_mutex_`.
struct attempts : list_hook<attempts> {
    enum class phase : std::uint8_t { queued, running, waiting, ended };

    attempts(job& j, taskflux::clock& source, retry_policy retry, duration limit)
        : owner(j), policy(retry), timeout(limit), time(source) {}
    ~attempts() { disarm(); }
    attempts(const attempts&) = delete;
    attempts& operator=(const attempts&) = delete;

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
            case phase::ended: return never;
        }
        return never;
    }

    job& owner;
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
class attempted_job : public job {
public:
    executor_state& owner() const noexcept { return owner_; }

protected:
    attempted_job(kind k, executor_state& owner) noexcept : job(k), owner_(owner) {}

    /// To be called as an attempt starts. Throws `timed_out` past the deadline.
    void begin();
    /// Whether there may be another attempt, so that arguments must not be moved away.
    bool may_repeat() const noexcept { return repeats_; }
    job_end judge(std::exception_ptr& error) noexcept final;
    void abandon() noexcept final;
    /// Destroys the handler of whoever waits, uncalled.
    virtual void let_go() noexcept = 0;

private:
    friend class executor_state;
    executor_state& owner_;
    std::unique_ptr<attempts> attempts_;  // made when first needed; set under attempts_mutex_
    bool repeats_ = false;
};

/// What all handles and jobs of an executor share.
class executor_state final : public slots {
public:
    executor_state(asio::any_io_executor ex, executor_options options)
        : slots(std::move(ex), options.cpu(), options.concurrency(), options.queue_limit()),
          options_(std::move(options)),
          random_(options_.seed() ? *options_.seed() : std::random_device()()) {}

    ~executor_state() override {
        while (attempts* a = waiting_.pop_front()) job_ptr(&a->owner, false)->abandon();
        abandon_all();
    }

    std::shared_ptr<executor_state> shared() {
        return std::static_pointer_cast<executor_state>(shared_from_this());
    }

    /// Sets a job up and queues it. Without options of its own it has the executor's. `repeatable`: its
    /// function can be called more than once. `awaited`: see `push`. What speaks against it is delivered as
    /// the job's error.
    void launch(boost::intrusive_ptr<attempted_job> j, const run_options* options, bool repeatable,
                bool awaited) {
        auto refusal = prepare(*j, options, repeatable);
        job_ptr owned = std::move(j);
        if (!refusal) refusal = push(owned, awaited);
        if (refusal) refuse(static_cast<attempted_job&>(*owned), *refusal);
    }

    /// As `launch`, for many at once: all are queued or none.
    void launch_all(job_list& jobs, bool repeatable) {
        std::optional<errc> refusal;
        for (job* j = jobs.front(); j && !refusal; j = job_list::next(*j)) {
            refusal = prepare(static_cast<attempted_job&>(*j), nullptr, repeatable);
        }
        if (!refusal) refusal = push(jobs);
        while (job* j = refusal ? jobs.pop_front() : nullptr) {
            refuse(static_cast<attempted_job&>(*job_ptr(j, false)), *refusal);
        }
    }

    void cancel(attempted_job& j, errc reason) {
        j.stop(reason);
        {
            std::unique_lock lock(attempts_mutex_);
            if (auto* a = j.attempts_.get(); a && a->state == attempts::phase::waiting) {
                waiting_.erase(*a);
                a->state = attempts::phase::queued;
                lock.unlock();
                return finish(job_ptr(&j, false), stopped(reason));
            }
        }
        slots::cancel(j, reason);
    }

    void cancel_all() {
        slots::cancel_all();
        std::unique_lock lock(attempts_mutex_);
        while (attempts* a = waiting_.pop_front()) {
            a->state = attempts::phase::queued;
            lock.unlock();
            a->owner.stop(errc::cancelled);
            finish(job_ptr(&a->owner, false), stopped(errc::cancelled));
            lock.lock();
        }
    }

    void shut_down() {
        close();
        cancel_all();
    }

    executor_counts counts() const {
        const auto sum = slots::counts();
        const std::lock_guard lock(attempts_mutex_);
        const auto ends = [&](job_end end) { return sum.ends[static_cast<std::size_t>(end)]; };
        return {sum.queued,
                sum.running,
                waiting_.size(),
                ends(job_end::succeeded),
                ends(job_end::failed),
                ends(job_end::cancelled),
                ends(job_end::retried)};
    }

    /// Reports an error that nobody waits for.
    void unseen(const std::exception_ptr& error) noexcept {
        if (!options_.on_error()) return;
        try {
            options_.on_error()(error);
        } catch (...) {  // documented
        }
    }

private:
    friend class attempted_job;

    std::optional<errc> prepare(attempted_job& j, const run_options* own, bool repeatable) {
        if (!own && !has_defaults_) return std::nullopt;
        const auto& defaults = options_.defaults();
        const auto pick = [&](auto option, auto otherwise) {
            const auto value = own ? (own->*option)() : std::nullopt;
            return value ? *value : (defaults.*option)().value_or(otherwise);
        };
        using limit = std::optional<duration> (run_options::*)() const noexcept;
        using policies = const std::optional<retry_policy>& (run_options::*)() const noexcept;
        const auto policy = pick(static_cast<policies>(&run_options::retry), retry_policy());
        const auto timeout = pick(static_cast<limit>(&run_options::timeout), duration());
        const auto deadline = pick(static_cast<limit>(&run_options::deadline), duration());
        j.repeats_ = policy.attempts() != 1;
        if (j.repeats_ && !repeatable) return errc::invalid_argument;
        if (!j.repeats_ && timeout <= duration::zero() && deadline <= duration::zero()) return std::nullopt;
        const std::lock_guard lock(attempts_mutex_);
        j.attempts_ = std::make_unique<attempts>(j, options_.clock(), policy, timeout);
        if (deadline > duration::zero()) {
            j.attempts_->deadline = later(options_.clock().now(), deadline);
            arm(j);
        }
        return std::nullopt;
    }

    void refuse(attempted_job& j, errc why) {
        give_up(j);
        j.deliver(stopped(why), false);
    }

    void give_up(attempted_job& j) noexcept {
        const std::lock_guard lock(attempts_mutex_);
        if (j.attempts_) end(*j.attempts_);
    }

    void begin(attempted_job& j) {
        const std::lock_guard lock(attempts_mutex_);
        attempts& a = *j.attempts_;
        const auto now = options_.clock().now();
        if (a.first_start == never) a.first_start = now;
        a.state = attempts::phase::running;
        a.timed_out = false;
        ++a.started;
        a.attempt_ends = a.timeout > duration::zero() ? later(now, a.timeout) : never;
        if (now >= a.deadline) {
            j.stop(errc::timed_out);
            throw boost::system::system_error(make_error_code(errc::timed_out));
        }
        arm(j);
    }

    job_end judge(attempted_job& j, std::exception_ptr& error) {
        const std::lock_guard lock(attempts_mutex_);
        attempts& a = *j.attempts_;
        if (error && !j.stopping()) {
            if (a.timed_out) error = stopped(errc::timed_out);
            if (j.repeats_ && a.policy.accepts(error)) {
                const auto now = options_.clock().now();
                const auto delay = next_delay(a.policy, a.started, now - a.first_start, random_);
                if (delay && adjourn(j)) {
                    a.state = attempts::phase::waiting;
                    a.resumes = later(now, *delay);
                    intrusive_ptr_add_ref(&j);
                    waiting_.push_back(a);
                    arm(j);
                    return job_end::retried;
                }
            }
        }
        end(a);
        return error ? job_end::failed : job_end::succeeded;
    }

    void end(attempts& a) noexcept {
        a.state = attempts::phase::ended;
        ++a.wait;
        a.disarm();
    }

    // Waits for whatever is due next, in place of what was waited for.
    void arm(attempted_job& j) {
        attempts& a = *j.attempts_;
        const auto when = a.due();
        if (when == never) return a.disarm();
        if (!a.timer) a.timer.emplace(get_executor());
        a.time.arm(*a.timer, when);
        a.timer->async_wait([self = shared(), j = boost::intrusive_ptr<attempted_job>(&j),
                             wait = ++a.wait](boost::system::error_code) { self->on_time(*j, wait); });
    }

    void on_time(attempted_job& j, unsigned wait) {
        std::unique_lock lock(attempts_mutex_);
        attempts& a = *j.attempts_;
        if (a.wait != wait || a.state == attempts::phase::ended) return;
        const auto now = options_.clock().now();
        if (now >= a.deadline) {
            a.deadline = never;
            lock.unlock();
            cancel(j, errc::timed_out);
        } else if (a.state == attempts::phase::running && now >= a.attempt_ends) {
            a.timed_out = true;
            a.attempt_ends = never;
            arm(j);
            interrupt(j, a.started);
        } else if (a.state == attempts::phase::waiting && now >= a.resumes) {
            waiting_.erase(a);
            a.state = attempts::phase::queued;
            arm(j);
            readmit(job_ptr(&j, false));
        } else {
            arm(j);
        }
    }

    const executor_options options_;
    const bool has_defaults_ =
        options_.defaults().retry() || options_.defaults().timeout() || options_.defaults().deadline();
    mutable std::mutex attempts_mutex_;  // taken before the slots' mutex, never after
    intrusive_list<attempts> waiting_;   // of adjourned jobs; owns a reference to each
    std::minstd_rand random_;
};

inline void attempted_job::begin() {
    if (attempts_) owner_.begin(*this);
}

inline job_end attempted_job::judge(std::exception_ptr& error) noexcept {
    const job_end end = attempts_ ? owner_.judge(*this, error) : error ? job_end::failed : job_end::succeeded;
    if (!error || !stopping() || end == job_end::retried) return end;
    error = slots::stopped(stop_reason());
    return stop_reason() == errc::timed_out ? job_end::failed : job_end::cancelled;
}

inline void attempted_job::abandon() noexcept {
    owner_.give_up(*this);
    let_go();
}

}  // namespace taskflux::detail
