#pragma once

#include <taskflux/core/time.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace taskflux {

/// What a snowflake id says of its making.
struct snowflake_parts {
    time_point at{};
    unsigned node = 0;      ///< 0 to 1023
    unsigned sequence = 0;  ///< within the millisecond, 0 to 4095
};

/// Makes 64-bit ids that grow: 41 bits of milliseconds since 2024 (UTC), 10 bits of node, 12 bits of sequence. The layout is
/// Twitter's (github.com/twitter-archive/snowflake), the epoch is not. Ids of one generator never repeat; those of two
/// generators with one node's number may, so keep one in a process. There is room until 2093. Thread-safe.
class snowflake_generator {
public:
    static constexpr unsigned max_node = 1023;
    static constexpr time_point epoch = std::chrono::sys_days(std::chrono::January / 1 / 2024);

    /// A node's number drawn at random (`std::random_device`). Two processes draw the same one in 1 of 1,024 cases; among 38
    /// some two do in half of all. Such two give an id twice if they make some in the same millisecond: where that must not
    /// be, number the nodes.
    snowflake_generator();

    /// `node`: 0 to 1023, different in every process. Errors: `invalid_argument`.
    explicit snowflake_generator(std::int64_t node);

    unsigned node() const noexcept { return node_; }

    /// The next id, by the wall clock.
    std::int64_t operator()();

    /// The next id in decimal digits: JavaScript's numbers can't hold such ids.
    std::string text();

    /// The next id at `now`. When the clock stands, steps back, or gives no more than its 4,096 ids a millisecond, ids
    /// run ahead of it: nothing waits. Errors: `invalid_argument` past the year 2093.
    std::int64_t next(time_point now);

    /// When, where, and as which an id was made. Errors: `invalid_argument` for what is none: a negative number, or a text
    /// that is not the digits of one.
    static snowflake_parts parts(std::int64_t id);
    static snowflake_parts parts(std::string_view text);

private:
    const unsigned node_;
    std::atomic<std::int64_t> last_ = 0;  // milliseconds since the epoch, then the sequence
};

}  // namespace taskflux
