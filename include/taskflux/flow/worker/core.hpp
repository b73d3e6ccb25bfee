#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/lease/renewal_period.hpp>
#include <taskflux/core/retry.hpp>
#include <taskflux/core/retry_delay.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/flow/worker/crew.hpp>
#include <taskflux/flow/worker/lease_keeper.hpp>
#include <taskflux/flow/worker/membership.hpp>
#include <taskflux/flow/worker/outbox.hpp>
#include <taskflux/flow/worker_options.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// A worker while it runs: loops that fetch tasks for its crew, tell the broker what became of them, and keep
/// the lease. All of them are on one strand. Kept alive by its loops.
class worker_core final : public std::enable_shared_from_this<worker_core> {
public:
    /// `cpu` is where plain functions run. `queues` must not be empty.
    worker_core(broker_ptr broker, const worker_options& options, std::vector<weighted_queue> queues,
                std::shared_ptr<const handler_map> handlers, asio::any_io_executor cpu)
        : broker_(std::move(broker)), options_(options), queues_(std::move(queues)), names_(names_of(*handlers)),
          clock_(broker_->clock()), member_(broker_, options.name(), names_of(queues_), options.lease()),
          strand_(asio::make_strand(broker_->get_executor())),
          crew_(std::make_shared<crew>(broker_, options, std::move(handlers), std::move(cpu))),
          random_(options.seed() ? *options.seed() : std::random_device()()),
          keeper_(renewal_period(options.lease()), options.stuck_after(), clock_, strand_, [this] { return renew(); }) {}

    const asio::any_io_executor& strand() const { return strand_; }

    /// The worker's whole life: until `stop`, or until the broker is closed, which throws. `cpu_threads`, if it
    /// has any of its own, stay until nothing can be posted to them any more.
    asio::awaitable<void> live([[maybe_unused]] std::shared_ptr<asio::thread_pool> cpu_threads) {
        const auto self = shared_from_this();
        co_await member_.join();
        if (options_.renewal_thread()) keeper_.start();
        start(watching_, watch_loop());
        start(settling_, settle_loop());
        start(fetching_, fetch_loop());

        while (!fetching_.is_done) co_await changed_.wait();
        co_await drain();
        is_drained_ = true;
        crew_->wake();
        while (!settling_.is_done) co_await changed_.wait();
        watching_.stop.emit(asio::cancellation_type::terminal);
        while (!watching_.is_done) co_await changed_.wait();
        keeper_.stop();
        crew_->close();
        if (!broken_) co_await member_.leave();
        if (broken_) std::rethrow_exception(broken_);
    }

    /// Thread-safe; may come before `live`, and more than once.
    void stop() {
        asio::post(strand_, [self = shared_from_this()] { self->stop_fetching(); });
    }

    /// Like `stop`, and cancels the handlers at once.
    void stop_now() {
        asio::post(strand_, [self = shared_from_this()] {
            self->is_hurried_ = true;
            self->stop_fetching();
            self->crew_->cancel_all(errc::shut_down);
        });
    }

    /// For a worker that goes away while it runs: no thread of its own is left, and its handlers are cancelled.
    void abandon() {
        keeper_.stop();
        crew_->close();
        asio::post(strand_, [self = shared_from_this()] {
            self->is_abandoned_ = true;
            self->stop_fetching();
            self->crew_->wake();
        });
    }

    executor_counts counts() const { return crew_->counts(); }

    /// Thread-safe.
    crew& attempts() { return *crew_; }
    const std::vector<weighted_queue>& queues() const { return queues_; }

private:
    static std::vector<std::string> names_of(const std::vector<weighted_queue>& queues) {
        std::vector<std::string> names;
        for (const auto& queue : queues) names.push_back(queue.name);
        return names;
    }

