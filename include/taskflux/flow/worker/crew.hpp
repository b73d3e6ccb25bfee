#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/exec/executor/attempts.hpp>
#include <taskflux/flow/worker/attempt.hpp>
#include <taskflux/flow/worker/decide.hpp>
#include <taskflux/flow/worker/handlers.hpp>
#include <taskflux/flow/worker/membership.hpp>
#include <taskflux/flow/worker/outbox.hpp>
#include <taskflux/flow/worker/running.hpp>
#include <taskflux/flow/worker_options.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

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
         asio::any_io_executor cpu)
        : broker_(std::move(broker)), clock_(broker_->clock()), handlers_(std::move(handlers)), log_(options.log()),
          timeout_(options.timeout()), prefetch_(options.prefetch()),
          capacity_(options.concurrency() + options.prefetch()),
          pool_(std::make_shared<executor_state>(
              broker_->get_executor(),
              executor_options().concurrency(options.concurrency()).cpu(std::move(cpu)).clock(clock_))),
          random_(options.seed() ? *options.seed() : std::random_device()()) {}

    /// How many more attempts fit, running or prefetched; none during a pause.
    std::size_t room() const {
        if (is_paused_) return 0;
        const auto taken = in_hand_.load(), most = capacity_ + parked_;
        return taken < most ? most - taken : 0;
    }

    /// What runs already ends, when there are fewer slots from now on.
    void concurrency(std::size_t slots) {
        capacity_ = slots + prefetch_;
        pool_->concurrency(slots);
        tell_of_room();
    }
    std::size_t concurrency() const { return capacity_ - prefetch_; }

    void pause(bool is_paused) {
        is_paused_ = is_paused;
        if (!is_paused) tell_of_room();
    }
    bool is_paused() const { return is_paused_; }

    /// Returns when an attempt has ended.
    asio::awaitable<void> wait_for_room() {
        wants_room_ = true;
        if (room() == 0) co_await room_.wait();
    }

    /// Starts attempts at tasks that `who` fetched from `queues`.
    void launch(std::vector<delivery> found, const std::vector<std::string>& queues, const consumer_ptr& who) {
        const auto now = clock_.now();
        const auto self = shared_from_this();
        in_hand_ += found.size();
        intrusive_list<attempt> all;
        std::vector<boost::intrusive_ptr<attempt>> made;
        made.reserve(found.size());
        for (auto& what : found) {
            auto& handler = *handlers_->find(what.spec->name)->second;  // fetch gives no other names
            const auto& queue = queues[what.queue];
            made.emplace_back(new attempt(*pool_, self, handler, clock_, timeout_, queue, who, std::move(what)), false);
            all.push_back(*made.back());
        }
        running_.add(all);
        job_list unlimited;  // those in a row without limits: one batch
        for (auto& one : made) {
            const auto limits = one->limits(now);
            if (!limits) {
                unlimited.push_back(*one.detach());
                continue;
            }
            if (!unlimited.empty()) pool_->launch_all(unlimited, true);
            pool_->launch(std::move(one), &*limits, true, false);
        }
        if (!unlimited.empty()) pool_->launch_all(unlimited, true);
    }

    /// Gives tasks back that were fetched too late to be started.
    void give_back(const std::vector<delivery>& found, const std::vector<std::string>& queues,
                   const consumer_ptr& who) {
        for (const auto& what : found) {
            settlement end;
            end.key = what.key;
            end.token = what.token;
            end.how = settlement::kind::release;
            send(queues[what.queue], who, std::move(end));
        }
    }

    /// Gives tasks back that have been prefetched, and not been started.
    void give_back_waiting() {
        for (const auto& one : running_.all()) {
            if (!one->has_begun()) pool_->cancel(*one, errc::shut_down);
        }
    }

    void cancel(const std::string& queue, const cancel_request& wanted) {
        if (const auto found = running_.find(queue, wanted)) pool_->cancel(*found, errc::cancelled);
    }

    void cancel_all(errc reason) {
        for (const auto& one : running_.all()) pool_->cancel(*one, reason);
    }

    /// Cancels everything for good, and lets go of the slots. Wakes nobody, so that it may be called while the
    /// context is being destroyed: `wake` must follow otherwise.
    void close() {
        is_quiet_ = true;
        cancel_all(errc::shut_down);
        pool_->shut_down();
        is_quiet_ = false;
    }

    /// Whether nothing is in hand any more, within `limit`.
    asio::awaitable<bool> emptied_within(duration limit) {
        using namespace asio::experimental::awaitable_operators;
        if (in_hand_ == 0) co_return true;
        const auto first = co_await (emptied() || sleep_until(clock_, later(clock_.now(), limit)));
        co_return first.index() == 0;
    }

    /// What is to be told to the broker, but for queues that are `busy` being told.
    std::vector<outbox::parcel> take_news(const std::vector<std::string>& busy) { return outbox_.take(busy); }
    bool has_news() const { return !outbox_.empty(); }

    /// Returns when there may be news, or after `wake`.
    asio::awaitable<void> wait_for_news() { return news_.wait(); }

    /// Lets everybody who waits here look again.
    void wake() {
        news_.set();
        room_.set();
    }

    executor_counts counts() const { return pool_->counts(); }

private:
    asio::awaitable<void> emptied() {
        while (in_hand_ > 0) {
            wants_room_ = true;
            if (in_hand_ > 0) co_await room_.wait();
        }
    }

    void on_end(attempt& ended, std::exception_ptr error) noexcept override {
        running_.remove(ended);
        if (!error) {
            send(ended.id().queue, ended.consumer(), succeeded(ended.what(), ended.take_result()));
        } else if (auto end = verdict(ended.failed(std::move(error)))) {
            send(ended.id().queue, ended.consumer(), std::move(*end));
        }
        let_go();
    }

    /// Its coroutine was destroyed with the context: nobody can wait any more.
    void on_abandon(attempt& of) noexcept override {
        running_.remove(of);
        --in_hand_;
    }

    void on_progress(attempt& of, std::string encoded) override {
        auto news = report_of(of);
        news.progress = std::move(encoded);
        send(of.id().queue, of.consumer(), std::move(news));
    }

    void on_park(bool is_parked) override {
        if (is_parked) {
            ++parked_;
            pool_->lend();
            tell_of_room();
        } else {
            --parked_;
            pool_->take_back();
        }
    }

    const broker_ptr& broker() const override { return broker_; }

    void on_log(attempt& of, log_line line) override {
        if (log_) log_(line, &of.id());
        auto news = report_of(of);
        news.log.push_back(std::move(line));
        send(of.id().queue, of.consumer(), std::move(news));
    }

    std::optional<settlement> verdict(const failed_attempt& failed) {
        const std::lock_guard lock(random_mutex_);
        return decide(failed, clock_.now(), random_);
    }

    static report report_of(const attempt& of) {
        report news;
        news.key = of.what().key;
        news.token = of.what().token;
        return news;
    }

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
