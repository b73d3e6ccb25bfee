#include <taskflux/broker/redis/messages.hpp>
#include <taskflux/broker/redis/replication.hpp>

#include <boost/redis/resp3/parser.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

// What a server sends by itself, and what it adds to the answer of a call that waits for replicas.
namespace redis_messages {

using namespace taskflux;
using redis::reply;
using redis::wire::messages;

template <class Adapter>
void parse(std::string_view wire, Adapter adapter) {
    while (!wire.empty()) {
        boost::redis::resp3::parser parser;
        boost::system::error_code ec;
        BOOST_REQUIRE(boost::redis::resp3::parse(parser, wire, adapter, ec));
        BOOST_REQUIRE(!ec);
        wire.remove_prefix(parser.get_consumed());
    }
}

reply read(std::string_view wire) {
    reply out;
    parse(wire, out.adapter());
    return out;
}

constexpr std::string_view confirmed = ">3\r\n$9\r\nsubscribe\r\n$2\r\nin\r\n:1\r\n";

std::string pushed(std::string_view text) {
    return ">3\r\n$7\r\nmessage\r\n$2\r\nin\r\n$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

struct fixture {
    std::shared_ptr<messages> all = std::make_shared<messages>();
    std::vector<std::string> heard;

    void come(std::string_view wire) { parse(wire, all->adapter()); }
    void deliver() {
        all->deliver([this](std::string_view text) { heard.emplace_back(text); });
    }
};

bool is_protocol(const error& e) { return e.code() == errc::protocol; }

}  // namespace redis_messages

BOOST_FIXTURE_TEST_SUITE(redis_messages, fixture)

BOOST_AUTO_TEST_CASE(messages_are_delivered_once_and_in_their_order) {
    come(pushed("one") + pushed("") + ">2\r\n$10\r\ninvalidate\r\n_\r\n" + pushed("two"));
    deliver();
    BOOST_TEST(heard == (std::vector<std::string>{"one", "", "two"}), boost::test_tools::per_element());
    deliver();
    BOOST_TEST(heard.size() == 3U);
    come(pushed("three"));
    all->deliver(nullptr);  // nobody listens
    deliver();
    BOOST_TEST(heard.size() == 3U);
}

BOOST_AUTO_TEST_CASE(each_connection_must_confirm_its_subscription) {
    const auto answer = read("+PONG\r\n");
    BOOST_CHECK_EXCEPTION(all->check(answer), error, is_protocol);
    come(confirmed);
    BOOST_CHECK_NO_THROW(all->check(answer));
    BOOST_CHECK_EXCEPTION(all->check(answer), error, is_protocol);  // that was the connection before
    come(confirmed);
    BOOST_CHECK_THROW(all->check(read("-NOPERM no\r\n")), error);
    deliver();
    BOOST_TEST(heard.empty());
}

BOOST_AUTO_TEST_CASE(what_came_of_waiting_for_replicas_is_taken_off_the_answer) {
    using redis::wire::take_replication;
    const auto taken = [](std::string_view wire) {
        auto answer = read("+OK\r\n" + std::string(wire));
        auto got = take_replication(answer);
        redis::reader left(answer);
        BOOST_TEST(left.text() == "OK");
        BOOST_TEST(left.done());
        return got;
    };
    BOOST_TEST(taken(":0\r\n:2\r\n").replicas == 2U);
    BOOST_TEST(taken(":7\r\n:0\r\n").replicas == 0U);
    BOOST_TEST(taken(":0\r\n:2\r\n").error.empty());
    BOOST_TEST(taken("-NOPERM publish\r\n:2\r\n").error == "NOPERM publish");
    BOOST_TEST(taken(":0\r\n-NOPERM wait\r\n").error == "NOPERM wait");
    BOOST_TEST(taken("-NOPERM publish\r\n-NOPERM wait\r\n").error == "NOPERM publish");
    auto short_of_it = read(":0\r\n");
    BOOST_CHECK_EXCEPTION(take_replication(short_of_it), error, is_protocol);
    redis::wire::replication enough;
    enough.replicas = 1;
    BOOST_CHECK_NO_THROW(check_replication(enough, 1));
    BOOST_CHECK_EXCEPTION(check_replication(enough, 2), error, [](const error& e) {
        BOOST_TEST(std::string(e.what()).find("only 1 of 2 replicas had it") != std::string::npos);
        return e.code() == errc::unavailable;
    });
}

BOOST_AUTO_TEST_SUITE_END()
