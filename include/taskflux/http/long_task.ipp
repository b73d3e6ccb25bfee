#pragma once

#include <taskflux/app/config.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/core/time_text.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/http/dialect/members.hpp>
#include <taskflux/http/identity.hpp>
#include <taskflux/http/long_task.hpp>
#include <taskflux/http/long_task/desk.hpp>
#include <taskflux/http/long_task/fields.hpp>
#include <taskflux/http/native/job_view.hpp>
#include <taskflux/http/problem.hpp>

#include <boost/describe/enum_from_string.hpp>
#include <boost/json/serialize.hpp>

#include <openssl/crypto.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace taskflux {

namespace detail::long_task {

inline http::response refused(unsigned status, std::string_view message) {
    return http::response(status, "application/json", R"({"result":"exception","message":)" + json_quoted(message) + "}");
}

/// What the server itself refuses, such as a path that is not there.
inline http::response problem_form(const http::problem& what, std::string_view) {
    auto made = refused(what.status(), what.detail());
    for (std::size_t i = 0; i < what.fields().size(); ++i) made.header(what.fields().name(i), what.fields().value(i));
    return made;
}

/// `more`: members in JSON, each behind a comma.
inline http::response answer(const std::string& more) {
    return http::response(200, "application/json", R"({"result":"ok")" + more + "}");
}

inline std::string quoted_time(const desk& on, time_point when) {
    if (when == time_point()) return "null";
    return json_quoted(format_time(shifted(when, on.broker->clock().ahead()), on.options.times_in()));
}

inline std::string quoted(const std::optional<std::string>& text) { return text ? json_quoted(*text) : "null"; }

inline std::string joined(const std::vector<std::string>& all) {
    std::string text;
    for (const auto& one : all) text += (text.empty() ? "" : ",") + one;
    return "[" + text + "]";
}

using handler = asio::awaitable<http::response> (*)(desk_ptr on, std::string body, http::call& in);

/// Answers a call, also where it is refused.
inline asio::awaitable<http::response> answer_call(handler by, desk_ptr on, http::call& in) {
    std::string body = co_await in.read_all();
    auto work = by(on, std::move(body), in);
    auto ended = co_await caught(std::move(work));
    if (!ended.failure()) co_return ended.take();
    try {
        std::rethrow_exception(ended.failure());
    } catch (const refusal& e) {
        co_return refused(200, e.what());
    }
}

inline asio::awaitable<http::response> answer_create(desk_ptr on, std::string body, http::call&) {
    const fields whole(body);
    const auto data = whole.object("data");
    auto creating = create(on, data.text("service"), data.as_sent("condition"));
    const auto id = co_await std::move(creating);
    co_return answer(",\"task_id\":" + json_quoted(id));
}

inline asio::awaitable<http::response> answer_status(desk_ptr on, std::string body, http::call&) {
    const fields whole(body);
    const auto asked = whole.objects("data");
    if (asked.size() > on->options.max_status_task()) throw refusal();
    std::vector<std::string> rows, ids;
    for (const auto& one : asked) ids.push_back(one.text("task_id"));
    for (const auto& id : ids) {
        auto finding = find(on, id);
        const auto record = co_await std::move(finding);
        auto row = "{\"task_id\":" + json_quoted(id) + ",\"status\":";
        row += record ? json_quoted(status_of(record->state)) : "\"Invalid\"";
        row += ",\"message\":" + (record ? quoted(message_of(*record)) : "null");
        row += ",\"start_time\":" + (record ? quoted_time(*on, record->started_at) : "null");
        row += ",\"end_time\":" + (record ? quoted_time(*on, record->ended_at) : "null");
        rows.push_back(row + "}");
    }
    co_return answer(",\"status\":" + joined(rows));
}

inline asio::awaitable<http::response> answer_report(desk_ptr on, std::string body, http::call&) {
    const fields whole(body);
    const auto data = whole.object("data");
    const auto id = data.text("task_id"), status = data.text("status");
    step_report what;
    if (status == "running") what.what = step::running;
    else if (status == "finished") what.what = step::finished;
    else if (status == "failed") what.what = step::failed;
    else throw refusal();
    what.message = data.optional_text("message");
    if (data.has("data")) what.data = data.as_sent("data");
    auto reporting = report(on, id, std::move(what));
    co_await std::move(reporting);
    co_return answer(",\"status\":{\"task_id\":" + json_quoted(id) + ",\"status\":" + json_quoted(status) + "}");
}

/// A stored result as JSON: as it is, or as a text where a program has stored another.
inline std::string result_text(const std::string& stored) {
    try {
        return std::string(json_text(stored.empty() ? "null" : stored).text());
    } catch (const json_text::fault&) {
        return boost::json::serialize(stored_json(stored));
    }
}

inline asio::awaitable<http::response> answer_result(desk_ptr on, std::string body, http::call&) {
    const fields whole(body);
    const auto data = whole.object("data");
    auto finding = find(on, data.text("task_id"));
    const auto record = co_await std::move(finding);
    if (!record) throw refusal();
    if (record->state != task_state::succeeded) throw refusal(std::string(status_of(record->state)));
    const std::chrono::duration<double> spent = record->ended_at - record->started_at;
    co_return answer(",\"data\":" + result_text(record->result) + ",\"start_time\":" + quoted_time(*on, record->started_at) +
                     ",\"end_time\":" + quoted_time(*on, record->ended_at) + ",\"spend_time\":" + encode(spent.count()));
}

inline asio::awaitable<http::response> answer_tasks(desk_ptr on, std::string body, http::call&) {
    constexpr std::int64_t most_rows = 1000, most_pages = 1'000'000;
    const fields whole(body.empty() ? std::string_view("{}") : std::string_view(body));
    record_query query;
    query.size = static_cast<std::size_t>(whole.number("p_size", 10, most_rows));
    query.page = static_cast<std::size_t>(whole.number("page", 1, most_pages));
    query.service = whole.optional_text("service");
    query.status = whole.optional_text("status").value_or(std::string());
    if (whole.has("status") && query.status.empty()) throw refusal();
    auto listing = list(on, std::move(query));
    const auto page = co_await std::move(listing);
    std::vector<std::string> rows;
    for (const auto& one : page.tasks) {
        rows.push_back("{\"task_id\":" + json_quoted(one.own_id.empty() ? to_string(one.id) : one.own_id) + ",\"service\":" +
                       json_quoted(one.name) + ",\"status\":" + json_quoted(status_of(one.state)) + ",\"condition\":" +
                       condition_in(one.payload) + ",\"create_time\":" + quoted_time(*on, one.submitted_at) + "}");
    }
    co_return answer(",\"total\":" + std::to_string(page.total) + ",\"count\":" + std::to_string(rows.size()) + ",\"data\":" + joined(rows));
}

inline asio::awaitable<http::response> answer_start(desk_ptr on, std::string body, http::call&) {
    const fields whole(body);
    const auto id = whole.text("task_id");
    auto starting = start(on, id);
    co_await std::move(starting);
    co_return answer(",\"task_id\":" + json_quoted(id));
}

inline asio::awaitable<http::response> answer_update(desk_ptr on, std::string body, http::call&) {
    const fields whole(body);
    const auto id = whole.text("task_id");
    auto updating = update(on, id, whole.as_sent("condition"));
    co_await std::move(updating);
    co_return answer(",\"task_id\":" + json_quoted(id));
}

inline asio::awaitable<http::response> answer_services(desk_ptr on, std::string, http::call&) {
    std::vector<std::string> names;
    for (const auto& one : on->options.names()) names.push_back(json_quoted(one));
    co_return answer(",\"count\":" + std::to_string(names.size()) + ",\"data\":" + joined(names));
}

inline asio::awaitable<http::response> answer_fetch(desk_ptr on, std::string body, http::call& in) {
    constexpr std::int64_t longest = 3600;
    const fields whole(body);
    const auto data = whole.object("data");
    const auto wait = std::chrono::seconds(data.has("timeout") ? data.number("timeout", 0, longest, 0) : 0);
    auto fetching = fetch(on, data.text("service"), data.optional_text("consumer_id").value_or(std::string()), wait);
    auto unless = in.unless_draining(std::move(fetching));
    const auto ended = co_await std::move(unless);
    if (!ended || !*ended) co_return answer(",\"Task\":null");
    const auto members = sent_members(**ended);
    const auto task = members.find("Task");
    co_return answer(",\"Task\":" + (task == members.end() ? result_text(**ended) : std::string(task->second)));
}

/// Whether two texts are the same, in a time that depends on their lengths alone.
inline bool is_same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

inline asio::awaitable<http::identity> check_token(std::string token, http::call& in) {
    const auto given = in.request().fields.find("Authorization");
    if (!given || !is_same(*given, token)) {
        throw http::problem(401, "not authorized: the header Authorization must be the token of this API, with no word in front");
    }
    http::identity who("long_task", http::permission::control);
    co_return who;
}

}  // namespace detail::long_task

