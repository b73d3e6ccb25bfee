#pragma once

#include <taskflux/core/codec/customise.hpp>
#include <taskflux/core/cron.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/retry.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/core/zone.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
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
    std::optional<std::string> key;  ///< by which its tasks take turns and are limited; none: stored without one, as older versions do

    bool operator==(const scheduled_task&) const = default;
};
BOOST_DESCRIBE_STRUCT(scheduled_task, (), (name, priority, payload, headers, retry, timeout, deadline, expires_in,
                                           retention, failed_retention, crash_limit, key))

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
    bool has_missed = false;         ///< some came up later than the grace allows, whatever becomes of them
};

namespace detail {

inline constexpr unsigned most_caught_up = 1000;
inline constexpr duration longest_delay = std::chrono::hours(24 * 365);

}  // namespace detail

/// When a tick fires: it, or with jitter up to so much later. Ticks of a schedule fire in their order.
time_point due_at(const schedule_definition& of, time_point tick);

/// Which ticks from `next` on fire now. Pure: all nodes come to the same result. At most a hundred at a time, however
/// many there are; ask again with the `next` that comes back. `when` and `in` are what the definition's texts mean.
/// `held_up`: for how long the caller could not ask, which adds to the grace.
tick_plan plan_ticks(const schedule_definition& of, const cron& when, const zone& in, time_point next, time_point now,
                     duration held_up = duration::zero());

/// The next `count` ticks from `next` on.
std::vector<time_point> ticks_from(const cron& when, const zone& in, std::optional<time_point> next, std::size_t count);

/// A time as RFC 3339 text.
std::string to_text(time_point when);

/// The own id of the task that a tick submits.
std::string tick_id(std::string_view schedule, time_point tick);

}  // namespace taskflux
