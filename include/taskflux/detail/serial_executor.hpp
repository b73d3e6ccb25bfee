#pragma once

#include <taskflux/fwd.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// What a `serial_executor` shares with its copies. Unlike `asio::strand` it can be entered without posting
/// anything, and holds no outstanding work: what is merely parked on it does not keep its context running.
class serial_queue : public std::enable_shared_from_this<serial_queue> {
public:
    explicit serial_queue(const asio::any_io_executor& inner);
    virtual ~serial_queue();

    /// Makes this thread the one inside, if there is none; then `leave` must follow.
    bool try_enter() {
        const std::lock_guard lock(mutex_);
        if (std::exchange(busy_, true)) return false;
        enter();
        return true;
    }

    void leave() {
        inside_.store({}, std::memory_order_relaxed);
        std::unique_lock lock(mutex_);
        busy_ = !waiting_.empty();
        if (!busy_) return;
        lock.unlock();
        schedule();
    }

    template <class Function>
    void post(Function&& function) {
        function_type kept(std::forward<Function>(function));
        std::unique_lock lock(mutex_);
        waiting_.push_back(std::move(kept));
        if (std::exchange(busy_, true)) return;
        lock.unlock();
        schedule();
    }

    bool is_inside() const noexcept {
        return inside_.load(std::memory_order_relaxed) == std::this_thread::get_id();
    }

    asio::execution_context& context() const noexcept { return inner_.context(); }

private:
    using function_type = asio::any_completion_handler<void()>;

    struct turn;

    void enter() noexcept { inside_.store(std::this_thread::get_id(), std::memory_order_relaxed); }

    void schedule();
    void run();
    void put_back(std::size_t from);
    void abandon();

    const asio::any_io_executor inner_;
    std::mutex mutex_;
    std::vector<function_type> waiting_;  // guarded by mutex_
    bool busy_ = false;                   // guarded by mutex_: someone is inside, or a turn is scheduled
    std::vector<function_type> running_;  // of the thread that is inside
    std::atomic<std::thread::id> inside_;
};

/// Runs one thing at a time, where another executor runs things.
class serial_executor {
public:
    explicit serial_executor(std::shared_ptr<serial_queue> queue) noexcept : queue_(std::move(queue)) {}

    const std::shared_ptr<serial_queue>& queue() const noexcept { return queue_; }

    asio::execution_context& query(asio::execution::context_t) const noexcept { return queue_->context(); }

    asio::execution::blocking_t query(asio::execution::blocking_t) const noexcept {
        return never_ ? asio::execution::blocking_t(asio::execution::blocking.never)
                      : asio::execution::blocking_t(asio::execution::blocking.possibly);
    }

    serial_executor require(asio::execution::blocking_t::never_t) const noexcept {
        auto copy = *this;
        copy.never_ = true;
        return copy;
    }

    serial_executor require(asio::execution::blocking_t::possibly_t) const noexcept {
        return serial_executor(queue_);
    }

    template <class Function>
    void execute(Function&& function) const {
        if (!never_ && queue_->is_inside()) {
            std::decay_t<Function> here(std::forward<Function>(function));
            std::move(here)();
        } else {
            queue_->post(std::forward<Function>(function));
        }
    }

    friend bool operator==(const serial_executor&, const serial_executor&) noexcept = default;

private:
    std::shared_ptr<serial_queue> queue_;
    bool never_ = false;
};

/// A strand on `inner`. Unlike an `asio::strand` it may be destroyed after its context, or its pool: nothing may be posted to
/// it then.
asio::any_io_executor make_serial(const asio::any_io_executor& inner);

/// The executor of that strand.
asio::any_io_executor executor_of(std::shared_ptr<serial_queue> queue);

}  // namespace taskflux::detail
