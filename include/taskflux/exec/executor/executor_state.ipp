#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/retry_delay.hpp>
#include <taskflux/exec/executor/executor_state.hpp>
#include <taskflux/exec/slots/slot_job.hpp>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>

namespace taskflux::detail {

inline error overran(const std::string& job, duration timeout) {
    return {errc::timed_out, "the attempt at " + job + " took longer than its timeout of " + std::to_string(timeout.count()) +
                                 " ms, and was cancelled: allow a longer one"};
}

void executor_job::begin() {
    if (retry_state_) owner_.begin(*this);
}

job_end executor_job::judge(std::exception_ptr& error) noexcept {
    const job_end end = retry_state_ ? owner_.judge(*this, error) : error ? job_end::failed : job_end::succeeded;
    if (!error || !stopping() || end == job_end::retried) return end;
    error = slots::stopped(*this, stop_reason());
    return stop_reason() == errc::timed_out ? job_end::failed : job_end::cancelled;
}

void executor_job::abandon() noexcept {
    owner_.give_up(*this);
    let_go();
}

executor_state::executor_state(asio::any_io_executor ex, executor_options options)
    : slots(std::move(ex), options.cpu(), options.concurrency(), options.queue_limit()),
      options_(std::move(options)),
      random_(options_.seed() ? *options_.seed() : std::random_device()()) {}

executor_state::~executor_state() {
    while (retry_state* a = waiting_.pop_front()) slot_job_ptr(&a->owner, false)->abandon();
    abandon_all();
}

void executor_state::launch(boost::intrusive_ptr<executor_job> j, const run_options* options, bool repeatable, bool awaited) {
    auto refusal = prepare(*j, options, repeatable);
    slot_job_ptr owned = std::move(j);
    if (!refusal) refusal = push(owned, awaited);
    if (refusal) refuse(static_cast<executor_job&>(*owned), *refusal);
}

void executor_state::launch_all(slot_job_list& jobs, bool repeatable) {
    std::optional<errc> refusal;
    for (slot_job* j = jobs.front(); j && !refusal; j = slot_job_list::next(*j)) {
        refusal = prepare(static_cast<executor_job&>(*j), nullptr, repeatable);
    }
    if (!refusal) refusal = push(jobs);
    while (slot_job* j = refusal ? jobs.pop_front() : nullptr) {
        refuse(static_cast<executor_job&>(*slot_job_ptr(j, false)), *refusal);
    }
}

void executor_state::cancel(executor_job& j, errc reason) {
    j.stop(reason);
    {
        std::unique_lock lock(retry_mutex_);
        if (auto* a = j.retry_state_.get(); a && a->state == retry_state::phase::waiting) {
            waiting_.erase(*a);
            a->state = retry_state::phase::queued;
            lock.unlock();
            return finish(slot_job_ptr(&j, false), stopped(j, reason));
        }
    }
    slots::cancel(j, reason);
}

void executor_state::cancel_all() {
    slots::cancel_all();
    std::unique_lock lock(retry_mutex_);
    while (retry_state* a = waiting_.pop_front()) {
        a->state = retry_state::phase::queued;
        lock.unlock();
        a->owner.stop(errc::cancelled);
        finish(slot_job_ptr(&a->owner, false), stopped(a->owner, errc::cancelled));
        lock.lock();
    }
}

void executor_state::shut_down() {
    close();
    cancel_all();
}

executor_counts executor_state::counts() const {
    const auto sum = slots::counts();
    const std::lock_guard lock(retry_mutex_);
    const auto ends = [&](job_end end) { return sum.ends[static_cast<std::size_t>(end)]; };
    return {sum.queued,
            sum.running,
            waiting_.size(),
            ends(job_end::succeeded),
            ends(job_end::failed),
            ends(job_end::cancelled),
            ends(job_end::retried)};
}

void executor_state::unseen(const std::exception_ptr& error) noexcept {
    if (!options_.on_error()) return;
    try {
        options_.on_error()(error);
    } catch (...) {  // documented
    }
}

std::optional<errc> executor_state::prepare(executor_job& j, const run_options* own, bool repeatable) {
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
    const std::lock_guard lock(retry_mutex_);
    j.retry_state_ = std::make_unique<retry_state>(j, options_.clock(), policy, timeout);
    if (deadline > duration::zero()) {
        j.retry_state_->deadline = later(options_.clock().now(), deadline);
        arm(j);
    }
    return std::nullopt;
}

void executor_state::refuse(executor_job& j, errc why) {
    give_up(j);
    j.deliver(stopped(j, why), false);
}

void executor_state::give_up(executor_job& j) noexcept {
    const std::lock_guard lock(retry_mutex_);
    if (j.retry_state_) end(*j.retry_state_);
}

void executor_state::begin(executor_job& j) {
    const std::lock_guard lock(retry_mutex_);
    retry_state& a = *j.retry_state_;
    const auto now = options_.clock().now();
    if (a.first_start == never) a.first_start = now;
    a.state = retry_state::phase::running;
    a.timed_out = false;
    ++a.started;
    a.attempt_ends = a.timeout > duration::zero() ? later(now, a.timeout) : never;
    if (now >= a.deadline) {
        j.stop(errc::timed_out);
        throw boost::system::system_error(make_error_code(errc::timed_out));
    }
    arm(j);
}

job_end executor_state::judge(executor_job& j, std::exception_ptr& error) {
    const std::lock_guard lock(retry_mutex_);
    retry_state& a = *j.retry_state_;
    if (error && !j.stopping()) {
        if (a.timed_out) error = std::make_exception_ptr(overran(j.subject(), a.timeout));
        if (j.repeats_ && a.policy.accepts(error)) {
            const auto now = options_.clock().now();
            const auto delay = next_delay(a.policy, a.started, now - a.first_start, random_);
            if (delay && adjourn(j)) {
                a.state = retry_state::phase::waiting;
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

void executor_state::end(retry_state& a) noexcept {
    ++a.wait;
    a.disarm();
}

void executor_state::arm(executor_job& j) {
    retry_state& a = *j.retry_state_;
    const auto when = a.due();
    if (when == never) return a.disarm();
    if (!a.timer) a.timer.emplace(get_executor());
    a.time.arm(*a.timer, when);
    a.timer->async_wait([self = shared(), j = boost::intrusive_ptr<executor_job>(&j),
                         wait = ++a.wait](boost::system::error_code) { self->on_time(*j, wait); });
}

void executor_state::on_time(executor_job& j, unsigned wait) {
    std::unique_lock lock(retry_mutex_);
    retry_state& a = *j.retry_state_;
    if (a.wait != wait) return;  // another wait has taken its place, or the job has ended
    const auto now = options_.clock().now();
    if (now >= a.deadline) {
        lock.unlock();
        cancel(j, errc::timed_out);
    } else if (a.state == retry_state::phase::running && now >= a.attempt_ends) {
        a.timed_out = true;
        a.attempt_ends = never;
        arm(j);
        interrupt(j, a.started);
    } else if (a.state == retry_state::phase::waiting && now >= a.resumes) {
        waiting_.erase(a);
        a.state = retry_state::phase::queued;
        arm(j);
        readmit(slot_job_ptr(&j, false));
    } else {
        arm(j);
    }
}

}  // namespace taskflux::detail
