#pragma once

#include <taskflux/core/failure.hpp>
#include <taskflux/core/state.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/http/values.hpp>

#include <boost/describe/class.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace taskflux::http {

/// Why a job has failed, as the API tells it.
struct job_error {
    std::string code;
    std::string type;
    std::string message;
    std::optional<std::string> pointer;           ///< into the payload, where that is wrong
    std::optional<boost::json::value> details;    ///< of a fault
};
BOOST_DESCRIBE_STRUCT(job_error, (), (code, type, message, pointer, details))

/// A job as the API tells of it.
struct job_view {
    std::string id;
    std::optional<std::string> own_id;
    std::string task;
    std::string queue;
    task_state state = task_state::waiting;
    int priority = 0;
    std::optional<std::string> key;
    std::optional<std::string> parent;
    unsigned attempts = 0;
    bool cancel_requested = false;
    std::optional<moment> submitted_at;
    std::optional<moment> due_at;
    std::optional<moment> started_at;
    std::optional<moment> ended_at;
    std::optional<boost::json::value> progress;
    std::optional<boost::json::value> result;  ///< once it has succeeded
    std::optional<job_error> error;            ///< of the last attempt that has failed
};
BOOST_DESCRIBE_STRUCT(job_view, (), (id, own_id, task, queue, state, priority, key, parent, attempts, cancel_requested, submitted_at, due_at,
                                     started_at, ended_at, progress, result, error))

}  // namespace taskflux::http

namespace taskflux::detail {

http::job_view view_of(const task_record& record);

/// A stored text as JSON; what is no JSON as a string, in base64 where it is not UTF-8.
boost::json::value stored_json(std::string_view text);

}  // namespace taskflux::detail
