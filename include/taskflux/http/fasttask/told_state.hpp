#pragma once

#include <taskflux/broker/why.hpp>
#include <taskflux/core/failure.hpp>
#include <taskflux/core/task.hpp>

#include <optional>
#include <string>
#include <string_view>

// What FastTask's clients are told of a task. Pure.
namespace taskflux::detail {

/// A task's state, in Celery's words, and its result as JSON: an object or a text, never null.
struct told_state {
    std::string state;
    std::string result;
};

/// `why`: of a task that waits and has a key; else nothing.
told_state tell_state(const task_record& record, const std::optional<task_situation>& why);

/// What is told of an id that nobody knows, or whose result has expired.
told_state unknown_state();

/// A stored result as JSON: an object or a text as it is, anything else as the text that Python's `str` makes of it.
std::string told_result(std::string_view stored);

/// Why a task has failed, as a traceback that ends in `type: message`.
std::string failure_trace(const task_record& record);

/// The name that Python has for an exception of C++: `ValueError` for `std::invalid_argument`; others with dots for `::`.
std::string python_type(const failure& why);

/// The name of the worker in the name of its consumer.
std::string worker_of(const std::string& consumer);

/// `{"id": …, "state": …, "result": …}`.
std::string task_answer(std::string_view id, const told_state& of);

/// The same with `create_time` and `update_time`, RFC 3339, null where nothing is known.
std::string check_answer(std::string_view id, const told_state& of, const std::optional<task_record>& record);

}  // namespace taskflux::detail
