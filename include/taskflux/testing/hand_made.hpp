#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/exec/slots/slot_job.hpp>
#include <taskflux/flow/context.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// Cancels the coroutines that are bound to its slot. On one thread.
class hand_stop {
public:
    explicit hand_stop(asio::any_io_executor on) : on_(std::move(on)), signal_(std::make_shared<asio::cancellation_signal>()) {}

    asio::cancellation_slot slot() { return signal_->slot(); }
    void emit() {
        asio::post(on_, [signal = signal_] { signal->emit(asio::cancellation_type::terminal); });
    }

private:
    asio::any_io_executor on_;
    std::shared_ptr<asio::cancellation_signal> signal_;
};

/// A job that no slot runs: it only says whether it must stop.
class hand_made_job final : public slot_job {
public:
    hand_made_job() : slot_job(kind::plain) {}
    ~hand_made_job() override = default;

private:
    asio::awaitable<void> run() override { co_return; }
    void call() override {}
    job_end judge(std::exception_ptr&) noexcept override { return job_end::succeeded; }
    void deliver(std::exception_ptr, bool) override {}
    void abandon() noexcept override {}
};

/// An attempt at a task that no worker runs: what its handler reports is kept.
class hand_made_attempt final : private context_sink {
public:
    hand_made_attempt(broker_ptr broker, std::string consumer, std::string queue, delivery what, time_point ends)
        : broker_(std::move(broker)), consumer_(std::move(consumer)), what_(std::move(what)), id_{std::move(queue), what_.key},
          ends_(ends), stop_(broker_->get_executor()), context_(what_, id_, job_, broker_->clock(), ends_, *this) {}
    hand_made_attempt(const hand_made_attempt&) = delete;
    hand_made_attempt& operator=(const hand_made_attempt&) = delete;

    taskflux::context& context() { return context_; }
    asio::cancellation_slot slot() { return stop_.slot(); }

    void stop(errc why) {
        job_.stop(why);
        stop_.emit();
    }

    std::vector<std::string> progress() const {
        const std::lock_guard lock(mutex_);
        return progress_;
    }
    std::vector<log_line> log() const {
        const std::lock_guard lock(mutex_);
        return log_;
    }

private:
    void on_progress(std::string encoded) override {
        const std::lock_guard lock(mutex_);
        progress_.push_back(std::move(encoded));
    }
    void on_log(log_line line) override {
        const std::lock_guard lock(mutex_);
        log_.push_back(std::move(line));
    }
    const broker_ptr& broker() const override { return broker_; }
    const std::string& consumer_name() const override { return consumer_; }
    void park() override {}
    void unpark() override {}
    std::optional<errc> stopped() const override {
        if (job_.stopping()) return job_.stop_reason();
        if (broker_->clock().now() >= ends_) return errc::timed_out;
        return std::nullopt;
    }
    // The handler's coroutines are a test's: they can't be destroyed where they wait, so the handler does not pause.
    bool is_handlers(const void*) const override { return false; }
    void leave() override {}
    void interrupt() override { stop_.emit(); }

    const broker_ptr broker_;
    const std::string consumer_;
    const delivery what_;
    const task_id id_;
    const time_point ends_;
    hand_made_job job_;
    hand_stop stop_;
    mutable std::mutex mutex_;  // guards the two below
    std::vector<std::string> progress_;
    std::vector<log_line> log_;
    taskflux::context context_;
};

}  // namespace taskflux::detail
