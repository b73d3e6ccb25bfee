#pragma once

#include <taskflux/core/limit.hpp>
#include <taskflux/core/time.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace taskflux::detail {

/// In milliseconds. `error`: of times since 1970 that were added up. `late`: who comes so much later than a start was due, as
/// timers and messages do, is counted as on time, so that a rate is reached and not just kept.
struct rate_slack {
    static constexpr double error = 0.0005, late = 50;
};

/// How many tasks a rate lets start now: the generic cell rate algorithm (ITU-T I.371, annex A, as a virtual scheduling
/// algorithm), in milliseconds and parts of one. All that it remembers is when the next start is due if starts are spread evenly;
/// a burst may come earlier. `lua/shared/admission.lua` does the same.
class rate_gate {
public:
    explicit rate_gate(const start_rate& what)
        : every_(static_cast<double>(what.per.count()) / static_cast<double>(what.starts)),
          burst_(static_cast<double>(what.burst)), early_(every_ * (burst_ - 1)) {}

    /// What another gate remembers, for a rate that takes its place: what has started counts, but a larger burst
    /// may start at once.
    double next() const { return next_; }
    void next(double due) { next_ = due; }

    std::size_t may_start(time_point now) const {
        const auto ahead = count(now) + early_ - due(now) + rate_slack::error;
        if (ahead < 0) return 0;
        return static_cast<std::size_t>((std::min)(std::floor(ahead / every_) + 1, burst_));
    }

    void started(std::size_t many, time_point now) { next_ = due(now) + static_cast<double>(many) * every_; }

    /// When the next one may start, where none may start now: later than now.
    time_point opens(time_point now) const {
        const auto when = time_point(duration(static_cast<duration::rep>(std::ceil(due(now) - early_))));
        return (std::max)(when, now + duration(1));
    }

private:
    static double count(time_point when) { return static_cast<double>(when.time_since_epoch().count()); }

    /// Where it lies further ahead than any start can have put it, by a clock that went back or by a rate that was lower, one may
    /// start at once. What is past counts only where it is late by less than a start.
    double due(time_point now) const {
        const auto at = count(now), latest = at + early_ + every_;
        if (next_ > latest + rate_slack::error) return latest - every_;
        return next_ <= at - (std::min)(every_, rate_slack::late) ? at : next_;
    }

    double every_, burst_, early_;
    double next_ = std::numeric_limits<double>::lowest();
};

}  // namespace taskflux::detail
