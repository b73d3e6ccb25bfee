#pragma once

#include <taskflux/core/codec.hpp>
#include <taskflux/core/codec/text.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/http/fasttask/python_text.hpp>
#include <taskflux/http/fasttask/told_state.hpp>
#include <taskflux/http/native/job_view.hpp>
#include <taskflux/http/values.hpp>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace taskflux::detail {

namespace telling {

inline std::string none() { return "\"None\""; }

/// Of a task that has not ended and is not running.
inline told_state before_attempt(const task_record& record, const std::optional<task_situation>& why) {
    const bool is_held_back = why && std::ranges::any_of(why->reasons, [](const task_reason& one) {
        return one.what == why_reason::key_limit || one.what == why_reason::key_rate;
    });
    if (!record.error.empty() || is_held_back) return {"RETRY", none()};
    if (record.attempts == 0) return {"PENDING", none()};
    return {"STARTED", python_json_string("the task sleeps, or waits for a signal")};  // its handler has begun, and goes on later
}

inline std::string expired_text() {
    return "TaskExpired: the task was not started in time (expire of fasttask_concurrency_params, or expires_in of its contract); create it "
           "again";
}

/// What stands in front of the exception, in the place of a traceback: C++ has none.
inline std::string where(const task_record& record) {
    std::string text = "Traceback (most recent call last):\n  task " + record.name + ", attempt " + std::to_string(record.attempts);
    const auto worker = worker_of(record.consumer);
    if (!worker.empty()) text += ", worker " + worker;
    return text + "\n";
}

}  // namespace telling

std::string python_type(const failure& why) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 22> known{{
        {"std::invalid_argument", "ValueError"},
        {"std::domain_error", "ValueError"},
        {"std::length_error", "ValueError"},
        {"std::out_of_range", "IndexError"},
        {"std::overflow_error", "OverflowError"},
        {"std::underflow_error", "ArithmeticError"},
        {"std::range_error", "ArithmeticError"},
        {"std::bad_alloc", "MemoryError"},
        {"std::bad_array_new_length", "MemoryError"},
        {"std::bad_cast", "TypeError"},
        {"std::bad_any_cast", "TypeError"},
        {"std::bad_variant_access", "TypeError"},
        {"std::bad_optional_access", "TypeError"},
        {"std::runtime_error", "RuntimeError"},
        {"std::logic_error", "RuntimeError"},
        {"std::exception", "Exception"},
        {"std::system_error", "OSError"},
        {"std::filesystem::filesystem_error", "OSError"},
        {"std::filesystem::__cxx11::filesystem_error", "OSError"},
        {"std::ios_base::failure", "OSError"},
        {"boost::system::system_error", "OSError"},
        {"std::future_error", "RuntimeError"},
    }};
    const auto code = code_of(why);
    if (code == errc::timed_out) return "SoftTimeLimitExceeded";
    if (code == errc::crashed) return "WorkerLostError";
    if (code == errc::bad_payload) return "ValidationError";
    std::string_view type = why.type;
    constexpr std::string_view wrapped = "boost::wrapexcept<";
    if (type.starts_with(wrapped) && type.ends_with('>')) {
        type.remove_prefix(wrapped.size());
        type.remove_suffix(1);
    }
    type = type.substr(0, type.find("[abi:"));
    for (const auto& [given, name] : known) {
        if (type == given) return std::string(name);
    }
    if (type.empty()) return "Exception";
    std::string made;
    for (std::size_t i = 0; i < type.size(); ++i) {
        const bool is_scope = type.substr(i, 2) == "::";
        made += is_scope ? '.' : type[i];
        if (is_scope) ++i;
    }
    return made;
}

std::string worker_of(const std::string& consumer) { return consumer.substr(0, consumer.rfind(':')); }

std::string failure_trace(const task_record& record) {
    if (record.error.empty()) {
        if (record.state == task_state::expired) return telling::expired_text();
        return telling::where(record) + "Exception: the task has failed";
    }
    const auto why = read_failure(record.error);
    return telling::where(record) + python_type(why) + ": " + why.message;
}

std::string told_result(std::string_view stored) {
    if (stored.empty()) return telling::none();
    try {
        const auto value = decode<boost::json::value>(stored, decode_limits().max_depth(1024).max_size(stored.size()));
        switch (value.kind()) {
            case boost::json::kind::object:
            case boost::json::kind::string: return python_json(stored);
            case boost::json::kind::null: return telling::none();
            case boost::json::kind::bool_: return value.get_bool() ? "\"True\"" : "\"False\"";
            default: return python_json_string(python_json(stored));
        }
    } catch (const decode_error&) {
        if (is_utf8(stored)) return python_json_string(stored);
        return python_json(boost::json::serialize(stored_json(stored)));
    }
}

told_state tell_state(const task_record& record, const std::optional<task_situation>& why) {
    switch (record.state) {
        case task_state::held:
        case task_state::scheduled:
        case task_state::waiting: return telling::before_attempt(record, why);
        case task_state::running:
        case task_state::waiting_children:
            if (record.cancel_requested) return {"REVOKED", "\"terminated\""};
            return {"STARTED", python_json_string("{'hostname': " + python_repr(worker_of(record.consumer)) + "}")};
        case task_state::succeeded: return {"SUCCESS", told_result(record.result)};
        case task_state::failed: return {"FAILURE", python_json_string(failure_trace(record))};
        case task_state::cancelled: return {"REVOKED", record.attempts == 0 ? "\"revoked\"" : "\"terminated\""};
        case task_state::expired: break;
    }
    return {"FAILURE", python_json_string(telling::expired_text())};
}

told_state unknown_state() { return {"PENDING", telling::none()}; }

std::string task_answer(std::string_view id, const told_state& of) {
    return "{\"id\": " + python_json_string(id) + ", \"state\": " + python_json_string(of.state) + ", \"result\": " + of.result + "}";
}

std::string check_answer(std::string_view id, const told_state& of, const std::optional<task_record>& record) {
    std::string created = "null", updated = "null";
    if (record) {
        created = encode(http::moment(record->submitted_at));
        updated = encode(http::moment((std::max)({record->submitted_at, record->started_at, record->ended_at})));
    }
    auto text = task_answer(id, of);
    text.pop_back();
    return text + ", \"create_time\": " + created + ", \"update_time\": " + updated + "}";
}

}  // namespace taskflux::detail
