#pragma once

#include <taskflux/detail/nursery.hpp>
#include <taskflux/detail/spawn.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace taskflux::detail {

/// Kept alive by the handler of its end, so that the signal lives as long as the coroutine.
struct nursery::life {
    /// Emits once: a second cancellation would interrupt the coroutine's clean-up after the first.
    void tell() {
        if (!std::exchange(is_told, true)) stop.emit(asio::cancellation_type::terminal);
    }

    asio::cancellation_signal stop;
    bool is_told = false;
    bool is_over = false;
};

inline bool is_abort(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const boost::system::system_error& e) {
        return e.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

bool nursery::child::is_over() const { return !life_ || life_->is_over; }

void nursery::child::stop() {
    if (life_) life_->tell();
}

nursery::nursery(asio::any_io_executor strand, std::function<void()> on_failure)
    : strand_(std::move(strand)), on_failure_(std::move(on_failure)) {}

void nursery::start(asio::awaitable<void> work) {
    child unnamed;
    start(unnamed, std::move(work));
}

void nursery::start(child& which, asio::awaitable<void> work) {
    if (is_stopped_) return;
    const auto one = std::make_shared<life>();
    which.life_ = one;
    running_.push_back(one);
    spawn_on(strand_, std::move(work), [this, one](const std::exception_ptr& error) { on_end(one, error); },
             one->stop.slot());
}

void nursery::stop_all() {
    is_stopped_ = true;
    const auto all = running_;
    for (const auto& one : all) one->tell();
}

asio::awaitable<void> nursery::end_of(child which) {
    while (!which.is_over()) co_await changed_.wait();
}

asio::awaitable<void> nursery::end_of_all() {
    while (!running_.empty()) co_await changed_.wait();
}

void nursery::check() const {
    if (failure_) std::rethrow_exception(failure_);
}

void nursery::on_end(const std::shared_ptr<life>& one, const std::exception_ptr& error) {
    one->is_over = true;
    std::erase(running_, one);
    if (error && !failure_ && !(one->is_told && is_abort(error))) {
        failure_ = error;
        if (on_failure_) on_failure_();
    }
    changed_.set();
}

}  // namespace taskflux::detail
