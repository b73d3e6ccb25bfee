#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/limit.hpp>
#include <taskflux/core/state.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace taskflux {

/// Steers one queue: counts, pauses, clears and limits it, for all programs that use it.
///
/// A value: copies share nothing but the broker. Thread-safe. Errors of all calls: those of `broker`. Cancellation: terminal; what
/// was sent may still take effect.
class queue_control {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    /// Errors: `invalid_argument` for an invalid queue name and a null pointer.
    queue_control(broker_ptr broker, std::string queue);

    const std::string& name() const { return queue_; }

    /// How many tasks are in each state, how many workers serve the queue, and whether it is paused. O(1).
    awaitable<queue_counts> counts() const;

    /// A paused queue takes tasks and hands none out; those that run go on.
    awaitable<void> pause() const;
    awaitable<void> resume() const;

    /// Removes all tasks that are not running, or only those in `state`; returns how many. What is submitted meanwhile may be
    /// removed too.
    awaitable<std::size_t> clear(std::optional<task_state> state = std::nullopt) const;

    /// Limits the queue from now on, in place of the limit that is declared: for all programs, until `reset_limit`. An empty
    /// limit sets aside the declared one. Tasks that run go on; where more run than `value` allows, none starts until fewer do.
    /// `reason`: up to 1,024 bytes, for who looks at `limits`. Errors: `invalid_argument` for the reason.
    awaitable<void> set_limit(limit value, std::string reason) const;

    /// Takes a live limit back: the declared one counts again.
    awaitable<void> reset_limit() const;

    /// Declares the limit of a queue, as `worker::limit` does when its worker starts; an empty one takes that back. What is
    /// declared stays, also when no program runs, until another is declared; it counts unless there is a live limit.
    awaitable<void> declare_limit(limit value) const;

    /// Limit each key of the queue (see `submit_options::key`), or one key, for which that counts in place of what each has. As the
    /// calls above; an empty limit of one key lets it go free. Errors: `invalid_argument` also for the key, and
    /// for `max_waiting`, which bounds queues alone.
    awaitable<void> set_key_limit(limit value, std::string reason) const;
    awaitable<void> set_key_limit(std::string key, limit value, std::string reason) const;
    awaitable<void> reset_key_limit() const;
    awaitable<void> reset_key_limit(std::string key) const;
    awaitable<void> declare_key_limit(limit value) const;
    awaitable<void> declare_key_limit(std::string key, limit value) const;

    /// What is declared, and what was set live, with its reason and since when; and until when a handler that has thrown
    /// `throttled` keeps all from starting. A limit of a key that is damaged is named in `damaged`; of more than about 10,000 limits of
    /// single keys a Redis server leaves some out (`left_out`).
    awaitable<queue_limits> limits() const;

    /// Lets tasks start at once that a handler's `throttled` keeps from it; a pause and limits stay.
    awaitable<void> end_throttle() const;
    /// Has the queue tell its events (`taskflux::events`) whether somebody reads them or not, for readers that come back after a
    /// restart: about the newest `most` entries are kept, none for longer than `age` (zero: any). An entry is what one call has
    /// done, about 100 bytes. `most` zero, the default: only while somebody reads. Errors: `invalid_argument` for more than
    /// 1,000,000, and a negative age.
    awaitable<void> keep_events(std::size_t most, duration age = duration::zero()) const;

private:
    broker_ptr broker_;
    std::string queue_;
};

}  // namespace taskflux
