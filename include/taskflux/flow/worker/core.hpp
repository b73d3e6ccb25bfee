#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/retry.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/exec/attempts.hpp>
#include <taskflux/flow/decide.hpp>
#include <taskflux/flow/handler.hpp>
#include <taskflux/flow/worker/attempt.hpp>
#include <taskflux/flow/worker/lease_keeper.hpp>
#include <taskflux/flow/worker/membership.hpp>
#include <taskflux/flow/worker/outbox.hpp>
#include <taskflux/flow/worker/running.hpp>
#include <taskflux/flow/worker_options.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
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

using handler_map = std::map<std::string, std::unique_ptr<handler>, std::less<>>;

/// A worker while it runs: loops that fetch, settle and renew, all on one strand, around a pool of slots that
/// run the handlers. Kept alive by its loops and by the attempts under way.
class worker_core final : public attempt_owner, public std::enable_shared_from_this<worker_core> {
public:
    /// `cpu` is where plain functions run. `queues` must not be empty.
    worker_core(broker_ptr broker, const worker_options& options, std::vector<weighted_queue> queues,
                std::shared_ptr<const handler_map> handlers, asio::any_io_executor cpu)
        : broker_(std::move(broker)), options_(options), queues_(std::move(queues)), handlers_(std::move(handlers)),
          clock_(broker_->clock()), member_(broker_, options.name(), names_of(queues_), options.lease()),
          strand_(asio::make_strand(broker_->get_executor())),
          pool_(std::make_shared<executor_state>(broker_->get_executor(), executor_options()
                                                                              .concurrency(options.concurrency())
                                                                              .cpu(std::move(cpu))
                                                                              .clock(broker_->clock()))),
          random_(options.seed() ? *options.seed() : std::random_device()()), work_(strand_), room_(strand_),
          changed_(strand_) {
        auto names = std::make_shared<name_set>();
        for (const auto& [name, unused] : *handlers_) names->insert(name);
        names_ = std::move(names);
    }

    const asio::any_io_executor& strand() const { return strand_; }

    /// The worker's whole life: until `stop`, or until the broker is closed, which throws.
    asio::awaitable<void> live() {
        const auto self = shared_from_this();
        co_await member_.join();
        std::optional<lease_keeper> keeper;
        if (options_.renewal_thread()) {
            keeper.emplace(options_.lease() / 3, options_.stuck_after(), clock_, strand_,
                           [this] { return renew(); });
        }
        start(watching_, watch_loop());
        start(settling_, settle_loop());
        start(fetching_, fetch_loop());

        while (!fetching_.is_done) co_await changed_.wait();
        is_stopping_ = true;
        co_await drain();
        is_drained_ = true;
        work_.set();
        while (!settling_.is_done) co_await changed_.wait();
        watching_.stop.emit(asio::cancellation_type::terminal);
        while (!watching_.is_done) co_await changed_.wait();
        keeper.reset();
        pool_->shut_down();
        if (!broken_) co_await member_.leave();
        if (broken_) std::rethrow_exception(broken_);
    }

    /// Thread-safe; may come before `live`, and more than once.
    void stop() {
        asio::post(strand_, [self = shared_from_this()] {
            self->is_stopping_ = true;
            self->fetching_.stop.emit(asio::cancellation_type::terminal);
        });
    }

    /// For a worker that goes away while it runs: lets go of what is queued.
    void abandon() noexcept { pool_->shut_down(); }

    executor_counts counts() const { return pool_->counts(); }

private:
    static std::vector<std::string> names_of(const std::vector<weighted_queue>& queues) {
        std::vector<std::string> names;
        for (const auto& queue : queues) names.push_back(queue.name);
        return names;
    }

    /// A coroutine of this worker's, and its end.
    struct loop {
        asio::cancellation_signal stop;
        bool is_done = false;
    };

    void start(loop& which, asio::awaitable<void> body) {
        asio::co_spawn(strand_, std::move(body),
                       asio::bind_cancellation_slot(
                           which.stop.slot(), [self = shared_from_this(), &which](const std::exception_ptr& error) {
                               which.is_done = true;
                               if (error) self->on_broken(error);
                               self->changed_.set();
                           }));
    }

    /// A loop ended with an error that it could not get over.
    void on_broken(const std::exception_ptr& error) {
        try {
            std::rethrow_exception(error);
        } catch (const boost::system::system_error& e) {
            if (e.code() == asio::error::operation_aborted) return;  // it was told to stop
        } catch (...) {  // kept below
        }
        if (!broken_) broken_ = error;
        is_stopping_ = true;
        for (auto* which : {&fetching_, &watching_}) which->stop.emit(asio::cancellation_type::terminal);
        is_drained_ = true;  // there is nobody to tell any more
        work_.set();
    }

    // --- loops ------------------------------------------------------------------------------------------

