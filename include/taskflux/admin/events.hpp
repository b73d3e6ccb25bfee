#pragma once

#include <taskflux/admin/events_observer.hpp>
#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/events.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/time.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace taskflux {

/// Events that a reader did not get: they were dropped before it came to them, or nobody wanted to hear of them meanwhile. What has
/// become of the tasks is in their records: `broker::list`.
struct event_gap {
    std::string from, to;  ///< cursors: of the last that the reader has got, and where it goes on
    time_point since{};    ///< of the last event before
    time_point until{};    ///< of the next one, or now
};

/// An event, or that some are missing.
using event_item = std::variant<queue_event, event_gap>;

/// What a reader of events wants. Filters work where it runs: the queue tells all to all readers.
class events_options {
public:
    events_options() = default;

    /// Goes on behind a cursor that `events::cursor` has given; empty: from now on.
    events_options&& from(std::string cursor) && { return from_ = std::move(cursor), std::move(*this); }
    /// How often it asks while nothing happens, at most a third of the lease. Default 500 ms.
    events_options&& poll(duration every) && { return poll_ = every, std::move(*this); }
    /// For how long the queue goes on telling events when the reader is gone. Default one minute.
    events_options&& lease(duration time) && { return lease_ = time, std::move(*this); }
    /// Only these kinds; several calls add up.
    events_options&& only(event_kind kind) && { return kinds_.insert(kind), std::move(*this); }
    /// Only what happens to this task, and of that nothing of others. It goes by the task's number.
    events_options&& of(const task_id& id) && { return task_ = id, std::move(*this); }
    /// Only what happens to tasks of this name, and of that nothing of others. Ends don't say it: the reader knows those of the
    /// newest 100,000 tasks whose beginning it has heard of, and looks up each other one. A task whose record is gone counts as
    /// having the name.
    events_options&& named(std::string name) && { return name_ = std::move(name), std::move(*this); }

    /// Is told of what the reader misses, beside the gap that it is given; default: none.
    events_options&& observer(std::shared_ptr<events_observer> to) && { return observer_ = std::move(to), std::move(*this); }

    const std::string& from() const { return from_; }
    duration poll() const { return poll_; }
    duration lease() const { return lease_; }
    const std::set<event_kind>& kinds() const { return kinds_; }
    const std::optional<task_id>& of() const { return task_; }
    const std::string& name() const { return name_; }
    const std::shared_ptr<events_observer>& observer() const { return observer_; }

private:
    std::string from_, name_;
    duration poll_ = std::chrono::milliseconds(500);
    duration lease_ = std::chrono::minutes(1);
    std::set<event_kind> kinds_;
    std::optional<task_id> task_;
    std::shared_ptr<events_observer> observer_;
};

/// Reads what happens in a queue, as long as it is asked: a queue that nobody reads tells nothing, unless `queue_control::
/// keep_events` says so. At least once, and in order within the queue; a slow reader costs the queue nothing, and is told of what was
/// dropped meanwhile. One `next` at a time, by one thread; until it has returned the reader must stay where it is: neither
/// destroyed nor moved.
class events {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    /// Errors: `invalid_argument` for an invalid name, a cursor or task of another queue, a null pointer, times that are not above
    /// zero, and a poll above a third of the lease.
    events(broker_ptr broker, std::string queue, events_options options = events_options());

    /// The next event, or gap; waits for it. Without a cursor the first is `begun`: from there on none is missing. Cancellation:
    /// terminal; nothing is lost by it. Errors: those of `broker`, after which it can be called again.
    awaitable<event_item> next();

    /// Behind what `next` has given, as a text: for `events_options::from`, in another process too. Events that came together are
    /// given again until the last of them was taken. Empty before the first.
    std::string cursor() const { return done_.at.id.empty() ? std::string() : text_of(done_); }

private:
    struct place {
        event_cursor at;
        time_point last{};  // of the newest event before
    };
    struct waiting {
        event_item item;
        place behind;  // where the reader is when it has taken this one
    };

    std::string text_of(const place& where) const;
    place parse(const std::string& text) const;
    awaitable<void> rest();
    awaitable<void> read();
    void add_gap(place to, time_point until);
    void tell_lost(const event_cursor& to) const noexcept;
    void add(event_entry entry);
    awaitable<bool> is_wanted(queue_event& event);
    awaitable<bool> has_name(std::uint64_t number);
    void know(std::uint64_t number, std::string name);

    broker_ptr broker_;
    std::string queue_;
    events_options options_;
    place done_, read_;
    std::deque<waiting> ready_;
    std::map<std::uint64_t, std::string> names_;  // of the newest tasks; empty: its record is gone
};

}  // namespace taskflux
