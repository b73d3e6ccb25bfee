#pragma once

#include <taskflux/core/codec.hpp>
#include <taskflux/core/cron.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/retry.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/core/zone.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

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

/// What happens to ticks that no scheduler fired in time, by more than the schedule's grace.
enum class misfire_policy {
    skip,       ///< nothing
    fire_once,  ///< the newest of them counts, unless another one is on time by now
    catch_up    ///< the newest of them up to a limit, oldest first
};
BOOST_DESCRIBE_ENUM(misfire_policy, skip, fire_once, catch_up)

/// What happens at a tick when what the last one started has not ended.
enum class overlap_policy {
    allow,           ///< both go on
    skip,            ///< the tick is passed over
    cancel_previous  ///< the earlier one is cancelled
};
BOOST_DESCRIBE_ENUM(overlap_policy, allow, skip, cancel_previous)

/// The task that a schedule submits at each tick.
struct scheduled_task {
    std::string name;
    int priority = 0;
    raw payload;
    header_map headers;
    retry_rule retry;
    duration timeout{};
    duration deadline{};
    duration expires_in{};
    duration retention{};
    duration failed_retention{};
    unsigned crash_limit = 0;

    bool operator==(const scheduled_task&) const = default;
};
BOOST_DESCRIBE_STRUCT(scheduled_task, (), (name, priority, payload, headers, retry, timeout, deadline, expires_in,
                                           retention, failed_retention, crash_limit))

/// What is to happen when.
struct schedule_definition {
    std::string id;
    std::string cron;
    std::string zone = "UTC";
    misfire_policy misfire = misfire_policy::fire_once;
    unsigned limit = 1;   ///< of `catch_up`
    duration grace{};     ///< so late a tick still counts as on time
    overlap_policy overlap = overlap_policy::allow;
    duration jitter{};    ///< at most so long after its tick
    std::vector<std::string> hosts;  ///< those that may fire; empty: any
    std::optional<scheduled_task> task;  ///< none: a local job

    bool operator==(const schedule_definition&) const = default;
};
BOOST_DESCRIBE_STRUCT(schedule_definition, (), (id, cron, zone, misfire, limit, grace, overlap, jitter, hosts, task))

/// How far a schedule has come.
struct schedule_state {
    bool paused = false;
    std::optional<time_point> next;  ///< the first tick that is not done with; none: there are no more
    std::optional<time_point> last;  ///< the last one that fired
    std::string last_task;           ///< the own id of what was submitted then
    std::optional<time_point> run_at;  ///< when a run out of turn was asked for that has not begun; of local jobs
    std::string by;                  ///< the last change: its node, a dot, its number
    std::uint64_t revision = 0;      ///< how often it has been changed
};
BOOST_DESCRIBE_STRUCT(schedule_state, (), (paused, next, last, last_task, run_at, by, revision))

/// A schedule as it is stored.
struct stored_schedule {
    static constexpr int current_version = 1;

    int version = 0;
    schedule_definition definition;
    schedule_state state;
};
BOOST_DESCRIBE_STRUCT(stored_schedule, (), (version, definition, state))

/// What to do about a schedule at some time.
struct tick_plan {
    std::vector<time_point> fire;    ///< ticks, oldest first
    std::optional<time_point> next;  ///< the first tick that is not done with then
};

namespace detail {

inline constexpr unsigned most_caught_up = 1000;
inline constexpr duration longest_delay = std::chrono::hours(24 * 365);

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

/// When a tick fires: it, or with jitter up to so much later. Ticks of a schedule fire in their order.
inline time_point due_at(const schedule_definition& of, time_point tick) {
    return later(tick, detail::jitter_of(of.id, tick, detail::within_reason(of.jitter)));
}

/// Which ticks from `next` on fire now. Pure: all nodes come to the same result. At most a hundred at a time, however
/// many there are; ask again with the `next` that comes back. `when` and `in` are what the definition's texts mean.
/// `held_up`: for how long the caller could not ask, which adds to the grace.
inline tick_plan plan_ticks(const schedule_definition& of, const cron& when, const zone& in, time_point next, time_point now,
                            duration held_up = duration::zero()) {
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
            missed.push_back(*tick);
            if (missed.size() > wanted) missed.pop_front();
        }
    }
    if (of.misfire == misfire_policy::fire_once && !on_time.empty()) missed.clear();
    tick_plan plan;
    plan.next = tick;
    plan.fire.assign(missed.begin(), missed.end());
    plan.fire.insert(plan.fire.end(), on_time.begin(), on_time.end());
    if (is_only_one && plan.fire.size() > 1) plan.fire.erase(plan.fire.begin(), plan.fire.end() - 1);
    if (plan.fire.size() > most) {
        plan.next = plan.fire[most];
        plan.fire.resize(most);
    }
    return plan;
}

/// The next `count` ticks from `next` on.
inline std::vector<time_point> ticks_from(const cron& when, const zone& in, std::optional<time_point> next, std::size_t count) {
    std::vector<time_point> ticks;
    for (; next && ticks.size() < count; next = when.next(*next, in)) ticks.push_back(*next);
    return ticks;
}

/// A time as RFC 3339 text.
inline std::string to_text(time_point when) {
    auto text = encode(when);
    return text.substr(1, text.size() - 2);
}

/// The own id of the task that a tick submits.
inline std::string tick_id(std::string_view schedule, time_point tick) { return std::string(schedule) + '@' + to_text(tick); }

}  // namespace taskflux
