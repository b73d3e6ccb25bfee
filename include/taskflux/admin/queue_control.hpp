#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/queue_limits.hpp>
#include <taskflux/core/limit.hpp>
#include <taskflux/core/state.hpp>
#include <taskflux/detail/required.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace taskflux {

/// The rules of one queue, and what they hold back: counts, pause, limits. All of them hold for every worker of the queue,
/// whichever process has set them.
///
///     taskflux::queue_control mail{broker, "mail"};
///     co_await mail.declare(taskflux::limit().running(10).rate(100, 1min));
///     co_await mail.set_limit(taskflux::limit().running(1), "the provider is in trouble");
///     co_await mail.reset_limit();
///
/// A value that shares its broker; copies and calls from several threads are safe. Errors: those of `broker`.
class queue_control {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    /// Errors: `invalid_argument` for a null pointer or an invalid name.
    queue_control(broker_ptr broker, std::string queue);

    const std::string& name() const { return name_; }

    /// How many tasks are in each state.
    awaitable<queue_counts> counts() const;

    /// A paused queue takes tasks but hands none out; what runs goes on.
    awaitable<void> pause() const;
    awaitable<void> resume() const;

    /// Removes all tasks that are not running, or those in `state`; returns how many.
    awaitable<std::size_t> clear(std::optional<task_state> state = std::nullopt) const;

    /// Sets the limit that the program wants, for instance when it starts; nothing: it wants none. It holds unless a live one
    /// is set.
    awaitable<void> declare(std::optional<limit> what) const;

    /// Sets a limit that holds instead of the declared one, until `reset_limit`: programs that start do not change it. `reason`
    /// is for people, up to 1,000 bytes of UTF-8. Errors: also `invalid_argument` for a longer one.
    awaitable<void> set_limit(limit what, std::string reason) const;

    /// Has the declared limit hold again.
    awaitable<void> reset_limit() const;

    /// Both limits, and how many tasks may start now; if not more, why.
    awaitable<queue_limits> limits() const;

private:
    const broker_ptr& broker() const { return detail::required(broker_, "queue_control"); }

    broker_ptr broker_;
    std::string name_;
};

}  // namespace taskflux
