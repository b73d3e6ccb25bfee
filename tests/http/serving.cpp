#include "gate.hpp"

#include <boost/describe/class.hpp>

#include <string>
#include <string_view>

namespace http_serving {

using namespace http_test;
using namespace std::chrono_literals;

struct circle {
    double radius = 1;
};
BOOST_DESCRIBE_STRUCT(circle, (), (radius))

inline constexpr taskflux::task<double(circle)> area{"area"};
inline constexpr taskflux::task<std::string(taskflux::raw)> bytes{"a/b.c"};

asio::awaitable<double> compute(circle given) {
    if (given.radius < 0) throw std::invalid_argument("the radius is negative");
    co_return 3 * given.radius * given.radius;
}

struct serving : gate {
    serving() {
        gateway.expose(area).expose(bytes);
        begin();
    }
};

BOOST_FIXTURE_TEST_SUITE(http_serving, serving)

BOOST_AUTO_TEST_CASE(a_gateway_that_runs_is_alive_and_ready) {
    const auto alive = ask(get("/livez"));
    BOOST_TEST(status(alive) == 200U);
    BOOST_TEST(body(alive) == "ok\n");
    BOOST_TEST(wire::header(alive, "Content-Length") == "3");
    BOOST_TEST(!wire::header(alive, "Date").empty());
    BOOST_TEST(status(ask(get("/readyz"))) == 200U);
    BOOST_TEST(body(ask(get("/metrics"))).find("# HELP") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_connection_serves_several_requests) {
    auto one = connect();
    for (int i = 0; i < 3; ++i) BOOST_TEST(status(one.ask(get("/livez"))) == 200U);
    const auto last = one.ask(get("/livez", "Connection: close\r\n"));
    BOOST_TEST(wire::header(last, "Connection") == "close");
    BOOST_TEST(one.rest() == "");
}

BOOST_AUTO_TEST_CASE(requests_that_are_sent_together_are_answered_in_their_order) {
    auto one = connect();
    one.send(get("/livez") + get("/nowhere") + post("/v1/tasks/area", R"({"radius":2})") + get("/livez"));
    BOOST_TEST(status(one.answer()) == 200U);
    BOOST_TEST(status(one.answer()) == 404U);
    BOOST_TEST(status(one.answer()) == 202U);
    BOOST_TEST(body(one.answer()) == "ok\n");
}

BOOST_AUTO_TEST_CASE(a_request_may_come_byte_by_byte) {
    auto one = connect();
    for (const char c : post("/v1/tasks/area", R"({"radius":2})")) one.send(std::string_view(&c, 1));
    BOOST_TEST(status(one.answer()) == 202U);
}

BOOST_AUTO_TEST_CASE(head_gives_the_headers_without_the_body) {
    auto one = connect();
    one.send("HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto head = one.answer(false);
    BOOST_TEST(status(head) == 200U);
    BOOST_TEST(wire::header(head, "Content-Length") == "3");
    BOOST_TEST(body(head) == "");
    BOOST_TEST(body(one.ask(get("/livez"))) == "ok\n");
}

BOOST_AUTO_TEST_CASE(http_1_0_is_answered_and_closed_unless_it_asks_to_keep_the_connection) {
    auto one = connect();
    const auto kept = one.ask("GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    BOOST_TEST(wire::header(kept, "Connection") == "keep-alive");
    const auto closed = one.ask("GET /livez HTTP/1.0\r\n\r\n");
    BOOST_TEST(wire::header(closed, "Connection") == "close");
    BOOST_TEST(one.rest() == "");
}

BOOST_AUTO_TEST_CASE(a_task_is_submitted_and_looked_at) {
    const auto stored = ask(post("/v1/tasks/area?queue=default&priority=3", R"({"radius":2})"));
    BOOST_TEST(status(stored) == 202U);
    const auto told = boost::json::parse(body(stored));
    BOOST_TEST(told.at("state") == "waiting");
    const auto location = wire::header(stored, "Location");
    const auto job = boost::json::parse(body(ask(get(location))));
    BOOST_TEST(job.at("id") == told.at("id"));
    BOOST_TEST(job.at("task") == "area");
    BOOST_TEST(job.at("priority") == 3);
    BOOST_TEST(status(ask(get("/v1/jobs/" + std::string(told.at("id").as_string())))) == 200U);  // its colon may be sent as it is
    BOOST_TEST(status(ask(get("/v1/jobs/none"))) == 404U);
}

BOOST_AUTO_TEST_CASE(a_task_is_waited_for) {
    taskflux::worker worker(broker);
    worker.on(area, compute);
    asio::co_spawn(context, worker.run(), asio::detached);
    const auto done = ask(post("/v1/tasks/area?wait=30s", R"({"radius":2})"));
    BOOST_TEST(status(done) == 200U);
    BOOST_TEST(boost::json::parse(body(done)).at("result") == 12.0);
    const auto failed = boost::json::parse(body(ask(post("/v1/tasks/area?wait=30s", R"({"radius":-2})"))));
    BOOST_TEST(failed.at("state") == "failed");
    BOOST_TEST(failed.at("error").at("message") == "the radius is negative");
    const auto stored = ask(post("/v1/tasks/area", R"({"radius":1})"));
    const auto job = boost::json::parse(body(ask(get(wire::header(stored, "Location") + "?wait=30s"))));
    BOOST_TEST(job.at("state") == "succeeded");
    worker.stop();
    end();
}

BOOST_AUTO_TEST_CASE(an_idempotency_key_is_the_tasks_own_id) {
    const auto first = ask(post("/v1/tasks/area", "{}", "Idempotency-Key: mine\r\n"));
    const auto again = ask(post("/v1/tasks/area", "{}", "Idempotency-Key: mine\r\n"));
    BOOST_TEST(boost::json::parse(body(again)).at("duplicate") == true);
    BOOST_TEST(boost::json::parse(body(again)).at("id") == boost::json::parse(body(first)).at("id"));
    BOOST_TEST(boost::json::parse(body(ask(get("/v1/jobs/mine")))).at("own_id") == "mine");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_in_a_submission_is_named) {
    BOOST_TEST(status(ask(post("/v1/tasks/none", "{}"))) == 404U);
    const auto shape = ask(post("/v1/tasks/area", R"({"radius":"x"})", "X-Request-Id: mine-1\r\n"));
    BOOST_TEST(status(shape) == 422U);
    BOOST_TEST(boost::json::parse(body(shape)).at("errors").at(0).at("pointer") == "/radius");
    BOOST_TEST(boost::json::parse(body(shape)).at("request_id") == "mine-1");
    BOOST_TEST(wire::header(shape, "X-Request-Id") == "mine-1");
    BOOST_TEST(status(ask(post("/v1/tasks/area", "{"))) == 400U);
    BOOST_TEST(status(ask(post("/v1/tasks/area", "{}", "Content-Type: text/plain\r\n"))) == 415U);
    BOOST_TEST(status(ask(post("/v1/tasks/area?queue=a%20b", "{}"))) == 400U);
    BOOST_TEST(status(ask(post("/v1/tasks/area?wait=x", "{}"))) == 400U);
}

BOOST_AUTO_TEST_CASE(a_name_may_hold_a_slash_and_a_payload_any_byte) {
    const auto stored = ask(post("/v1/tasks/a%2Fb%2Ec", "\xff\r\n\r\n", "Content-Type: application/octet-stream\r\n"));
    BOOST_TEST(status(stored) == 202U);
}

BOOST_AUTO_TEST_CASE(a_body_in_chunks_is_read) {
    const auto done = ask("POST /v1/tasks/area HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "5;x=y\r\n{\"rad\r\n8\r\nius\":2}\n\r\n0\r\nTrailer: x\r\n\r\n");
    BOOST_TEST(status(done) == 202U);
}

BOOST_AUTO_TEST_CASE(a_client_that_asks_before_it_sends_its_body_is_answered) {
    auto one = connect();
    one.send("POST /v1/tasks/area HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    BOOST_TEST(one.answer(false) == "HTTP/1.1 100 Continue\r\n\r\n");
    BOOST_TEST(status(one.ask("{}")) == 202U);
    one.send("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    const auto refused = one.answer();
    BOOST_TEST(status(refused) == 404U);
    BOOST_TEST(wire::header(refused, "Connection") == "close");  // the body may come, or not
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_serving
