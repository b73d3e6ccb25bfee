#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/background.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/lease/renewal_period.hpp>
#include <taskflux/detail/alarm.hpp>
#include <taskflux/detail/event.hpp>

#include <boost/asio/this_coro.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// A consumer of one queue, from joining to losing its lease. The lease is renewed while the consumer is in use: a call waits
/// for a message, or one is held. Otherwise, and when the broker is closed, it runs out, which costs nothing then, and no timer
/// keeps a context running. Thread-safe.
class raw_consumer final : public std::enable_shared_from_this<raw_consumer> {
public:
    raw_consumer(broker_ptr broker, std::string queue, std::string name, duration lease)
        : broker_(std::move(broker)), clock_(broker_->clock()), queues_(1, std::move(queue)), name_(std::move(name)),
          lease_(lease) {}

    const std::string& name() const { return name_; }
    const std::string& queue() const { return queues_.front(); }
    const broker_ptr& broker() const { return broker_; }

    asio::awaitable<void> join() {
        co_await broker_->join(name_, queues_, lease_);
        bool is_lost = false;
        try {  // a fetch sets the clock: a server's time may be far from ours
            co_await fetch_nothing(shared_from_this());
        } catch (const boost::system::system_error& e) {
            is_lost = e.code() == errc::lease_lost;  // the answer took longer than the lease: the next fetch says so, too
            if (!is_lost) throw;
        }
        const std::lock_guard lock(mutex_);
        is_lost_ = is_lost;
        renew_at_ = later(clock_.now(), renewal_period(lease_));
    }

    /// It has joined by acquiring messages, and leaves when the last one is gone.
    void has_joined() {
        const std::lock_guard lock(mutex_);
        leaves_ = true;
        renew_at_ = later(clock_.now(), renewal_period(lease_));
    }

    /// Keeps the lease renewed while it lives.
    class use {
    public:
        explicit use(std::shared_ptr<raw_consumer> of) : of_(std::move(of)) { of_->begin_use(); }
        ~use() { of_->end_use(); }
        use(const use&) = delete;
        use& operator=(const use&) = delete;

    private:
        const std::shared_ptr<raw_consumer> of_;
    };

    bool is_lost() const {
        const std::lock_guard lock(mutex_);
        return is_lost_;
    }
    void lose() {
        const std::lock_guard lock(mutex_);
        is_lost_ = true;
    }

    bool is_cancelled(const task_key& key, std::uint32_t token) const {
        const std::lock_guard lock(mutex_);
        return cancelled_.contains({key, token});
    }
    void forget(const task_key& key, std::uint32_t token) {
        const std::lock_guard lock(mutex_);
        cancelled_.erase({key, token});
    }

    /// After a fetch that was aborted: the next fetch gives back what that one may have delivered.
    void reclaim() {
        spawn_in_background(broker_, fetch_nothing(shared_from_this()));
    }

private:
    void begin_use() {
        {
            const std::lock_guard lock(mutex_);
            ++uses_;
            if (std::exchange(is_kept_, true)) return;
        }
        spawn_in_background(broker_, keep(shared_from_this()));
    }

    void end_use() {
        {
            const std::lock_guard lock(mutex_);
            if (--uses_ > 0) return;
        }
        changed_->set();
    }

    bool goes_on() {
        const std::lock_guard lock(mutex_);
        return is_kept_ = uses_ > 0 && !is_lost_ && !broker_->is_closed();
    }

    bool has_to_leave() const {
        const std::lock_guard lock(mutex_);
        return leaves_ && !is_lost_ && !broker_->is_closed();
    }

    time_point renew_at() const {
        const std::lock_guard lock(mutex_);
        return renew_at_;
    }

    static asio::awaitable<void> keep(std::shared_ptr<raw_consumer> self) {
        const auto executor = co_await asio::this_coro::executor;
        const auto closing = self->broker_->on_close([weak = std::weak_ptr(self->changed_)] {
            if (const auto changed = weak.lock()) changed->set();
        });
        while (self->goes_on()) {
            const auto due = self->renew_at();
            if (self->clock_.now() >= due) {
                co_await self->renew();
                continue;
            }
            const alarm rings(self->clock_, executor, self->changed_, due);
            co_await self->changed_->wait();
        }
        if (self->has_to_leave()) co_await self->broker_->leave(self->name_, self->queues_);  // or its lease ends
    }

    asio::awaitable<void> renew() {
        const auto asked_at = clock_.now();
        renewal answer;
        auto next = renewal_period(lease_);
        try {
            answer = co_await broker_->renew(name_, queues_, lease_);
        } catch (const boost::system::system_error&) {  // where the broker is closed, it does not go on
            next = lease_ / 10;
        }
        const std::lock_guard lock(mutex_);
        is_lost_ = is_lost_ || answer.lost;
        for (const auto& one : answer.cancels) cancelled_.emplace(one.key, one.token);
        renew_at_ = later(asked_at, next);
    }

    static asio::awaitable<void> fetch_nothing(std::shared_ptr<raw_consumer> self) {
        fetch_request request;
        request.consumer = self->name_;
        request.queues = self->queues_;
        request.max = 0;
        co_await self->broker_->fetch(std::move(request));
    }

    const broker_ptr broker_;
    taskflux::clock& clock_;
    const std::vector<std::string> queues_;
    const std::string name_;
    const duration lease_;
    const std::shared_ptr<event> changed_ = std::make_shared<event>();

    mutable std::mutex mutex_;  // guards the rest
    std::size_t uses_ = 0;
    bool is_kept_ = false;  // `keep` runs
    bool is_lost_ = false;
    bool leaves_ = false;
    time_point renew_at_{};
    std::set<std::pair<task_key, std::uint32_t>> cancelled_;
};

}  // namespace taskflux::detail
