#pragma once

#include <chrono>

namespace test {

/// How long a test waits for what must come: a bound for what hangs, never for the speed of a machine. Where time itself is
/// the subject, it is a clock that the test moves, or what the test has seen others do.
inline constexpr std::chrono::minutes hang_limit{5};

/// For timeouts that must not end a call in a test: one that nothing else ends is seen to hang before.
inline constexpr std::chrono::minutes no_timeout = 2 * hang_limit;

}  // namespace test
