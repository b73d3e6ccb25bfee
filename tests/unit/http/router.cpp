#include "answering.hpp"

#include <taskflux/core/error.hpp>
#include <taskflux/http/router.hpp>
#include <taskflux/http/values.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace http_router {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace http_test;
using http::permission;

enum class colour { red, green };
BOOST_DESCRIBE_ENUM(colour, red, green)

struct point {
    int x = 1;
    std::vector<std::int64_t> more;
};
BOOST_DESCRIBE_STRUCT(point, (), (x, more))

struct asked {
    std::string name;
    std::optional<int> limit;
    http::span wait = 3s;
    std::vector<colour> shown;
    bool hold = false;
    std::optional<std::string> idempotency_key;
    point body;
};
BOOST_DESCRIBE_STRUCT(asked, (), (name, limit, wait, shown, hold, idempotency_key, body))

struct told {
    std::string name;
    int limit = 0;
    http::span wait;
    std::uint64_t shown = 0;
    bool hold = false;
    std::string key;
    std::int64_t last = 0;
};
BOOST_DESCRIBE_STRUCT(told, (), (name, limit, wait, shown, hold, key, last))

asio::awaitable<told> tell(http::call&, asked what) {
    told made;
    made.name = what.name;
    made.limit = what.limit.value_or(-1);
    made.wait = what.wait;
    made.shown = what.shown.size();
    made.hold = what.hold;
    made.key = what.idempotency_key.value_or("");
    made.last = what.body.more.empty() ? what.body.x : what.body.more.back();
    co_return made;
}

/// A handler that answers with a word and the parameters of the path.
auto says(std::string word) {
    return [word](http::call& in) -> asio::awaitable<http::response> {
        return [](std::string text) -> asio::awaitable<http::response> {
            http::response made(200, "text/plain", text);
            co_return made;
        }(word + " " + std::string(in.path_parameter("id")) + std::string(in.path_parameter("path")));
    };
}

asio::awaitable<void> nothing(http::call&) { co_return; }

asio::awaitable<void> fails(http::call&) { throw std::runtime_error("secret"); co_return; }
asio::awaitable<void> aborts(http::call&) { throw boost::system::system_error(asio::error::operation_aborted); co_return; }
asio::awaitable<void> is_full(http::call&) { throw taskflux::error(taskflux::errc::queue_full, "queue q is full"); co_return; }

asio::awaitable<http::reply<point>> accepted(http::call&) {
    point made;
    http::reply<point> answer(202, made);
    answer.header("Location", "/x");
    co_return answer;
}

struct resources {
    http::router all;
    http::routes& v1 = all.mount("");

    resources() {
        v1.add("GET /v1/jobs/{id}", permission::none, says("get"));
        v1.add("DELETE /v1/jobs/{id}", permission::none, says("delete"));
        v1.add("GET /v1/jobs/{id}/log", permission::none, says("log"));
        v1.add("GET /v1/jobs/last", permission::none, says("last"));
        v1.add("POST /v1/jobs/{id}:retry", permission::none, says("retry"));
        v1.add("GET /assets/{path...}", permission::none, says("assets"));
        v1.add<asked>("POST /v1/tell/{name}", permission::none, &tell)
            .from_header("idempotency_key", "Idempotency-Key")
            .also_as_headers("Taskflux-");
    }

    std::string text(std::string_view what) { return std::string(answer(all, what).text()); }
    unsigned status(std::string_view what) { return answer(all, what).status(); }
};

BOOST_FIXTURE_TEST_SUITE(http_router, resources)

BOOST_AUTO_TEST_CASE(the_nearest_pattern_answers) {
    BOOST_TEST(text("GET /v1/jobs/7") == "get 7");
    BOOST_TEST(text("DELETE /v1/jobs/7") == "delete 7");
    BOOST_TEST(text("GET /v1/jobs/7/log") == "log 7");
    BOOST_TEST(text("GET /v1/jobs/last") == "last ");
    BOOST_TEST(text("GET /assets/a/b%2Fc") == "assets a/b/c");
    BOOST_TEST(status("GET /assets") == 404U);
}

