#pragma once

#include <taskflux/broker/broker/carrying.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/lease/renewal_period.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/back_off.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/in_time.hpp>
#include <taskflux/detail/keep_trying.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/detail/spawn.hpp>
#include <taskflux/flow/worker/core.hpp>
#include <taskflux/flow/worker/names.hpp>
#include <taskflux/flow/worker/queue_order.hpp>
#include <taskflux/flow/worker/watchdog.hpp>

#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace taskflux::detail {

worker_core::worker_core(broker_ptr broker, const worker_options& options, std::vector<weighted_queue> queues,
                         queue_limit_map limits, std::shared_ptr<const handler_map> handlers, asio::any_io_executor cpu)
    : broker_(std::move(broker)), options_(options), queues_(std::move(queues)), names_(names_of(*handlers)),
      clock_(broker_->clock()), member_(broker_, options.name(), names_of(queues_), std::move(limits), options.lease(),
              [this](std::string text) { monitor_->log(log_level::error, std::move(text)); }),
      monitor_(std::make_shared<worker_monitor>(options, member_.node(), clock_)),
      strand_(asio::make_strand(broker_->get_executor())),
      crew_(std::make_shared<crew>(broker_, options, names_of(queues_), std::move(handlers), std::move(cpu), monitor_)),
      life_(strand_, "its handlers are cancelled, and their tasks given back", [this](std::string text) {
          if (!broker_->is_closed()) monitor_->abandoned(std::move(text));
      }),
      random_(options.seed() ? *options.seed() : std::random_device()()), loops_(strand_, [this] { on_broken(); }),
      deliveries_(strand_), departures_(strand_),
      unclaimed_(renewal_period(options.lease())), keeper_(renewal_period(options.lease()), options.stuck_after(), clock_, strand_, [this] { return renew(); }) {}

asio::awaitable<void> worker_core::live([[maybe_unused]] std::shared_ptr<asio::thread_pool> cpu_threads) {
    const auto self = shared_from_this();
    const lifetime::mark under_way(life_);
    if (under_way.is_too_late() || life_.is_stopped()) co_return;
    const auto closing = broker_->on_close([weak = weak_from_this()] {
        const auto alive = weak.lock();
        if (alive) asio::post(alive->strand_, [alive] { alive->on_broken(); });
    });
    for (const auto& each : queues_) monitor_->serves(each.name);
    for (const auto& queue : member_.other_limited_queues()) {
        std::string served;
        for (const auto& each : queues_) served.append(served.empty() ? "" : ", ").append(each.name);
        monitor_->log(log_level::warning, "it declares a limit of queue " + queue + ", which it does not serve: is the name right? It serves " + served);
    }
    loops_.start(joining_, join());
    co_await loops_.end_of(joining_);
    if (phase_.fetches()) {
        if (options_.renewal_thread()) start_keeper();
        loops_.start(watching_, watch_loop());
        loops_.start(settling_, settle_loop());
        loops_.start(fetching_, fetch_loop());
        if (crew_->has_lingering_batches()) {
            loops_.start(lingering_, linger_loop());
            loops_.start(wishing_, wish_loop());
        }
    }

    co_await loops_.end_of(fetching_);
    co_await loops_.end_of(wishing_);
    const auto stopped_at = clock_.now();
    co_await drain();
    co_await hand_in(stopped_at);
    watching_.stop();
    co_await loops_.end_of_all();
    keeper_.stop();
    crew_->close();
    departures_.stop_all();
    co_await departures_.end_of_all();
    const bool is_broken = loops_.failure() || broker_->is_closed();
    if (!is_broken && member_.has_names()) co_await leave();
    if (life_.is_stopped() && broker_->is_closed()) co_return;  // a clean end
    loops_.check();
    if (!life_.is_stopped()) throw broker_is_closed();
}

void worker_core::stop() {
    life_.stop();
    asio::post(strand_, [self = shared_from_this()] { self->end_fetching(step::draining); });
}

void worker_core::stop_now() {
    life_.stop();
    asio::post(strand_, [self = shared_from_this()] {
        self->end_fetching(step::cancelling);
        self->crew_->cancel_all(errc::shut_down);
    });
}

void worker_core::abandon() {
    life_.abandon();
    keeper_.stop();
    crew_->close();
    asio::post(strand_, [self = shared_from_this()] {
        self->end_fetching(step::cancelling);
        self->crew_->wake();
    });
}

void worker_core::end_fetching(step to) {
    phase_.advance(to);
    joining_.stop();
    fetching_.stop();
    lingering_.stop();
    wishing_.stop();
    carrying_.stop();
}

