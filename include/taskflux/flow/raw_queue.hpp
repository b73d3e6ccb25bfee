#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/flow/job.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

namespace detail {
class held_message;
class raw_receiver;
}  // namespace detail

/// How a `raw_queue` receives. Setters may be chained; the same name without an argument reads.
class raw_queue_options {
public:
    raw_queue_options() {}

    /// How long a process that is silent keeps its messages; default 30 s, at least 100 ms.
    raw_queue_options& lease(duration length);

    /// What the receiver is called in records, of letters as queues are; default: a random name.
    raw_queue_options& name(std::string_view name);

    duration lease() const { return lease_; }
    const std::string& name() const { return name_; }

private:
    duration lease_ = std::chrono::seconds(30);
    std::string name_;
};

/// A message in hand: nobody else gets it while this lives and its process renews the lease, which happens by itself where
/// the broker's context runs. One that is destroyed before it was settled is given back. Move-only; one thread at a time.
///
/// `complete`, `release` and `fail` settle it, once: `lease_lost` says that the lease had run out, and others have it (again).
/// Errors: those of `broker`, after which it is still held and can be settled again; `wrong_state` for a second time.
/// Cancelling one leaves open whether it took effect. The message may be gone before they are awaited.
class received_message {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    explicit received_message(std::shared_ptr<detail::held_message> held);
    received_message(received_message&&) noexcept;
    received_message& operator=(received_message&&) noexcept;
    ~received_message();

    const task_id& id() const;
    const std::string& name() const;         ///< of the task; "message" where `send` sent it
    const std::string& body() const;         ///< what was sent; of a task, the payload as JSON
    const std::string& own_id() const;       ///< what its sender calls it, or empty
    const header_map& headers() const;
    unsigned deliveries() const;             ///< 1 for the first: from 2 on it may have been handled before
    time_point submitted_at() const;

    /// The body, read as a `T`. Errors: those of `decode`.
    template <class T>
    T as() const {
        return decode<T>(body());
    }

    /// Whether the lease is known to be lost: then others may handle the message at the same time.
    bool is_lost() const;

    /// Whether somebody has cancelled it since: learnt when the lease is renewed, each third of it. However it is settled
    /// then, it ends as cancelled.
    bool is_cancelled() const;

    /// Handled: it does not come again. `result` is for who awaits it, as JSON where that is a typed client.
    awaitable<effect> complete(std::string result = "null");

    /// Gives it back: at once to the head of the queue, or after `delay`. Does not count as an attempt.
    awaitable<effect> release(duration delay = duration::zero());

    /// Fails it for good: a dead letter, which says `why`.
    awaitable<effect> fail(std::string why);

private:
    std::shared_ptr<detail::held_message> held_;  // null: moved from
};

/// A queue without contracts and handlers, to talk to programs that know neither: bytes are sent and received one by one.
/// What is received are tasks like all others, whoever submitted them and whatever their name; what is sent can be handled
/// by a worker. At least once. Retry policies, timeouts and deadlines are for workers to keep, and without effect here; a
/// message whose receivers die often is a dead letter by its `crash_limit` (3).
///
/// A value: copies share their lease. Thread-safe. The broker's context must outlive it and its messages.
class raw_queue {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    /// Waits as long as it takes.
    static constexpr duration forever = (duration::max)();

    /// Errors: `invalid_argument` for what can't be a queue's name.
    raw_queue(broker_ptr broker, std::string queue, raw_queue_options options = raw_queue_options());

    const std::string& name() const;

    /// Sends bytes as they are; a program that shares them as JSON sends `encode(value)`. They are a task with the name
    /// "message", which stays for `retention` (an hour) when it has been handled. `options.queue` is of no meaning. Errors
    /// and cancellation as in `client::submit`.
    awaitable<job<raw>> send(std::string bytes, const submit_options& options = submit_options()) const;

    /// Sends a task that a worker has a handler for by that name. `payload` is JSON (not checked: the handler would fail).
    awaitable<job<raw>> send_task(std::string task, std::string payload,
                                  const submit_options& options = submit_options()) const;

    /// The next message, higher priority first, then in order; waits for one up to `wait`, and gives nothing when none
    /// came. Errors: those of `broker`. Cancellation (terminal): throws `operation_aborted`, and what had come
    /// just then is given back.
    awaitable<std::optional<received_message>> receive(duration wait = forever) const;

private:
    std::shared_ptr<detail::raw_receiver> receiver_;
};

}  // namespace taskflux
