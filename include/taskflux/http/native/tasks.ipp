#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/http/native/job_view.hpp>
#include <taskflux/http/native/tasks.hpp>
#include <taskflux/http/problem.hpp>
#include <taskflux/http/response.hpp>

#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace taskflux::detail {

inline submit_options options_of(const http::submit_request& asked) {
    submit_options made;
    if (asked.idempotency_key) made.id(*asked.idempotency_key);
    if (asked.queue) made.queue(*asked.queue);
    if (asked.priority) made.priority(*asked.priority);
    if (asked.key) made.key(*asked.key);
    if (asked.unique_key) made.unique(*asked.unique_key, asked.unique_window.value_or(http::span()));
    if (asked.delay) made.delay(*asked.delay);
    if (asked.at) made.at(asked.at->value());
    if (asked.hold) made.hold();
    if (asked.timeout) made.timeout(*asked.timeout);
    if (asked.deadline) made.deadline(*asked.deadline);
    if (asked.expires_in) made.expires_in(*asked.expires_in);
    return made;
}

inline const http::exposed_task& exposed(const http::exposed_tasks& all, const std::string& name) {
    const auto found = all.find(name);
    if (found != all.end()) return found->second;
    http::problem none(404, "there is no task " + in_quotes(name) + " here; GET /v1/tasks lists those that there are");
    throw none.code("no_such_task").at(http::place::path, "name", "no such task");
}

inline asio::awaitable<http::job_view> look_up(broker_ptr broker, task_id id) {
    const auto record = co_await broker->get(id);
    if (!record) throw no_such_task(id);
    co_return view_of(*record);
}

/// `look_up` as an answer, with `otherwise` as the status of a job that has not ended.
inline asio::awaitable<http::response> tell_job(broker_ptr broker, task_id id, unsigned otherwise) {
    auto looking = look_up(std::move(broker), std::move(id));
    const auto seen = co_await std::move(looking);
    auto made = http::response::json(is_terminal(seen.state) ? 200 : otherwise, seen);
    co_return made;
}

/// Waits for the task's end, for at most `wait`, or until the gateway drains.
inline asio::awaitable<void> await_end_for(broker_ptr broker, task_id id, duration wait, http::call& in) {
    auto waiting = broker->wait(std::move(id), wait);
    auto unless = in.unless_draining(std::move(waiting));
    co_await std::move(unless);
}

inline std::string job_path(const std::string& id) { return "/v1/jobs/" + http::percent_encoded(id); }

inline asio::awaitable<http::response> submit_task(const http::gateway_parts* with, http::call& in, http::submit_request asked) {
    const auto& task = exposed(with->tasks(), asked.name);
    if (!task.takes_bytes()) require_json(in.request());
    auto payload = task.payload(asked.body.bytes);
    const auto options = options_of(asked);
    auto submitting = task.submit(with->broker(), options, std::move(payload));
    const auto stored = co_await std::move(submitting);
    const task_id id{queue_of(task, options), stored.key};
    const auto location = job_path(to_string(id));
    if (asked.wait && *asked.wait != duration::zero()) {
        co_await await_end_for(with->broker(), id, *asked.wait, in);
        auto telling = tell_job(with->broker(), id, 202);
        auto ended = co_await std::move(telling);
        ended.header("Location", location);
        co_return ended;
    }
    http::submitted_job told;
    told.id = to_string(id);
    told.duplicate = stored.duplicate;
    if (asked.hold) told.state = task_state::held;
    else if (asked.delay || asked.at) told.state = task_state::scheduled;
    if (stored.duplicate) {
        auto looking = look_up(with->broker(), id);
        const auto seen = co_await std::move(looking);
        told.state = seen.state;
    }
    auto made = http::response::json(202, told);
    made.header("Location", location);
    co_return made;
}

inline asio::awaitable<http::response> get_job(broker_ptr broker, http::call& in, http::job_request asked) {
    auto finding = find_task(broker, std::move(asked.queue), std::move(asked.id));
    const auto id = co_await std::move(finding);
    if (asked.wait && *asked.wait != duration::zero()) co_await await_end_for(broker, id, *asked.wait, in);
    auto telling = tell_job(broker, id, 200);
    co_return co_await std::move(telling);
}

void add_tasks(http::routes& to, const http::gateway_parts& with) {
    using http::permission;
    to.add<http::submit_request>("POST /v1/tasks/{name}", permission::submit, std::bind_front(&submit_task, &with))
        .summary("Submits a task; with `wait` answers with its result.")
        .group("tasks")
        .about("name", "the task's name")
        .about("wait", "how long to wait for the task's end, such as 5s; it goes on after that")
        .about("idempotency_key", "the task's own id: of several requests with one id the first counts")
        .from_header("idempotency_key", "Idempotency-Key")
        .also_as_headers("Taskflux-")
        .answers<http::submitted_job>(202, "It is stored, and has not ended.")
        .answers<http::job_view>(200, "It has ended within `wait`.");
    to.add<http::job_request>("GET /v1/jobs/{id}", permission::read, std::bind_front(&get_job, with.broker()))
        .summary("What is known of a job; with `wait` once it has ended, or that has passed.")
        .group("jobs")
        .about("id", "the id that its submission gave, or, with `queue`, its own")
        .about("wait", "how long to wait for the job's end, such as 5s")
        .answers<http::job_view>(200, "the job");
}

}  // namespace taskflux::detail
