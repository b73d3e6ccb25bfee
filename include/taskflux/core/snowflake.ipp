#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/snowflake.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <system_error>

namespace taskflux {

namespace detail::snowflake {

inline constexpr int sequence_bits = 12;
inline constexpr int node_bits = 10;
inline constexpr std::int64_t max_sequence = (1 << sequence_bits) - 1;
inline constexpr std::int64_t last_millisecond = (std::int64_t(1) << 41) - 1;

inline unsigned checked_node(std::int64_t node) {
    if (node < 0 || node > snowflake_generator::max_node) {
        throw error(errc::invalid_argument, "node " + std::to_string(node) + " of a snowflake generator is out of range: use 0 to " +
                                                std::to_string(snowflake_generator::max_node));
    }
    return static_cast<unsigned>(node);
}

}  // namespace detail::snowflake

snowflake_generator::snowflake_generator() : node_(std::random_device()() % (max_node + 1)) {}

snowflake_generator::snowflake_generator(std::int64_t node) : node_(detail::snowflake::checked_node(node)) {}

std::int64_t snowflake_generator::operator()() {
    return next(std::chrono::floor<duration>(std::chrono::system_clock::now()));
}

std::string snowflake_generator::text() { return std::to_string((*this)()); }

std::int64_t snowflake_generator::next(time_point now) {
    using namespace detail::snowflake;
    // A clock that is far beyond gives the first tick that is refused: more would not fit once it is shifted.
    const auto passed = std::clamp<std::int64_t>((now - epoch).count(), 0, last_millisecond + 1);
    auto last = last_.load(std::memory_order_relaxed);
    std::int64_t tick = 0;
    do {
        tick = (std::max)(passed << sequence_bits, last + 1);
        if (tick >> sequence_bits > last_millisecond) {
            throw error(errc::invalid_argument, "no snowflake id can be made: the clock is past the year 2093, for which ids have no room; set the clock");
        }
    } while (!last_.compare_exchange_weak(last, tick, std::memory_order_relaxed));
    return tick >> sequence_bits << (sequence_bits + node_bits) | std::int64_t(node_) << sequence_bits | (tick & max_sequence);
}

snowflake_parts snowflake_generator::parts(std::int64_t id) {
    using namespace detail::snowflake;
    if (id < 0) throw error(errc::invalid_argument, "not a snowflake id: " + std::to_string(id) + "; expected a number from 0 on");
    snowflake_parts made;
    made.at = epoch + duration(id >> (sequence_bits + node_bits));
    made.node = static_cast<unsigned>(id >> sequence_bits) & max_node;
    made.sequence = static_cast<unsigned>(id & max_sequence);
    return made;
}

snowflake_parts snowflake_generator::parts(std::string_view text) {
    std::int64_t id = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, id);
    if (read.ec != std::errc() || read.ptr != end) {
        throw error(errc::invalid_argument, "not a snowflake id: " + detail::in_quotes(text) +
                                                "; expected the digits of a 64-bit number");
    }
    return parts(id);
}

}  // namespace taskflux
