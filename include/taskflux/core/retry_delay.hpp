#pragma once

#include <taskflux/core/retry.hpp>
#include <taskflux/core/time.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>

namespace taskflux {

namespace detail {

/// The delay after `failed` failures before jitter; what does not fit saturates.
inline duration plain_delay(const retry_policy& policy, unsigned failed) {
    const auto base = policy.delay().count();
    const auto limit = policy.max_delay() > duration::zero() ? policy.max_delay() : (duration::max)();
    if (base == 0) return duration::zero();
    switch (policy.kind()) {
        case backoff::none: return duration::zero();
        case backoff::fixed: return (std::min)(policy.delay(), limit);
        case backoff::linear:
            return limit.count() / base < static_cast<duration::rep>(failed) ? limit
                                                                             : policy.delay() * failed;
        case backoff::exponential: {
            const double grown = static_cast<double>(base) * std::pow(policy.factor(), failed - 1.0);
            if (!(grown >= 0.0 && grown < static_cast<double>(limit.count()))) return limit;
            return duration(std::llround(grown));
        }
    }
    return duration::zero();
}

}  // namespace detail

/// The delay before the next attempt, or nothing to give up. Pure: same arguments, same generator state,
/// same answer; draws from `random` only where the policy has full jitter.
///
/// `failed_attempts` counts those so far (0: nothing failed yet, start at once); `elapsed` is the time since
/// the first attempt started. No input overflows: a delay that does not fit saturates.
template <std::uniform_random_bit_generator Generator>
std::optional<duration> next_delay(const retry_policy& policy, unsigned failed_attempts, duration elapsed,
                                   Generator& random) {
    if (failed_attempts == 0) return duration::zero();
    if (policy.attempts() != 0 && failed_attempts >= policy.attempts()) return std::nullopt;
    auto delay = detail::plain_delay(policy, failed_attempts);
    if (policy.has_full_jitter()) {
        delay = duration(std::uniform_int_distribution<duration::rep>(0, delay.count())(random));
    }
    if (const auto total = policy.total_time(); total > duration::zero()) {
        const auto left = total - (std::clamp)(elapsed, duration::zero(), total);
        if (elapsed > total || delay > left) return std::nullopt;
    }
    return delay;
}

}  // namespace taskflux
