#pragma once

// How a worker fetches tasks, and fills batches.

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/back_off.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/flow/worker/core.hpp>
#include <taskflux/flow/worker/queue_order.hpp>

#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace taskflux::detail {

asio::awaitable<void> worker_core::fetch_loop() {
    const auto self = shared_from_this();
    while (phase_.fetches()) {
        const auto who = member_.consumer();
        const bool is_lost = *who == lost_;
        if (crew_->room() == 0 && !is_lost) {
            co_await crew_->wait_for_room();
            continue;
        }
        std::exception_ptr failure;
        std::size_t many = 0;
        try {
            if (is_lost) {  // also without room: it holds its place in its queues
                co_await rejoin();
                continue;
            }
            auto request = next_request(*who);
            const auto most = request.max;
            auto found = co_await broker_->fetch(std::move(request));
            many = found.size();
            take(std::move(found), who);
            if (many == most && crew_->has_batches()) co_await fill_batches(who);
        } catch (...) {
            failure = std::current_exception();
        }
        if (crew_->has_batches()) crew_->start_due_batches();
        if (failure) {
            co_await recover(failure, who);
            continue;
        }
        failures_ = 0;
        trouble_.clear();
        if (many == 1) co_await let_it_end();
    }
}

void worker_core::take(std::vector<delivery> found, const consumer_ptr& who) {
    const auto& queues = member_.queues();
    const bool is_too_late = !phase_.fetches() || crew_->is_paused() || *who == lost_;
    is_too_late ? crew_->give_back(found, queues, who) : crew_->launch(std::move(found), queues, who);
}

asio::awaitable<void> worker_core::fill_batches(consumer_ptr who) {
    const auto self = shared_from_this();
    for (const auto& wish : crew_->wishes()) {
        auto request = request_for(*who);
        request.names = wish.names;
        request.max = wish.space;
        auto found = co_await broker_->fetch(std::move(request));
        take(std::move(found), who);
    }
}

asio::awaitable<void> worker_core::linger_loop() {
    using namespace asio::experimental::awaitable_operators;
    const auto self = shared_from_this();
    while (phase_.fetches()) {
        const auto due = crew_->next_batch_due();
        if (due == never) {
            co_await crew_->wait_for_batches();
        } else if (clock_.now() < due) {
            auto waiting = sleep_until(clock_, due) || crew_->wait_for_batches();
            co_await caught(std::move(waiting));  // that this loop was stopped is thrown as two errors
        }
        crew_->start_due_batches();
    }
}

asio::awaitable<void> worker_core::wish_loop() {
    const auto self = shared_from_this();
    while (phase_.fetches()) {
        const auto who = member_.consumer();
        const auto wish = *who == lost_ ? std::nullopt : crew_->urgent_wish();
        if (!wish) {
            co_await crew_->wait_for_wishes();
            continue;
        }
        std::exception_ptr failure;
        try {
            auto request = request_for(*who);
            request.names = wish->names;
            request.max = wish->space;
            request.wait = wish->until - clock_.now();
            auto found = co_await broker_->fetch(std::move(request));
            take(std::move(found), who);
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure) co_await recover(failure, who);
    }
}

asio::awaitable<void> worker_core::rejoin() {
    co_await member_.join();
    renewed_at_ = time_point();
    if (std::exchange(is_watching_, false)) {  // for cancels under the former name
        watching_.stop();
        loops_.start(watching_, watch_loop());
    }
    departures_.start(depart());
}

asio::awaitable<void> worker_core::depart() {
    const auto self = shared_from_this();
    const auto who = member_.latest_former();
    co_await who.unused->wait();
    for (unsigned tries = 1;; ++tries) {
        auto leaving = member_.leave_as(who);
        const auto left = co_await caught(std::move(leaving));
        if (!left.failure() || code_of(describe(left.failure())) == errc::shut_down) co_return;
        co_await back_off(tries);
    }
}

fetch_request worker_core::request_for(const std::string& consumer) {
    fetch_request request;
    request.consumer = consumer;
    request.names = names_;
    request.queues = member_.queues();
    if (!options_.is_strict()) {
        request.order = [this](std::vector<std::size_t>& places) { draw_order(queues_, places, random_); };
    }
    return request;
}

fetch_request worker_core::next_request(const std::string& consumer) {
    constexpr std::size_t max_batch = 500;
    constexpr duration fetch_wait = std::chrono::seconds(5);
    auto request = request_for(consumer);
    request.max = (std::min)(crew_->appetite(), max_batch);
    request.wait = fetch_wait;
    return request;
}

asio::awaitable<void> worker_core::let_it_end() {
    constexpr int enough_turns = 20;  // of the event loop: more than a handler takes that does not wait
    for (int turn = 0; turn != enough_turns; ++turn) co_await asio::post(strand_, asio::deferred);
}

asio::awaitable<void> worker_core::recover(std::exception_ptr failure, consumer_ptr who) {
    const auto why = describe(failure);
    const auto code = code_of(why);
    if (life_.is_stopped()) end_fetching(step::draining);
    if (!phase_.fetches()) co_return;
    if (code == errc::shut_down) std::rethrow_exception(failure);
    if (code == errc::lease_lost) co_return on_lost(who);
    if (std::exchange(trouble_, why.message) != why.message) {
        monitor_->log(log_level::warning, "fetching tasks failed: " + why.message);
    }
    ++failures_;
    co_await back_off(failures_);
}

}  // namespace taskflux::detail
