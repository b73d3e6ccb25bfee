#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/core/retry.hpp>
#include <taskflux/core/retry_delay.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <random>

namespace taskflux::detail {

/// Waits after so many failures in a row to reach the broker: exponential, at most 5 s, with full jitter. `source` and
/// `random` must outlive it.
inline asio::awaitable<void> back_off(clock& source, unsigned failures, std::minstd_rand& random) {
    constexpr auto policy = retry_policy::exponential(std::chrono::milliseconds(100))
                                .max_delay(std::chrono::seconds(5)).attempts(0).full_jitter();
    return sleep_for(source, *next_delay(policy, failures, duration::zero(), random));
}

}  // namespace taskflux::detail
