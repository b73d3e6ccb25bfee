#include "support/proxy.hpp"

#include "support/redis_server.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

// The proxy by itself, between a real server and a blocking client.
BOOST_AUTO_TEST_SUITE(redis_proxy)

namespace {

using namespace std::chrono_literals;
using test::proxy;
using test::redis_client;
using direction = proxy::direction;

struct fixture {
    test::redis_server redis;
    test::proxy proxy{redis.port()};

    redis_client connect(std::chrono::milliseconds patience = test::hang_limit) { return redis_client(proxy.port(), "", patience); }
    bool refused() {
        try {
            connect();
            return false;
        } catch (const std::runtime_error& e) {
            return std::string(e.what()).find("refused") != std::string::npos;
        }
    }
    bool has(const std::string& key) { return redis.command({"EXISTS", key}) == "1"; }
};

const std::string request = "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n";
const std::string reply = "+OK\r\n";

}  // namespace

BOOST_FIXTURE_TEST_CASE(what_passes_is_unchanged_and_counted, fixture) {
    auto client = connect();
    BOOST_TEST(client.command({"SET", "key", "value"}) == "OK");
    BOOST_TEST(proxy.forwarded(direction::to_server) == request.size());
    BOOST_TEST(proxy.forwarded(direction::to_client) == reply.size());

    const std::string large(3'000'000, 'x');
    client.command({"SET", "large", large});
    BOOST_CHECK(client.command({"GET", "large"}) == large);
    auto other = connect();
    BOOST_TEST(other.command({"GET", "key"}) == "value");
    BOOST_TEST(proxy.accepted() == 2u);
    BOOST_TEST(proxy.open() == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_request_is_cut_at_every_byte, fixture) {
    for (std::size_t bytes = 0; bytes <= request.size(); ++bytes) {
        BOOST_TEST_CONTEXT(bytes << " bytes") {
            redis.command({"DEL", "key"});
            auto client = connect();
            const auto before = proxy.forwarded(direction::to_server);
            proxy.cut_after(direction::to_server, bytes);
            BOOST_CHECK_THROW(client.command({"SET", "key", "value"}), std::runtime_error);
            BOOST_TEST(proxy.forwarded(direction::to_server) - before == bytes);
            BOOST_TEST(proxy.cuts() == bytes + 1);
            // The whole request is carried out although nobody learns of it; a part of it never is.
            if (bytes == request.size())
                BOOST_TEST(test::eventually([&] { return has("key"); }));
            else
                BOOST_TEST(!has("key"));
        }
    }
}

BOOST_FIXTURE_TEST_CASE(a_reply_is_cut_at_every_byte, fixture) {
    for (std::size_t bytes = 0; bytes < reply.size(); ++bytes) {
        BOOST_TEST_CONTEXT(bytes << " bytes") {
            redis.command({"DEL", "key"});
            auto client = connect();
            proxy.cut_after(direction::to_client, bytes);
            BOOST_CHECK_THROW(client.command({"SET", "key", "value"}), std::runtime_error);
            BOOST_TEST(has("key"));
        }
    }
    proxy.cut_after(direction::to_client, reply.size());
    auto client = connect();
    BOOST_TEST(client.command({"SET", "key", "value"}) == "OK");
    BOOST_CHECK_THROW(client.command({"PING"}), std::runtime_error);
}

BOOST_FIXTURE_TEST_CASE(a_cut_counts_over_several_chunks_and_happens_once, fixture) {
    auto client = connect();
    proxy.cut_after(direction::to_server, 2 * request.size() + 1);
    BOOST_TEST(client.command({"SET", "key", "value"}) == "OK");
    BOOST_TEST(client.command({"SET", "key", "value"}) == "OK");
    BOOST_CHECK_THROW(client.command({"SET", "key", "value"}), std::runtime_error);
    client = connect();
    for (int i = 0; i < 4; ++i) BOOST_TEST(client.command({"SET", "key", "value"}) == "OK");
    BOOST_TEST(proxy.cuts() == 1u);
}

BOOST_FIXTURE_TEST_CASE(all_connections_are_cut_at_once, fixture) {
    auto first = connect(), second = connect();
    first.command({"PING"});
    second.command({"PING"});
    proxy.cut();
    BOOST_TEST(proxy.open() == 0u);
    BOOST_CHECK_THROW(first.command({"PING"}), std::runtime_error);
    BOOST_CHECK_THROW(second.command({"PING"}), std::runtime_error);
    BOOST_TEST(connect().command({"PING"}) == "PONG");
}

BOOST_FIXTURE_TEST_CASE(connections_are_refused_for_a_while_and_those_there_are_stay, fixture) {
    auto client = connect();
    client.command({"PING"});
    proxy.refuse(true);
    BOOST_TEST(refused());
    BOOST_TEST(client.command({"PING"}) == "PONG");
    proxy.refuse(false);
    BOOST_TEST(connect().command({"PING"}) == "PONG");
}

BOOST_FIXTURE_TEST_CASE(what_is_held_back_while_stalled_arrives_afterwards, fixture) {
    auto client = connect();
    client.command({"PING"});
    proxy.stall(true);
    auto late = connect(20ms);  // is accepted, too
    BOOST_CHECK_THROW(late.command({"PING"}), std::runtime_error);
    client.send({"SET", "key", "value"});
    BOOST_TEST(!has("key"));
    proxy.stall(false);
    BOOST_TEST(client.receive() == "OK");
    BOOST_TEST(has("key"));
}

BOOST_FIXTURE_TEST_CASE(a_connection_ends_when_either_side_ends, fixture) {
    connect().command({"PING"});
    BOOST_TEST(test::eventually([&] { return proxy.open() == 0; }));

    auto client = connect();
    client.command({"PING"});
    redis.kill();
    BOOST_CHECK_THROW(client.receive(), std::runtime_error);
    BOOST_CHECK_THROW(connect().command({"PING"}), std::runtime_error);  // accepted, then let go
    redis.start();
    BOOST_TEST(connect().command({"PING"}) == "PONG");
}

BOOST_AUTO_TEST_SUITE_END()