void long_task_dialect::add_to(http::routes& to, const http::gateway_parts& with) {
    namespace its = detail::long_task;
    using http::permission;
    const auto on = std::make_shared<const its::desk>(with.broker(), options_);
    to.problems(&its::problem_form);
    if (!options_.token().empty()) to.authenticate(std::bind_front(&its::check_token, options_.token()));
    const auto add = [&](const char* path, permission asks, its::handler by, const char* summary) {
        to.add(std::string("POST /api/") + path, asks, std::bind_front(&its::answer_call, by, on)).summary(summary).group("long tasks");
    };
    add("create_task", permission::submit, &its::answer_create, "Creates a task of a service.");
    add("status_task", permission::read, &its::answer_status, "How far some tasks are.");
    add("update_status_task", permission::control, &its::answer_report, "Tells what a worker does with its task.");
    add("result_task", permission::read, &its::answer_result, "The result of a task that has finished.");
    add("tasks", permission::read, &its::answer_tasks, "A page of tasks, newest first.");
    add("start_task", permission::control, &its::answer_start, "Lets a task wait for workers that does not yet.");
    add("update_task", permission::control, &its::answer_update, "Replaces the condition of a task that does not run yet.");
    add("service_task", permission::read, &its::answer_services, "The names of the services.");
    add("fetch_task", permission::control, &its::answer_fetch, "Gives a worker the next task of a service.");
}

