#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/time.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace taskflux {

/// What has happened in a queue. Their names are stored on servers; append only.
enum class event_kind : unsigned char {
    begun,      ///< events are told from here on
    submitted,
    started,    ///< a worker has the task
    succeeded,
    failed,     ///< for good
    cancelled,
    expired,
    retried,    ///< an attempt failed, and another one follows
    postponed,  ///< the handler asked for another time, which does not count as an attempt
    released,   ///< its worker gave the task back
    lost,       ///< its worker's lease ran out
    suspended,  ///< its handler paused
    requeued,   ///< an ended task is tried afresh
    replaced,   ///< a later submission with its unique key has taken the task's place
    removed,    ///< the record, by hand
    paused,     ///< the queue
    resumed,
    limit_changed,
    schedule_fired,
};
BOOST_DESCRIBE_ENUM(event_kind, begun, submitted, started, succeeded, failed, cancelled, expired, retried, postponed, released,
                    lost, suspended, requeued, replaced, removed, paused, resumed, limit_changed, schedule_fired)

/// Tasks of one queue by their numbers (`task_key::sequence`), from `first` to `last`.
struct number_range {
    std::uint64_t first = 0, last = 0;
};
BOOST_DESCRIBE_STRUCT(number_range, (), (first, last))

/// Something that has happened to one or more tasks of a queue, or to the queue. Never payloads, results, errors or log lines: who
/// wants them reads the record.
struct queue_event {
    event_kind kind = event_kind::begun;
    time_point at{};                    ///< by the broker's wall clock
    std::vector<number_range> numbers;  ///< of the tasks; none where it is about the queue
    unsigned attempt = 0;               ///< of these tasks; 0 where none has ended as one, or none is under way
    std::string name;                   ///< of these tasks; empty where the step did not have to know it
    std::string consumer;               ///< the worker's life that did it, or had the tasks
    std::string schedule;               ///< that fired

    bool has(std::uint64_t number) const {
        for (const auto& range : numbers) {
            if (range.first <= number && number <= range.last) return true;
        }
        return false;
    }
    std::size_t count() const {
        std::size_t many = 0;
        for (const auto& range : numbers) many += static_cast<std::size_t>(range.last - range.first + 1);
        return many;
    }
};
BOOST_DESCRIBE_STRUCT(queue_event, (), (kind, at, numbers, attempt, name, consumer, schedule))

/// How far a reader of a queue's events has come: the number of an entry, and what its broker calls it.
struct event_cursor {
    std::uint64_t number = 0;
    std::string id;  // two numbers, of which a cursor of another broker has others

    std::string text() const { return std::to_string(number) + '@' + id; }

    /// Errors: `invalid_argument`.
    static event_cursor parse(std::string_view text) {
        event_cursor made;
        const auto* const end = text.data() + text.size();
        const auto read = std::from_chars(text.data(), end, made.number);
        if (read.ec == std::errc() && read.ptr != end && *read.ptr == '@') {
            made.id.assign(read.ptr + 1, end);
            const auto dash = made.id.find('-');
            if (dash != std::string::npos && is_number(made.id.substr(0, dash)) && is_number(made.id.substr(dash + 1))) return made;
        }
        throw error(errc::invalid_argument,
                    "\"" + std::string(text) + "\" is no cursor of a queue's events: take one that `events::cursor` has given");
    }

private:
    static bool is_number(const std::string& text) {
        return !text.empty() && text.size() <= 19 && text.find_first_not_of("0123456789") == std::string::npos;
    }
};

/// What one call to a broker has brought about. Entries are numbered without gaps.
struct event_entry {
    event_cursor at;
    std::vector<queue_event> events;
};

struct event_query {
    std::string cursor;       ///< behind which to read; empty: from now on
    std::size_t limit = 100;  ///< entries
    duration lease{};         ///< for how long to go on telling events, at least; zero: as it is
};

struct event_page {
    std::vector<event_entry> entries;  ///< oldest first
    event_cursor end;                  ///< behind them; where there are none, the newest: what was behind the query's cursor is gone
    time_point now{};                  ///< by the broker's wall clock
};

}  // namespace taskflux
