#pragma once

#include <taskflux/core/time.hpp>

#include <string>

namespace taskflux {

/// Learns what goes wrong with schedules, for metrics and alarms: set it with `scheduler_options::observer`. Called on the scheduler's
/// thread; must not block, and what it throws is ignored.
class scheduler_observer {
public:
    virtual ~scheduler_observer() = default;

    /// The scheduler fires a schedule from now on. Called once for each, before its first `on_missed`, and again where it comes back.
    virtual void on_schedule(const std::string& /*queue*/, const std::string& /*schedule*/) {}

    /// Ticks of a schedule from `first` on came up later than its grace allows, as no scheduler ran or could reach the broker in time:
    /// its misfire policy has decided what becomes of them. Of all schedulers that one is told which has dealt with them, once for
    /// the ticks that it found together, or more often where their queue has no room for all of them. Not of local jobs that run in every process.
    virtual void on_missed(const std::string& /*queue*/, const std::string& /*schedule*/, time_point /*first*/) {}

protected:
    scheduler_observer() = default;
    scheduler_observer(const scheduler_observer&) = default;
    scheduler_observer& operator=(const scheduler_observer&) = default;
};

}  // namespace taskflux
