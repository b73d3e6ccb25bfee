#pragma once

#include <taskflux/core/state.hpp>
#include <taskflux/core/time.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace taskflux {

/// Counts of durations by length. The i-th count is of those up to the i-th bound, and longer than the one before; the last is of
/// those longer than all bounds.
struct time_histogram {
    /// Upper bounds: 5 ms to 1 h, each at most twice the one before.
    static constexpr std::array<std::int64_t, 25> bounds_ms{
        5,      10,     20,     40,      70,      100,     200,     400,       700,       1'000,     2'000,   4'000,  7'000,
        10'000, 20'000, 40'000, 60'000, 120'000, 240'000, 420'000, 600'000, 900'000, 1'500'000, 2'400'000, 3'600'000};
    static constexpr std::size_t bucket_count = bounds_ms.size() + 1;

    std::vector<std::uint64_t> counts = std::vector<std::uint64_t>(bucket_count);
    std::uint64_t sum_ms = 0;  ///< of all durations

    /// Where a duration is counted. One below zero counts as zero.
    static std::size_t bucket_of(duration of);

    void add(duration of);

    /// How many durations were counted.
    std::uint64_t count() const;

    /// The duration that a share of those counted does not exceed: 0.95 gives the 95th percentile. Taken from the counts, as if
    /// they were spread evenly within their bucket; 1 h for those beyond. Zero where nothing was counted. A share outside of 0
    /// and 1 counts as the nearer of them.
    duration percentile(double share) const;
};
BOOST_DESCRIBE_STRUCT(time_histogram, (), (counts, sum_ms))

/// How tasks have ended.
struct ended_tasks {
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
    std::uint64_t cancelled = 0;
    std::uint64_t expired = 0;
};
BOOST_DESCRIBE_STRUCT(ended_tasks, (), (succeeded, failed, cancelled, expired))

/// How attempts have ended. One that was given back (its worker stopped, or its handler paused) is none.
struct ended_attempts {
    std::uint64_t succeeded = 0;
    std::uint64_t retried = 0;    ///< failed, and another follows
    std::uint64_t failed = 0;     ///< failed, and none follows
    std::uint64_t timed_out = 0;  ///< by its timeout or the task's deadline, whether another follows or not
    std::uint64_t cancelled = 0;
    std::uint64_t lost = 0;       ///< with its worker's lease
};
BOOST_DESCRIBE_STRUCT(ended_attempts, (), (succeeded, retried, failed, timed_out, cancelled, lost))

/// What has happened to the tasks of a queue, or to those of one name.
struct task_statistics {
    std::uint64_t submitted = 0;  ///< duplicates not counted
    ended_tasks ended;
    ended_attempts attempts;
    time_histogram wait;  ///< from when a task was due until its first attempt started
    time_histogram run;   ///< of each attempt
};
BOOST_DESCRIBE_STRUCT(task_statistics, (), (submitted, ended, attempts, wait, run))

/// How finely, and for how long, a queue's history is kept: 10 s for 1 h, 1 min for 24 h, 15 min for 14 d.
enum class history_tier { ten_seconds, minute, quarter };
BOOST_DESCRIBE_ENUM(history_tier, ten_seconds, minute, quarter)

/// The length of a period.
constexpr duration period_of(history_tier tier) {
    using namespace std::chrono_literals;
    if (tier == history_tier::ten_seconds) return 10s;
    return tier == history_tier::minute ? duration(1min) : duration(15min);
}

/// How many periods are kept.
constexpr std::size_t periods_of(history_tier tier) {
    if (tier == history_tier::ten_seconds) return 360;
    return tier == history_tier::minute ? 1440 : 1344;
}

namespace detail {

/// What is counted, as it is stored and sent: a number for each. Append only, as the places of the numbers are stored.
enum class counted : std::uint8_t {
    submitted, succeeded, failed, cancelled, expired,
    attempt_succeeded, attempt_retried, attempt_failed, attempt_timed_out, attempt_cancelled, attempt_lost,
    wait_sum, run_sum, wait = 13, run = 39  // each of the latter two is the first of a histogram
};
static_assert(static_cast<std::size_t>(counted::run) == static_cast<std::size_t>(counted::wait) + time_histogram::bucket_count);

/// What the end of a task in that state counts as.
constexpr counted counted_end(task_state state) {
    if (state == task_state::succeeded) return counted::succeeded;
    if (state == task_state::failed) return counted::failed;
    return state == task_state::cancelled ? counted::cancelled : counted::expired;
}

/// The first of these are events; the others are times.
inline constexpr std::size_t counted_events = static_cast<std::size_t>(counted::wait_sum);

/// Numbers by `counted`. A number may be below zero for a moment, where what makes up for it is still to come.
class counted_values {
public:
    static constexpr std::size_t size = static_cast<std::size_t>(counted::run) + time_histogram::bucket_count;

    std::int64_t& operator[](counted what) { return values_[static_cast<std::size_t>(what)]; }
    std::int64_t operator[](counted what) const { return values_[static_cast<std::size_t>(what)]; }

    std::array<std::int64_t, size>& all() { return values_; }
    const std::array<std::int64_t, size>& all() const { return values_; }

    counted_values& operator+=(const counted_values& other);

    /// Counts a duration in the histogram that begins there.
    void add_time(counted histogram, duration of);

private:
    std::array<std::int64_t, size> values_{};
};

task_statistics statistics_of(const counted_values& from);

/// A text as brokers store it: 'place:number' of those that are not zero, with commas.
std::string text_of(const counted_values& from);

/// Adds what such a text says; what is no such entry is passed over.
void add_text(counted_values& to, const std::string& text);

}  // namespace detail

}  // namespace taskflux
