#pragma once

#include <cstdint>
#include <string>

namespace taskflux {

/// Learns what readers of events miss, for metrics: set it with `events_options::observer`. Called where the reader runs; must not
/// block, and what it throws is ignored.
class events_observer {
public:
    virtual ~events_observer() = default;

    /// A reader of a queue's events was made.
    virtual void on_reader(const std::string& /*queue*/) {}

    /// So many entries of a queue, each of which holds the events of a call, were dropped before a reader came to them; 1 where their
    /// number is not known, as the queue has begun anew.
    virtual void on_events_lost(const std::string& /*queue*/, std::uint64_t /*entries*/) {}

protected:
    events_observer() = default;
    events_observer(const events_observer&) = default;
    events_observer& operator=(const events_observer&) = default;
};

}  // namespace taskflux
