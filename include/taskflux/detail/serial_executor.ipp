#pragma once

#include <taskflux/detail/serial_executor.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/require.hpp>

#include <cstddef>
#include <iterator>
#include <memory>
#include <mutex>
#include <utility>

namespace taskflux::detail {

// Destroyed without being called, its context was: nothing that waits here will ever run.
struct serial_queue::turn {
    explicit turn(std::shared_ptr<serial_queue> q) noexcept : queue(std::move(q)) {}
    turn(turn&&) noexcept = default;
    ~turn() {
        if (queue) queue->abandon();
    }
    void operator()() { std::exchange(queue, {})->run(); }

    std::shared_ptr<serial_queue> queue;
};

serial_queue::serial_queue(const asio::any_io_executor& inner)
    : inner_(asio::require(inner, asio::execution::blocking.never)) {}

serial_queue::~serial_queue() = default;

void serial_queue::schedule() { inner_.execute(turn(shared_from_this())); }

// Runs the functions that wait now; those that are posted meanwhile wait for another turn, as do the rest when one throws.
void serial_queue::run() {
    struct leaving {
        ~leaving() {
            if (next < queue.running_.size()) queue.put_back(next);
            queue.running_.clear();
            queue.leave();
        }
        serial_queue& queue;
        std::size_t next = 0;
    } progress{*this};
    {
        const std::lock_guard lock(mutex_);
        running_.swap(waiting_);
    }
    enter();
    while (progress.next < running_.size()) std::move(running_[progress.next++])();
}

void serial_queue::put_back(std::size_t from) {
    const std::lock_guard lock(mutex_);
    const auto first = running_.begin() + static_cast<std::ptrdiff_t>(from);
    waiting_.insert(waiting_.begin(), std::move_iterator(first), std::move_iterator(running_.end()));
}

void serial_queue::abandon() {
    std::unique_lock lock(mutex_);
    const auto dead = std::exchange(waiting_, {});
    busy_ = false;
    lock.unlock();
}

asio::any_io_executor make_serial(const asio::any_io_executor& inner) { return executor_of(std::make_shared<serial_queue>(inner)); }

asio::any_io_executor executor_of(std::shared_ptr<serial_queue> queue) { return serial_executor(std::move(queue)); }

}  // namespace taskflux::detail
