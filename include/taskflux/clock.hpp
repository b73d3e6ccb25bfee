#pragma once

#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace taskflux {

/// Where time comes from. Everything in taskflux that waits asks a clock, so that a test can move it.
/// Thread-safe; a timer itself belongs to whoever waits on it.
class clock {
public:
    virtual ~clock() = default;

    /// The current time: for spans of time such as leases, delays and timeouts. It never steps, but for that of a Redis broker,
    /// which follows its server's.
    virtual time_point now() const noexcept = 0;

    /// How far the wall clock is ahead of `now`, or behind it: since it has been set.
    virtual duration ahead() const noexcept { return duration::zero(); }

    /// How often to ask `ahead` while waiting for a time of the wall clock; by default never, as it doesn't change unasked.
    virtual duration look_every() const noexcept { return (duration::max)(); }

    /// What the wall clock shows: for times that people give or read.
    time_point wall() const noexcept { return now() + ahead(); }

    /// What `now` will be when the wall clock shows `when`, unless it is set before.
    time_point until_wall(time_point when) const noexcept { return shifted(when, -ahead()); }

    /// Makes `timer` expire when this clock reads `when`. A wait may end early: check `now()` and arm
    /// again. Every armed timer must be given to `disarm` before it is destroyed.
    virtual void arm(asio::steady_timer& timer, time_point when) = 0;

    /// Forgets `timer`. Does not cancel waits on it.
    virtual void disarm(asio::steady_timer& timer) noexcept = 0;

    /// What a broker or executor that is made with this clock keeps and asks. By default this clock itself, without owning
    /// it: it must outlive them and their execution context. A clock that may be destroyed before them returns a part of
    /// its own that they keep alive.
    virtual std::shared_ptr<clock> shared() { return {std::shared_ptr<void>(), this}; }

protected:
    clock() = default;
    clock(const clock&) = default;
    clock& operator=(const clock&) = default;
};

/// Real time: the wall clock read once and carried on by the steady clock, so that it never steps; and how far the wall
/// clock has been set, or the machine has been asleep, since.
class system_clock final : public clock {
public:
    time_point now() const noexcept override {
        return std::chrono::floor<duration>(wall_ + (std::chrono::steady_clock::now() - steady_));
    }

    duration ahead() const noexcept override {
        constexpr duration::rep smallest_step = 100;  // ms: two clocks aren't read at the same moment
        const auto seen = (std::chrono::floor<duration>(std::chrono::system_clock::now()) - now()).count();
        auto known = ahead_.load(std::memory_order_relaxed);
        if (seen - known >= smallest_step || known - seen >= smallest_step) ahead_.store(known = seen, std::memory_order_relaxed);
        return duration(known);
    }

    duration look_every() const noexcept override { return std::chrono::seconds(1); }

    void arm(asio::steady_timer& timer, time_point when) override {
        constexpr auto longest = std::chrono::hours(24 * 365);  // in nanoseconds, more would overflow
        const auto soon = std::clamp(when, now(), now() + longest);
        timer.expires_at(std::chrono::steady_clock::time_point(steady_ + (soon - wall_)));
    }

    void disarm(asio::steady_timer&) noexcept override {}

private:
    using nanoseconds = std::chrono::nanoseconds;
    std::chrono::sys_time<nanoseconds> wall_ = std::chrono::system_clock::now();
    std::chrono::steady_clock::time_point steady_ = std::chrono::steady_clock::now();
    mutable std::atomic<duration::rep> ahead_ = 0;
};

namespace detail {

/// The time that a `manual_clock` shows, and what waits for it. It lives on in the brokers that were made with that clock.
class manual_time final : public clock {
public:
    explicit manual_time(time_point start) : now_(start) {}

    time_point now() const noexcept override {
        const std::lock_guard lock(mutex_);
        return now_;
    }

    void arm(asio::steady_timer& timer, time_point when) override {
        const std::lock_guard lock(mutex_);
        remove(timer);
        if (when <= now_) {
            timer.expires_at(long_ago());
        } else {
            timer.expires_at((asio::steady_timer::time_point::max)());
            armed_.emplace_back(when, &timer);
        }
    }

    void disarm(asio::steady_timer& timer) noexcept override {
        const std::lock_guard lock(mutex_);
        remove(timer);
    }

    duration ahead() const noexcept override {
        const std::lock_guard lock(mutex_);
        return ahead_;
    }

    void set_wall(duration by) {
        const std::lock_guard lock(mutex_);
        ahead_ += by;
        for (const auto& entry : std::exchange(armed_, {})) entry.second->expires_at(long_ago());
    }

    void advance(duration by) {
        const std::lock_guard lock(mutex_);
        now_ += by;
        std::erase_if(armed_, [this](const auto& entry) {
            if (entry.first > now_) return false;
            entry.second->expires_at(long_ago());  // ends a wait under way and any that starts later
            return true;
        });
    }

    time_point next() const {
        const std::lock_guard lock(mutex_);
        time_point soonest = never;
        for (const auto& [when, timer] : armed_) soonest = (std::min)(soonest, when);
        return soonest;
    }

private:
    static asio::steady_timer::time_point long_ago() { return (asio::steady_timer::time_point::min)(); }

    void remove(const asio::steady_timer& timer) {
        std::erase_if(armed_, [&](const auto& entry) { return entry.second == &timer; });
    }

    mutable std::mutex mutex_;
    time_point now_;
    duration ahead_{};
    std::vector<std::pair<time_point, asio::steady_timer*>> armed_;
};

}  // namespace detail

/// Time that stands still until `advance` moves it; for tests. Waits end when the clock passes them.
/// Call `advance` on the thread that runs the timers' executor. It may be destroyed before what goes by it: time stands still
/// then.
class manual_clock final : public clock {
public:
    /// Starts at `start`, by default some day in 2026.
    explicit manual_clock(time_point start = time_point(std::chrono::hours(24) * 20600))
        : time_(std::make_shared<detail::manual_time>(start)) {}
    manual_clock(const manual_clock&) = delete;
    manual_clock& operator=(const manual_clock&) = delete;

    time_point now() const noexcept override { return time_->now(); }
    duration ahead() const noexcept override { return time_->ahead(); }
    void arm(asio::steady_timer& timer, time_point when) override { time_->arm(timer, when); }
    void disarm(asio::steady_timer& timer) noexcept override { time_->disarm(timer); }
    std::shared_ptr<clock> shared() override { return time_; }

    /// Sets the wall clock, ahead by `by` or back; no time passes. Everything that waits looks at the clock again.
    void set_wall(duration by) { time_->set_wall(by); }

    /// Moves time on by `by` and ends the waits that this makes due.
    void advance(duration by) { time_->advance(by); }

    /// The earliest point that something waits for, or `never`.
    time_point next() const { return time_->next(); }

private:
    const std::shared_ptr<detail::manual_time> time_;
};

/// The process's real-time clock.
inline system_clock& real_clock() {
    static system_clock instance;
    return instance;
}

}  // namespace taskflux
