#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/core/retry.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/core/trace_context.hpp>

#include <boost/describe/enum.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

/// Names and values that travel with a task, such as `traceparent`.
using header_map = std::map<std::string, std::string, std::less<>>;

/// Priorities go from -100 to 100; a higher one is fetched first.
inline constexpr int lowest_priority = -100;
inline constexpr int highest_priority = 100;

/// The rules a task runs under. Stored with the task; zero durations mean "no limit" unless said otherwise.
struct run_policy {
    retry_policy retry{};                                         ///< default: one attempt
    duration timeout{};                                           ///< of one attempt
    duration deadline{};                                          ///< of everything, from submission on
    duration expires_in{};                                        ///< not started within this: expired
    duration retention = std::chrono::hours(1);                   ///< how long the ended task is kept
    duration failed_retention = std::chrono::hours(24 * 7);       ///< the same, for a failed one
    unsigned crash_limit = 3;  ///< the lease lost so often since its journal grew: failed; 0 = no limit

    bool operator==(const run_policy&) const = default;
};

namespace detail {

/// `what`: the option's name, for the error.
constexpr duration not_negative(duration value, const char* what) {
    if (value < duration::zero()) {
        throw error(errc::invalid_argument, std::string(what) + " must not be negative: use zero or a longer time");
    }
    return value;
}

/// `of`: the class of the option, for the error.
constexpr duration checked_lease(duration value, const char* of) {
    if (value < std::chrono::milliseconds(100)) {
        throw error(errc::invalid_argument, std::string(of) + ": lease must be at least 100 ms");
    }
    return value;
}

/// Of a pool; 0: as many as the machine has cores. `of`: the class of the option, for the error.
constexpr std::size_t checked_threads(std::size_t value, const char* of) {
    constexpr std::size_t most = 1000;
    if (value > most) {
        throw error(errc::invalid_argument, std::string(of) + ": cpu_threads " + std::to_string(value) + " is out of range: use 0 to " +
                                                std::to_string(most));
    }
    return value;
}

constexpr int checked_priority(int value) {
    if (value < lowest_priority || value > highest_priority) {
        throw error(errc::invalid_argument, "priority " + std::to_string(value) + " is out of range: use -100 to 100");
    }
    return value;
}

/// `of`: what it names, for the error.
constexpr std::string_view checked_name(std::string_view name, std::string_view of = {}) {
    if (!is_valid_name(name)) {
        throw error(errc::invalid_argument, "not a " + std::string(of) + (of.empty() ? "" : " ") + "name: " + in_quotes(name, 200) +
                                                "; use 1 to 128 characters of A-Z a-z 0-9 _ - . /");
    }
    return name;
}

inline const std::string& checked_own_id(const std::string& id) {
    if (!is_valid_own_id(id)) {
        throw error(errc::invalid_argument, "not a task id: " + in_quotes(id) +
                                                "; use 1 to 256 bytes without control characters, not beginning with '~', and "
                                                "not like \"queue:~1.a\"");
    }
    return id;
}

}  // namespace detail

/// What a submission does where a task that has not ended has its unique key.
enum class duplicate {
    join,     ///< nothing: it gives that task
    replace,  ///< takes the place of the one that has not started; or is stored as its successor, which becomes ready when it ends
    restart,  ///< the same, and cancels the one that has started
};
BOOST_DESCRIBE_ENUM(duplicate, join, replace, restart)

/// The options that a contract carries. A literal type: in a contract, a wrong value fails to compile.
class task_options {
public:
    constexpr task_options() {}

    /// The queue tasks go to; default "default".
    constexpr task_options& queue(std::string_view name) { return queue_ = detail::checked_name(name, "queue"), *this; }

    /// From -100 to 100, default 0; a higher one is fetched first.
    constexpr task_options& priority(int value) { return priority_ = detail::checked_priority(value), *this; }

    /// What happens after a failed attempt; default: nothing, one attempt.
    constexpr task_options& retry(const retry_policy& policy) { return policy_.retry = policy, *this; }

    /// Limit of one attempt: its handler is then cancelled, and the attempt counts as failed. Zero: none.
    constexpr task_options& timeout(duration limit) {
        return policy_.timeout = detail::not_negative(limit, "timeout"), *this;
    }

    /// Limit of the whole task from its submission on, retries included. Zero: none.
    constexpr task_options& deadline(duration limit) {
        return policy_.deadline = detail::not_negative(limit, "deadline"), *this;
    }

    /// A task not started within this expires. Zero: never.
    constexpr task_options& expires_in(duration limit) {
        return policy_.expires_in = detail::not_negative(limit, "expires_in"), *this;
    }

