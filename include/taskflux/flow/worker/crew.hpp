#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/exec/executor/attempts.hpp>
#include <taskflux/flow/worker/attempt.hpp>
#include <taskflux/flow/worker/handlers.hpp>
#include <taskflux/flow/worker/membership.hpp>
#include <taskflux/flow/worker/outbox.hpp>
#include <taskflux/flow/worker/running.hpp>
#include <taskflux/flow/worker_options.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
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

/// The attempts that a worker has in hand: run on a pool of slots, cancelled alone or together, and what they
/// have to tell put into the outbox. Their ends are decided here. Attempts keep it alive. Thread-safe, but
/// for what waits: one at a time, on its worker's strand.
class crew final : public attempt_owner, public std::enable_shared_from_this<crew> {
public:
    /// `cpu` is where plain functions run.
    crew(broker_ptr broker, const worker_options& options, std::shared_ptr<const handler_map> handlers,
         asio::any_io_executor cpu);

    /// How many more attempts fit, running or prefetched; none during a pause.
    std::size_t room() const {
        if (is_paused_) return 0;
        const auto taken = in_hand_.load(), most = capacity_ + parked_;
        return taken < most ? most - taken : 0;
    }

    /// What runs already ends, when there are fewer slots from now on.
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

    /// Gives tasks back that were fetched too late to be started.
    void give_back(const std::vector<delivery>& found, const std::vector<std::string>& queues,
                   const consumer_ptr& who);

    /// Gives tasks back that have been prefetched, and not been started.
    void give_back_waiting();

    void cancel(const std::string& queue, const cancel_request& wanted);
    void cancel_all(errc reason);

    /// Cancels everything for good, and lets go of the slots. Wakes nobody, so that it may be called while the
    /// context is being destroyed: `wake` must follow otherwise.
    void close();

    /// Whether nothing is in hand any more, within `limit`.
    asio::awaitable<bool> emptied_within(duration limit);

    /// What is to be told to the broker, but for queues that are `busy` being told.
    std::vector<outbox::parcel> take_news(const std::vector<std::string>& busy) { return outbox_.take(busy); }
    bool has_news() const { return !outbox_.empty(); }

    /// Returns when there may be news, or after `wake`.
    asio::awaitable<void> wait_for_news() { return news_.wait(); }

    /// Lets everybody who waits here look again.
    void wake();

    executor_counts counts() const { return pool_->counts(); }

private:
    asio::awaitable<void> emptied();

    void on_end(attempt& ended, std::exception_ptr error) noexcept override;

    /// Its coroutine was destroyed with the context: nobody can wait any more.
    void on_abandon(attempt& of) noexcept override;
    void on_progress(attempt& of, std::string encoded) override;
    void on_park(bool is_parked) override;
    void on_log(attempt& of, log_line line) override;
    const broker_ptr& broker() const override { return broker_; }

    std::optional<settlement> verdict(const failed_attempt& failed);
    static report report_of(const attempt& of);

    template <class News>
    void send(const std::string& queue, const consumer_ptr& who, News news) {
        if (outbox_.add(queue, who, std::move(news)) && !is_quiet_) news_.set();
    }

    void let_go() noexcept {
        --in_hand_;
        tell_of_room();
    }

    void tell_of_room() noexcept {
        if (wants_room_ && wants_room_.exchange(false) && !is_quiet_) room_.set();
    }

    const broker_ptr broker_;  // the clock is its
    taskflux::clock& clock_;
    const std::shared_ptr<const handler_map> handlers_;
    const log_sink log_;
    const duration timeout_;
    const std::size_t prefetch_;
    std::atomic<std::size_t> capacity_;
    std::atomic<bool> is_paused_ = false;
    const std::shared_ptr<executor_state> pool_;

    outbox outbox_;
    running_attempts running_;
    std::mutex random_mutex_;  // guards the next
    std::minstd_rand random_;

    std::atomic<std::size_t> in_hand_ = 0;
    std::atomic<std::size_t> parked_ = 0;  // of those in hand: they only wait for their subtasks
    std::atomic<bool> wants_room_ = false;
    std::atomic<bool> is_quiet_ = false;
    event news_;  // there is a new parcel in the outbox
    event room_;  // an attempt has ended, and somebody waits for that
};

}  // namespace taskflux::detail
