#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/http/route.hpp>
#include <taskflux/http/route/typed.hpp>

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>
#include <utility>

namespace taskflux {

namespace detail {

[[noreturn]] inline void fail_pattern(std::string_view what, const char* why) {
    throw error(errc::invalid_argument, "not a route: " + in_quotes(what, 200) + " " + why +
                                            R"(; write "GET /v1/jobs/{id}", "POST /v1/tasks/{name}:batch" or "GET /files/{path...}")");
}

inline http::pattern_segment segment_of(std::string_view what, std::string_view text) {
    using form = http::pattern_segment::kind;
    if (text.empty() || text.front() != '{') return {form::literal, std::string(text), {}};
    const auto end = text.find('}');
    if (end == std::string_view::npos || end < 2) fail_pattern(what, "has a { without a name and }");
    auto name = text.substr(1, end - 1);
    const auto behind = text.substr(end + 1);
    if (name.ends_with("...")) {
        if (!behind.empty()) fail_pattern(what, "has something behind {…...}");
        return {form::rest, std::string(name.substr(0, name.size() - 3)), {}};
    }
    if (!behind.empty() && (behind.front() != ':' || behind.size() == 1)) fail_pattern(what, "has something behind } that is no :verb");
    return {form::parameter, std::string(name), std::string(behind.empty() ? behind : behind.substr(1))};
}

inline std::vector<http::pattern_segment> segments_of(std::string_view what, std::string_view path) {
    std::vector<http::pattern_segment> made;
    while (!path.empty()) {
        if (!made.empty() && (made.back().what == http::pattern_segment::kind::rest || !made.back().verb.empty())) {
            fail_pattern(what, "goes on behind {…...} or a verb, which are for the end");
        }
        path.remove_prefix(1);
        const auto end = (std::min)(path.find('/'), path.size());
        made.push_back(segment_of(what, path.substr(0, end)));
        path.remove_prefix(end);
    }
    return made;
}

std::vector<std::string_view> texts_of(const http::parameter& which, const http::call& in) {
    std::vector<std::string_view> found;
    const auto& asked = in.request();
    switch (which.where()) {
        case http::place::path: found.push_back(in.path_parameter(which.name())); break;
        case http::place::query:
            for (const auto& [name, value] : asked.query) {
                if (name == which.name()) found.push_back(value);
            }
            if (found.empty() && !which.header().empty()) {
                if (const auto value = asked.fields.find(which.header())) found.push_back(*value);
            }
            break;
        case http::place::header:
            if (const auto value = asked.fields.find(which.name())) found.push_back(*value);
            break;
        case http::place::body: break;
    }
    if (found.empty() && which.is_required()) fail_parameter(which, "it is missing, and is required");
    if (found.size() > 1 && !which.is_repeatable()) fail_parameter(which, "it is given more than once; give it once");
    return found;
}

void refuse_unknown(const http::route& to, const http::call& in) {
    for (const auto& one : in.request().query) {
        const auto& all = to.parameters();
        const bool is_known = std::ranges::any_of(all, [&](const http::parameter& known) {
            return known.where() == http::place::query && known.name() == one.first;
        });
        if (is_known) continue;
        std::string names;
        for (const auto& known : all) {
            if (known.where() == http::place::query) names += (names.empty() ? "" : ", ") + known.name();
        }
        const auto why = "there is no query parameter " + in_quotes(one.first) + " here; " +
                         (names.empty() ? std::string("this call takes none") : "there are " + names);
        throw http::problem(400, why).code("unknown_parameter").at(http::place::query, printable(one.first), why);
    }
}

boost::json::value boolean_in(std::string_view text) {
    if (text == "true" || text == "1" || text.empty()) return true;  // `?hold` is `?hold=true`
    if (text == "false" || text == "0") return false;
    return boost::json::value(text);
}

boost::json::value integer_in(std::string_view text) {
    const auto* end = text.data() + text.size();
    std::int64_t number = 0;
    if (const auto [at, ec] = std::from_chars(text.data(), end, number); ec == std::errc() && at == end) return number;
    std::uint64_t large = 0;
    if (const auto [at, ec] = std::from_chars(text.data(), end, large); ec == std::errc() && at == end) return large;
    return boost::json::value(text);
}

boost::json::value number_in(std::string_view text) {
    const auto* end = text.data() + text.size();
    double number = 0;
    if (const auto [at, ec] = std::from_chars(text.data(), end, number); ec == std::errc() && at == end) return number;
    return boost::json::value(text);
}

void fail_parameter(const http::parameter& which, const std::string& why) {
    const char* const where = which.where() == http::place::path     ? "in the path"
                              : which.where() == http::place::header ? "in the headers"
                                                                     : "in the query";
    throw http::problem(400, "parameter " + which.name() + " " + where + ": " + why)
        .code("bad_parameter")
        .at(which.where(), which.name(), why);
}

void require_json(const http::request& asked) {
    const auto coding = asked.fields.find("Content-Encoding");
    if (coding && !http::same_word(*coding, "identity")) {
        throw http::problem(415, "the body is compressed, as its Content-Encoding " + in_quotes(*coding) + " says; send it as it is");
    }
    const auto given = asked.fields.find("Content-Type");
    if (!given) return;
    const auto type = trimmed(given->substr(0, given->find(';')));
    const bool is_json = http::same_word(type, "application/json") ||
                         (type.size() > 5 && http::same_word(type.substr(type.size() - 5), "+json"));
    if (is_json) return;
    throw http::problem(415, "the body is " + in_quotes(*given) + " by its Content-Type, and this call takes JSON; send Content-Type: "
                                                               "application/json")
        .header("Accept", "application/json");
}

http::problem body_problem(const payload_error& why, bool is_json) {
    const auto pointer = why.pointer();
    http::problem made(is_json ? 422 : 400,
                       "the body can't be read: " + (pointer.empty() ? std::string() : "at " + pointer + ": ") + why.reason());
    made.code(is_json ? "bad_payload" : "bad_json");
    return made.at(http::place::body, pointer, why.reason());
}

}  // namespace detail

namespace http {

route::route(std::string_view what, permission asks, endpoint answer) : asks_(asks), answer_(std::move(answer)) {
    const auto space = what.find(' ');
    if (space == std::string_view::npos || what.substr(space + 1, 1) != "/") detail::fail_pattern(what, "is no method and path");
    method_ = what.substr(0, space);
    pattern_ = what.substr(space + 1);
    segments_ = detail::segments_of(what, pattern_);
}

route& route::from_header(std::string_view name, std::string header) {
    auto& which = find(name);
    which.where_ = place::header;
    which.name_ = std::move(header);
    return *this;
}

route& route::also_as_headers(std::string_view prefix) {
    for (auto& one : parameters_) {
        if (one.where_ != place::query) continue;
        one.header_ = prefix;
        bool is_begin = true;
        for (const char c : one.name_) {
            const bool is_letter = c >= 'a' && c <= 'z';
            one.header_ += c == '_' ? '-' : is_begin && is_letter ? static_cast<char>(c - 'a' + 'A') : c;
            is_begin = c == '_';
        }
    }
    return *this;
}

void route::add_parameter(std::string name, bool is_repeatable, schema_maker schema) {
    const bool is_in_path = std::ranges::any_of(segments_, [&](const pattern_segment& one) {
        return one.what != pattern_segment::kind::literal && one.text == name;
    });
    parameters_.emplace_back(is_in_path ? place::path : place::query, std::move(name), is_repeatable, schema);
}

parameter& route::find(std::string_view name) {
    const auto found = std::ranges::find(parameters_, name, &parameter::name_);
    if (found != parameters_.end()) return *found;
    throw error(errc::invalid_argument, "route " + method_ + " " + pattern_ + " has no parameter " + std::string(name) +
                                            ": use a described member of its request's type");
}

}  // namespace http
}  // namespace taskflux