    /// How long the record and result of an ended task are kept; default an hour, and a week for a failed
    /// one. Zero: removed at once, so that only callers already waiting get the result.
    constexpr task_options& retention(duration ended) {
        return policy_.retention = detail::not_negative(ended, "retention"), *this;
    }
    /// How long they are kept, and how long those of a failed task.
    constexpr task_options& retention(duration ended, duration failed) {
        policy_.failed_retention = detail::not_negative(failed, "retention");
        return retention(ended);
    }

    /// How many times workers may die under the task before it becomes a dead letter; default 3, 0 = no limit.
    constexpr task_options& crash_limit(unsigned times) { return policy_.crash_limit = times, *this; }

    constexpr std::string_view queue() const { return queue_; }
    constexpr int priority() const { return priority_; }
    constexpr const run_policy& policy() const { return policy_; }

private:
    std::string_view queue_ = "default";
    int priority_ = 0;
    run_policy policy_;
};

/// The options of one submission. What is not set here comes from the contract.
class submit_options {
public:
    submit_options() {}

    /// As in `task_options`.
    submit_options& queue(std::string_view name) { return queue_ = detail::checked_name(name, "queue"), *this; }
    submit_options& priority(int value) { return priority_ = detail::checked_priority(value), *this; }
    submit_options& retry(const retry_policy& policy) { return retry_ = policy, *this; }
    submit_options& timeout(duration limit) {
        return timeout_ = detail::not_negative(limit, "timeout"), *this;
    }
    submit_options& deadline(duration limit) {
        return deadline_ = detail::not_negative(limit, "deadline"), *this;
    }
    submit_options& expires_in(duration limit) {
        return expires_in_ = detail::not_negative(limit, "expires_in"), *this;
    }
    submit_options& retention(duration ended) {
        return retention_ = detail::not_negative(ended, "retention"), *this;
    }
    submit_options& retention(duration ended, duration failed) {
        failed_retention_ = detail::not_negative(failed, "retention");
        return retention(ended);
    }
    submit_options& failed_retention(duration failed) {
        return failed_retention_ = detail::not_negative(failed, "retention"), *this;
    }
    submit_options& crash_limit(unsigned times) { return crash_limit_ = times, *this; }

    /// Not before `wait` has passed (by the broker's clock).
    submit_options& delay(duration wait) {
        return delay_ = detail::not_negative(wait, "delay"), at_.reset(), *this;
    }

    /// Not before `when`; a time in the past means at once.
    template <class Duration>
    submit_options& at(std::chrono::sys_time<Duration> when) {
        return at_ = rounded_up(when), delay_ = {}, *this;
    }

    /// Keeps the task from running until `job::start`.
    submit_options& hold(bool on = true) { return hold_ = on, *this; }

    /// The user's own id, unique in its queue for as long as the task's record is kept. Submitting it again
    /// changes nothing and gives the existing task, marked as a duplicate.
    submit_options& id(std::string own) {
        detail::checked_own_id(own);
        return id_ = std::move(own), *this;
    }

    /// At most one live task with `key`, of up to 1024 bytes, in its queue: a second submission gives the first, marked as a
    /// duplicate. The key is free again when the task has ended, or after `window` (zero: only then).
    submit_options& unique(std::string key, duration window = {}) {
        if (key.empty()) throw error(errc::invalid_argument, "a unique key must not be empty: leave out unique() for none");
        detail::check_name(detail::limits::unique_key, key);
        unique_window_ = detail::not_negative(window, "the window of a unique key");
        return unique_key_ = std::move(key), *this;
    }

    /// What becomes of this submission where a task that has not ended has its unique key; default `duplicate::join`.
    ///
    /// `replace`: a task that has not started gets this payload, with its options and due time, and keeps its id. One that has
    /// started keeps its payload, and this submission is stored as its successor, which becomes ready when it has ended,
    /// whatever way; later ones replace the successor. So at most one task of the key runs and one waits; after the last
    /// submission a run starts with its payload; and whoever waits for a replaced submission gets that run's result.
    /// `restart` also cancels the task that has started.
    ///
    /// Only with `unique`, and not with `hold` or for subtasks.
    submit_options& on_duplicate(duplicate policy) { return on_duplicate_ = policy, *this; }

    /// Runs once things have been quiet: `replace`, with a due time of `quiet` from now, which each further submission with the
    /// key moves, but not beyond `at_most` from the first on (zero: without a bound).
    submit_options& debounce(duration quiet, duration at_most = {}) {
        if (quiet <= duration::zero()) throw error(errc::invalid_argument, "debounce: the time without submissions must be positive");
        if (detail::not_negative(at_most, "debounce: at_most") != duration::zero() && at_most < quiet) {
            throw error(errc::invalid_argument, "debounce: at_most is shorter than the time without submissions: use at least as long");
        }
        if (on_duplicate_ == duplicate::join) on_duplicate_ = duplicate::replace;
        return at_most_ = at_most, delay(quiet);
    }

