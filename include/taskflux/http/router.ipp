#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/http/router.hpp>

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/describe/enum_to_string.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace taskflux {

namespace detail {

using path_parameters = std::vector<std::pair<std::string_view, std::string>>;

/// How well a pattern fits to a path, with what its parameters are.
struct pattern_fit {
    std::string rank;  // a digit for each segment: the greater one is nearer
    path_parameters found;
};

/// Fits the segments of a path from number `from` on to a pattern. `last`: the last segment as it was sent.
inline std::optional<pattern_fit> fit(const std::vector<http::pattern_segment>& pattern, const std::vector<std::string>& path,
                                      std::size_t from, std::string_view last) {
    using form = http::pattern_segment::kind;
    const bool has_rest = !pattern.empty() && pattern.back().what == form::rest;
    const auto given = path.size() - from;
    if (has_rest ? given < pattern.size() : given != pattern.size()) return std::nullopt;
    pattern_fit made;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const auto& wanted = pattern[i];
        const auto& text = path[from + i];
        switch (wanted.what) {
            case form::literal:
                if (text != wanted.text) return std::nullopt;
                made.rank += '3';
                break;
            case form::parameter: {
                if (wanted.verb.empty()) {
                    if (text.empty()) return std::nullopt;
                    made.found.emplace_back(wanted.text, text);
                    made.rank += '1';
                    break;
                }
                // The colon of a verb is one that was not encoded; a name may have others.
                const auto colon = last.rfind(':');
                if (colon == std::string_view::npos || colon == 0 || last.substr(colon + 1) != wanted.verb) return std::nullopt;
                made.found.emplace_back(wanted.text, *http::percent_decoded(last.substr(0, colon)));
                made.rank += '2';
                break;
            }
            case form::rest: {
                std::string rest = text;
                for (auto j = from + i + 1; j < path.size(); ++j) rest += '/' + path[j];
                made.found.emplace_back(wanted.text, std::move(rest));
                made.rank += '0';
                break;
            }
        }
    }
    return made;
}

/// How many segments a prefix has.
inline std::size_t depth_of(std::string_view prefix) {
    return static_cast<std::size_t>(std::ranges::count(prefix, '/'));
}

/// Whether a path is below a prefix: "" or "/a/b".
inline bool is_below(const std::vector<std::string>& path, std::string_view prefix) {
    for (std::size_t i = 0; !prefix.empty(); ++i) {
        prefix.remove_prefix(1);
        const auto end = (std::min)(prefix.find('/'), prefix.size());
        if (i >= path.size() || path[i] != prefix.substr(0, end)) return false;
        prefix.remove_prefix(end);
    }
    return true;
}

inline void allow(std::vector<std::string>& methods, const std::string& one) {
    if (std::ranges::find(methods, one) == methods.end()) methods.push_back(one);
}

inline std::string listed(const std::vector<std::string>& methods) {
    std::string text;
    for (const auto& one : methods) text += (text.empty() ? "" : ", ") + one;
    return text;
}

/// The best route of a path: all patterns of the best rank, and among them the one with the method.
inline void look_for(const http::routes& in, const http::request& asked, std::string_view last, http::match& found) {
    std::string best;
    const auto depth = depth_of(in.prefix());
    std::vector<std::string> methods;
    const http::route* to = nullptr;
    path_parameters parameters;
    bool is_exact = false;  // has the method itself: GET answers HEAD only where there is no HEAD
    for (const auto& one : in.all()) {
        auto fits = fit(one->segments(), asked.segments, depth, last);
        if (!fits || fits->rank < best) continue;
        if (fits->rank > best) {
            best = fits->rank;
            methods.clear();
            to = nullptr;
            is_exact = false;
        }
        allow(methods, one->method());
        const bool is_same = one->method() == asked.method;
        const bool is_head = asked.method == "HEAD" && one->method() == "GET";
        if ((is_same && !is_exact) || (is_head && !to)) {
            to = one.get();
            parameters = std::move(fits->found);
            is_exact = is_same;
        }
    }
    for (const auto& one : methods) allow(found.allowed, one);
    if (!to || found.to) return;
    found.in = &in;
    found.to = to;
    found.parameters = std::move(parameters);
}

inline http::problem no_route(const http::match& found, const http::request& asked) {
    const auto where = printable(asked.path(), 200);
    if (found.allowed.empty()) {
        return http::problem(404, "there is nothing at " + where + "; see /openapi.json for what there is");
    }
    const auto methods = listed(found.allowed);
    http::problem made(405, printable(asked.method) + " is not possible at " + where + "; possible are " + methods);
    return made.header("Allow", methods);
}

/// Where no route is: `OPTIONS` is answered. Errors: `problem` 404, 405.
inline http::response answer_unrouted(const http::match& found, const http::request& asked) {
    const bool is_whole_server = asked.target == "*";
    if (asked.method != "OPTIONS" || (found.allowed.empty() && !is_whole_server)) throw no_route(found, asked);
    http::response options(204);
    options.header("Allow", found.allowed.empty() ? "GET, HEAD, OPTIONS" : listed(found.allowed));
    return options;
}

/// The answer to a call that has failed.
inline http::response answer_failed(http::problem_form form, const std::exception_ptr& error, const http::call& in,
                                    const std::function<void(const std::exception_ptr&)>& on_failure) {
    const auto what = http::problem_of(error);
    if (what.status() == 500 && on_failure) on_failure(error);
    auto made = form(what, in.request_id());
    if (what.is_closing()) made.header("Connection", "close");
    return made;
}

/// Errors: `problem` 403.
inline void check_permission(const http::route& to, const http::identity& who) {
    if (who.may() >= to.asks()) return;
    const std::string needed = boost::describe::enum_to_string(to.asks(), "?");
    const std::string has = boost::describe::enum_to_string(who.may(), "?");
    http::problem made(403, "this call needs the permission " + needed + ", and " +
                                (who.name().empty() ? std::string("who is not logged in") : "user " + in_quotes(who.name())) + " has " + has);
    throw made.with("needs", boost::json::value(needed));
}

}  // namespace detail

