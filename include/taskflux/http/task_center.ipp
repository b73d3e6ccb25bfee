#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/http/dialect/members.hpp>
#include <taskflux/http/problem.hpp>
#include <taskflux/http/task_center.hpp>
#include <taskflux/http/task_center/body.hpp>
#include <taskflux/http/task_center/center.hpp>
#include <taskflux/version.hpp>

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace taskflux {

namespace detail::task_center {

/// `{"detail": …}`: what was wrong in a body as a list, anything else as a text.
inline http::response problem_form(const http::problem& what, std::string_view) {
    const auto* const list = what.members().if_contains("detail");
    const boost::json::object body{{"detail", list ? *list : boost::json::value(what.detail())}};
    http::response made(what.status(), "application/json", boost::json::serialize(body));
    for (std::size_t i = 0; i < what.fields().size(); ++i) made.header(what.fields().name(i), what.fields().value(i));
    return made;
}

/// `data` and what follows it, in JSON.
inline http::response answer(const std::string& data, std::string_view code = "0000") {
    return http::response(200, "application/json", "{\"err_code\":\"" + std::string(code) + "\",\"data\":" + data + "}");
}

inline http::response answer(bool data) { return answer(std::string(data ? "true" : "false")); }

inline std::string quoted_or_null(const std::string& text) { return text.empty() ? "null" : json_quoted(text); }

inline std::string listed(const std::vector<std::string>& all) {
    std::string text = "[";
    for (const auto& one : all) text += (text.size() > 1 ? "," : "") + one;
    return text += ']';
}

inline duration seconds(std::int64_t given) {
    constexpr std::int64_t most = 10LL * 365 * 24 * 3600;
    return std::chrono::seconds(std::clamp<std::int64_t>(given, 0, most));
}

inline std::string queue_in(body_reader& body, const center& on, std::string_view name = "queue") {
    const auto given = body.text(name);
    auto stored = on.queues.stored(given);
    if (!stored) body.refuse(name, "the name of the queue is too long: use up to 93 bytes", "value_error.any_str.max_length");
    return std::move(stored).value_or(std::string());
}

inline std::string own_id_in(body_reader& body) {
    auto own = own_id_of(body.text("id"));
    if (!own) body.refuse("id", "the id is too long: use up to 1000 bytes", "value_error.any_str.max_length");
    return std::move(own).value_or(std::string());
}

inline new_entry entry_in(body_reader& body, const center& on) {
    new_entry made;
    made.queue = queue_in(body, on);
    made.own_id = own_id_in(body);
    made.info = body.as_sent("info");
    made.content = body.bytes("content");
    if (auto config = body.object("config")) {
        const auto forward = config->optional_text("forward_result_to");
        if (forward && !forward->empty()) made.forward_to = queue_in(*config, on, "forward_result_to");
        if (const auto cached = config->optional_number("cache_result_time")) made.cached = seconds(*cached);
    }
    return made;
}

inline asio::awaitable<http::response> answer_put(center_ptr on, http::call& in) {
    const std::string text = co_await in.read_all();
    body_reader body(text);
    auto entry = entry_in(body, *on);
    body.check();
    auto putting = put(on, std::move(entry));
    const bool is_new = co_await std::move(putting);
    co_return answer(is_new);
}

/// Empty for the start.
inline std::string cursor_in(body_reader& body, const std::string& given) {
    if (given.empty() || given == "0" || given == "0-0") return {};
    try {
        return peek_cursor::parse(given).text();
    } catch (const error&) {
        body.refuse("cursor", "not a cursor: give one that this call has answered, or null", "value_error");
        return {};
    }
}

inline asio::awaitable<http::response> answer_peek(center_ptr on, http::call& in) {
    const std::string text = co_await in.read_all();
    body_reader body(text);
    auto queue = queue_in(body, *on);
    const auto given = body.optional_text("cursor");
    auto cursor = cursor_in(body, given.value_or(std::string()));
    const auto size = body.number("size", 1);
    const auto timeout = seconds(body.number("timeout", 0));
    if (size < 1) body.refuse("size", "ensure this value is greater than or equal to 1", "value_error.number.not_ge");
    body.check();
    auto peeking = peek(on, std::move(queue), std::move(cursor), static_cast<std::size_t>(size), timeout);
    auto unless = in.unless_draining(std::move(peeking));
    const auto seen = co_await std::move(unless);
    std::vector<std::string> rows;
    auto last = given ? json_quoted(*given) : std::string("null");
    if (seen) {
        for (const auto& one : *seen) {
            last = json_quoted(one.cursor);
            rows.push_back("{\"id\":" + json_quoted(one.id) + ",\"info\":" + one.info + ",\"cursor\":" + last + "}");
        }
    }
    co_return answer(listed(rows) + ",\"cursor\":" + last);
}

inline asio::awaitable<http::response> answer_acquire(center_ptr on, http::call& in) {
    const std::string text = co_await in.read_all();
    body_reader body(text);
    auto queue = queue_in(body, *on);
    auto ids = body.texts("ids");
    const auto promise = seconds(body.number("promise_reply_time"));
    body.check();
    auto acquiring = acquire(on, std::move(queue), std::move(ids), promise);
    const auto taken = co_await std::move(acquiring);
    std::vector<std::string> rows;
    for (const auto& one : taken) {
        rows.push_back("{\"id\":" + json_quoted(one.id) + ",\"info\":" + one.info + ",\"content\":\"" + base64_of(one.content) + "\"}");
    }
    co_return answer(listed(rows));
}

inline asio::awaitable<http::response> answer_reply(center_ptr on, http::call& in) {
    const std::string text = co_await in.read_all();
    body_reader body(text);
    auto queue = queue_in(body, *on);
    auto id = body.text("id");
    result what;
    what.info = body.as_sent("info");
    what.content = body.bytes("content");
    body.check();
    auto replying = reply(on, std::move(queue), std::move(id), std::move(what));
    const bool is_known = co_await std::move(replying);
    co_return answer(is_known);
}

inline asio::awaitable<http::response> answer_call(center_ptr on, http::call& in) {
    const std::string text = co_await in.read_all();
    body_reader body(text);
    auto entry = entry_in(body, *on);
    const auto id = body.text("id");
    const auto timeout = seconds(body.number("timeout"));
    body.check();
    auto calling = call(on, std::move(entry), timeout);
    auto unless = in.unless_draining(std::move(calling));
    auto ended = co_await std::move(unless);
    if (!ended || !*ended) co_return answer("null", timeout > duration::zero() ? "0001" : "0000");
    const auto& got = **ended;
    co_return answer("{\"id\":" + json_quoted(id) + ",\"result_info\":" + got.info + ",\"result_content\":\"" + base64_of(got.content) + "\"}");
}

inline asio::awaitable<http::response> answer_remove(center_ptr on, http::call& in) {
    const std::string text = co_await in.read_all();
    body_reader body(text);
    auto queue = queue_in(body, *on);
    auto id = body.text("id");
    body.check();
    auto removing = remove(on, std::move(queue), std::move(id));
    const bool was_there = co_await std::move(removing);
    co_return answer(was_there);
}

inline asio::awaitable<http::response> answer_clear(center_ptr on, http::call& in) {
    constexpr std::int64_t most = 1000;
    const std::string text = co_await in.read_all();
    body_reader body(text);
    auto queue = queue_in(body, *on);
    const auto steps = body.number("iter_num", 1000);
    const auto step = body.number("step_size", 100);
    if (step < 1) body.refuse("step_size", "ensure this value is greater than or equal to 1", "value_error.number.not_ge");
    body.check();
    auto clearing = clear(on, std::move(queue), steps, static_cast<std::size_t>((std::min)(step, most)));
    const bool is_done = co_await std::move(clearing);
    co_return answer(is_done);
}

inline asio::awaitable<http::response> answer_list(center_ptr on, http::call& in) {
    constexpr std::int64_t most = 1000;
    const std::string text = co_await in.read_all();
    body_reader body(text);
    auto cursor = body.optional_text("cursor").value_or(std::string());
    const auto size = body.number("size");
    if (size < 1) body.refuse("size", "ensure this value is greater than or equal to 1", "value_error.number.not_ge");
    if (cursor == "0") cursor.clear();
    if (cursor.starts_with('>')) cursor.erase(0, 1);
    else if (!cursor.empty()) body.refuse("cursor", "not a cursor: give one that this call has answered, or null", "value_error");
    body.check();
    auto listing = list(on, std::move(cursor), static_cast<std::size_t>((std::min)(size, most)));
    const auto page = co_await std::move(listing);
    std::vector<std::string> names;
    for (const auto& one : page.names) names.push_back(json_quoted(one));
    const auto next = page.cursor.empty() ? std::string("null") : json_quoted(">" + page.cursor);
    co_return answer(listed(names) + ",\"cursor\":" + next);
}

inline asio::awaitable<http::response> answer_stat(center_ptr on, http::call& in) {
    const std::string text = co_await in.read_all();
    body_reader body(text);
    auto queue = queue_in(body, *on);
    body.check();
    auto looking = stat(on, std::move(queue));
    const auto state = co_await std::move(looking);
    if (!state) co_return answer(std::string("null"));
    co_return answer("{\"length\":" + std::to_string(state->length) + ",\"oldest_cursor\":" + quoted_or_null(state->oldest) +
                     ",\"newest_cursor\":" + quoted_or_null(state->newest) + "}");
}

inline asio::awaitable<http::response> answer_text(std::string text, http::call&) {
    http::response made(200, "application/json", json_quoted(text));
    co_return made;
}

}  // namespace detail::task_center

task_center_options& task_center_options::queue_prefix(std::string_view text) {
    constexpr std::size_t most = 64;
    if (text.size() > most || (!text.empty() && !is_valid_name(text))) {
        throw error(errc::invalid_argument, "task_center_options: not a prefix for names of queues: " + detail::in_quotes(text) +
                                                "; use up to 64 characters of A-Z a-z 0-9 _ - . /");
    }
    return prefix_ = text, *this;
}

void task_center_dialect::add_to(http::routes& to, const http::gateway_parts& with) {
    namespace its = detail::task_center;
    using http::permission;
    constexpr std::uint64_t most_bytes = 64 * 1024 * 1024;
    const auto on = std::make_shared<const its::center>(with.broker(), options_.queue_prefix());
    to.problems(&its::problem_form);
    const auto add = [&](const char* path, permission asks, auto* function, const char* summary) {
        to.add(std::string("POST /task/") + path, asks, std::bind_front(function, on)).summary(summary).group("task center").max_body(most_bytes);
    };
    add("put", permission::submit, &its::answer_put, "Puts a task, unless one of its id is there.");
    add("peek", permission::read, &its::answer_peek, "Looks at waiting tasks behind a cursor; may wait for the first.");
    add("acquire", permission::control, &its::answer_acquire, "Takes waiting tasks, with a promise to reply in time.");
    add("reply", permission::control, &its::answer_reply, "Ends a task with a result.");
    add("call", permission::submit, &its::answer_call, "Puts a task, or joins the one of its id, and waits for its result.");
    add("remove", permission::control, &its::answer_remove, "Removes a task.");
    add("clear_queue", permission::control, &its::answer_clear, "Removes all tasks of a queue.");
    add("list_queue", permission::read, &its::answer_list, "Lists queues.");
    add("stat_queue", permission::read, &its::answer_stat, "How many tasks wait in a queue, with the cursors of the first and the last.");
    const auto told = options_.version().empty() ? std::string(taskflux::version) : options_.version();
    to.add("GET /version", permission::none, std::bind_front(&its::answer_text, told)).summary("The version.").group("task center");
    to.add("GET /buildtime", permission::none, std::bind_front(&its::answer_text, options_.build_time()))
        .summary("When it was built.")
        .group("task center");
}

namespace detail::task_center {

/// A variable in capitals or small letters; empty: it is not set.
inline std::string variable(const std::map<std::string, std::string>& all, std::string name) {
    if (const auto found = all.find(name); found != all.end()) return found->second;
    std::ranges::transform(name, name.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    const auto found = all.find(name);
    return found == all.end() ? std::string() : found->second;
}

inline std::string number_of(const std::map<std::string, std::string>& all, const std::string& name, unsigned most, const std::string& otherwise) {
    const auto text = variable(all, name);
    if (text.empty()) return otherwise;
    unsigned read = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), read);
    if (ec == std::errc() && end == text.data() + text.size() && read <= most) return std::to_string(read);
    throw error(errc::invalid_argument, "the environment variable " + name + " is not a number from 0 to " + std::to_string(most) + ": " +
                                            in_quotes(text));
}

}  // namespace detail::task_center

