#pragma once

#include <taskflux/exec/slots/slots.hpp>
#include <taskflux/flow/worker/batch_run.hpp>
#include <taskflux/flow/worker/plain_call.hpp>

#include <algorithm>
#include <utility>

namespace taskflux::detail {

batch_part::~batch_part() = default;

bool batch_part::is_queued() const { return !has_begun() && batch_->is_closed(); }

bool batch_part::is_handlers(const void* chain) const { return batch_->runs_in(chain); }

void batch_part::cancel(errc reason) {
    const auto batch = batch_;
    batch->cancel(*this, reason);
}

void batch_run::bounds::add(const batch_part& one) {
    const auto& what = one.what();
    bytes += what.payload.size();
    if (const auto limit = one.timeout(); limit > duration::zero()) {
        timeout = timeout > duration::zero() ? (std::min)(timeout, limit) : limit;
    }
    deadline_at = (std::min)(deadline_at, what.deadline_at);
    due = (std::min)(due, one.due_);
}

time_point batch_run::due() const {
    const std::lock_guard lock(mutex_);
    return bounds_.due;
}

bool batch_run::fits(std::size_t bytes) const {
    const auto most = handler_.limits().max_bytes;
    const std::lock_guard lock(mutex_);
    return parts_.empty() || most == 0 || bounds_.bytes + bytes <= most;
}

void batch_run::add(boost::intrusive_ptr<batch_part> one) {
    const auto& what = one->what();
    if (!first_) first_ = what.spec;
    if (what.deadline_at != never) {
        const auto now = clock_.now();
        one->due_ = now + (std::max)(what.deadline_at - now, duration::zero()) / 2;
    }
    one->batch_ = this;
    const std::lock_guard lock(mutex_);
    bounds_.add(*one);
    parts_.push_back(std::move(one));
}

std::size_t batch_run::space() const {
    const auto& limits = handler_.limits();
    const std::lock_guard lock(mutex_);
    if (parts_.size() >= limits.max) return 0;
    const auto left = limits.max - parts_.size();
    const auto bytes = bounds_.bytes;
    if (limits.max_bytes == 0) return left;
    if (bytes >= limits.max_bytes) return 0;
    const auto each = (std::max)(bytes / (std::max)(parts_.size(), std::size_t(1)), std::size_t(1));
    return std::clamp((limits.max_bytes - bytes) / each, std::size_t(1), left);
}

std::optional<run_options> batch_run::close() {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    if (bounds_.timeout == duration::zero() && bounds_.deadline_at == never) return std::nullopt;
    run_options options;
    options.timeout(bounds_.timeout);
    const auto least = duration(1);  // zero would be none
    if (bounds_.deadline_at != never) options.deadline((std::max)(bounds_.deadline_at - clock_.now(), least));
    return options;
}

bool batch_run::is_closed() const {
    const std::lock_guard lock(mutex_);
    return is_closed_;
}

void batch_run::cancel(batch_part& one, errc reason) {
    boost::intrusive_ptr<batch_part> left;
    bool are_all_told = false;
    {
        const std::lock_guard lock(mutex_);
        if (one.has_ended_) return;
        one.stop(reason);
        if (has_begun_) {
            are_all_told = !std::exchange(one.is_told_, true) && --untold_ == 0;
        } else {
            left = remove(one);
        }
    }
    if (left) owner_->on_end(one, slots::stopped(one, reason));
    if (are_all_told) executor_job::owner().cancel(*this, reason);
}

boost::intrusive_ptr<batch_part> batch_run::remove(batch_part& one) {
    one.has_ended_ = true;
    boost::intrusive_ptr<batch_part> left(&one);
    std::erase(parts_, left);
    if (is_closed_) return left;
    bounds_ = bounds{lingers_until_};
    for (const auto& other : parts_) bounds_.add(*other);
    return left;
}

void batch_run::begin_parts() {
    {
        const std::lock_guard lock(mutex_);
        const auto limit = bounds_.timeout > duration::zero() ? later(clock_.now(), bounds_.timeout) : never;
        const auto ends = (std::min)(limit, bounds_.deadline_at);
        has_begun_ = true;
        for (const auto& one : parts_) {
            one->begin_until(ends);
            begun_.push_back(one.get());
        }
        untold_ = begun_.size();
    }
    for (auto* const one : begun_) one->begin_span_in_batch();
    begin();
}

asio::awaitable<void> batch_run::run() {
    begin_parts();
    if (!begun_.empty()) co_await handler_.run_batch(begun_);
}

void batch_run::call() {
    if (stopping()) throw boost::system::system_error(make_error_code(stop_reason()));  // while it waited for a thread
    begin_parts();
    if (begun_.empty()) return;
    const plain_scope here(*begun_.front());
    handler_.call_batch(begun_);
}

std::string batch_run::subject() const {
    const std::lock_guard lock(mutex_);
    return "the batch of " + std::to_string(parts_.size()) + " of task " + first_->name;
}

void batch_run::deliver(std::exception_ptr error, bool) noexcept {
    const auto now = clock_.now();
    const bool is_cancelled = stopping() && stop_reason() != errc::timed_out;
    const auto open = take_open();
    for (const auto& one : open) {
        if (error && stopping() && stop_reason() == errc::timed_out && one->what().deadline_at <= now) one->stop(errc::timed_out);
        owner_->on_end(*one, one->failure ? one->failure : error);
    }
    owner_->on_batch_end(!error ? job_end::succeeded : is_cancelled ? job_end::cancelled : job_end::failed);
}

void batch_run::let_go() noexcept {
    for (const auto& one : take_open()) owner_->on_abandon(*one);
    owner_->on_batch_end(std::nullopt);
}

std::vector<boost::intrusive_ptr<batch_part>> batch_run::take_open() {
    const std::lock_guard lock(mutex_);
    auto all = std::exchange(parts_, {});
    std::erase_if(all, [](const auto& one) { return std::exchange(one->has_ended_, true); });
    return all;
}

}  // namespace taskflux::detail