    asio::awaitable<void> fetch_loop() {
        const auto self = shared_from_this();
        while (!is_stopping_) {
            const auto capacity = options_.concurrency() + options_.prefetch();
            const auto in_hand = in_hand_.load();
            if (in_hand >= capacity) {
                wants_room_ = true;
                if (in_hand_.load() >= capacity) co_await room_.wait();
                continue;
            }
            const auto order = fetch_order();
            fetch_request request;
            for (const auto i : order) request.queues.push_back(member_.queues()[i]);
            const auto who = member_.consumer();
            request.consumer = *who;
            request.names = names_;
            request.max = (std::min)(capacity - in_hand, max_batch);
            request.wait = fetch_wait;
            std::exception_ptr failure;
            std::vector<delivery> found;
            try {
                found = co_await broker_->fetch(std::move(request));
            } catch (...) {
                failure = std::current_exception();
            }
            if (failure) {
                co_await recover(failure, who, "fetch");
            } else {
                failures_ = 0;
                launch(std::move(found), order, who);
            }
        }
    }

    asio::awaitable<void> settle_loop() {
        const auto self = shared_from_this();
        for (;;) {
            auto parcels = outbox_.take();
            if (parcels.empty()) {
                if (is_drained_) co_return;
                co_await work_.wait();
                continue;
            }
            for (auto& parcel : parcels) co_await deliver(parcel);
        }
    }

    asio::awaitable<void> watch_loop() {
        const auto self = shared_from_this();
        for (;;) {
            co_await broker_->watch(*member_.consumer(), options_.lease() / 3);
            co_await renew();
        }
    }

    /// Tells the broker, again and again until it has heard or will not any more.
    asio::awaitable<void> deliver(outbox::parcel& parcel) {
        for (unsigned tries = 1;; ++tries) {
            std::exception_ptr failure;
            try {
                if (!parcel.reports.empty()) {
                    co_await broker_->tell(parcel.queue, *parcel.consumer, std::exchange(parcel.reports, {}));
                }
                if (!parcel.settlements.empty()) {
                    co_await broker_->settle(parcel.queue, *parcel.consumer, parcel.settlements);
                }
                co_return;
            } catch (...) {
                failure = std::current_exception();
            }
            const auto why = describe(failure);
            if (code_of(why) == errc::shut_down || is_drained_) co_return;
            note(log_level::warning, "telling the broker how tasks ended failed: " + why.message);
            co_await pause(tries);
        }
    }

    // --- the lease --------------------------------------------------------------------------------------

    /// On any executor. Does not throw.
    asio::awaitable<void> renew() {
        const auto self = shared_from_this();
        const auto who = member_.consumer();
        try {
            auto answer = co_await member_.renew(who);
            if (!answer.lost && answer.cancels.empty()) co_return;
            asio::post(strand_, [self, who, answer = std::move(answer)] { self->on_renewed(who, answer); });
        } catch (const boost::system::system_error& e) {
            if (e.code() != asio::error::operation_aborted && e.code() != errc::shut_down) {
                note(log_level::warning, std::string("renewing the lease failed: ") + e.what());
            }
        }
    }

    void on_renewed(const consumer_ptr& who, const renewal& answer) {
        if (answer.lost) return on_lost(who);
        for (const auto& one : answer.cancels) {
            const auto found = running_.find(member_.queues()[one.queue], one);
            if (found) pool_->cancel(*found, errc::cancelled);
        }
    }

    /// What this consumer ran is others' now: their attempts count, not ours.
    void on_lost(const consumer_ptr& who) {
        if (who != member_.consumer() || std::exchange(lost_, who) == who) return;
        note(log_level::warning, "the lease of " + *who + " was lost; its handlers are cancelled");
        cancel_running(errc::lease_lost);
    }

    /// After a failed fetch: a new epoch when the lease is gone, otherwise patience. Throws when the broker
    /// has been closed.
    asio::awaitable<void> recover(std::exception_ptr failure, consumer_ptr who, std::string what) {
        const auto why = describe(failure);
        const auto code = code_of(why);
        if (is_stopping_) co_return;
        if (code == errc::shut_down) std::rethrow_exception(failure);
        if (code == errc::lease_lost) {
            on_lost(who);
            bool has_joined = true;
            try {
                co_await member_.join();
            } catch (const boost::system::system_error&) {
                has_joined = false;
            }
            if (has_joined) co_return;
        } else {
            note(log_level::warning, what + " failed: " + why.message);
        }
        co_await pause(++failures_);
    }

    asio::awaitable<void> pause(unsigned failures) {
        constexpr auto policy = retry_policy::exponential(std::chrono::milliseconds(100))
                                    .max_delay(std::chrono::seconds(5)).attempts(0).full_jitter();
        duration delay;
        {
            const std::lock_guard lock(mutex_);
            delay = *next_delay(policy, failures, duration::zero(), random_);
        }
        co_await sleep_until(clock_, later(clock_.now(), delay));
    }

    // --- attempts ---------------------------------------------------------------------------------------

