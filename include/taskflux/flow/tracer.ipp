#pragma once

#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/flow/tracer.hpp>

#include <exception>
#include <utility>

namespace taskflux::detail {

inline std::unique_ptr<send_span> begin_send(tracer& by, const std::string& queue, task_spec& what, std::size_t count) noexcept {
    try {
        return by.on_send(queue, what, count);
    } catch (...) {  // a tracer's
        return nullptr;
    }
}

inline void end_send(send_span& what, const std::string& queue, const std::vector<submitted>& tasks) noexcept {
    try {
        what.on_sent(queue, tasks);
    } catch (...) {  // a span's
    }
}

inline void fail_send(send_span& what, const std::exception_ptr& why) noexcept {
    try {
        what.on_failed(describe(why));
    } catch (...) {  // a span's
    }
}

/// What it throws, it throws when it is awaited.
inline asio::awaitable<std::vector<submitted>> submit_when_awaited(broker_ptr broker, std::string queue, std::vector<new_task> tasks) {
    co_return co_await broker->submit(std::move(queue), std::move(tasks));
}

inline asio::awaitable<std::vector<submitted>> submit_in_span(broker_ptr broker, std::shared_ptr<tracer> by, std::string queue,
                                                              std::vector<new_task> tasks) {
    const auto spec = std::make_shared<task_spec>(*tasks.front().spec);
    const auto span = begin_send(*by, queue, *spec, tasks.size());
    for (auto& one : tasks) one.spec = spec;
    auto storing = submit_when_awaited(std::move(broker), queue, std::move(tasks));
    auto stored = co_await caught(std::move(storing));
    if (stored.failure()) {
        if (span) fail_send(*span, stored.failure());
        std::rethrow_exception(stored.failure());
    }
    auto all = stored.take();
    if (span) end_send(*span, queue, all);
    co_return all;
}

asio::awaitable<std::vector<submitted>> submit_traced(broker_ptr broker, std::shared_ptr<tracer> by, std::string queue,
                                                      std::vector<new_task> tasks) {
    if (!by) return broker->submit(std::move(queue), std::move(tasks));
    return submit_in_span(std::move(broker), std::move(by), std::move(queue), std::move(tasks));
}

std::unique_ptr<attempt_span> begin_span(tracer& by, const running_task& task, bool is_first) noexcept {
    try {
        return by.on_process(task, is_first);
    } catch (...) {  // a tracer's
        return nullptr;
    }
}

std::unique_ptr<attempt_span::attached> attach_span(attempt_span& what) noexcept {
    try {
        return what.attach();
    } catch (...) {  // a span's
        return nullptr;
    }
}

void end_span(attempt_span& what, const settlement* end) noexcept {
    try {
        attempt_result made;
        if (end) {
            made.how = end->how;
            made.counts = end->counts;
            const bool is_failure = end->how == settlement::kind::fail || end->how == settlement::kind::retry;
            if (is_failure) made.why = read_failure(end->data);
        }
        what.on_end(made);
    } catch (...) {  // a span's
    }
}

}  // namespace taskflux::detail
