#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux {

/// So many starts in so long a time, evenly spread; up to `burst` of them may come together after a pause.
struct start_rate {
    std::uint64_t starts = 1;
    duration per = std::chrono::seconds(1);
    std::uint64_t burst = 1;

    bool operator==(const start_rate&) const = default;
};

/// What limits a queue: `limit().running(5).rate(100, 1s).max_waiting(10'000)`. A task starts when there is room by `running`
/// and `rate`; until then it waits. Empty: nothing holds them back. Setters may be chained; the same name without an argument reads.
/// A literal type. Errors of the setters: `invalid_argument`.
class limit {
public:
    constexpr limit() {}

    /// At most so many tasks in the hands of workers at a time, those included that a worker has fetched ahead. A task that
    /// sleeps, or waits for its retry, a signal or subtasks, is in no worker's hands. 0: none starts, as in a paused queue. At
    /// most 1,000,000,000.
    constexpr limit& running(std::size_t most) {
        if (most > most_of_all) refuse("running", std::to_string(most) + " is out of range: use 0 to 1000000000");
        return running_ = most, *this;
    }

    /// At most `starts` starts of attempts in each `per`, retries included, by the server's clock. `starts`: from 1, and no more
    /// than 1,000 a millisecond. `per`: 1 ms to 366 days. `burst`: how many may come together after a pause, at least 1; 0 (the
    /// default): what comes in 50 ms, so that tasks are still handed out in batches; at the rate it must come in 3,000 years. Within
    /// any time t in which the limit is the same, no more than `burst` + 1 + t ÷ `per` × `starts` start. Times have milliseconds: a
    /// burst smaller than what is to start in one slows it down.
    constexpr limit& rate(std::uint64_t starts, duration per, std::uint64_t burst = 0) {
        constexpr auto longest = std::chrono::hours(24 * 366);
        constexpr std::uint64_t in_a_millisecond = 1000;
        if (per < duration(1) || per > longest) refuse("rate", "the time must be 1 ms to 366 days");
        if (starts == 0) refuse("rate", "no start is allowed at all: use running(0) where nothing is to start");
        if (starts / in_a_millisecond > static_cast<std::uint64_t>(per.count())) {
            refuse("rate", "more than 1000 starts a millisecond: leave the rate out");
        }
        if (burst > most_of_all) refuse("rate", "the burst must be at most 1000000000");
        constexpr double usual_ms = 50;
        const auto usual = static_cast<double>(starts) / static_cast<double>(per.count()) * usual_ms;
        if (burst == 0) burst = (std::max)(std::uint64_t(1), static_cast<std::uint64_t>(usual));
        constexpr double longest_burst = 1e14;  // ms: numbers that count parts of them are exact
        if (static_cast<double>(burst) * static_cast<double>(per.count()) > longest_burst * static_cast<double>(starts)) {
            refuse("rate", "so large a burst would take more than 3,000 years at that rate: use a smaller one");
        }
        rate_ = start_rate{starts, per, burst};
        return *this;
    }

    /// At most so many tasks that don't run: those that wait, are scheduled (for later, or for their retry, or asleep) or held. A
    /// submission that would make them more stores nothing, and fails with `queue_full`. Only submissions need room: what is
    /// retried, given back or resumed always comes back, and a submission that joins or replaces another task adds none. 1 to
    /// 1,000,000,000.
    constexpr limit& max_waiting(std::size_t most) {
        if (most == 0) refuse("max_waiting", "0 would refuse every task, as each waits before it starts: use at least 1");
        if (most > most_of_all) refuse("max_waiting", std::to_string(most) + " is out of range: use 1 to 1000000000");
        return max_waiting_ = most, *this;
    }

    constexpr const std::optional<std::size_t>& max_waiting() const { return max_waiting_; }
    constexpr const std::optional<std::size_t>& running() const { return running_; }
    constexpr const std::optional<start_rate>& rate() const { return rate_; }

    /// Whether it holds nothing back.
    constexpr bool is_empty() const { return !running_ && !rate_ && !max_waiting_; }

    bool operator==(const limit&) const = default;

private:
    static constexpr std::uint64_t most_of_all = 1'000'000'000;

    static void refuse(const char* what, const std::string& why) {
        throw error(errc::invalid_argument, "limit: " + std::string(what) + ": " + why);
    }

    std::optional<std::size_t> running_, max_waiting_;
    std::optional<start_rate> rate_;
};

/// A limit that somebody has set, and when.
struct stated_limit {
    stated_limit() {}
    stated_limit(limit what, std::string why, time_point when) : value(what), reason(std::move(why)), since(when) {}

    limit value;
    std::string reason;  ///< of a live override
    time_point since{};
};

/// A limit as it is declared, and as it was set live.
struct stated_limits {
    stated_limits() {}

    std::optional<stated_limit> declared;  ///< by programs, in code
    std::optional<stated_limit> live;      ///< set while they run: counts in its place, until it is reset
    std::optional<time_point> throttled_until;  ///< a handler has thrown `throttled`: nothing starts before then

    /// The one that counts.
    limit in_force() const { return live ? live->value : declared ? declared->value : limit(); }

    /// Sets one of both, or takes it back; false where it is so already: what is declared again has been so since then.
    bool state(bool is_live, std::optional<stated_limit> what) {
        auto& place = is_live ? live : declared;
        if (what && !is_live && what->value.is_empty()) what.reset();
        if (what && !is_live && place && place->value == what->value) return false;
        place = std::move(what);
        return true;
    }
};

/// A stored limit of a key that can't be read: it counts as none until it is declared or set again, or taken back.
struct damaged_limit {
    damaged_limit(std::string of, bool was_set_live) : key(std::move(of)), is_live(was_set_live) {}

    std::string key;
    bool is_live;  ///< mended by `queue_control::set_key_limit` or `reset_key_limit`, else by `declare_key_limit`

    bool operator==(const damaged_limit&) const = default;
};

/// The limits of a queue: its own, those of each of its keys, and those of single keys, which count in place of these.
struct queue_limits : stated_limits {
    queue_limits() {}

    stated_limits each_key;
    std::map<std::string, stated_limits> keys;
    std::vector<damaged_limit> damaged;
    std::size_t left_out = 0;  ///< declared and live limits of keys that are not told: a Redis server tells about 10,000
};

}  // namespace taskflux
