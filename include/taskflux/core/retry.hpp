#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/time.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <exception>
#include <limits>

namespace taskflux {

/// How the delay between two attempts grows.
enum class backoff { none, fixed, linear, exponential };
BOOST_DESCRIBE_ENUM(backoff, none, fixed, linear, exponential)

/// Says whether and when a failed attempt is followed by another. A literal type, so that a contract can
/// hold it. Setters take a value and may be chained; the same name without an argument reads it.
class retry_policy {
public:
    using predicate = bool (*)(const std::exception_ptr&);

    /// One attempt, no retry.
    constexpr retry_policy() noexcept {}

    /// One attempt, no retry.
    static constexpr retry_policy none() noexcept { return {}; }

    /// A delay that does not grow. Five attempts, until `attempts` says otherwise; so for all below.
    /// Errors: `invalid_argument` for a negative delay; so for all below.
    static constexpr retry_policy fixed(duration delay) { return {backoff::fixed, delay, 1}; }

    /// `step` before the first retry, 2 × `step` before the second, and so on.
    static constexpr retry_policy linear(duration step) { return {backoff::linear, step, 1}; }

    /// `first` before the first retry, then each time `factor` times as long. A factor below 1 shrinks.
    /// Errors: `invalid_argument` for a factor that is negative, infinite or not a number.
    static constexpr retry_policy exponential(duration first, double factor = 2) {
        return {backoff::exponential, first, factor};
    }

    /// At most so many attempts in all, the first one included; 0 = no limit.
    constexpr retry_policy& attempts(unsigned total) noexcept {
        attempts_ = total;
        return *this;
    }

    /// No delay is longer than this; zero (the default) = no limit.
    constexpr retry_policy& max_delay(duration limit) {
        max_delay_ = checked(limit, "max_delay");
        return *this;
    }

    /// Draws each delay evenly from zero to what it would have been, so that tasks which failed together
    /// don't come back together ("full jitter" of AWS' "Exponential Backoff And Jitter").
    constexpr retry_policy& full_jitter(bool on = true) noexcept {
        full_jitter_ = on;
        return *this;
    }

    /// No attempt starts later than this after the first one did; zero (the default) = no limit.
    constexpr retry_policy& total_time(duration limit) {
        total_time_ = checked(limit, "total_time");
        return *this;
    }

    /// Asks `test` after each failure; false gives up. Null (the default) retries every failure. Local to
    /// the process: it is neither stored nor sent.
    constexpr retry_policy& retry_if(predicate test) noexcept {
        retry_if_ = test;
        return *this;
    }

    constexpr backoff kind() const noexcept { return kind_; }
    constexpr duration delay() const noexcept { return delay_; }
    constexpr double factor() const noexcept { return factor_; }
    constexpr unsigned attempts() const noexcept { return attempts_; }
    constexpr duration max_delay() const noexcept { return max_delay_; }
    constexpr bool has_full_jitter() const noexcept { return full_jitter_; }
    constexpr duration total_time() const noexcept { return total_time_; }
    constexpr predicate retry_if() const noexcept { return retry_if_; }

    /// Whether this kind of failure is worth another attempt; counts and times are `next_delay`'s matter.
    bool accepts(const std::exception_ptr& failure) const { return !retry_if_ || retry_if_(failure); }

    constexpr bool operator==(const retry_policy&) const = default;

private:
    constexpr retry_policy(backoff kind, duration delay, double factor)
        : kind_(kind), attempts_(5), delay_(checked(delay, "a retry's delay")), factor_(factor) {
        if (!(factor >= 0 && factor <= (std::numeric_limits<double>::max)())) {
            throw error(errc::invalid_argument, "a back-off factor must be finite and not negative: use 2 to double the delay with each attempt");
        }
    }

    static constexpr duration checked(duration value, const char* what) {
        if (value < duration::zero()) {
            throw error(errc::invalid_argument, std::string(what) + " must not be negative: use zero or a longer time");
        }
        return value;
    }

    backoff kind_ = backoff::none;
    unsigned attempts_ = 1;
    duration delay_{};
    double factor_ = 1;
    duration max_delay_{};
    duration total_time_{};
    predicate retry_if_ = nullptr;
    bool full_jitter_ = false;
};

/// A retry policy as it is stored, without its predicate.
struct retry_rule {
    backoff kind = backoff::none;
    unsigned attempts = 1;
    duration delay{};
    double factor = 1;
    duration max_delay{};
    duration total_time{};
    bool full_jitter = false;

    bool operator==(const retry_rule&) const = default;
};
BOOST_DESCRIBE_STRUCT(retry_rule, (), (kind, attempts, delay, factor, max_delay, total_time, full_jitter))

inline retry_rule rule_of(const retry_policy& policy) {
    return {policy.kind(), policy.attempts(), policy.delay(), policy.factor(),
            policy.max_delay(), policy.total_time(), policy.has_full_jitter()};
}

inline retry_policy policy_of(const retry_rule& rule) {
    retry_policy made;
    switch (rule.kind) {
        case backoff::none: break;
        case backoff::fixed: made = retry_policy::fixed(rule.delay); break;
        case backoff::linear: made = retry_policy::linear(rule.delay); break;
        case backoff::exponential: made = retry_policy::exponential(rule.delay, rule.factor); break;
    }
    return made.attempts(rule.attempts).max_delay(rule.max_delay).total_time(rule.total_time).full_jitter(rule.full_jitter);
}

}  // namespace taskflux
