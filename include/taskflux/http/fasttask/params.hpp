#pragma once

#include <taskflux/core/codec/error.hpp>
#include <taskflux/core/schema.hpp>
#include <taskflux/http/exposed.hpp>
#include <taskflux/http/problem.hpp>
#include <taskflux/http/request.hpp>

#include <boost/describe/class.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Parameters as FastTask reads them, by the rules of pydantic, and what it answers where they are wrong.
namespace taskflux::detail {

/// A value as an answer shows it: null where it is large, so that an answer is never many times the request.
boost::json::value shown_input(const boost::json::value& of);

/// One thing that is wrong in a request: an item of the `detail` of a 422.
class param_flaw {
public:
    /// How many are told of one request.
    static constexpr std::size_t most = 100;

    param_flaw(std::string type, boost::json::array place, std::string message, const boost::json::value& input,
               boost::json::object context = {})
        : type_(std::move(type)), place_(std::move(place)), message_(std::move(message)), input_(shown_input(input)),
          context_(std::move(context)) {}

    const std::string& type() const { return type_; }
    const boost::json::array& place() const { return place_; }
    const std::string& message() const { return message_; }

    /// `{"type", "loc", "msg", "input"}`, and `ctx` where there is one.
    boost::json::object as_json() const;

private:
    std::string type_;
    boost::json::array place_;
    std::string message_;
    boost::json::value input_;
    boost::json::object context_;
};

using param_flaws = std::vector<param_flaw>;

/// The answer to parameters that are wrong: 422 with all flaws.
http::problem unprocessable(const param_flaws& flaws);

/// Something that is missing: `["query", "result_id"]`.
param_flaw missing(boost::json::array place, const boost::json::value& input);

/// The JSON Schema of parameters, by which they are checked and brought into the types of their members: texts with numbers, and
/// booleans, count as numbers; whole numbers of any form as integers; texts such as "yes", and 0 and 1, as booleans.
///
/// A member must be given unless it may be null, or has a default that is not just the empty value of its type (0, "", false, [],
/// {}): C++ has no members without a value, so that is what an author writes who means none.
class params_schema {
public:
    explicit params_schema(const http::exposed_task& of);

    /// Of a described type.
    template <class T>
    static params_schema of() {
        schema_builder builder;
        params_schema made;
        made.root_ = builder.add<T>();
        made.definitions_ = builder.definitions();
        return made;
    }

    /// Whether there are no parameters: any object stands for none.
    bool is_empty() const;

    /// Checks and converts a value that stands at `place` in the request. Adds what is wrong to `flaws`.
    void read(boost::json::value& value, const boost::json::array& place, param_flaws& flaws) const;

private:
    params_schema() = default;

    boost::json::object root_;
    boost::json::object definitions_;
};

/// What clients may give beside the parameters of a task, as `fasttask_concurrency_params`.
struct concurrency_params {
    std::string concurrency_key;
    std::uint64_t max_concurrency = 16;  ///< tasks of one name and key that run at a time
    double countdown = 60;               ///< s, which a task waited for its next try: ours wait for their turn
    double expire = 1800;                ///< s: not started within this it is given up
};
BOOST_DESCRIBE_STRUCT(concurrency_params, (), (concurrency_key, max_concurrency, countdown, expire))

/// Parses the body of a request. Errors: `problem` 422: it is empty or null (missing), of another content type, or no JSON.
boost::json::value read_params_body(const http::request& asked, std::string_view text);

/// What a decoder refuses that the schema does not tell, as a flaw below `["body"]`.
param_flaw flaw_of(const payload_error& refused, const boost::json::value& body);

}  // namespace taskflux::detail