    std::vector<std::size_t> fetch_order() {
        if (!options_.is_strict()) {
            const std::lock_guard lock(mutex_);
            return draw_order(queues_, random_);
        }
        std::vector<std::size_t> order(queues_.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        return order;
    }

    void launch(std::vector<delivery> found, const std::vector<std::size_t>& order, const consumer_ptr& who) {
        const auto now = clock_.now();
        in_hand_ += found.size();
        job_list unlimited;
        std::vector<boost::intrusive_ptr<attempt>> limited;
        for (auto& what : found) {
            auto& handler = *handlers_->find(what.spec->name)->second;  // fetch gives no other names
            const auto& queue = member_.queues()[order[what.queue]];
            boost::intrusive_ptr<attempt> made =
                new attempt(*pool_, shared_from_this(), handler, clock_, queue, who, std::move(what));
            running_.add(*made);
            if (made->limits(now)) {
                limited.push_back(std::move(made));
            } else {
                unlimited.push_back(*made.detach());
            }
        }
        if (!unlimited.empty()) pool_->launch_all(unlimited, true);
        for (auto& one : limited) {
            const auto limits = one->limits(now);
            pool_->launch(std::move(one), &*limits, true);
        }
    }

    void cancel_running(errc reason) {
        for (const auto& one : running_.all()) pool_->cancel(*one, reason);
    }

    void on_end(attempt& ended, std::exception_ptr error) noexcept override {
        running_.remove(ended);
        auto end = [&] {
            const std::lock_guard lock(mutex_);
            return decide(ended.facts(std::move(error)), clock_.now(), random_);
        }();
        const bool is_news = end && outbox_.add(ended.id().queue, ended.consumer(), std::move(*end));
        --in_hand_;
        if (is_news) work_.set();
        if (wants_room_.exchange(false)) room_.set();
    }

    void on_abandon(attempt& of) noexcept override { running_.remove(of); }

    void on_progress(attempt& of, std::string encoded) override {
        auto news = report_of(of);
        news.progress = std::move(encoded);
        if (outbox_.add(of.id().queue, of.consumer(), std::move(news))) work_.set();
    }

    void on_log(attempt& of, log_line line) override {
        if (options_.log()) options_.log()(line, &of.id());
        auto news = report_of(of);
        news.log.push_back(std::move(line));
        if (outbox_.add(of.id().queue, of.consumer(), std::move(news))) work_.set();
    }

    static report report_of(const attempt& of) {
        report news;
        news.key = of.what().key;
        news.token = of.what().token;
        return news;
    }

    // --- the end ----------------------------------------------------------------------------------------

    /// Lets the handlers end: by themselves, then cancelled, then not at all.
    asio::awaitable<void> drain() {
        const auto patience = broken_ ? duration::zero() : options_.drain_for();
        bool is_drained = co_await drained_within(patience);
        if (is_drained) co_return;
        note(log_level::warning, "handlers did not end within the drain time and are cancelled");
        cancel_running(errc::shut_down);
        is_drained = co_await drained_within(options_.unwind_for());
        if (is_drained) co_return;
        note(log_level::error, "handlers did not end when cancelled; their tasks are given back");
    }

    asio::awaitable<bool> drained_within(duration limit) {
        using namespace asio::experimental::awaitable_operators;
        const auto first = co_await (pool_->async_drained(asio::use_awaitable) ||
                                     sleep_until(clock_, later(clock_.now(), limit)));
        co_return first.index() == 0;
    }

    void note(log_level level, std::string text) const {
        if (!options_.log()) return;
        log_line line;
        line.at = clock_.now();
        line.level = level;
        line.text = "worker " + member_.node() + ": " + std::move(text);
        options_.log()(line, nullptr);
    }

    static constexpr std::size_t max_batch = 500;
    static constexpr duration fetch_wait = std::chrono::seconds(5);

    const broker_ptr broker_;
    const worker_options options_;
    const std::vector<weighted_queue> queues_;
    const std::shared_ptr<const handler_map> handlers_;
    std::shared_ptr<const name_set> names_;
    taskflux::clock& clock_;
    membership member_;
    const asio::any_io_executor strand_;
    const std::shared_ptr<executor_state> pool_;

    outbox outbox_;
    running_attempts running_;
    mutable std::mutex mutex_;  // guards the next
    std::minstd_rand random_;

    std::atomic<std::size_t> in_hand_ = 0;
    std::atomic<bool> wants_room_ = false;
    event work_;     // the outbox is not empty any more, or nothing more will come
    event room_;     // a task has ended, and the fetch loop waits for that
    event changed_;  // a loop has ended

    // On the strand.
    loop fetching_;
    loop settling_;
    loop watching_;
    consumer_ptr lost_;  // the latest one whose lease was lost
    unsigned failures_ = 0;
    bool is_stopping_ = false;
    bool is_drained_ = false;
    std::exception_ptr broken_;
};

}  // namespace taskflux::detail
