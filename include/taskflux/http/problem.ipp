#pragma once

#include <taskflux/core/codec/error.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/failure.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/http/problem.hpp>
#include <taskflux/http/response.hpp>

#include <boost/beast/http/status.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <string>
#include <utility>

namespace taskflux {

namespace detail {

http::problem body_problem(const payload_error& why, bool is_json);

/// The status by which an error of taskflux is answered.
inline unsigned status_of(errc code) {
    switch (code) {
        case errc::not_found: return 404;
        case errc::lease_lost:
        case errc::wrong_state:
        case errc::cancelled:
        case errc::expired:
        case errc::task_failed:
        case errc::crashed:
        case errc::journal_mismatch: return 409;
        case errc::bad_payload: return 422;
        case errc::too_large: return 413;
        case errc::invalid_argument:
        case errc::unsupported: return 400;
        case errc::queue_full:
        case errc::busy: return 429;
        case errc::timed_out:
        case errc::shut_down:
        case errc::unavailable:
        case errc::no_instance:
        case errc::no_worker: return 503;
        case errc::protocol: return 500;
    }
    return 500;
}

inline http::problem with_retry_hint(http::problem made) {
    if (made.status() == 429 || made.status() == 503) made.header("Retry-After", "1");
    return made;
}

inline http::problem problem_of_code(errc code, const std::string& text) {
    http::problem made(status_of(code), text);
    made.code(boost::describe::enum_to_string(code, "error"));
    return with_retry_hint(std::move(made));
}

/// `Too Many Requests` as a word: `too_many_requests`.
inline std::string word_of(std::string_view reason) {
    std::string word;
    for (const char c : reason) {
        const auto letter = lower_letter(c);
        if (letter >= 'a' && letter <= 'z') word += letter;
        else if (c == ' ' || c == '-') word += '_';
    }
    return word;
}

}  // namespace detail

namespace http {

std::string_view reason_of(unsigned status) {
    const auto known = boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(status));
    return {known.data(), known.size()};
}

std::string problem::code() const { return code_.empty() ? detail::word_of(reason_of(status_)) : code_; }

problem problem_of(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const problem& e) {
        return e;
    } catch (const decode_error& e) {
        if (!e.reason().starts_with("not valid JSON") && e.code() != errc::too_large) return detail::body_problem(e, true);
        return detail::body_problem(e, false);
    } catch (const encode_error&) {  // of an answer
        problem made(500, "the answer can't be written as JSON; the server's log says more");
        return made.code("internal_error");
    } catch (const boost::system::system_error& e) {
        if (e.code().category() == taskflux_category()) {
            return detail::problem_of_code(static_cast<errc>(e.code().value()), e.what());
        }
        problem made(503, "the server that stores the tasks can't be reached now; try again");  // Asio's and Boost.Redis'
        return made.code("unavailable").header("Retry-After", "1");
    } catch (...) {
        problem made(500, "the server has failed to answer this request; its log says more");
        return made.code("internal_error");
    }
}

response problem_json(const problem& what, std::string_view request_id) {
    boost::json::object body{{"type", "about:blank"},
                             {"title", reason_of(what.status())},
                             {"status", what.status()},
                             {"detail", detail::as_utf8(what.detail())},
                             {"code", what.code()},
                             {"request_id", request_id}};
    boost::json::array errors;
    for (const auto& one : what.flaws()) {
        switch (one.where()) {
            case place::body: errors.push_back({{"detail", one.detail()}, {"pointer", one.name()}}); break;
            case place::path: errors.push_back({{"detail", one.detail()}, {"in", "path"}, {"name", one.name()}}); break;
            case place::query: errors.push_back({{"detail", one.detail()}, {"in", "query"}, {"name", one.name()}}); break;
            case place::header: errors.push_back({{"detail", one.detail()}, {"in", "header"}, {"name", one.name()}}); break;
        }
    }
    if (!errors.empty()) body["errors"] = std::move(errors);
    for (const auto& [name, value] : what.members()) body[name] = value;
    response made(what.status(), "application/problem+json", boost::json::serialize(body));
    for (std::size_t i = 0; i < what.fields().size(); ++i) made.header(what.fields().name(i), what.fields().value(i));
    return made;
}

}  // namespace http
}  // namespace taskflux
