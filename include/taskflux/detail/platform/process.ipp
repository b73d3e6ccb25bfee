#pragma once

#include <taskflux/detail/platform/process.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <cstdlib>
#include <fstream>
#include <unistd.h>

extern "C" char** environ;  // POSIX; not every <unistd.h> declares it

namespace taskflux::detail {

std::uint64_t process_id() { return static_cast<std::uint64_t>(::getpid()); }

double load_average() {
    double load = 0;
    return ::getloadavg(&load, 1) == 1 ? load : 0;
}

std::uint64_t resident_bytes() {
    std::ifstream pages("/proc/self/statm");  // Linux alone; elsewhere the file is missing, and the number stays 0
    std::uint64_t all = 0, resident = 0;
    pages >> all >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::vector<std::string_view> environment_variables() {
    std::vector<std::string_view> all;
    for (char** one = environ; one && *one; ++one) all.emplace_back(*one);
    return all;
}

}  // namespace taskflux::detail

#else

namespace taskflux::detail {

std::uint64_t process_id() { return 0; }
double load_average() { return 0; }
std::uint64_t resident_bytes() { return 0; }
std::vector<std::string_view> environment_variables() { return {}; }

}  // namespace taskflux::detail

#endif