namespace http {

route& routes::insert(std::string_view what, permission asks) {
    auto made = std::make_unique<route>(what, asks, nullptr);
    const bool is_there = std::ranges::any_of(all_, [&](const auto& one) {
        return one->method() == made->method() && one->pattern() == made->pattern();
    });
    if (is_there) {
        throw error(errc::invalid_argument, "route " + std::string(what) + " is there already" +
                                                (prefix_.empty() ? std::string() : " below " + prefix_) + "; add it once");
    }
    return *all_.emplace_back(std::move(made));
}

routes& router::mount(std::string_view prefix) {
    while (prefix.ends_with('/')) prefix.remove_suffix(1);
    if (!prefix.empty() && prefix.front() != '/') {
        throw error(errc::invalid_argument, "not a prefix for routes: " + detail::in_quotes(prefix) + "; write \"/tasks\", or \"/\" for none");
    }
    const auto depth = detail::depth_of(prefix);
    const auto place = std::ranges::find_if(all_, [&](const auto& one) { return detail::depth_of(one->prefix()) < depth; });
    return **all_.insert(place, std::make_unique<routes>(std::string(prefix)));
}

match router::find(const request& asked) const {
    match found;
    const auto path = asked.path();
    const auto last = path.substr(path.rfind('/') + 1);
    for (const auto& one : all_) {
        if (!detail::is_below(asked.segments, one->prefix())) continue;
        if (!found.in) found.in = one.get();
        detail::look_for(*one, asked, last, found);
        if (found.to) break;
    }
    if (!found.allowed.empty()) {
        const bool has_get = std::ranges::find(found.allowed, "GET") != found.allowed.end();
        if (has_get) detail::allow(found.allowed, "HEAD");
        detail::allow(found.allowed, "OPTIONS");
    }
    return found;
}

asio::awaitable<response> router::answer_match(match found, call& in) const {
    if (!found.to) co_return detail::answer_unrouted(found, in.request());
    const auto& to = *found.to;
    in.set_route(to.pattern());
    in.set_max_body(to.max_body());
    in.set_path_parameters(std::move(found.parameters));
    if (to.asks() != permission::none) {
        const auto& by = found.in->authentication() ? found.in->authentication() : authenticator_;
        if (by) {
            auto asking = by(in);
            identity who = co_await std::move(asking);
            in.set_who(std::move(who));
            detail::check_permission(to, in.who());
        }
    }
    auto work = to.answer()(in);
    co_return co_await std::move(work);
}

asio::awaitable<response> router::answer(call& in, std::function<void(const std::exception_ptr&)> on_failure) const {
    auto found = find(in.request());
    const auto form = found.in ? found.in->problems() : &problem_json;
    auto work = answer_match(std::move(found), in);
    auto ended = co_await detail::caught(std::move(work));
    if (!ended.failure()) co_return ended.take();
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) std::rethrow_exception(ended.failure());
    co_return detail::answer_failed(form, ended.failure(), in, on_failure);
}

}  // namespace http
}  // namespace taskflux
