#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>

namespace taskflux {

/// How many tasks of a queue may run at the same time, and how many may start within a time. A task that finds no room waits;
/// it is never refused or dropped. A literal type.
///
///     limit().running(5).rate(100, 1min)
class limit {
public:
    constexpr limit() {}

    /// At most so many are in hand of workers at the same time, those that a worker has fetched ahead of its slots included. What
    /// sleeps, waits for a signal, for subtasks or for its next attempt is in nobody's hand. 0: none starts.
    constexpr limit& running(std::size_t most) {
        if (most > most_running) {
            throw error(errc::invalid_argument, "limit: running(" + std::to_string(most) + ") is out of range: use 0 to " +
                                                    std::to_string(most_running));
        }
        return running_ = most, *this;
    }

    /// So many attempts may start each `per`, first ones and retries, spread evenly; of those that nobody has used, at most `burst`
    /// at once. `burst` 0: as many as come in 50 ms, at least one, which keeps batches together and lets the rate exceed by 0.5 %
    /// over ten seconds at most. By the broker's clock, in milliseconds.
    ///
    /// `count` from 1 to a million, `per` from a millisecond to 366 days, `burst` up to `count`.
    constexpr limit& rate(std::size_t count, duration per, std::size_t burst = 0) {
        if (count < 1 || count > most_running || per < duration(1) || per > std::chrono::hours(24 * 366) || burst > count) {
            throw error(errc::invalid_argument, "limit: rate(" + std::to_string(count) + ", " + std::to_string(per.count()) + "ms, " +
                                                    std::to_string(burst) + ") is out of range: use 1 to 1000000 each 1 ms to 366 "
                                                                            "days, with a burst of at most the count");
        }
        count_ = count;
        per_ = per;
        burst_ = burst;
        return *this;
    }

    /// Nothing: no such limit.
    constexpr std::optional<std::size_t> running() const { return running_; }
    /// How many attempts may start each `per`; 0: there is no such limit.
    constexpr std::size_t count() const { return count_; }
    constexpr duration per() const { return per_; }
    constexpr std::size_t burst() const { return burst_; }

    bool operator==(const limit&) const = default;

private:
    static constexpr std::size_t most_running = 1'000'000;

    std::optional<std::size_t> running_;
    std::size_t count_ = 0;
    duration per_{};
    std::size_t burst_ = 0;
};

namespace detail {

/// The rate of starts that a limit allows, by the generic cell rate algorithm (ITU-T I.371, "virtual scheduling"). The queue
/// keeps one number, the theoretical arrival time: when the next start would be due if all came evenly. All in milliseconds.
struct pace {
    double emission = 0;   ///< between two starts; 0: there is no limit
    double tolerance = 0;  ///< how much earlier a start may come than it is due

    pace() = default;
    explicit pace(const limit& of) {
        if (of.count() == 0) return;
        emission = static_cast<double>(of.per().count()) / static_cast<double>(of.count());
        constexpr double kept_together = 50;
        const auto burst = of.burst() > 0 ? static_cast<double>(of.burst()) : (std::max)(1.0, std::floor(kept_together / emission));
        tolerance = (burst - 1) * emission;
    }

    /// How many may start at `now`, at most `wanted`. `arrival`: the theoretical arrival time.
    std::size_t room(std::size_t wanted, double arrival, double now) const {
        if (emission == 0) return wanted;
        const auto due = (std::max)(arrival, now);
        const auto room = std::floor((now + tolerance - due) / emission) + 1;
        return room <= 0 ? 0 : (std::min)(wanted, static_cast<std::size_t>((std::min)(room, 1e9)));
    }

    /// The theoretical arrival time after so many starts at `now`.
    double after(std::size_t starts, double arrival, double now) const {
        return (std::max)(arrival, now) + static_cast<double>(starts) * emission;
    }

    /// When the next one may start.
    double next(double arrival) const { return std::ceil(arrival - tolerance); }
};

}  // namespace detail

}  // namespace taskflux