asio::awaitable<void> worker_core::join() {
    const auto self = shared_from_this();
    const auto limit = start_limit(clock_, options_.start_timeout());
    auto joining = keep_trying(clock_, limit, [this] { return member_.join(); }, [this](const std::string& why) {
        monitor_->log(log_level::warning, "it can't start yet, and tries again: " + why);
    });
    co_await std::move(joining);
}

void worker_core::on_broken() {
    end_fetching(step::closing);  // the broker takes no more reports
    crew_->cancel_all(errc::shut_down);
    watching_.stop();
    crew_->wake();
}

// --- reporting to the broker -------------------------------------------------------------------------------------

asio::awaitable<void> worker_core::settle_loop() {
    const auto self = shared_from_this();
    for (;;) {
        for (auto& batch : crew_->take_reports(busy_queues_)) send(std::move(batch));
        if (is_given_up_) co_return;
        if (phase_.is_closing() && busy_queues_.empty() && !crew_->has_reports()) co_return;
        co_await crew_->wait_for_reports();
    }
}

void worker_core::send(pending_reports::batch batch) {
    busy_queues_.push_back(batch.queue);
    deliveries_.start(carry(std::move(batch)));
}

asio::awaitable<void> worker_core::carry(pending_reports::batch batch) {
    const auto self = shared_from_this();
    const auto queue = batch.queue;
    auto delivering = deliver(std::move(batch));
    co_await caught(std::move(delivering));
    busy_queues_.erase(std::ranges::find(busy_queues_, queue));
    crew_->wake();
}

asio::awaitable<void> worker_core::deliver(pending_reports::batch batch) {
    const auto self = shared_from_this();
    std::string trouble;
    for (unsigned tries = 1;; ++tries) {
        std::exception_ptr failure;
        try {
            if (!batch.reports.empty()) {
                co_await broker_->report(batch.queue, *batch.consumer, std::exchange(batch.reports, {}));
            }
            if (!batch.settlements.empty()) {
                co_await broker_->settle(batch.queue, *batch.consumer, batch.settlements);
            }
            co_return;
        } catch (...) {
            failure = std::current_exception();
        }
        const auto why = describe(failure);
        if (code_of(why) == errc::shut_down || is_abort(failure)) co_return;
        if (std::exchange(trouble, why.message) != why.message) {
            monitor_->log(log_level::warning, "reporting to the broker failed: " + why.message);
        }
        co_await back_off(tries);
    }
}

// --- the lease ----------------------------------------------------------------------------------------------

asio::awaitable<void> worker_core::watch_loop() {
    const auto self = shared_from_this();
    for (unsigned failures = 0;;) {
        auto watching = watch();
        const auto watched = co_await caught(std::move(watching));
        if (!watched.failure()) {
            failures = 0;
            continue;
        }
        const auto why = describe(watched.failure());
        if (code_of(why) == errc::shut_down || is_abort(watched.failure())) std::rethrow_exception(watched.failure());
        if (phase_.is_closing()) co_return;
        monitor_->log(log_level::warning, "asking for cancelled tasks failed: " + why.message);
        ++failures;  // not within the await: Clang 16 takes that for unsequenced
        co_await back_off(failures);
    }
}

asio::awaitable<void> worker_core::watch() {
    const auto period = renewal_period(options_.lease());
    const auto began = clock_.now();
    const auto name = *member_.consumer();  // a copy: this is no use of the name that would keep it from leaving
    is_watching_ = true;
    co_await broker_->watch(name, period);
    is_watching_ = false;
    if (clock_.now() - began < period) renewed_at_ = time_point();  // something is to be cancelled
    co_await renew();
}

void worker_core::start_keeper() {
    const auto on_blocked = [this](duration waited) {
        const auto among = crew_->running_coroutines();
        if (!among.empty()) monitor_->blocked(among, waited);
    };
    if (options_.blocked_after() > duration::zero()) {
        keeper_.run_beside(watch_executor(strand_, options_.blocked_after(), clock_, on_blocked));
    }
    keeper_.start();
}

asio::awaitable<void> worker_core::renew() {
    const auto self = shared_from_this();
    const auto who = member_.consumer();
    const auto now = clock_.now();
    // The keeper's thread and the strand do so in turn: what one has just done spares the other.
    if (now - renewed_at_.load() < renewal_period(options_.lease()) / 2) co_return;
    try {
        auto answer = co_await member_.renew(who);
        renewed_at_ = now;
        if (!answer.lost && answer.cancels.empty() && answer.unclaimed.empty() && answer.operating.empty()) co_return;
        asio::post(strand_, [self, who, answer = std::move(answer)] { self->on_renewed(who, answer); });
    } catch (const boost::system::system_error& e) {
        if (e.code() == asio::error::operation_aborted) throw;
        if (e.code() != errc::shut_down) monitor_->log(log_level::warning, std::string("renewing the lease failed: ") + e.what());
    }
}

