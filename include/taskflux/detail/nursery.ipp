#pragma once

#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/detail/nursery.hpp>
#include <taskflux/detail/spawn.hpp>

#include <boost/asio/cancellation_signal.hpp>

#include <utility>
#include <vector>

namespace taskflux::detail {

/// Kept alive by the handler of its end, so that the signal lives as long as the coroutine.
struct nursery::life {
    /// Emits once: a second cancellation would interrupt the coroutine's clean-up after the first.
    void cancel() {
        if (!std::exchange(is_cancelled, true)) stop.emit(asio::cancellation_type::terminal);
    }

    asio::cancellation_signal stop;
    bool is_cancelled = false;
    bool is_over = false;
};

struct nursery::state {
    state(asio::any_io_executor on, std::function<void()> hears) : strand(std::move(on)), on_failure(std::move(hears)) {}

    void on_end(const std::shared_ptr<life>& one, const std::exception_ptr& error) {
        one->is_over = true;
        std::erase(running, one);
        if (error && !failure && !(one->is_cancelled && is_abort(error))) {
            failure = error;
            if (on_failure) on_failure();
        }
        changed.set();
    }

    const asio::any_io_executor strand;
    std::function<void()> on_failure;  // null also when the nursery is gone
    event changed;                     // a coroutine has ended
    std::vector<std::shared_ptr<life>> running;
    std::exception_ptr failure;
    bool is_stopped = false;
};

bool nursery::child::is_over() const { return !life_ || life_->is_over; }

void nursery::child::stop() {
    if (life_) life_->cancel();
}

nursery::nursery(asio::any_io_executor strand, std::function<void()> on_failure)
    : state_(std::make_shared<state>(std::move(strand), std::move(on_failure))) {}

nursery::~nursery() { state_->on_failure = nullptr; }

void nursery::start(asio::awaitable<void> work) {
    child unnamed;
    start(unnamed, std::move(work));
}

void nursery::start(child& which, asio::awaitable<void> work) {
    if (state_->is_stopped) return;
    const auto one = std::make_shared<life>();
    which.life_ = one;
    state_->running.push_back(one);
    spawn_on(state_->strand, std::move(work), [in = state_, one](const std::exception_ptr& error) { in->on_end(one, error); },
             one->stop.slot());
}

void nursery::stop_all() {
    state_->is_stopped = true;
    const auto all = state_->running;
    for (const auto& one : all) one->cancel();
}

bool nursery::is_stopped() const { return state_->is_stopped; }

asio::awaitable<void> nursery::end_of(child which) {
    while (!which.is_over()) co_await state_->changed.wait();
}

asio::awaitable<void> nursery::end_of_all() {
    while (!state_->running.empty()) co_await state_->changed.wait();
}

const std::exception_ptr& nursery::failure() const { return state_->failure; }

void nursery::check() const {
    if (state_->failure) std::rethrow_exception(state_->failure);
}

}  // namespace taskflux::detail
