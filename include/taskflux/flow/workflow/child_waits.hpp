#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/detail/courtesy.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/detail/spawn.hpp>
#include <taskflux/flow/workflow/children.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// Waits for the ends of some subtasks, whose handlers run elsewhere or on this very worker. On one strand, that of the
/// coroutine that awaits `next`.
class child_waits {
public:
    child_waits(asio::any_io_executor executor, broker_ptr broker, task_id parent)
        : executor_(executor), broker_(std::move(broker)), parent_(std::move(parent)) {}
    child_waits(const child_waits&) = delete;
    child_waits& operator=(const child_waits&) = delete;

    ~child_waits() {
        for (const auto& one : waits_) {
            one->is_abandoned = true;
            // Posted: where the context ends, the coroutine that would be cancelled may have been destroyed before this.
            if (one->has_ended) continue;
            as_courtesy([&] { asio::post(executor_, [one] { one->stop.emit(asio::cancellation_type::terminal); }); });
        }
    }

    std::size_t size() const { return waits_.size(); }

    /// `key`: in the parent's journal.
    void add(open_child child, std::string key) {
        auto made = std::make_shared<wait>();
        made->child = std::move(child);
        waits_.push_back(made);
        if (made->child.outcome) return ended(made);
        auto on_end = [this, made](std::exception_ptr error) {
            if (made->is_abandoned) return;
            made->error = std::move(error);
            ended(made);
        };
        spawn_on(executor_, take_end(broker_, parent_, std::move(key), made), std::move(on_end), made->stop.slot());
    }

    /// Waits for the first subtask in order, and returns it; a subtask that has not succeeded is returned before it.
    asio::awaitable<open_child> next() {
        for (;;) {
            if (unhappy_) {
                if (unhappy_->error) std::rethrow_exception(unhappy_->error);
                co_return unhappy_->child;
            }
            if (auto& first = waits_.front(); first->has_ended) {
                auto child = std::move(first->child);
                waits_.pop_front();
                co_return child;
            }
            co_await changed_.wait();
        }
    }

    bool is_next_there() const { return !waits_.empty() && waits_.front()->has_ended; }

    /// The subtasks that have not ended.
    std::vector<task_key> open() const {
        std::vector<task_key> keys;
        for (const auto& one : waits_) {
            if (!one->has_ended) keys.push_back(one->child.id.key);
        }
        return keys;
    }

private:
    struct wait {
        open_child child;
        std::exception_ptr error;
        asio::cancellation_signal stop;
        bool has_ended = false;     // its end is known
        bool is_abandoned = false;  // this object is destroyed
    };

    void ended(const std::shared_ptr<wait>& one) {
        one->has_ended = true;
        if (one->error || one->child.outcome->state != task_state::succeeded) {
            // What was only cancelled may have been cancelled for what has failed.
            const bool is_worse = !unhappy_ || (!unhappy_->error && unhappy_->child.outcome->state == task_state::cancelled);
            if (is_worse) unhappy_ = one;
        }
        changed_.set();
    }

    static asio::awaitable<void> take_end(broker_ptr broker, task_id parent, std::string key, std::shared_ptr<wait> one) {
        one->child.outcome = co_await end_of_child(std::move(broker), std::move(parent), std::move(key), one->child.id);
    }

    const asio::any_io_executor executor_;
    const broker_ptr broker_;
    const task_id parent_;
    event changed_;
    std::deque<std::shared_ptr<wait>> waits_;
    std::shared_ptr<wait> unhappy_;  // a subtask that has not succeeded: returned first
};

}  // namespace taskflux::detail