std::string task_center_url(const std::map<std::string, std::string>& variables) {
    namespace its = detail::task_center;
    constexpr unsigned most_ports = 65'535, most_databases = 1'000'000;
    auto host = its::variable(variables, "redis_host");
    if (host.empty()) host = "127.0.0.1";
    if (host.find(':') != std::string::npos && !host.starts_with('[')) host = "[" + host + "]";
    if (host.find_first_of("/?#@, ") != std::string::npos) {
        throw error(errc::invalid_argument, "the environment variable redis_host is no host's name or address: " + detail::in_quotes(host));
    }
    auto prefix = its::variable(variables, "redis_prefix");
    if (prefix.empty()) prefix = "tc";
    constexpr std::size_t most_letters = 64;
    const auto fits = [](char c) { return c != '/' && detail::is_name_character(c); };
    if (prefix.size() > most_letters || !std::ranges::all_of(prefix, fits)) {
        throw error(errc::invalid_argument, "the environment variable redis_prefix is no prefix for keys: " + detail::in_quotes(prefix) +
                                                "; use up to 64 characters of A-Z a-z 0-9 - _ .");
    }
    return "redis://" + host + ":" + its::number_of(variables, "redis_port", most_ports, "6379") + "/" +
           its::number_of(variables, "redis_db", most_databases, "0") + "?prefix=" + prefix;
}

}  // namespace taskflux
