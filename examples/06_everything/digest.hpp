#pragma once

#include "contracts.hpp"

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

/// Why a file could not be read.
class unreadable : public std::runtime_error {
public:
    using runtime_error::runtime_error;
};

/// Called between two pieces of a file with the bytes read so far; false stops reading.
using may_go_on = std::function<bool(std::uint64_t)>;

/// Reads a file in pieces. Throws `unreadable`: also for what is not a regular file, and when it was stopped.
file_facts digest(const std::string& path, const may_go_on& go_on);