BOOST_AUTO_TEST_CASE(a_verb_is_behind_the_last_colon_that_was_not_encoded) {
    BOOST_TEST(text("POST /v1/jobs/7:retry") == "retry 7");
    BOOST_TEST(text("POST /v1/jobs/default:~1.x:retry") == "retry default:~1.x");
    BOOST_TEST(text("POST /v1/jobs/a%3Aretry:retry") == "retry a:retry");
    BOOST_TEST(text("GET /v1/jobs/default:~1.x") == "get default:~1.x");
    BOOST_TEST(text("GET /v1/jobs/a%3Aretry") == "get a:retry");
    BOOST_TEST(status("GET /v1/jobs/a:retry") == 405U);
    BOOST_TEST(answer(all, "DELETE /v1/jobs/a:retry").fields()["Allow"] == "POST, OPTIONS");
}

BOOST_AUTO_TEST_CASE(a_name_may_hold_a_slash) { BOOST_TEST(text("GET /v1/jobs/a%2Flog") == "get a/log"); }

BOOST_AUTO_TEST_CASE(an_unknown_path_is_404_and_says_where) {
    const auto made = answer(all, "GET /v1/jibs");
    BOOST_TEST(made.status() == 404U);
    BOOST_TEST(made.fields()["Content-Type"] == "application/problem+json");
    const auto body = json(made);
    BOOST_TEST(body.at("status") == 404);
    BOOST_TEST(body.at("title") == "Not Found");
    BOOST_TEST(body.at("code") == "not_found");
    BOOST_TEST(body.at("request_id") == "r1");
    BOOST_TEST(std::string(body.at("detail").as_string()).find("/v1/jibs") != std::string::npos);
    BOOST_TEST(status("GET /v1/jobs/") == 404U);
}

BOOST_AUTO_TEST_CASE(a_wrong_method_is_405_with_those_that_are_possible) {
    const auto made = answer(all, "PUT /v1/jobs/7");
    BOOST_TEST(made.status() == 405U);
    BOOST_TEST(made.fields()["Allow"] == "GET, DELETE, HEAD, OPTIONS");
}

BOOST_AUTO_TEST_CASE(head_is_answered_by_get_and_options_by_the_router) {
    BOOST_TEST(text("HEAD /v1/jobs/7") == "get 7");  // the server sends no body
    const auto made = answer(all, "OPTIONS /v1/jobs/7");
    BOOST_TEST(made.status() == 204U);
    BOOST_TEST(made.fields()["Allow"] == "GET, DELETE, HEAD, OPTIONS");
    BOOST_TEST(status("OPTIONS *") == 204U);
    BOOST_TEST(status("OPTIONS /nowhere") == 404U);
    BOOST_TEST(status("HEAD /v1/jobs/7:retry") == 405U);
}

BOOST_AUTO_TEST_CASE(parameters_of_path_query_headers_and_body_are_members) {
    auto asking = request("POST /v1/tell/a%3Ab?limit=5&wait=1.5s&shown=red&shown=green&hold");
    asking.fields.add("Idempotency-Key", "k");
    http::call in(std::move(asking), R"({"x":1,"more":[9223372036854775807]})");
    BOOST_TEST(answer(all, in).text() == R"({"name":"a:b","limit":5,"wait":1.5,"shown":2,"hold":true,"key":"k","last":9223372036854775807})");
}

BOOST_AUTO_TEST_CASE(members_that_a_call_does_not_mention_keep_their_defaults) {
    BOOST_TEST(answer(all, "POST /v1/tell/a", "{}").text() ==
               R"({"name":"a","limit":-1,"wait":3,"shown":0,"hold":false,"key":"","last":1})");
}

BOOST_AUTO_TEST_CASE(query_parameters_may_come_as_headers) {
    auto asking = request("POST /v1/tell/a");
    asking.fields.add("taskflux-limit", "7");
    http::call in(std::move(asking), "{}");
    BOOST_TEST(json(answer(all, in)).at("limit") == 7);
}

BOOST_AUTO_TEST_CASE(a_wrong_parameter_is_named) {
    const auto made = answer(all, "POST /v1/tell/a?limit=abc", "{}");
    BOOST_TEST(made.status() == 400U);
    const auto error = json(made).at("errors").at(0);
    BOOST_TEST(error.at("in") == "query");
    BOOST_TEST(error.at("name") == "limit");
    BOOST_TEST(error.at("detail") == "expected an integer from -2147483648 to 2147483647, got string \"abc\"");
    for (const std::string_view query : {"limit=", "limit=1.5", "limit=99999999999", "limit=1&limit=2", "wait=soon", "shown=blue", "hold=maybe", "wiat=1s"}) {
        BOOST_TEST(answer(all, "POST /v1/tell/a?" + std::string(query), "{}").status() == 400U);
    }
}

