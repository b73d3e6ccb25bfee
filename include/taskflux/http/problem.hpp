#pragma once

#include <taskflux/fwd.hpp>
#include <taskflux/http/headers.hpp>

#include <boost/json/object.hpp>

#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::http {

class response;

/// Where in a request something is wrong.
enum class place { path, query, header, body };

/// One thing that is wrong in a request.
class flaw {
public:
    /// `name`: of the parameter; in a body the JSON pointer, empty for all of it. `detail`: what is wrong and would be right.
    flaw(place where, std::string name, std::string detail)
        : where_(where), name_(std::move(name)), detail_(std::move(detail)) {}

    place where() const { return where_; }
    const std::string& name() const { return name_; }
    const std::string& detail() const { return detail_; }

private:
    place where_;
    std::string name_;
    std::string detail_;
};

/// Why a request is refused, or has failed: thrown by handlers, and answered as `application/problem+json` (RFC 9457), or in the
/// form of the dialect whose route it is.
///
///     throw http::problem(404, "there is no job " + id + "; it may have ended long ago").code("not_found");
class problem : public std::runtime_error {
public:
    /// `status`: 400 … 599. `detail`: what is wrong, and what would be right; shown to the client.
    problem(unsigned status, const std::string& detail) : std::runtime_error(detail), status_(status) {}

    /// For programs to compare; by default a word for the status, such as "not_found".
    problem& code(std::string word) { return code_ = std::move(word), *this; }

    /// A header of the answer, such as `Allow` or `Retry-After`.
    problem& header(std::string_view name, std::string_view value) { return fields_.set(name, value), *this; }

    /// Adds what is wrong at a place of the request.
    problem& at(place where, std::string name, std::string detail) {
        return flaws_.emplace_back(where, std::move(name), std::move(detail)), *this;
    }

    /// Adds a member to the answer.
    problem& with(std::string_view name, boost::json::value value) {
        return members_[name] = std::move(value), *this;
    }

    /// The connection is closed after the answer: what follows in it can't be told apart from this request.
    problem& closing() { return is_closing_ = true, *this; }

    unsigned status() const { return status_; }
    std::string detail() const { return what(); }
    std::string code() const;
    const headers& fields() const { return fields_; }
    const std::vector<flaw>& flaws() const { return flaws_; }
    const boost::json::object& members() const { return members_; }
    bool is_closing() const { return is_closing_; }

private:
    unsigned status_;
    std::string code_;
    headers fields_;
    std::vector<flaw> flaws_;
    boost::json::object members_;
    bool is_closing_ = false;
};

/// The name of a status, such as "Not Found".
std::string_view reason_of(unsigned status);

/// The problem that an exception of a handler stands for: a `problem` itself; errors of taskflux by their codes; a broker that
/// can't be reached 503 with `Retry-After`. Anything else, which is a fault of the server, is 500 without its text: that is for
/// the log.
problem problem_of(const std::exception_ptr& error);

/// How a problem is answered. `request_id`: of the request.
using problem_form = response (*)(const problem& what, std::string_view request_id);

/// RFC 9457: `{"type":"about:blank","title":…,"status":…,"detail":…,"code":…,"request_id":…}`, and `errors`, a list of
/// `{"detail", "pointer"}` for what is wrong in the body, and of `{"detail", "in", "name"}` for parameters.
response problem_json(const problem& what, std::string_view request_id);

}  // namespace taskflux::http
