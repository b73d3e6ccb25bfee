#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace taskflux::detail {

// What a program asks its operating system for: the one place that differs by platform. Where a system has no answer that
// is known here, it is 0, or nothing.

/// This process's number; 0: not known.
std::uint64_t process_id();

/// Processes of this machine that run or wait, on average over a minute; 0: not known.
double load_average();

/// Resident memory of this process in bytes; 0: not known.
std::uint64_t resident_bytes();

/// The environment's variables, each as "NAME=value". Valid until the environment is changed.
std::vector<std::string_view> environment_variables();

}  // namespace taskflux::detail
