#pragma once

#include <taskflux/core/failure.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/time.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace taskflux {

/// Learns what goes wrong between a program and its broker, for metrics and alarms: override what is of interest, and set it
/// with `memory_options::observer` or `redis_options::observer`. Each event is a log line too. The functions are called on the
/// broker's threads; they must not block, and what they throw is ignored.
class broker_observer {
public:
    virtual ~broker_observer() = default;

    /// A caller has waited for `time` for the result of a task in `queue`, which no worker serves. Called once, and again when
    /// the queue has been served in between.
    virtual void on_unserved(const std::string& /*queue*/, duration /*time*/) {}

    /// A task has failed for good while no worker ran it: its workers have died under it as often as its `crash_limit` says, or
    /// its deadline has passed between two attempts. Of the programs that use a queue on Redis at most one is told.
    virtual void on_dead_letter(const task_id& /*task*/, const std::string& /*name*/, const failure& /*why*/) {}

    /// A connection to the server was lost, and is there again; a broker has up to three.
    virtual void on_reconnect() {}

protected:
    broker_observer() = default;
    broker_observer(const broker_observer&) = default;
    broker_observer& operator=(const broker_observer&) = default;
};

/// Learns of each call to the server, too, which then costs each call two clock reads and two coroutine frames. A broker takes it where
/// it takes a `broker_observer`.
class broker_call_observer : public broker_observer {
public:
    /// A call to the server has ended, `failed` by an error of it or of the connection; waits for the connection count. `call` names
    /// what was asked, out of a small set. Not of the embedded broker, which makes no calls. It must be quick.
    virtual void on_call(std::string_view call, std::chrono::microseconds took, bool failed) = 0;
};

}  // namespace taskflux