long_task_options& long_task_options::service(std::string name, long_task_source source) {
    constexpr std::size_t most = 128;
    if (name.size() > most || !detail::allows(detail::limits::task, name)) {
        throw error(errc::invalid_argument, "long_task_options: not a service's name: " + detail::in_quotes(name) +
                                                "; use 1 to 128 bytes of UTF-8 without control characters");
    }
    detail::check_name(detail::limits::queue, source.topic_name);
    if (!services_.emplace(name, std::move(source)).second) {
        throw error(errc::invalid_argument, "long_task_options: the service " + detail::in_quotes(name) + " is there already; add it once");
    }
    names_.push_back(std::move(name));
    return *this;
}

long_task_options& long_task_options::max_status_task(std::size_t tasks) {
    if (tasks == 0) throw error(errc::invalid_argument, "long_task_options: max_status_task must be at least 1");
    return max_status_ = tasks, *this;
}

long_task_options& long_task_options::lease(duration length) {
    if (length < std::chrono::seconds(1)) throw error(errc::invalid_argument, "long_task_options: lease must be at least 1 s");
    return lease_ = length, *this;
}

long_task_options& long_task_options::retention(duration ended) {
    return retention_ = detail::not_negative(ended, "long_task_options: retention"), *this;
}

long_task_config read_long_task_config(const config_format& by, std::string_view text, const std::string& name) {
    const auto document = by.read(text, name);
    try {
        return decode<long_task_config>(boost::json::serialize(document.root));
    } catch (const decode_error& e) {
        const auto place = document.places.find(e.pointer());
        throw config_error(e.pointer(), e.reason(), place == document.places.end() ? name : place->second);
    }
}

long_task_options options_of(const long_task_config& config, const std::map<std::string, std::string>& variables) {
    long_task_options made;
    for (const auto& name : config.service) {
        const auto source = config.source_db.find(name);
        if (source == config.source_db.end()) {
            throw error(errc::invalid_argument, "the config names the service " + detail::in_quotes(name) + " and no source for it: add it to "
                                                                                                            "source_db");
        }
        made.service(name, source->second);
    }
    made.max_status_task(config.max_status_task).starts_at_once(config.starts_at_once);
    if (const auto token = variables.find("AUTH_TOKEN"); token != variables.end()) made.token(token->second);
    return made;
}

std::string url_of(const long_task_config& config, const std::map<std::string, std::string>& variables) {
    auto which = config.default_env;
    if (const auto given = variables.find("default_env"); given != variables.end()) {
        if (!boost::describe::enum_from_string(given->second.c_str(), which)) {
            throw error(errc::invalid_argument, "the environment variable default_env is " + detail::in_quotes(given->second) +
                                                    "; it may be TEST, STAGE or PRODUCTION");
        }
    }
    const auto& section = which == app_environment::TEST ? config.TEST : which == app_environment::STAGE ? config.STAGE : config.PRODUCTION;
    if (!section || section->url.empty()) {
        const std::string name = boost::describe::enum_to_string(which, "?");
        throw error(errc::invalid_argument, "the config has no url for " + name + ": add " + name + ": {url: \"redis://…\"}");
    }
    return section->url;
}

}  // namespace taskflux