void worker_core::on_renewed(const consumer_ptr& who, const renewal& answer) {
    if (answer.lost) return on_lost(who);
    for (const auto& one : answer.cancels) crew_->cancel(member_.queues()[one.queue], one);
    for (const auto& one : unclaimed_.see(answer.unclaimed, member_.queues(), *names_, clock_.now())) {
        monitor_->unclaimed(one.queue, one.name, one.waited);
    }
    if (answer.operating.empty() || !carrying_.is_over() || !phase_.fetches()) return;
    std::vector<std::string> queues;
    for (const auto i : answer.operating) queues.push_back(member_.queues()[i]);
    loops_.start(carrying_, carry_operations(std::move(queues)));
}

asio::awaitable<void> worker_core::carry_operations(std::vector<std::string> queues) {
    for (const auto& queue : queues) {
        auto carrying = carry_operations_of(queue);
        auto carried = co_await caught(std::move(carrying));
        if (!carried.failure()) continue;
        if (!phase_.fetches() || is_abort(carried.failure())) co_return;
        monitor_->log(log_level::warning, "carrying on operations of queue " + queue + " failed, and is tried again: " +
                                              describe(carried.failure()).message);
    }
}

asio::awaitable<void> worker_core::carry_operations_of(std::string queue) {
    const auto all = co_await broker_->operations(queue);
    std::map<std::string, std::uint64_t> known;
    for (const auto& one : all) {
        if (one.state == operation_state::running) known[one.id] = one.next;
    }
    const auto before = std::exchange(operations_[queue], known);
    const auto carrier = *member_.consumer();
    std::exception_ptr failure;
    for (const auto& of : all) {
        const auto seen = before.find(of.id);
        if (of.state != operation_state::running || seen == before.end() || seen->second != of.next) continue;
        auto carrying = carry_to_end(broker_, of, carrier);
        auto carried = co_await caught(std::move(carrying));
        if (carried.failure()) failure = carried.failure();  // those behind it go on all the same
    }
    if (failure) std::rethrow_exception(failure);
}

void worker_core::on_lost(const consumer_ptr& who) {
    if (who != member_.consumer() || std::exchange(lost_, *who) == *who) return;
    monitor_->log(log_level::warning, "the lease of " + *who + " was lost: its handlers are cancelled, and its tasks go to other workers");
    crew_->cancel_all(errc::lease_lost);
    crew_->wake();
}

asio::awaitable<void> worker_core::back_off(unsigned failures) { return detail::back_off(clock_, failures, random_); }

// --- the end ------------------------------------------------------------------------------------------------

asio::awaitable<void> worker_core::drain() {
    crew_->give_back_waiting();
    crew_->start_all_batches();
    const auto patience = phase_.lets_handlers_end() ? options_.drain_for() : duration::zero();
    bool is_empty = co_await crew_->emptied_within(patience);
    if (is_empty) co_return;
    if (patience > duration::zero()) {
        monitor_->log(log_level::warning, "handlers did not finish within drain_for and are cancelled");
    }
    crew_->cancel_all(errc::shut_down);
    is_empty = co_await crew_->emptied_within(options_.unwind_for());
    if (is_empty) co_return;
    monitor_->log(log_level::error, "cancelled handlers did not return within unwind_for; their tasks are given back");
}

asio::awaitable<void> worker_core::hand_in(time_point stopped_at) {
    phase_.advance(step::closing);
    crew_->wake();
    const auto ends = (std::max)(later(stopped_at, options_.drain_for()), later(clock_.now(), farewell));
    if (!settling_.is_over()) loops_.start(handing_in_, give_up_at(ends));
    co_await loops_.end_of(settling_);
    handing_in_.stop();
    deliveries_.stop_all();
    co_await deliveries_.end_of_all();
}

asio::awaitable<void> worker_core::give_up_at(time_point when) {
    const auto self = shared_from_this();
    co_await sleep_until(clock_, when);
    monitor_->log(log_level::error, "the broker could not be told of all ends within drain_for; these tasks run again");
    is_given_up_ = true;
    crew_->wake();
}

asio::awaitable<void> worker_core::leave() {
    auto leaving = member_.leave();
    auto in_a_moment = in_time(clock_, later(clock_.now(), farewell), std::move(leaving), "leaving the queues");
    const auto left = co_await caught(std::move(in_a_moment));
    if (left.failure()) monitor_->log(log_level::warning, describe(left.failure()).message + "; its lease ends by itself");
}

}  // namespace taskflux::detail
