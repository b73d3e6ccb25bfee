#pragma once

#include <taskflux/core/codec.hpp>
#include <taskflux/core/schema.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/http/call.hpp>
#include <taskflux/http/permission.hpp>
#include <taskflux/http/problem.hpp>
#include <taskflux/http/response.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::http {

/// Makes the schema of a type, on demand.
using schema_maker = boost::json::object (*)(schema_builder&);

template <class T>
boost::json::object schema_of(schema_builder& in) {
    return in.add<T>();
}

/// A parameter of a route, in its path, its query or a header.
class parameter {
public:
    parameter(place where, std::string name, bool is_repeatable, schema_maker by)
        : where_(where), name_(std::move(name)), is_repeatable_(is_repeatable), schema_(by) {}

    place where() const { return where_; }

    /// As it is sent: a header's is the name of that header.
    const std::string& name() const { return name_; }

    /// Of a header that may stand in the place of a query parameter; empty: none.
    const std::string& header() const { return header_; }

    bool is_required() const { return is_required_ || where_ == place::path; }
    bool is_repeatable() const { return is_repeatable_; }
    const std::string& about() const { return about_; }
    boost::json::object schema(schema_builder& in) const { return schema_(in); }

private:
    friend class route;

    place where_;
    std::string name_;
    std::string header_;
    std::string about_;
    bool is_required_ = false;
    bool is_repeatable_;
    schema_maker schema_;
};

/// One answer of a route, for its description.
struct described_answer {
    unsigned status;
    std::string about;
    schema_maker schema;  ///< null: no body, or one that is not JSON
    std::string type = "application/json";
};

/// A segment of a route's pattern.
struct pattern_segment {
    enum class kind { literal, parameter, rest };
    kind what;
    std::string text;  ///< the literal, or the parameter's name
    std::string verb;  ///< behind the parameter, without the colon: `{name}:batch`
};

/// A call that a server answers: method and path, who may make it, what it takes and gives. Made by `routes::add`; the functions
/// that return `route&` describe it further, before the server runs.
class route {
public:
    using endpoint = std::function<asio::awaitable<response>(call&)>;

    /// `what`: a method and a path in which `{name}` stands for a segment, `{name}:verb` for one that ends in `:verb`, and
    /// `{name...}`, at the end, for all segments that are left. Errors: `invalid_argument` for another form.
    route(std::string_view what, permission asks, endpoint answer);

    /// A sentence for the API's description.
    route& summary(std::string text) { return summary_ = std::move(text), *this; }

    /// Under what the description lists it, such as "jobs".
    route& group(std::string name) { return group_ = std::move(name), *this; }

    /// Describes a parameter. Errors, as of the next ones: `invalid_argument` for one that the request's type does not have.
    route& about(std::string_view name, std::string text) { return find(name).about_ = std::move(text), *this; }

    /// A query parameter without which a call is refused.
    route& required(std::string_view name) { return find(name).is_required_ = true, *this; }

    /// A member of the request's type that is read from a header of this name, and not from the query.
    route& from_header(std::string_view name, std::string header);

    /// Query parameters may be given as headers, too: `max_attempts` as `<prefix>Max-Attempts`.
    route& also_as_headers(std::string_view prefix);

    /// An answer for the description, beside the one that the handler's type tells.
    template <class T>
    route& answers(unsigned status, std::string about) {
        return answered({status, std::move(about), &schema_of<T>, "application/json"});
    }
    route& answers(unsigned status, std::string about, std::string type = {}) {
        return answered({status, std::move(about), nullptr, std::move(type)});
    }

    /// The most bytes of a body; default 16 MiB.
    route& max_body(std::uint64_t bytes) { return max_body_ = bytes, *this; }

    /// A body in JSON is taken under any content type, and without one; by default `application/json` and `…+json` only.
    route& any_content_type() { return is_any_type_ = true, *this; }

    /// Query parameters that the request's type does not have are ignored; by default they are refused.
    route& ignores_unknown() { return ignores_unknown_ = true, *this; }

    /// Left out of the description.
    route& hidden() { return is_hidden_ = true, *this; }

    const std::string& method() const { return method_; }
    const std::string& pattern() const { return pattern_; }
    const std::vector<pattern_segment>& segments() const { return segments_; }
    permission asks() const { return asks_; }
    const std::string& summary() const { return summary_; }
    const std::string& group() const { return group_; }
    const std::vector<parameter>& parameters() const { return parameters_; }
    schema_maker body_schema() const { return body_schema_; }  ///< null: takes no JSON
    const std::vector<described_answer>& answers() const { return answers_; }
    std::uint64_t max_body() const { return max_body_; }
    bool is_any_type() const { return is_any_type_; }
    bool is_hidden() const { return is_hidden_; }
    bool does_ignore_unknown() const { return ignores_unknown_; }
    const endpoint& answer() const { return answer_; }

    // For `routes::add`.
    void add_parameter(std::string name, bool is_repeatable, schema_maker schema);
    void set_body(schema_maker schema) { body_schema_ = schema; }
    void set_answer(endpoint answer) { answer_ = std::move(answer); }

private:
    parameter& find(std::string_view name);
    route& answered(described_answer what) { return answers_.push_back(std::move(what)), *this; }

    std::string method_;
    std::string pattern_;
    std::vector<pattern_segment> segments_;
    permission asks_;
    endpoint answer_;
    std::string summary_;
    std::string group_;
    std::vector<parameter> parameters_;  // in the order of the members of the request's type, but for `body`
    schema_maker body_schema_ = nullptr;
    std::vector<described_answer> answers_;
    std::uint64_t max_body_ = 16 * 1024 * 1024;
    bool is_any_type_ = false;
    bool ignores_unknown_ = false;
    bool is_hidden_ = false;
};

}  // namespace taskflux::http
