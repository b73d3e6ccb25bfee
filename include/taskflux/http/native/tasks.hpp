#pragma once

#include <taskflux/core/codec/customise.hpp>
#include <taskflux/core/state.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/http/dialect.hpp>
#include <taskflux/http/router.hpp>
#include <taskflux/http/values.hpp>

#include <boost/describe/class.hpp>

#include <optional>
#include <string>

namespace taskflux::http {

/// `POST /v1/tasks/{name}`: all but the name and the payload may be given in the query, or as `Taskflux-*` headers.
struct submit_request {
    std::string name;
    std::optional<std::string> idempotency_key;  ///< the task's own id
    std::optional<span> wait;                    ///< for its result
    std::optional<std::string> queue;
    std::optional<int> priority;
    std::optional<std::string> key;
    std::optional<std::string> unique_key;
    std::optional<span> unique_window;
    std::optional<span> delay;
    std::optional<moment> at;
    bool hold = false;
    std::optional<span> timeout;
    std::optional<span> deadline;
    std::optional<span> expires_in;
    raw body;  ///< the payload
};
BOOST_DESCRIBE_STRUCT(submit_request, (), (name, idempotency_key, wait, queue, priority, key, unique_key, unique_window, delay, at, hold,
                                           timeout, deadline, expires_in, body))

/// A task that was submitted, and is not waited for.
struct submitted_job {
    std::string id;
    task_state state = task_state::waiting;
    bool duplicate = false;  ///< it was there already, by its id or unique key
};
BOOST_DESCRIBE_STRUCT(submitted_job, (), (id, state, duplicate))

/// `GET /v1/jobs/{id}`: the printed form of an id, or an own one in `queue`.
struct job_request {
    std::string id;
    std::string queue = "default";
    std::optional<span> wait;  ///< for its end
};
BOOST_DESCRIBE_STRUCT(job_request, (), (id, queue, wait))

}  // namespace taskflux::http

namespace taskflux::detail {

/// Submitting tasks, and a look at one.
void add_tasks(http::routes& to, const http::gateway_parts& with);

}  // namespace taskflux::detail
