#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/exec/executor/executor_state.hpp>
#include <taskflux/flow/worker/attempt.hpp>
#include <taskflux/flow/worker/batch_collector.hpp>
#include <taskflux/flow/worker/handlers.hpp>
#include <taskflux/flow/worker/held_slots.hpp>
#include <taskflux/flow/worker/membership.hpp>
#include <taskflux/flow/worker/monitor.hpp>
#include <taskflux/flow/worker/pending_reports.hpp>
#include <taskflux/flow/worker/running.hpp>
#include <taskflux/flow/worker_options.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// The attempts of a worker: runs them on a pool of slots, cancels one or all, decides what follows from their ends, and
/// gathers their reports. Attempts keep it alive. Thread-safe, except for the functions that wait: one at a time, on the
/// worker's strand.
class crew final : public attempt_owner, public std::enable_shared_from_this<crew> {
public:
    /// `cpu` is where plain functions run; `queues` are those that the worker serves.
    crew(broker_ptr broker, const worker_options& options, std::vector<std::string> queues,
         std::shared_ptr<const handler_map> handlers, asio::any_io_executor cpu, std::shared_ptr<const worker_monitor> monitor);

    /// The coroutines among the handlers that run. Thread-safe.
    std::vector<running_handler> running_coroutines() const;

    /// How many more attempts fit, running or prefetched; none while it is paused.
    std::size_t room() const {
        if (is_paused_) return 0;
        const auto taken = in_hand_.load(), most = capacity_ + parked_;
        return taken < most ? most - taken : 0;
    }

    /// How many tasks to fetch; more than `room` where surely several share a slot.
    std::size_t appetite() const { return room() * batches_.items_per_slot(); }

    /// Changes the number of slots; attempts that run already go on.
    void concurrency(std::size_t slots);
    std::size_t concurrency() const { return capacity_ - prefetch_; }

    void pause(bool is_paused);
    bool is_paused() const { return is_paused_; }

    /// Returns when an attempt has ended.
    asio::awaitable<void> wait_for_room() {
        wants_room_ = true;
        if (room() == 0) co_await room_.wait();
    }

    /// Starts attempts at tasks that `who` fetched from `queues`.
    void launch(std::vector<delivery> found, const std::vector<std::string>& queues, const consumer_ptr& who);

    /// Open batches, which `launch` begins and fills; each has a slot. Whether there are any handlers of batches, also such that
    /// linger.
    bool has_batches() const { return batches_.is_used(); }
    bool has_lingering_batches() const { return batches_.lingers(); }

    /// What they have room for, by tasks.
    std::vector<batch_wish> wishes() const { return batches_.wishes(); }

    /// What those that linger have room for, while there is none for other tasks: nothing else would bring them more.
    std::optional<batch_wish> urgent_wish() const {
        if (is_paused_ || in_hand_ < capacity_ + parked_) return std::nullopt;
        return batches_.lingering(clock_.now());
    }

    /// Starts those whose time has come, or all.
    void start_due_batches() { start_batches(batches_.take_due(clock_.now())); }
    void start_all_batches() { start_batches(batches_.take_all()); }
    time_point next_batch_due() const { return batches_.next_due(); }

    /// Return when `launch` may have opened a batch.
    asio::awaitable<void> wait_for_batches() { return opened_.wait(); }
    asio::awaitable<void> wait_for_wishes() { return wished_.wait(); }

    /// Gives back tasks that were fetched too late to be started.
    void give_back(const std::vector<delivery>& found, const std::vector<std::string>& queues,
                   const consumer_ptr& who);

    /// Gives back tasks that were prefetched and not started.
    void give_back_waiting();

    void cancel(const std::string& queue, const cancel_request& wanted);
    void cancel_all(errc reason);

    /// Cancels all attempts for good, and releases the slots. Wakes no coroutine, so that it may be called while the
    /// context is being destroyed; otherwise `wake` must follow.
    void close();

    /// Waits up to `limit` for all attempts to end; returns whether they have.
    asio::awaitable<bool> emptied_within(duration limit);

    /// The pending reports, except for those of `busy` queues, to which a batch is being sent.
    std::vector<pending_reports::batch> take_reports(const std::vector<std::string>& busy) { return pending_.take(busy); }
    bool has_reports() const { return !pending_.empty(); }

    /// Returns when there may be pending reports, or after `wake`.
    asio::awaitable<void> wait_for_reports() { return reported_.wait(); }

    /// Wakes the coroutines that wait here, so that they check again.
    void wake();

    /// Items of batches count like other attempts.
    executor_counts counts() const;

private:
    asio::awaitable<void> emptied();

    void on_end(attempt& ended, std::exception_ptr error) noexcept override;

    /// An attempt's coroutine was destroyed with the context: no coroutine can wait any more.
    void on_abandon(attempt& of) noexcept override;
    void on_batch_end(std::optional<job_end> how) noexcept override;
    void on_progress(attempt& of, std::string encoded) override;
    void on_park(bool is_parked) override;
    void on_interrupt(attempt& of) override;
    void on_log(attempt& of, log_line line) override;
    const broker_ptr& broker() const override { return broker_; }
    tracer* tracing() const noexcept override { return tracer_.get(); }
    const std::shared_ptr<held_slots>& held() const override { return held_; }
    bool has_waiting(const task_id& id) const override;

    /// Takes a task into an open batch.
    void collect(batch_handler& handler, delivery what, const std::string& queue, const consumer_ptr& who);
    void start_batches(const std::vector<batch_collector::batch_ptr>& ready);

    void count_item(const attempt& ended, bool has_failed) noexcept;

    /// Reports an attempt's end.
    void finish(attempt& ended, std::exception_ptr error) noexcept;

    std::optional<settlement> verdict(const failed_attempt& failed);
    static attempt_report report_of(const attempt& of);

    template <class News>
    void send(const std::string& queue, const consumer_ptr& who, News news) {
        if (pending_.add(queue, who, std::move(news)) && !is_quiet_) reported_.set();
    }

    void let_go() noexcept {
        --in_hand_;
        signal_room();
    }

    void signal_room() noexcept {
        if (wants_room_ && wants_room_.exchange(false) && !is_quiet_) room_.set();
    }

    const broker_ptr broker_;  // the clock is its
    taskflux::clock& clock_;
    const std::shared_ptr<const handler_map> handlers_;
    const std::shared_ptr<const worker_monitor> monitor_;
    const std::shared_ptr<tracer> tracer_;
    const std::shared_ptr<held_slots> held_;
    const duration timeout_;
    const std::size_t prefetch_;
    std::atomic<std::size_t> capacity_;
    std::atomic<bool> is_paused_ = false;
    const std::shared_ptr<executor_state> pool_;
    const duration longest_linger_;
    batch_collector batches_;

    pending_reports pending_;
    running_attempts running_;
    std::mutex random_mutex_;  // guards the next
    std::minstd_rand random_;

    std::atomic<std::size_t> in_hand_ = 0;
    std::array<std::atomic<std::uint64_t>, 4> item_ends_{}, batch_ends_{};  // by job_end
    std::atomic<std::size_t> parked_ = 0;  // attempts that only wait for subtasks
    std::atomic<bool> wants_room_ = false;
    std::atomic<bool> is_quiet_ = false;
    event reported_;  // there is a new batch of pending reports
    event room_;  // an attempt has ended
    event opened_, wished_;  // there may be a new batch: for who starts them, and for who fills them
};

}  // namespace taskflux::detail
