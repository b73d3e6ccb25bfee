#pragma once

#include <taskflux/core/time.hpp>

#include <boost/describe/class.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace taskflux {

/// An instance of a service, as the directory lists it.
struct service_instance {
    std::string service;
    std::string id;
    std::string host;
    std::string version;                ///< of taskflux
    std::vector<std::string> methods;
    std::uint64_t running = 0;          ///< calls in flight, at its last heartbeat
    std::uint64_t limit = 0;            ///< of calls in flight
    time_point started_at{};
    std::string address;                ///< of its mailbox
    bool leaving = false;               ///< it takes no more calls, and finishes those in flight
};
BOOST_DESCRIBE_STRUCT(service_instance, (), (service, id, host, version, methods, running, limit, started_at, address,
                                             leaving))

}  // namespace taskflux
