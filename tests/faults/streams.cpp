#include "fixture.hpp"
#include "ledger.hpp"

#include <support/child.hpp>
#include <support/proxy.hpp>
#include <support/redis_server.hpp>
#include <taskflux/broker/redis.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/flow/connect.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <vector>

// Streams whose connections are cut, and whose reader is killed.
namespace test::faults {

namespace faults_streams {

using namespace std::chrono_literals;
using taskflux::broker_ptr;

inline constexpr taskflux::method<taskflux::stream<int>(int)> count_to{"numbers", "count_to"};

asio::awaitable<void> count(taskflux::emitter<int>& out, int end) {
    for (int i = 0; i < end; ++i) co_await out.emit(i);
}

std::string url_of(const test::proxy& of) { return "redis://127.0.0.1:" + std::to_string(of.port()) + "?timeout=600s"; }

/// A service that runs on a context.
struct source {
    source(asio::io_context& io, const std::string& url) : broker(taskflux::connect(io.get_executor(), url)), service(broker) {
        service.on(count_to, count);
        asio::co_spawn(io, service.run(), [](std::exception_ptr) {});
    }

    broker_ptr broker;
    taskflux::service service;
};

asio::awaitable<taskflux::stream<int>> begin(broker_ptr broker, taskflux::rpc rpc, int end) {
    for (bool is_there = false; !is_there;) {
        const auto rows = co_await broker->announced("taskflux/service/numbers");
        is_there = !rows.empty();
    }
    const auto options = taskflux::call_options().timeout(1h);
    co_return co_await rpc.call(count_to, options, end);
}

/// Reads all; each two hundred values one of the connections, whichever it is, is going to be cut.
asio::awaitable<void> read(broker_ptr broker, std::array<test::proxy*, 2> proxies, int end, std::vector<int>& got) {
    constexpr std::size_t seldom = 200;
    std::minstd_rand random(7);
    const taskflux::rpc rpc(broker);
    auto values = co_await begin(broker, rpc, end);
    while (auto value = co_await values.next()) {
        got.push_back(*value);
        if (got.size() % seldom != 0) continue;
        const auto way = random() % 2 == 0 ? test::proxy::direction::to_server : test::proxy::direction::to_client;
        proxies[random() % 2]->cut_after(way, random() % 2000);
    }
}

/// Reads one value, says so, and no more.
void read_one(const std::string& url, ledger& read_by_now) {
    asio::io_context io;
    const auto broker = taskflux::connect(io.get_executor(), url);
    std::optional<taskflux::stream<int>> values;
    asio::co_spawn(io, begin(broker, taskflux::rpc(broker), 1'000'000), [&](std::exception_ptr, taskflux::stream<int> from) {
        values.emplace(std::move(from));
        ++read_by_now[0];
    });
    io.run();
}

}  // namespace faults_streams

BOOST_AUTO_TEST_SUITE(faults_streams)

BOOST_AUTO_TEST_CASE(what_connections_lose_of_a_stream_is_sent_again) {
    constexpr int total = 4'000;
    test::redis_server server;
    test::proxy near(server.port()), far(server.port());
    asio::io_context io;
    source from(io, url_of(far));
    const auto broker = taskflux::connect(io.get_executor(), url_of(near));
    std::vector<int> got;
    bool is_over = false;
    asio::co_spawn(io, read(broker, {&near, &far}, total, got), [&](std::exception_ptr failure) {
        is_over = true;
        if (failure) std::rethrow_exception(failure);
    });
    BOOST_TEST(run_until(io, [&] { return is_over; }, [&] { return got.size(); }));
    std::vector<int> expected(total);
    std::iota(expected.begin(), expected.end(), 0);
    BOOST_TEST(got == expected, boost::test_tools::per_element());
    BOOST_TEST_MESSAGE(near.cuts() + far.cuts() << " cuts");
    BOOST_TEST(near.cuts() + far.cuts() >= 10U);
    broker->close();
    from.broker->close();
    io.restart();
    io.run();
}

BOOST_AUTO_TEST_CASE(the_method_that_a_killed_process_reads_is_cancelled) {
    test::redis_server server;
    asio::io_context io;
    source from(io, server.url());
    ledger read_by_now(1);
    {
        test::child reader([&] { read_one(server.url(), read_by_now); });
        BOOST_TEST(run_until(io, [&] { return read_by_now[0] == 1; }));
        BOOST_TEST(from.service.running() == 1U);
        reader.kill();
    }
    BOOST_TEST(run_until(io, [&] { return from.service.running() == 0; }));
    from.broker->close();
    io.restart();
    io.run();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace test::faults