BOOST_AUTO_TEST_CASE(an_unknown_parameter_is_refused_unless_the_route_ignores_it) {
    const auto made = answer(all, "POST /v1/tell/a?wiat=1s", "{}");
    BOOST_TEST(std::string(json(made).at("detail").as_string()).find("limit, wait, shown, hold") != std::string::npos);
    v1.add<asked>("POST /lax/{name}", permission::none, &tell).ignores_unknown();
    BOOST_TEST(answer(all, "POST /lax/a?wiat=1s", "{}").status() == 200U);
}

BOOST_AUTO_TEST_CASE(a_missing_parameter_is_named_where_it_is_required) {
    v1.add<asked>("POST /strict/{name}", permission::none, &tell).required("limit");
    const auto made = answer(all, "POST /strict/a", "{}");
    BOOST_TEST(made.status() == 400U);
    BOOST_TEST(json(made).at("errors").at(0).at("name") == "limit");
}

BOOST_AUTO_TEST_CASE(a_body_of_another_shape_is_422_at_its_pointer) {
    const auto made = answer(all, "POST /v1/tell/a", R"({"more":[1,"b"]})");
    BOOST_TEST(made.status() == 422U);
    BOOST_TEST(json(made).at("errors").at(0).at("pointer") == "/more/1");
    BOOST_TEST(json(made).at("code") == "bad_payload");
}

BOOST_AUTO_TEST_CASE(a_body_that_is_no_json_is_400) {
    for (const std::string body : {"", "{", "{} x", "\xff", "\"\xc3\"", "{\"a\":\"\xed\xa0\x80\"}", "NaN"}) {
        const auto made = answer(all, "POST /v1/tell/a", body);
        BOOST_TEST(made.status() == 400U);
        BOOST_TEST(json(made).at("code") == "bad_json");
    }
}