    /// What the task is for, such as a customer: the tasks of a queue that have a key take turns by it, and a queue may have limits
    /// for each key. Up to 256 bytes of UTF-8 without control characters; a replaced task gets the key of the one in its place.
    submit_options& key(std::string of) {
        if (of.empty()) throw error(errc::invalid_argument, "a key must not be empty: leave out key() for that of the contract, if it takes one");
        detail::check_name(detail::limits::key, of);
        return key_ = std::move(of), *this;
    }

    /// How long `client::run` waits for the result from the submission on, before it cancels the task and ends with
    /// `errc::timed_out`; default: for ever. Other calls ignore it.
    submit_options& wait(duration limit) { return wait_ = detail::not_negative(limit, "wait"), *this; }

    /// A header that travels with the task; a later value for the same name wins. Up to 256 bytes of UTF-8 with a value of
    /// up to 64 KiB.
    submit_options& header(std::string name, std::string value) {
        detail::check_header(name, value);
        return headers_[std::move(name)] = std::move(value), *this;
    }

    /// Puts the task below a place in a trace (W3C Trace Context), by the headers `traceparent` and `tracestate`.
    submit_options& trace(const trace_context& below) {
        header(std::string(trace_context::parent_header), below.traceparent());
        headers_.erase(std::string(trace_context::state_header));
        if (below.tracestate().empty()) return *this;
        return header(std::string(trace_context::state_header), below.tracestate());
    }

    const std::optional<std::string>& queue() const { return queue_; }
    const std::optional<int>& priority() const { return priority_; }
    duration delay() const { return delay_; }
    const std::optional<time_point>& at() const { return at_; }
    bool hold() const { return hold_; }
    const std::string& id() const { return id_; }
    const std::string& unique_key() const { return unique_key_; }
    duration unique_window() const { return unique_window_; }
    duplicate on_duplicate() const { return on_duplicate_; }
    duration at_most() const { return at_most_; }
    const std::string& key() const { return key_; }
    duration wait() const { return wait_; }
    const header_map& headers() const { return headers_; }

    /// The contract's policy with what is set here in its place.
    run_policy over(run_policy base) const {
        const auto take = [](auto& target, const auto& source) {
            if (source) target = *source;
        };
        take(base.retry, retry_);
        take(base.timeout, timeout_);
        take(base.deadline, deadline_);
        take(base.expires_in, expires_in_);
        take(base.retention, retention_);
        take(base.failed_retention, failed_retention_);
        take(base.crash_limit, crash_limit_);
        return base;
    }

    /// The policy with what is set here where it has the usual value: a default for what says nothing itself.
    run_policy under(run_policy policy) const {
        static constexpr run_policy usual{};
        const auto take = [](auto& target, const auto& standard, const auto& source) {
            if (source && target == standard) target = *source;
        };
        take(policy.retry, usual.retry, retry_);
        take(policy.timeout, usual.timeout, timeout_);
        take(policy.deadline, usual.deadline, deadline_);
        take(policy.expires_in, usual.expires_in, expires_in_);
        take(policy.retention, usual.retention, retention_);
        take(policy.failed_retention, usual.failed_retention, failed_retention_);
        take(policy.crash_limit, usual.crash_limit, crash_limit_);
        return policy;
    }

    /// Whether tasks submitted with these options have the contract's own queue, priority, policy and no
    /// headers, so that they can share one specification.
    bool keeps_contract() const {
        return !priority_ && !retry_ && !timeout_ && !deadline_ && !expires_in_ && !retention_ &&
               !failed_retention_ && !crash_limit_ && headers_.empty();
    }

private:
    std::optional<std::string> queue_;
    std::optional<int> priority_;
    std::optional<retry_policy> retry_;
    std::optional<duration> timeout_;
    std::optional<duration> deadline_;
    std::optional<duration> expires_in_;
    std::optional<duration> retention_;
    std::optional<duration> failed_retention_;
    std::optional<unsigned> crash_limit_;
    duration delay_{};
    std::optional<time_point> at_;
    bool hold_ = false;
    std::string id_;
    std::string unique_key_;
    duration unique_window_{};
    duplicate on_duplicate_ = duplicate::join;
    duration at_most_{};
    std::string key_;
    duration wait_ = (duration::max)();
    header_map headers_;
};

}  // namespace taskflux
