#pragma once

#include <cstdint>
#include <string>

namespace taskflux {

/// This machine's IP address towards other hosts, such as "10.0.0.7"; "127.0.0.1" without a network. Sends nothing.
std::string own_ip();

/// Processes of this machine that run or wait, on average over a minute; 0 where that is not known.
double host_load();

/// Resident memory of this process in bytes; 0 where that is not known.
std::uint64_t resident_memory();

}  // namespace taskflux
