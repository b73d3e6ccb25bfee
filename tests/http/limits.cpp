#include "gate.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <future>
#include <string>
#include <string_view>

namespace http_limits {

using namespace http_test;
using namespace std::chrono_literals;

asio::awaitable<http::response> counts(http::call& in) {
    std::uint64_t size = 0;
    for (;;) {
        const std::string piece = co_await in.read_some();
        if (piece.empty()) break;
        size += piece.size();
    }
    http::response made(200, "text/plain", std::to_string(size));
    co_return made;
}

asio::awaitable<http::response> ignores(http::call&) {
    http::response made(200, "text/plain", "ignored");
    co_return made;
}

struct limited : still_clock, gate {
    explicit limited(http::limits limits = http::limits())
        : gate(taskflux::gateway_options().limits(limits.connections(3)), clock) {
        auto& routes = gateway.routes();
        routes.add("POST /count", http::permission::none, &counts).max_body(1000);
        routes.add("POST /ignore", http::permission::none, &ignores);
        begin();
    }
    ~limited() { end(); }

    /// What comes until the connection ends, while time passes; how much passed.
    std::pair<std::string, taskflux::duration> rest(wire& of) {
        auto all = std::async(std::launch::async, [&] { return of.rest(); });
        const auto took = advance_until(clock, all);
        return {all.get(), took};
    }
};

BOOST_FIXTURE_TEST_SUITE(http_limits, limited)

BOOST_AUTO_TEST_CASE(a_line_that_is_too_long_is_414_and_a_head_431) {
    auto one = connect();
    const auto line = one.ask("GET /" + std::string(10'000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n");
    BOOST_TEST(status(line) == 414U);
    BOOST_TEST(wire::header(line, "Connection") == "close");
    BOOST_TEST(one.rest() == "");
    BOOST_TEST(status(ask(get("/livez", "A: " + std::string(20'000, 'a') + "\r\n"))) == 431U);
    BOOST_TEST(status(ask(get("/livez", "A: " + std::string(10'000, 'a') + "\r\n"))) == 200U);
}

BOOST_AUTO_TEST_CASE(a_body_that_is_too_large_is_413_whether_its_size_is_told_or_not) {
    BOOST_TEST(body(ask(post("/count", std::string(1000, 'a')))) == "1000");
    BOOST_TEST(status(ask(post("/count", std::string(1001, 'a')))) == 413U);
    const std::string chunk = "100\r\n" + std::string(256, 'a') + "\r\n";
    auto one = connect();
    one.send("POST /count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk + chunk + chunk + "0\r\n\r\n");
    BOOST_TEST(status(one.answer()) == 413U);
    BOOST_TEST(one.rest() == "");
}

BOOST_AUTO_TEST_CASE(a_refused_body_may_be_huge_and_the_answer_still_arrives) {
    auto one = connect();
    one.send("POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n" + std::string(500'000, 'a'));
    BOOST_TEST(status(one.answer()) == 413U);
}

BOOST_AUTO_TEST_CASE(a_body_that_nobody_reads_is_skipped_or_ends_the_connection) {
    auto one = connect();
    BOOST_TEST(body(one.ask(post("/ignore", std::string(100'000, 'a')))) == "ignored");
    BOOST_TEST(status(one.ask(get("/livez"))) == 200U);
    one.send("POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
    const auto last = one.answer();
    BOOST_TEST(body(last) == "ignored");
    BOOST_TEST(wire::header(last, "Connection") == "close");
}

BOOST_AUTO_TEST_CASE(who_sends_nothing_is_closed_without_a_word) {
    auto one = connect();
    const auto [said, took] = rest(one);
    BOOST_TEST(said == "");
    BOOST_TEST((took >= 10s));
}

BOOST_AUTO_TEST_CASE(who_stops_within_the_head_gets_408) {
    auto one = connect();
    one.send(get("/livez") + "GET /li");
    BOOST_TEST(status(one.answer()) == 200U);
    const auto [said, took] = rest(one);
    BOOST_TEST(status(said) == 408U);
    BOOST_TEST((took >= 10s));
    BOOST_TEST((took < 50s));  // not the time between requests
}

BOOST_AUTO_TEST_CASE(who_stops_within_the_body_gets_408) {
    auto one = connect();
    one.send("POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    const auto [said, took] = rest(one);
    BOOST_TEST(status(said) == 408U);
    BOOST_TEST(wire::header(said, "Connection") == "close");
    BOOST_TEST((took >= 15s));
}

BOOST_AUTO_TEST_CASE(a_connection_between_requests_is_closed_after_a_while) {
    auto one = connect();
    BOOST_TEST(status(one.ask(get("/livez"))) == 200U);
    const auto [said, took] = rest(one);
    BOOST_TEST(said == "");
    BOOST_TEST((took >= 60s));
}

BOOST_AUTO_TEST_CASE(connections_beyond_the_limit_get_503) {
    auto first = connect(), second = connect(), third = connect();
    for (auto* one : {&first, &second, &third}) BOOST_TEST(status(one->ask(get("/livez"))) == 200U);
    const auto refused = ask(get("/livez"));
    BOOST_TEST(status(refused) == 503U);
    BOOST_TEST(wire::header(refused, "Retry-After") == "1");
    BOOST_TEST(wire::header(refused, "Connection") == "close");
    BOOST_TEST(status(first.ask(get("/livez"))) == 200U);
    first.ask(get("/livez", "Connection: close\r\n"));
    first.rest();
    first.close();
    unsigned last = 503;
    while (last == 503) last = status(ask(get("/livez")));
    BOOST_TEST(last == 200U);
}

struct with_one_request : limited {
    with_one_request() : limited(http::limits().requests(1)) {}
};

BOOST_FIXTURE_TEST_CASE(requests_beyond_the_limit_get_503, with_one_request) {
    auto waiting = connect();
    waiting.send("POST /count HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    BOOST_TEST(status(waiting.answer(false)) == 100U);  // it is being answered now
    auto other = connect();
    const auto refused = other.ask(get("/livez"));
    BOOST_TEST(status(refused) == 503U);
    BOOST_TEST(wire::header(refused, "Retry-After") == "1");
    BOOST_TEST(body(waiting.ask("ab")) == "2");
    BOOST_TEST(status(other.ask(get("/livez"))) == 200U);
}

struct with_a_rate : limited {
    with_a_rate() : limited(http::limits().body_rate(1000).body_pause(1h)) {}
};

BOOST_FIXTURE_TEST_CASE(who_trickles_a_body_is_cut_off, with_a_rate) {
    auto one = connect();
    one.send("POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\na");
    auto all = std::async(std::launch::async, [&] { return one.answer(); });
    while (all.wait_for(1ms) != std::future_status::ready) {
        advance(clock, 1s);
        one.send("a");
    }
    BOOST_TEST(status(all.get()) == 408U);
}

BOOST_AUTO_TEST_CASE(smuggled_requests_are_refused_and_the_connection_is_closed) {
    for (const std::string_view head : {"POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
                                        "POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n",
                                        "POST /ignore HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
                                        "GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "GET /livez HTTP/1.1\r\n\r\n",
                                        "GET /livez HTTP/1.1\nHost: x\n\n", "GET /livez HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"}) {
        auto one = connect();
        one.send(std::string(head) + "0\r\n\r\n" + get("/livez"));
        BOOST_TEST(status(one.answer()) == 400U);
        BOOST_TEST(one.rest() == "");
    }
}

BOOST_AUTO_TEST_CASE(wrong_limits_are_refused) {
    BOOST_CHECK_THROW(http::limits().head(10), taskflux::error);
    BOOST_CHECK_THROW(http::limits().idle(0s), taskflux::error);
    BOOST_CHECK_THROW(http::limits().connections(0), taskflux::error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_limits
