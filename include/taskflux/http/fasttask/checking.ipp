#pragma once

#include <taskflux/http/fasttask/core.hpp>
#include <taskflux/http/fasttask/params.hpp>
#include <taskflux/http/fasttask/python_text.hpp>
#include <taskflux/http/fasttask/running_id.hpp>
#include <taskflux/http/fasttask/told_state.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

namespace checking {

/// The record of a result id, in the queue where it is likely to be or in another one; nothing where nobody knows it.
inline asio::awaitable<std::optional<task_record>> find(fasttask_ptr core, std::string likely, std::string id) {
    std::vector<std::string> queues;
    if (!likely.empty()) queues.push_back(likely);
    for (const auto& one : core->queues()) {
        if (one != likely) queues.push_back(one);
    }
    std::optional<task_record> record;
    if (!is_valid_own_id(id)) co_return record;
    for (auto& queue : queues) {
        auto finding = core->broker()->find(queue, id);
        const auto key = co_await std::move(finding);
        if (!key) continue;
        task_id whole{queue, *key};
        auto getting = core->broker()->get(std::move(whole));
        record = co_await std::move(getting);
        if (record) break;
    }
    co_return record;
}

/// Why a task with a key waits; nothing for others, whose state says it.
inline asio::awaitable<std::optional<task_situation>> why(fasttask_ptr core, const task_record* of) {
    std::optional<task_situation> found;
    if (of->state != task_state::waiting || of->key.empty() || !of->error.empty()) co_return found;
    auto asking = core->broker()->why(of->id);
    found = co_await std::move(asking);
    co_return found;
}

inline std::string revoked(bool is_done, std::string_view message) {
    return std::string("{\"status\": ") + (is_done ? "\"SUCCESS\"" : "\"FAILURE\"") + ", \"result\": \"\", \"message\": " +
           python_json_string(message) + "}";
}

/// What cancelling brings about, by the state that a check would have told before.
inline std::string_view message_of(const std::string& state) {
    if (state == "STARTED") return "task started, revoking now";
    if (state == "RETRY") return "task retrying, revoking now";
    return "task is still pending, will revoked later";
}

/// The `result_id` of a body. Errors: `problem` 422.
inline std::string id_in(const http::request& asked, const std::string& text) {
    const auto body = read_params_body(asked, text);
    const boost::json::array place{"body"};
    param_flaws flaws;
    if (!body.is_object()) {
        flaws.emplace_back("model_attributes_type", place, "Input should be a valid dictionary or object to extract fields from", body);
        throw unprocessable(flaws);
    }
    const boost::json::array at{"body", "result_id"};
    const auto* given = body.get_object().if_contains("result_id");
    if (!given) flaws.push_back(missing(at, body));
    else if (!given->is_string()) flaws.emplace_back("string_type", at, "Input should be a valid string", *given);
    if (!flaws.empty()) throw unprocessable(flaws);
    return std::string(given->get_string());
}

}  // namespace checking

asio::awaitable<http::response> check_fasttask(fasttask_ptr core, std::string queue, http::call& in) {
    const auto given = in.request().parameter("result_id");
    if (!given) {
        param_flaws flaws;
        flaws.push_back(missing(boost::json::array{"query", "result_id"}, nullptr));
        throw unprocessable(flaws);
    }
    const std::string id(*given);
    auto naming = fasttask_running_id(core->broker());
    const auto running_id = co_await std::move(naming);
    if (!is_of_deployment(id, running_id)) {  // of a check
        const auto text = "result_id=" + python_repr(id) + " not exist, current app.state.RUNNING_ID=" + python_repr(running_id);
        told_state foreign{"FAILURE", python_json_string(text)};
        co_return fasttask_answer(check_answer(id, foreign, std::nullopt));
    }
    auto finding = checking::find(core, std::move(queue), id);
    const auto record = co_await std::move(finding);
    if (!record) co_return fasttask_answer(check_answer(id, unknown_state(), record));
    auto asking = checking::why(core, &*record);
    const auto why = co_await std::move(asking);
    co_return fasttask_answer(check_answer(id, tell_state(*record, why), record));
}

asio::awaitable<http::response> revoke_fasttask(fasttask_ptr core, http::call& in) {
    auto reading = in.read_all();
    const auto text = co_await std::move(reading);
    const auto id = checking::id_in(in.request(), text);
    auto naming = fasttask_running_id(core->broker());
    const auto running_id = co_await std::move(naming);
    if (!is_of_deployment(id, running_id)) {
        const auto why = "invalid result_id=" + python_repr(id) + " current app.state.RUNNING_ID=" + python_repr(running_id);
        co_return fasttask_answer(checking::revoked(false, why));
    }
    auto finding = checking::find(core, std::string(), id);
    const auto record = co_await std::move(finding);
    if (!record) co_return fasttask_answer(checking::revoked(true, checking::message_of("PENDING")));
    auto asking = checking::why(core, &*record);
    const auto why = co_await std::move(asking);
    const auto before = tell_state(*record, why).state;
    std::vector<task_key> keys(1, record->id.key);
    auto cancelling = core->broker()->cancel(record->id.queue, std::move(keys));
    const auto effects = co_await std::move(cancelling);
    const bool is_done = !record->cancel_requested && (effects.front() == effect::done || effects.front() == effect::requested);
    // What was seen before may have begun, or been given back, since: the effect counts.
    const bool has_started = effects.front() == effect::requested && before != "RETRY";
    if (!is_done) co_return fasttask_answer(checking::revoked(false, "task ended or revoked already"));
    co_return fasttask_answer(checking::revoked(true, checking::message_of(has_started ? "STARTED" : before)));
}

}  // namespace taskflux::detail
