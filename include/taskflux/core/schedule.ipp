#pragma once

#include <taskflux/core/codec.hpp>
#include <taskflux/core/schedule.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taskflux {

namespace detail {

/// A stored duration, limited to what sums of times can hold.
inline duration within_reason(duration stored) { return std::clamp(stored, duration::zero(), longest_delay); }

/// Each tick's own delay, from zero to `most`: the same wherever it is computed. FNV-1a, then the finaliser of
/// SplitMix64.
inline duration jitter_of(std::string_view id, time_point tick, duration most) {
    if (most <= duration::zero()) return duration::zero();
    std::uint64_t hash = 14695981039346656037U;
    for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    hash += 0x9e3779b97f4a7c15U * static_cast<std::uint64_t>(tick.time_since_epoch().count());
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9U;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebU;
    hash ^= hash >> 31;
    return duration(static_cast<duration::rep>(hash % (static_cast<std::uint64_t>(most.count()) + 1)));
}

/// The newest ticks of those from `from` on and before `until`, oldest first: at most `many`.
inline std::deque<time_point> newest_ticks(const cron& when, const zone& in, time_point from, time_point until,
                                           std::size_t many) {
    std::deque<time_point> found;
    if (many == 0) return found;
    // From the end on, in growing steps: there may be very many.
    for (duration back = std::chrono::seconds(1);; back *= 4) {
        const auto start = until - from > back ? until - back : from;
        found.clear();
        for (auto tick = when.next(start - duration(1), in); tick && *tick < until; tick = when.next(*tick, in)) {
            found.push_back(*tick);
            if (found.size() > many) found.pop_front();
        }
        if (found.size() == many || start == from) return found;
    }
}

}  // namespace detail

time_point due_at(const schedule_definition& of, time_point tick) {
    return later(tick, detail::jitter_of(of.id, tick, detail::within_reason(of.jitter)));
}

tick_plan plan_ticks(const schedule_definition& of, const cron& when, const zone& in, time_point next, time_point now,
                     duration held_up) {
    constexpr std::size_t most = 100;
    std::size_t wanted = 0;  // of those that were missed
    switch (of.misfire) {
        case misfire_policy::skip: break;
        case misfire_policy::fire_once: wanted = 1; break;
        case misfire_policy::catch_up: wanted = (std::min)(of.limit, detail::most_caught_up); break;
    }
    const bool is_only_one = of.overlap != overlap_policy::allow;  // the others would not live long
    const auto jitter = detail::within_reason(of.jitter);
    // An earlier tick's jitter may have held a later one up.
    const auto grace = detail::within_reason(of.grace) + jitter + held_up;
    const auto edge = now - grace - jitter;
    std::deque<time_point> missed;
    bool has_missed = next < edge;
    std::optional<time_point> tick = next;
    if (next < edge) {
        missed = detail::newest_ticks(when, in, next, edge, wanted);
        tick = when.next(edge - duration(1), in);
    }
    if (is_only_one && tick && *tick < now - jitter) {  // due, whatever their jitter is: the newest will do
        if (const auto newest = detail::newest_ticks(when, in, *tick, now - jitter, 1); !newest.empty()) tick = newest.front();
    }
    std::vector<time_point> on_time;
    for (; tick && on_time.size() < most && due_at(of, *tick) <= now; tick = when.next(*tick, in)) {
        if (now - due_at(of, *tick) <= grace) {
            if (is_only_one) on_time.clear();
            on_time.push_back(*tick);
        } else {
            has_missed = true;
            missed.push_back(*tick);
            if (missed.size() > wanted) missed.pop_front();
        }
    }
    if (of.misfire == misfire_policy::fire_once && !on_time.empty()) missed.clear();
    tick_plan plan;
    plan.next = tick;
    plan.has_missed = has_missed;
    plan.fire.assign(missed.begin(), missed.end());
    plan.fire.insert(plan.fire.end(), on_time.begin(), on_time.end());
    if (is_only_one && plan.fire.size() > 1) plan.fire.erase(plan.fire.begin(), plan.fire.end() - 1);
    if (plan.fire.size() > most) {
        plan.next = plan.fire[most];
        plan.fire.resize(most);
    }
    return plan;
}

std::vector<time_point> ticks_from(const cron& when, const zone& in, std::optional<time_point> next, std::size_t count) {
    std::vector<time_point> ticks;
    for (; next && ticks.size() < count; next = when.next(*next, in)) ticks.push_back(*next);
    return ticks;
}

std::string to_text(time_point when) {
    auto text = encode(when);
    return text.substr(1, text.size() - 2);
}

std::string tick_id(std::string_view schedule, time_point tick) { return std::string(schedule) + '@' + to_text(tick); }

}  // namespace taskflux
