#pragma once

#include <taskflux/broker/queue_limits.hpp>
#include <taskflux/core/limit.hpp>
#include <taskflux/core/time.hpp>

#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>

namespace taskflux::memory {

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

    void change(const limit_change& change, time_point now) {
        const auto before = limits_.in_force() ? std::optional(*limits_.in_force()) : std::nullopt;
        auto& rule = change.is_live ? limits_.live : limits_.declared;
        if (!change.what) rule.reset();
        else if (!rule || rule->what != *change.what || rule->reason != change.reason) rule = {*change.what, change.reason, now};
        const auto* const limit = limits_.in_force();
        if (before == (limit ? std::optional(*limit) : std::nullopt)) return;
        most_running_ = limit ? limit->running() : std::nullopt;
        pace_ = limit ? detail::pace(*limit) : detail::pace();
        arrival_ = 0;
    }

    /// How many of `wanted` tasks may start at `now`, where so many are running.
    allowance admit(std::size_t wanted, std::size_t running, time_point now) const {
        if (is_paused_) return {0, obstacle::paused};
        allowance given{wanted, obstacle::none};
        const auto room = most_running_ && *most_running_ > running ? *most_running_ - running : 0;
        if (most_running_ && room < wanted) given = {room, obstacle::running};
        const auto paced = pace_.room(wanted, arrival_, in_ms(now));
        if (paced < given.count) given = {paced, obstacle::rate};
        return given;
    }

    /// So many have started.
    void started(std::size_t count, time_point now) { arrival_ = pace_.after(count, arrival_, in_ms(now)); }

    /// When the next task may start that only the rate holds back; `never`: none is.
    time_point opens(std::size_t running, time_point now) const {
        if (admit(1, running, now).why_not_more != obstacle::rate) return never;
        return time_point(duration(std::llround(pace_.next(arrival_))));
    }

    /// What limits the queue.
    queue_limits view(std::size_t running, time_point now) const {
        constexpr std::size_t most = 1'000'000;
        auto made = limits_;
        const auto given = admit(most, running, now);
        made.may_start = given.count;
        made.why_not_more = given.why_not_more;
        made.starts_again = opens(running, now);
        return made;
    }

private:
    static double in_ms(time_point when) { return static_cast<double>(when.time_since_epoch().count()); }

    bool is_paused_ = false;
    queue_limits limits_;
    std::optional<std::size_t> most_running_;
    detail::pace pace_;
    double arrival_ = 0;
};

}  // namespace taskflux::memory