BOOST_AUTO_TEST_CASE(a_body_that_is_nested_too_deeply_is_refused) {
    const auto made = answer(all, "POST /v1/tell/a", std::string(100'000, '['));
    BOOST_TEST(made.status() == 400U);
}

BOOST_AUTO_TEST_CASE(a_body_of_another_type_is_415) {
    auto asking = request("POST /v1/tell/a");
    asking.fields.add("Content-Type", "application/x-www-form-urlencoded");
    http::call in(std::move(asking), "{}");
    BOOST_TEST(answer(all, in).status() == 415U);
    auto zipped = request("POST /v1/tell/a");
    zipped.fields.add("Content-Encoding", "gzip");
    http::call coded(std::move(zipped), "{}");
    BOOST_TEST(answer(all, coded).status() == 415U);
    auto other = request("POST /v1/tell/a");
    other.fields.add("Content-Type", "application/vnd.x+JSON; charset=utf-8");
    http::call taken(std::move(other), "{}");
    BOOST_TEST(answer(all, taken).status() == 200U);
}

BOOST_AUTO_TEST_CASE(a_body_beyond_the_limit_of_its_route_is_413) {
    v1.add<asked>("POST /small/{name}", permission::none, &tell).max_body(10);
    BOOST_TEST(answer(all, "POST /small/a", R"({"x":12345})").status() == 413U);
    BOOST_TEST(answer(all, "POST /small/a", R"({"x":1234})").status() == 200U);
}

BOOST_AUTO_TEST_CASE(errors_of_handlers_have_their_statuses) {
    v1.add("GET /fails", permission::none, &fails);
    v1.add("GET /full", permission::none, &is_full);
    v1.add("GET /aborts", permission::none, &aborts);
    const auto made = answer(all, "GET /fails");
    BOOST_TEST(made.status() == 500U);
    BOOST_TEST(made.text().find("secret") == std::string_view::npos);
    BOOST_TEST(answer(all, "GET /aborts").status() == 503U);
    const auto full = answer(all, "GET /full");
    BOOST_TEST(full.status() == 429U);
    BOOST_TEST(full.fields()["Retry-After"] == "1");
    BOOST_TEST(json(full).at("code") == "queue_full");
}

BOOST_AUTO_TEST_CASE(handlers_answer_with_nothing_or_with_a_status_of_their_own) {
    v1.add("POST /nothing", permission::none, &nothing);
    v1.add("POST /accepted", permission::none, &accepted);
    BOOST_TEST(status("POST /nothing") == 204U);
    const auto made = answer(all, "POST /accepted");
    BOOST_TEST(made.status() == 202U);
    BOOST_TEST(made.fields()["Location"] == "/x");
    BOOST_TEST(made.text() == R"({"x":1,"more":[]})");
}

asio::awaitable<http::identity> by_header(http::call& in) {
    const auto name = in.request().fields["X-User"];
    if (name.empty()) {
        http::problem refused(401, "log in");
        throw refused.header("WWW-Authenticate", "Basic");
    }
    http::identity who{std::string(name), name == "root" ? permission::admin : permission::read};
    co_return who;
}

BOOST_AUTO_TEST_CASE(a_route_asks_for_its_permission) {
    all.authenticate(&by_header);
    v1.add("POST /steer", permission::control, says("steer"));
    BOOST_TEST(status("POST /steer") == 401U);
    BOOST_TEST(answer(all, "POST /steer").fields()["WWW-Authenticate"] == "Basic");
    const auto as = [&](const char* name) {
        auto asking = request("POST /steer");
        asking.fields.add("X-User", name);
        http::call in(std::move(asking), "");
        return answer(all, in);
    };
    BOOST_TEST(as("root").status() == 200U);
    BOOST_TEST(as("joe").status() == 403U);
    BOOST_TEST(json(as("joe")).at("needs") == "control");
    BOOST_TEST(status("GET /v1/jobs/7") == 200U);  // asks for none
}

http::response own_form(const http::problem& what, std::string_view) {
    return http::response(what.status(), "text/x-own", what.detail());
}

BOOST_AUTO_TEST_CASE(a_mount_has_its_prefix_its_form_of_problems_and_its_authentication) {
    auto& mounted = all.mount("/own/api/");
    mounted.problems(&own_form).authenticate(&by_header);
    mounted.add("POST /v1/{id}", permission::read, says("own"));
    BOOST_TEST(answer(all, "POST /own/api/v1/x").status() == 401U);
    BOOST_TEST(answer(all, "POST /own/api/v2/x").fields()["Content-Type"] == "text/x-own");
    BOOST_TEST(answer(all, "GET /own/api/v1/x").status() == 405U);
    BOOST_TEST(answer(all, "GET /own/apiv1").fields()["Content-Type"] == "application/problem+json");
}

BOOST_AUTO_TEST_CASE(of_equal_prefixes_the_first_comes_first_and_others_are_looked_at) {
    auto& second = all.mount("/");
    second.add("GET /v1/jobs/{id}", permission::none, says("second"));
    second.add("PUT /v1/jobs/{id}", permission::none, says("put"));
    second.add("GET /only", permission::none, says("only"));
    BOOST_TEST(text("GET /v1/jobs/7") == "get 7");
    BOOST_TEST(text("PUT /v1/jobs/7") == "put 7");
    BOOST_TEST(text("GET /only") == "only ");
}

BOOST_AUTO_TEST_CASE(a_route_is_added_once_and_in_its_form) {
    BOOST_CHECK_THROW(v1.add("GET /v1/jobs/{id}", permission::none, says("x")), taskflux::error);
    for (const std::string_view what : {"GET", "GET x", "/x", "GET /{", "GET /{}", "GET /{a}b", "GET /{a}:", "GET /{a...}/b", "GET /{a}:b/c"}) {
        BOOST_CHECK_THROW(v1.add(what, permission::none, says("x")), taskflux::error);
    }
    BOOST_CHECK_THROW(all.mount("tasks"), taskflux::error);
}

BOOST_AUTO_TEST_CASE(routes_tell_what_they_take_and_give) {
    const auto& route = *v1.all().back();
    taskflux::schema_builder schemas;
    BOOST_TEST(route.method() == "POST");
    BOOST_TEST(route.parameters().size() == 6U);
    BOOST_TEST((route.parameters()[0].where() == http::place::path));
    BOOST_TEST(route.parameters()[0].is_required());
    BOOST_TEST((route.parameters()[1].where() == http::place::query));
    BOOST_TEST(route.parameters()[1].header() == "Taskflux-Limit");
    BOOST_TEST(route.parameters()[3].is_repeatable());
    BOOST_TEST((route.parameters()[5].where() == http::place::header));
    BOOST_TEST(route.parameters()[5].name() == "Idempotency-Key");
    BOOST_TEST(route.body_schema()(schemas).at("properties").as_object().contains("more"));
    BOOST_TEST(route.answers().at(0).status == 200U);
    BOOST_TEST(route.answers()[0].schema(schemas).at("properties").as_object().contains("last"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_router
