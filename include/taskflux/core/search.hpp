#pragma once

#include <taskflux/core/state.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/core/time.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace taskflux {

/// A value in a task's payload: `order.id` is the member `id` of the member `order`, and `items.0` the first of an array.
struct payload_condition {
    std::string path;
    std::string value;  ///< a text as it is, anything else as JSON writes it

    bool operator==(const payload_condition&) const = default;
};

/// Which tasks are searched for: those that satisfy all of these. What is empty restricts nothing.
struct search_filter {
    search_filter() = default;

    std::string queue;
    std::vector<task_state> states;  ///< in one of them
    std::string task;   ///< its name; `mail_*`: names that begin so
    std::string key;    ///< by which it takes turns
    std::string error;  ///< an error group of 16 hexadecimal digits, or what code, type or message of its error contain
    std::string node;   ///< where it runs, has succeeded or has failed
    std::string id;     ///< printed, or its submitter's own
    time_point since{};        ///< submitted at or after
    time_point until = never;  ///< submitted before
    std::vector<payload_condition> payload;

    bool operator==(const search_filter&) const = default;
};

/// Reads a filter as people write it, qualifiers with blanks in between:
///
///     state:failed,cancelled task:send_mail queue:mail key:"big customer" node:web-3 id:order-7
///     since:-2h until:2026-01-31T12:00:00Z error:timeout order.id:42 payload.urgent:true
///
/// A value with blanks is in double quotes, in which \" and \\ are a quote and a backslash. Times are `now`, before it (`-90s`,
/// `-15m`, `-2h`, `-7d`, `-2w`) or as in ISO 8601, in UTC where they say nothing else. A qualifier with a dot is a path in the
/// payload; `payload.` may stand before it, and must where it has no dot. A printed task id may stand alone. Each qualifier comes
/// once, but for paths; what begins with one is no id. Errors: `invalid_argument`, which says where, and what would be right.
search_filter parse_search(std::string_view text, time_point now);

/// A text that `parse_search` reads as the same filter, whenever it does.
std::string to_string(const search_filter& filter);

namespace detail {

/// Whether an error is named by its group.
bool is_error_group(std::string_view error);

/// Whether a text is looked for in errors, which a broker may store unreadably; whether there is one it knows.
bool asks_for_error_text(const search_filter& filter);

/// Whether something is asked for that a broker does not look at, as it may store it unreadably.
bool asks_for_texts(const search_filter& filter);

/// Whether a task has those texts.
bool has_texts(const search_filter& filter, const task_record& task);

}  // namespace detail

}  // namespace taskflux
