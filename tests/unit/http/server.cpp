#include "answering.hpp"

#include <taskflux/clock.hpp>
#include <taskflux/http/server/access_log.hpp>
#include <taskflux/http/server/common.hpp>
#include <taskflux/http/server/drain.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace http_server {

namespace asio = boost::asio;
using namespace http_test;
using namespace std::chrono_literals;
using taskflux::detail::connection_set;
using taskflux::detail::server_common;
using admission = connection_set::admission;

BOOST_AUTO_TEST_SUITE(http_server)

BOOST_AUTO_TEST_CASE(connections_beyond_the_limit_are_told_so_and_floods_are_dropped) {
    const auto limits = http::limits().connections(2).connections_per_address(1000);
    connection_set all(limits);
    const auto admit = [&](const char* address) { return all.admit(address); };
    BOOST_TEST((admit("a") == admission::taken));
    BOOST_TEST((admit("b") == admission::taken));
    for (int i = 0; i < 10; ++i) BOOST_TEST((admit("c") == admission::refused));
    BOOST_TEST((admit("c") == admission::dropped));
    for (int i = 0; i < 10; ++i) all.remove(nullptr, "c");
    all.remove(nullptr, "a");
    BOOST_TEST((admit("d") == admission::taken));
    BOOST_TEST((admit("d") == admission::refused));
}

BOOST_AUTO_TEST_CASE(an_address_has_a_limit_of_its_own) {
    const auto limits = http::limits().connections(100).connections_per_address(1);
    connection_set all(limits);
    BOOST_TEST((all.admit("a") == admission::taken));
    BOOST_TEST((all.admit("a") == admission::refused));
    BOOST_TEST((all.admit("b") == admission::taken));
    all.remove(nullptr, "a");
    all.remove(nullptr, "a");
    BOOST_TEST((all.admit("a") == admission::taken));
    int refused = 0;
    while (all.admit("a") == admission::refused) ++refused;
    BOOST_TEST(refused == 20);
}

BOOST_AUTO_TEST_CASE(a_sane_request_id_is_taken_over_and_others_are_made) {
    taskflux::manual_clock clock;
    server_common common(clock, http::limits(), nullptr);
    const auto id = [&](std::string_view given) {
        auto asked = request("GET /");
        asked.fields.add("X-Request-Id", given);
        return common.id_of(asked);
    };
    BOOST_TEST(id("abc-1:2/3") == "abc-1:2/3");
    BOOST_TEST(id(std::string(128, 'a')) == std::string(128, 'a'));
    for (const std::string& given : {std::string(), std::string("a b"), std::string("a\"b"), std::string("\xc3\xa4"), std::string(129, 'a')}) {
        const auto made = id(given);
        BOOST_TEST(made != given);
        BOOST_TEST(made.size() > 16U);
        BOOST_TEST(made != id(given));
    }
}

BOOST_AUTO_TEST_CASE(access_lines_tell_who_asked_for_what) {
    http::call in(request("GET /a%22b?secret=1"), "");
    in.set_request_id("r1");
    in.set_peer("127.0.0.1", false);
    in.set_who({"joe", http::permission::read});
    in.set_route("/{id}");
    const taskflux::time_point now = std::chrono::sys_days(std::chrono::year(2026) / 1 / 31) + 12h;
    const auto common = taskflux::detail::access_line(http::access_form::common, in, 200, 12, 5ms, now);
    BOOST_TEST(common.text == "127.0.0.1 - joe [31/Jan/2026:12:00:00 +0000] \"GET /a%22b HTTP/1.1\" 200 12 5ms r1");
    BOOST_TEST((common.level == taskflux::log_level::info));
    BOOST_TEST(common.fields.at("request_id") == "r1");
    const auto json = boost::json::parse(taskflux::detail::access_line(http::access_form::json, in, 404, 0, 5ms, now).text);
    BOOST_TEST(json.at("path") == "/a%22b");
    BOOST_TEST(json.at("route") == "/{id}");
    BOOST_TEST(json.at("status") == 404);
    BOOST_TEST(json.at("user") == "joe");
}

BOOST_AUTO_TEST_CASE(a_line_can_not_be_forged) {
    http::request asked;
    asked.method = "G\nT";
    asked.target = "/\x1b[31m";
    http::call in(std::move(asked), "");
    in.set_who({"a\nb", http::permission::read});
    const auto line = taskflux::detail::access_line(http::access_form::common, in, 400, 0, 0ms, {});
    BOOST_TEST(line.text.find('\n') == std::string::npos);
    BOOST_TEST(line.text.find('\x1b') == std::string::npos);
}

asio::awaitable<int> seven() { co_return 7; }

asio::awaitable<int> never_ends() {
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::steady_clock::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
    co_return 0;
}

asio::awaitable<int> breaks() { throw std::runtime_error("broken"); co_return 0; }

struct draining {
    asio::io_context context;
    std::shared_ptr<taskflux::detail::drain> drain = std::make_shared<taskflux::detail::drain>();
    http::request asked;
    std::optional<std::optional<int>> got;
    std::exception_ptr failure;

    void await(asio::awaitable<int> work, asio::cancellation_slot stop = {}) {
        auto unless = taskflux::detail::unless_draining(drain, std::move(work));
        asio::co_spawn(context, std::move(unless), asio::bind_cancellation_slot(stop, [this](std::exception_ptr e, std::optional<int> value) {
            failure = e;
            got = value;
        }));
        context.poll();
    }
};

BOOST_FIXTURE_TEST_CASE(what_ends_before_the_drain_gives_its_value, draining) {
    await(seven());
    BOOST_TEST(got.value().value() == 7);
}

BOOST_FIXTURE_TEST_CASE(a_drain_ends_what_waits_without_a_value, draining) {
    await(never_ends());
    BOOST_TEST(!got.has_value());
    drain->begin();
    context.poll();
    BOOST_TEST(!got.value().has_value());
    BOOST_TEST(!failure);
}

BOOST_FIXTURE_TEST_CASE(after_the_drain_has_begun_nothing_is_waited_for, draining) {
    drain->begin();
    await(never_ends());
    BOOST_TEST(!got.value().has_value());
    BOOST_TEST(drain->has_begun());
}

BOOST_FIXTURE_TEST_CASE(an_error_is_passed_on, draining) {
    await(breaks());
    BOOST_CHECK_THROW(std::rethrow_exception(failure), std::runtime_error);
}

BOOST_FIXTURE_TEST_CASE(a_caller_that_is_cancelled_cancels_what_it_waits_for, draining) {
    asio::cancellation_signal stop;
    await(never_ends(), stop.slot());
    stop.emit(asio::cancellation_type::terminal);
    context.restart();
    context.run();  // returns, as nothing is left
    BOOST_CHECK_THROW(std::rethrow_exception(failure), boost::system::system_error);
    drain->begin();  // calls nobody
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_server
