#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/codec/named.hpp>
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
#include <vector>

namespace taskflux {

namespace detail {
class held_message;
class raw_receiver;
}  // namespace detail

/// How a `raw_queue` receives. Setters may be chained; the same name without an argument reads.
class raw_queue_options {
public:
    raw_queue_options() {}

    /// How long a process keeps its messages without a heartbeat; default 30 s, at least 100 ms.
    raw_queue_options& lease(duration length);

    /// The receiver's name in records, of the characters of a queue's name; default: a random name.
    raw_queue_options& name(std::string_view name);

    duration lease() const { return lease_; }
    const std::string& name() const { return name_; }

private:
    duration lease_ = std::chrono::seconds(30);
    std::string name_;
};

/// A message that this process holds: no other receiver gets it while this object lives and the lease is renewed, which
/// happens in the background where the broker's context runs. An object that is destroyed before it was settled gives the
/// message back. Move-only; one thread at a time.
///
/// `complete`, `release` and `fail` settle it, once. They return `lease_lost` when the lease has run out, and another receiver
/// may have the message. Errors: those of `broker`, after which the message is still held and can be settled again;
/// `wrong_state` when it has been settled. Cancelling one leaves open whether it took effect. This object may be destroyed
/// before they are awaited.
class received_message {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    explicit received_message(std::shared_ptr<detail::held_message> held);
    received_message(received_message&&) noexcept;
    received_message& operator=(received_message&&) noexcept;
    ~received_message();

    const task_id& id() const;
    const std::string& name() const;         ///< the task's; "message" where `send` sent it
    const std::string& body() const;         ///< the bytes that were sent; of a task, its payload as JSON. Errors: `bad_payload`,
                                             ///< on a broker made by `coded`, for what can't be read
    const std::string& own_id() const;       ///< the id that the sender gave it, or empty
    const header_map& headers() const;
    unsigned deliveries() const;             ///< 1 for the first; from 2 on it may have been handled before
    time_point submitted_at() const;

    /// The body, read as a `T`. Errors: those of `decode`.
    template <class T>
    T as() const {
        const auto subject = [this] { return "the body of message " + to_string(id()); };
        return detail::decode_of<T>(subject, body());
    }

    /// Whether the lease is known to be lost: then others may handle the message at the same time.
    bool is_lost() const;

    /// Whether the message has been cancelled since it was received: known after the next renewal of the lease, a third of
    /// it. However it is settled then, it ends as cancelled.
    bool is_cancelled() const;

    /// Acknowledges the message: it is not delivered again. `result` is for callers that wait for it: JSON, where they use a
    /// typed `client`.
    awaitable<effect> complete(std::string result = "null");

    /// Gives the message back: to the head of the queue, or after `delay` (zero: at once). Does not count as an attempt.
    awaitable<effect> release(duration delay = duration::zero());

    /// Fails the message for good: it becomes a dead letter with the reason `why`.
    awaitable<effect> fail(std::string why);

private:
    std::shared_ptr<detail::held_message> held_;  // null: moved from
};

/// A queue without contracts and handlers, for programs that know neither: sends and receives bytes, one message at a time.
/// It receives tasks of any name, whoever submitted them, and workers can handle what it sends. At-least-once. Workers apply
/// retry policies, timeouts and deadlines; here they have no effect. A message whose receivers die becomes a dead letter by
/// its `crash_limit` (3).
///
/// A value: copies share their lease. Thread-safe.
class raw_queue {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    /// Waits without a limit.
    static constexpr duration forever = (duration::max)();

    /// Errors: `invalid_argument` for an invalid queue name.
    raw_queue(broker_ptr broker, std::string queue, raw_queue_options options = raw_queue_options());

    const std::string& name() const;

    /// Sends bytes as they are (JSON: `encode(value)`), as a task with the name "message", whose record is kept for
    /// `retention` (1 h) after it was handled. `options.queue` is ignored. Errors and cancellation: as of `client::submit`.
    awaitable<job<raw>> send(std::string bytes, const submit_options& options = submit_options()) const;

    /// Sends a task for workers that have a handler of this name. `payload` is JSON; it is not checked here, and text that is
    /// not JSON fails at the handler.
    awaitable<job<raw>> send_task(std::string task, std::string payload,
                                  const submit_options& options = submit_options()) const;

    /// Receives the next message, higher priority first, then in order. Waits for one up to `wait`, and returns nothing when
    /// none came. Errors: those of `broker`. Cancellation (terminal): throws `operation_aborted`; a message that was
    /// delivered just then is given back.
    awaitable<std::optional<received_message>> receive(duration wait = forever) const;

    /// Receives those of up to 1,000 named messages that wait, in the order given; does not wait for the others. Leaves out those
    /// that a pause or a limit holds back: `broker::acquire` tells them apart. `ids`: own ids, or printed ones of this queue. Errors:
    /// also `invalid_argument`. Cancellation: what was delivered just then comes again when its lease is over.
    awaitable<std::vector<received_message>> receive(std::vector<std::string> ids) const;

private:
    std::shared_ptr<detail::raw_receiver> receiver_;
};

}  // namespace taskflux
