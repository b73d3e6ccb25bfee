#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/control.hpp>
#include <taskflux/core/limit.hpp>
#include <taskflux/core/limit/rate_gate.hpp>
#include <taskflux/core/time.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace taskflux::memory {

/// Why no more tasks of a queue may start now.
enum class obstacle {
    none,       ///< as many may start as were asked for
    paused,     ///< the queue is paused
    throttled,  ///< a handler has been told to wait, and the whole queue does
    running,    ///< as many run as its limit allows
    rate        ///< as many have started lately as its limit allows
};

/// How many tasks may start now, and why not more.
struct allowance {
    std::size_t count = 0;
    obstacle why_not_more = obstacle::none;
};

/// Decides how many tasks of one queue may start. All code that hands out tasks, or wakes a fetch that would, asks
/// here and nowhere else: what limits a queue is a rule of this class.
class admission {
public:
    void pause(bool on) { is_paused_ = on; }
    bool is_paused() const { return is_paused_; }

    /// Live where it counts in place of the declared one. Nothing: takes it back. False where it is so already.
    bool state(bool is_live, std::optional<stated_limit> what) {
        if (!limits_.state(is_live, std::move(what))) return false;
        const auto now_counts = limits_.in_force();
        const auto known = gate_ ? std::optional(gate_->next()) : std::nullopt;
        gate_.reset();
        if (now_counts.rate()) gate_.emplace(*now_counts.rate());
        if (gate_ && known) gate_->next(*known);
        most_running_ = now_counts.running();
        return true;
    }
    const stated_limits& limits() const { return limits_; }

    /// The limits of keys, and with them those of the queue. `ahead`: of the wall clock, by which times are shown.
    queue_limits limits(queue_limits of_keys, duration ahead) const {
        static_cast<stated_limits&>(of_keys) = limits_;
        if (is_throttled()) of_keys.throttled_until = shifted(throttled_until_, ahead);
        return of_keys;
    }

    /// How many tasks may run.
    const std::optional<std::size_t>& most_running() const { return most_running_; }

    /// How many tasks may be there that don't run.
    std::optional<std::size_t> max_waiting() const { return limits_.in_force().max_waiting(); }

    /// Nothing starts for so long from `now` on, or for as long as was said before.
    void hold_back(duration time, time_point now) {
        pass(now);
        using bounds = detail::throttle_bounds;
        const auto bounded = std::clamp(time, duration(bounds::least_ms), duration(bounds::most_ms));
        throttle((std::max)(throttled_until_, now + bounded));
    }
    void throttle(time_point until) { throttled_until_ = until; }

    /// It is now so late: before anything else at that time.
    void pass(time_point now) { now_ = now; }

    /// How many of `wanted` tasks may start now, where so many are running.
    allowance admit(std::size_t wanted, std::size_t running) const {
        if (is_paused_) return {0, obstacle::paused};
        if (is_throttled()) return {0, obstacle::throttled};
        allowance made{wanted, obstacle::none};
        if (most_running_) narrow(made, *most_running_ - (std::min)(running, *most_running_), obstacle::running);
        if (gate_) narrow(made, gate_->may_start(now_), obstacle::rate);
        return made;
    }

    /// So many have started.
    void started(std::size_t many) {
        if (gate_ && many > 0) gate_->started(many, now_);
    }

    /// When time alone lets a task start; `never` where it is not time that it waits for.
    time_point opens(std::size_t running) const {
        const auto why = admit(1, running).why_not_more;
        return why == obstacle::throttled ? throttled_until_ : why == obstacle::rate ? gate_->opens(now_) : never;
    }

private:
    bool is_throttled() const { return now_ < throttled_until_; }

    static void narrow(allowance& made, std::size_t room, obstacle why) {
        if (room < made.count) made = {room, why};
    }

    bool is_paused_ = false;
    time_point throttled_until_{};
    stated_limits limits_;
    std::optional<std::size_t> most_running_;
    std::optional<detail::rate_gate> gate_;
    time_point now_{};
};

}  // namespace taskflux::memory