    static std::shared_ptr<const name_set> names_of(const handler_map& handlers) {
        auto names = std::make_shared<name_set>();
        for (const auto& [name, unused] : handlers) names->insert(name);
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

    void stop_fetching() {
        is_stopping_ = true;
        fetching_.stop.emit(asio::cancellation_type::terminal);
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
        stop_fetching();
        crew_->cancel_all(errc::shut_down);
        is_drained_ = true;  // there is nobody to tell any more
        watching_.stop.emit(asio::cancellation_type::terminal);
        crew_->wake();
    }

    // --- loops ------------------------------------------------------------------------------------------

    asio::awaitable<void> fetch_loop() {
        const auto self = shared_from_this();
        while (!is_stopping_) {
            const auto room = crew_->room();
            if (room == 0) {
                co_await crew_->wait_for_room();
                continue;
            }
            const auto who = member_.consumer();
            auto request = next_request(*who, room);
            const auto queues = request.queues;
            std::exception_ptr failure;
            std::vector<delivery> found;
            try {
                found = co_await broker_->fetch(std::move(request));
            } catch (...) {
                failure = std::current_exception();
            }
            if (failure) {
                co_await recover(failure, who);
                continue;
            }
            failures_ = 0;
            if (is_stopping_ || crew_->is_paused()) {
                crew_->give_back(found, queues, who);
            } else {
                const bool is_single = found.size() == 1;
                crew_->launch(std::move(found), queues, who);
                if (is_single) co_await let_it_end();
            }
        }
    }

    /// So that the end of a short handler reaches the broker before the next fetch: who waits for it comes first while
    /// there is little to do.
    asio::awaitable<void> let_it_end() {
        constexpr int enough_turns = 20;  // of the event loop: more than the steps of a handler that waits for nothing
        for (int turn = 0; turn != enough_turns; ++turn) co_await asio::post(strand_, asio::deferred);
    }

    asio::awaitable<void> settle_loop() {
        const auto self = shared_from_this();
        for (;;) {
            for (auto& parcel : crew_->take_news(busy_queues_)) send(std::move(parcel));
            if (is_drained_ && busy_queues_.empty() && !crew_->has_news()) co_return;
            co_await crew_->wait_for_news();
        }
    }

    /// Delivers beside the others: a queue that can't be reached must not hold up the rest.
    void send(outbox::parcel parcel) {
        const auto queue = parcel.queue;
        busy_queues_.push_back(queue);
        asio::co_spawn(strand_, deliver(std::move(parcel)), [self = shared_from_this(), queue](std::exception_ptr) {
            self->busy_queues_.erase(std::ranges::find(self->busy_queues_, queue));
            self->crew_->wake();
        });
    }

    asio::awaitable<void> watch_loop() {
        const auto self = shared_from_this();
        for (unsigned failures = 0;;) {
            std::exception_ptr failure;
            try {
                co_await broker_->watch(*member_.consumer(), renewal_period(options_.lease()));
                co_await renew();
                failures = 0;
            } catch (...) {
                failure = std::current_exception();
            }
            if (!failure) continue;
            const auto why = describe(failure);
            if (is_drained_ || code_of(why) == errc::shut_down) std::rethrow_exception(failure);
            note(log_level::warning, "watching for cancelled tasks failed: " + why.message);
            ++failures;  // not within the await: Clang 16 takes that for unsequenced
            co_await pause(failures);
        }
    }

    fetch_request next_request(const std::string& consumer, std::size_t room) {
        fetch_request request;
        request.consumer = consumer;
        request.names = names_;
        request.max = (std::min)(room, max_batch);
        request.wait = fetch_wait;
        if (options_.is_strict()) {
            request.queues = member_.queues();
        } else {
            for (const auto i : draw_order(queues_, random_)) request.queues.push_back(queues_[i].name);
        }
        return request;
    }

    /// Tells the broker, again and again until it has heard or will not any more.
    asio::awaitable<void> deliver(outbox::parcel parcel) {
        const auto self = shared_from_this();
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

    /// On the strand, or on the keeper's thread. Throws only when it is cancelled.
    asio::awaitable<void> renew() {
        const auto who = member_.consumer();
        try {
            auto answer = co_await member_.renew(who);
            const auto self = weak_from_this().lock();
            if (!self || (!answer.lost && answer.cancels.empty())) co_return;
            asio::post(strand_, [self, who, answer = std::move(answer)] { self->on_renewed(who, answer); });
        } catch (const boost::system::system_error& e) {
            if (e.code() == asio::error::operation_aborted) throw;
            if (e.code() != errc::shut_down) note(log_level::warning, std::string("renewing the lease failed: ") + e.what());
        }
    }

    void on_renewed(const consumer_ptr& who, const renewal& answer) {
        if (answer.lost) return on_lost(who);
        for (const auto& one : answer.cancels) crew_->cancel(member_.queues()[one.queue], one);
    }

    /// What this consumer ran is others' now: their attempts count, not ours.
    void on_lost(const consumer_ptr& who) {
        if (who != member_.consumer() || std::exchange(lost_, who) == who) return;
        note(log_level::warning, "the lease of " + *who + " was lost; its handlers are cancelled");
        crew_->cancel_all(errc::lease_lost);
    }

    /// After a failed fetch: a new epoch when the lease is gone, otherwise patience. Throws when the broker
    /// has been closed.
    asio::awaitable<void> recover(std::exception_ptr failure, consumer_ptr who) {
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
            note(log_level::warning, "fetching tasks failed: " + why.message);
        }
        ++failures_;
        co_await pause(failures_);
    }

    asio::awaitable<void> pause(unsigned failures) {
        constexpr auto policy = retry_policy::exponential(std::chrono::milliseconds(100))
                                    .max_delay(std::chrono::seconds(5)).attempts(0).full_jitter();
        const auto delay = *next_delay(policy, failures, duration::zero(), random_);
        co_await sleep_until(clock_, later(clock_.now(), delay));
    }

    // --- the end ----------------------------------------------------------------------------------------

    /// Lets the handlers end: by themselves, then cancelled, then not at all.
    asio::awaitable<void> drain() {
        crew_->give_back_waiting();
        const auto patience = broken_ || is_abandoned_ || is_hurried_ ? duration::zero() : options_.drain_for();
        bool is_empty = co_await crew_->emptied_within(patience);
        if (is_empty) co_return;
        note(log_level::warning, "handlers did not end within the drain time and are cancelled");
        crew_->cancel_all(errc::shut_down);
        is_empty = co_await crew_->emptied_within(options_.unwind_for());
        if (is_empty) co_return;
        note(log_level::error, "handlers did not end when cancelled; their tasks are given back");
    }

    /// Thread-safe.
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
    const std::shared_ptr<const name_set> names_;
    taskflux::clock& clock_;
    membership member_;
    const asio::any_io_executor strand_;
    const std::shared_ptr<crew> crew_;

    // On the strand.
    std::minstd_rand random_;
    event changed_;  // a loop has ended
    loop fetching_;
    loop settling_;
    loop watching_;
    std::vector<std::string> busy_queues_;  // that are being told how tasks ended
    consumer_ptr lost_;  // the latest one whose lease was lost
    unsigned failures_ = 0;
    bool is_stopping_ = false;
    bool is_hurried_ = false;
    bool is_abandoned_ = false;
    bool is_drained_ = false;
    std::exception_ptr broken_;

    lease_keeper keeper_;  // uses all of the above
};

}  // namespace taskflux::detail
