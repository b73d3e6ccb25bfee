#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace taskflux {

/// A call that has ended, at one of its two ends.
struct ended_call {
    std::string service, method;
    std::string_view code;  ///< "ok", or the name of an `errc`; `cancelled` also where its coroutine was
    std::chrono::microseconds took{};
};

/// Learns how calls of methods end, for metrics: override what is of interest, and set it with the constructor of `rpc` and with
/// `service_options::observer`. The functions are called on any thread, several at a time; they must not block, and what they throw
/// is ignored.
class call_observer {
public:
    virtual ~call_observer() = default;

    /// A service is about to offer a method, as `run` was called.
    virtual void on_method(const std::string& /*service*/, const std::string& /*method*/) {}

    /// A call that this process has made, from the call to its reply; of a stream, until an instance has taken it, and of a
    /// notification, until one has received it. Each call of a broadcast by itself.
    virtual void on_called(const ended_call& /*what*/) {}

    /// A call that this process has run; `busy` where a service has refused it, as it has its limit of calls in flight. Not told: what was cancelled before it began, and a method that the service does not have.
    virtual void on_served(const ended_call& /*what*/) {}

protected:
    call_observer() = default;
    call_observer(const call_observer&) = default;
    call_observer& operator=(const call_observer&) = default;
};

}  // namespace taskflux
