#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/http/fasttask/core.hpp>
#include <taskflux/http/fasttask/python_text.hpp>
#include <taskflux/http/fasttask/running_id.hpp>
#include <taskflux/http/fasttask/told_state.hpp>
#include <taskflux/http/secrets/digest.hpp>

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

namespace creating {

inline constexpr std::string_view concurrency_member = "fasttask_concurrency_params";

/// What a request asks for.
struct wish {
    std::string payload;
    std::optional<concurrency_params> concurrency;
};

inline const params_schema& concurrency_schema() {
    static const auto made = params_schema::of<concurrency_params>();
    return made;
}

inline void check_above_zero(boost::json::value& given, const char* name, const boost::json::array& place, param_flaws& flaws) {
    const auto* value = given.is_object() ? given.get_object().if_contains(name) : nullptr;
    if (!value || !value->is_number() || value->to_number<double>() > 0) return;
    auto at = place;
    at.emplace_back(name);
    flaws.emplace_back("greater_than", std::move(at), "Input should be greater than 0", *value, boost::json::object{{"gt", 0}});
}

inline std::optional<concurrency_params> take_concurrency(boost::json::value& body, param_flaws& flaws) {
    auto* const members = body.if_object();
    auto* const given = members ? members->if_contains(concurrency_member) : nullptr;
    if (!given) return std::nullopt;
    auto value = std::move(*given);
    members->erase(concurrency_member);
    if (value.is_null()) return std::nullopt;
    const boost::json::array place{"body", concurrency_member};
    const auto before = flaws.size();
    concurrency_schema().read(value, place, flaws);
    check_above_zero(value, "max_concurrency", place, flaws);
    check_above_zero(value, "expire", place, flaws);
    if (flaws.size() > before) return std::nullopt;
    return decode<concurrency_params>(boost::json::serialize(value));
}

/// Errors: `problem` 422 for what is wrong in the parameters.
inline wish read(const served_task& of, const http::request& asked, const std::string& text) {
    auto body = read_params_body(asked, text);
    param_flaws flaws;
    wish made;
    made.concurrency = take_concurrency(body, flaws);
    if (of.params().is_empty() && body.is_object()) body = nullptr;
    of.params().read(body, boost::json::array{"body"}, flaws);
    if (!flaws.empty()) throw unprocessable(flaws);
    try {
        made.payload = of.task().payload(boost::json::serialize(body));
    } catch (const payload_error& e) {
        flaws.push_back(flaw_of(e, body));
        throw unprocessable(flaws);
    }
    return made;
}

/// The key by which a task is limited: of its name, so that it counts per task. One that the broker can't hold stands for itself
/// by its digest.
inline std::string key_of(const served_task& of, const std::string& given) {
    const std::string name(of.task().name());
    auto key = name + ':' + given;
    if (key.size() <= limits::key.most && follows(limits::key.rule, key)) return key;
    return name + ":#" + http::secrets::to_base64url(http::secrets::sha256(given));
}

inline duration whole_milliseconds(double seconds) {
    constexpr double longest = 366.0 * 24 * 3600;
    return duration(static_cast<duration::rep>(std::ceil((std::min)(seconds, longest) * 1000)));
}

/// Submits the task of a request, and returns its id and where it is. `kept`: for how long its result is, at least.
inline asio::awaitable<std::pair<std::string, task_id>> submit(fasttask_ptr core, const served_task* of, wish asked, duration kept) {
    const auto& broker = core->broker();
    const auto& task = of->task();
    auto naming = fasttask_running_id(broker);
    const auto running_id = co_await std::move(naming);
    auto id = new_fasttask_id(running_id);
    submit_options options;
    const auto retention = (std::max)(kept, core->options().result_expires());
    options.id(id).retention(retention, retention);
    if (task.options().policy().timeout == duration::zero()) options.timeout(core->options().soft_time_limit());
    if (asked.concurrency) {
        constexpr std::uint64_t most = 1'000'000'000;
        const auto key = key_of(*of, asked.concurrency->concurrency_key);
        options.key(key).expires_in(whole_milliseconds(asked.concurrency->expire));
        const std::optional<limit> at_a_time(limit().running(static_cast<std::size_t>((std::min)(asked.concurrency->max_concurrency, most))));
        auto limiting = broker->set_key_limit(task.queue(), key, limit_kind::declared, at_a_time, std::string());
        co_await std::move(limiting);
    }
    auto submitting = task.submit(broker, options, std::move(asked.payload));
    const auto stored = co_await std::move(submitting);
    std::pair<std::string, task_id> made(std::move(id), task_id{task.queue(), stored.key});
    co_return made;
}

/// Why a task could not be created, as the answer tells it.
inline told_state refused(const std::exception_ptr& failure) {
    const auto why = describe(failure);
    return {"FAILURE", python_json_string(python_type(why) + ": " + why.message)};
}

/// Whether a wait has ended since nobody will run the task, or somebody has removed it.
inline bool is_given_up(const std::exception_ptr& failure) {
    const auto code = code_of(describe(failure));
    return code == errc::no_worker || code == errc::not_found;
}

inline asio::awaitable<wish> read_wish(const served_task* of, http::call& in) {
    auto reading = in.read_all();
    const auto text = co_await std::move(reading);
    auto made = read(*of, in.request(), text);
    co_return made;
}

}  // namespace creating

asio::awaitable<http::response> create_fasttask(fasttask_ptr core, const served_task* of, http::call& in) {
    auto reading = creating::read_wish(of, in);
    auto wish = co_await std::move(reading);
    auto submitting = creating::submit(core, of, std::move(wish), duration::zero());
    auto ended = co_await caught(std::move(submitting));
    if (ended.failure()) {
        if (is_abort(ended.failure())) ended.take();  // throws
        co_return fasttask_answer(task_answer("", creating::refused(ended.failure())));
    }
    const auto made = ended.take();
    told_state pending{"PENDING", "\"\""};
    co_return fasttask_answer(task_answer(made.first, pending));
}

asio::awaitable<http::response> run_fasttask(fasttask_ptr core, const served_task* of, http::call& in) {
    auto reading = creating::read_wish(of, in);
    auto wish = co_await std::move(reading);
    auto submitting = creating::submit(core, of, std::move(wish), std::chrono::minutes(1));
    auto ended = co_await caught(std::move(submitting));
    if (ended.failure()) {
        if (is_abort(ended.failure())) ended.take();  // throws
        co_return fasttask_answer(task_answer("", creating::refused(ended.failure())));
    }
    const auto made = ended.take();
    std::optional<task_outcome> end;
    while (!end) {
        auto waiting = core->broker()->wait(made.second, std::chrono::hours(1));
        auto waited = co_await caught(std::move(waiting));
        if (waited.failure() && creating::is_given_up(waited.failure())) {
            std::vector<task_key> keys(1, made.second.key);
            auto cancelling = core->broker()->cancel(made.second.queue, std::move(keys));
            co_await std::move(cancelling);
            co_return fasttask_answer(task_answer("", creating::refused(waited.failure())));
        }
        end = waited.take();
    }
    if (end->state == task_state::cancelled) {
        told_state revoked{"FAILURE", "\"TaskRevokedError: the task has been revoked\""};
        co_return fasttask_answer(task_answer("", revoked));
    }
    task_record seen;  // as far as an answer tells of it
    seen.name = of->task().name();
    seen.state = end->state;
    seen.result = std::move(end->result);
    seen.error = std::move(end->error);
    seen.attempts = end->attempts;
    co_return fasttask_answer(task_answer("", tell_state(seen, std::nullopt)));
}

}  // namespace taskflux::detail
