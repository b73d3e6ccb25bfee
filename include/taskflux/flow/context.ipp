#pragma once

#include <taskflux/calls/stream/outlet.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/flow/client/task_stream.hpp>
#include <taskflux/flow/context.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux {

void context::claim_call(const std::string& name) {
    book_.claim("call", name);
    const bool is_position = name.find_first_not_of("0123456789.") == std::string::npos;
    if (is_position) {
        throw error(errc::invalid_argument, "a call can't be named \"" + name +
                                                "\": digits and dots stand for positions; add a letter");
    }
}

void context::check_shared(const submit_options& options) {
    if (options.id().empty() && options.unique_key().empty()) return;
    throw error(errc::invalid_argument, "several subtasks can't share an id or a unique key: leave it out");
}

void context::inherit_trace(header_map& headers) const {
    const std::string parent(trace_context::parent_header), state(trace_context::state_header);
    if (headers.contains(parent)) return;  // a state that is given with it, or alone, is the caller's
    const auto mine = trace();
    if (!mine) return;
    headers[parent] = mine->traceparent();
    if (!mine->tracestate().empty()) headers.try_emplace(state, mine->tracestate());
}

new_task context::inherit(std::shared_ptr<task_spec> spec, int contract_priority, const submit_options& options,
                          std::string payload) const {
    const bool has_priority = options.priority() || contract_priority != 0;
    if (!has_priority) spec->priority = what_.spec->priority;
    inherit_trace(spec->headers);
    for (const auto& [name, value] : headers()) {
        const bool is_of_trace = name == trace_context::parent_header || name == trace_context::state_header;
        if (!is_of_trace) spec->headers.emplace(name, value);
    }
    spec->headers.erase(std::string(detail::stream_header));  // a subtask emits to no reader
    if (what_.deadline_at != never) {
        const auto left = (std::max)(what_.deadline_at - clock_.now(), duration(1));
        auto& deadline = spec->policy.deadline;
        deadline = deadline > duration::zero() ? (std::min)(deadline, left) : left;
    }
    return detail::make_task(std::move(spec), options, std::move(payload));
}

std::shared_ptr<detail::outlet> context::open_outlet() const {
    const auto where = header(detail::stream_header);
    if (where.empty()) return nullptr;
    const auto reader = detail::read_stream_header(where);
    return detail::outlet::open(sink_.broker(), reader.address, reader.window);
}

namespace detail {

/// Outside of the coroutine that calls it, where GCC 12 warns of a lambda.
inline std::string key_of_continuation(const contract<void, spawned>& task, const spawned& after, const spawn_options& options) {
    if (!options.then_keys()) return {};
    return taken_key(options.then_keys(), &after, [&] { return "the payload of " + task.subject(); });
}

}  // namespace detail

asio::awaitable<void> context::prepare(const spawned& after, const spawn_options& options) {
    const detail::contract<void, spawned> task(options.then_name(), options.then_options());
    auto made = inherited(task, submit_options(), encode(after));
    made.hold = true;
    made.key = detail::key_of_continuation(task, after, options);
    std::vector<new_task> tasks;
    tasks.push_back(std::move(made));
    std::vector<std::string> names(1, std::string(continuation_key.substr(1)));
    const detail::place at(names.front(), detail::call_kind::subtask);
    co_await detail::open_children(book_, at, queue_for(task, submit_options()), std::move(names), std::move(tasks), false);
    co_await book_.check();  // throws where it was cancelled meanwhile
}

asio::awaitable<task_id> context::submit_one(std::string name, std::string queue, new_task task) {
    std::vector<std::string> names(1, std::move(name));
    std::vector<new_task> tasks;
    tasks.push_back(std::move(task));
    const detail::place at(names.front(), detail::call_kind::subtask);
    auto opened = co_await detail::open_children(book_, at, std::move(queue), std::move(names), std::move(tasks), true);
    co_await book_.check();  // throws where it was cancelled meanwhile
    auto& child = opened.front();
    if (child.id.key.sequence == 0) {  // it has ended in an earlier run
        const auto key = co_await detail::guarded(book_, sink_.broker()->find(child.id.queue, child.own_id));
        if (key) child.id.key = *key;
    }
    co_return std::move(child.id);
}

}  // namespace taskflux
