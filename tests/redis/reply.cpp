#include <taskflux/broker/redis/reply.hpp>

#include <boost/redis/resp3/parser.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <string>
#include <string_view>

BOOST_AUTO_TEST_SUITE(redis_reply)

namespace {

using namespace std::string_view_literals;

using taskflux::redis::reader;
using taskflux::redis::reply;

reply read(std::string_view wire) {
    reply out;
    auto adapter = out.adapter();
    while (!wire.empty()) {
        boost::redis::resp3::parser parser;
        boost::system::error_code ec;
        BOOST_REQUIRE(boost::redis::resp3::parse(parser, wire, adapter, ec));
        BOOST_REQUIRE(!ec);
        wire.remove_prefix(parser.get_consumed());
    }
    return out;
}

void refuses(std::string_view wire, const std::function<void(reader&)>& call, const std::string& says) {
    const auto from = read(wire);
    reader in(from);
    BOOST_CHECK_EXCEPTION(call(in), taskflux::error, [&](const taskflux::error& e) {
        BOOST_TEST(std::string(e.what()).find(says) != std::string::npos, e.what());
        return e.code() == taskflux::errc::protocol;
    });
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_reply_is_read_in_its_order) {
    const auto from = read(
        "*5\r\n:-42\r\n$3\r\na\0b\r\n_\r\n*2\r\n+OK\r\n:7\r\n$0\r\n\r\n"
        "%1\r\n$1\r\nk\r\n,1.5\r\n"
        "-ERR no\r\n"sv);
    reader in(from);
    BOOST_TEST(in.list() == 5u);
    BOOST_TEST(in.integer() == -42);
    BOOST_TEST((in.text() == "a\0b"sv));
    BOOST_TEST(in.is_nil());
    in.skip();
    BOOST_TEST(in.list() == 2u);
    BOOST_TEST(in.text() == "OK");
    BOOST_TEST(in.integer() == 7);
    BOOST_TEST(in.text().empty());
    BOOST_TEST(in.list() == 2u);
    BOOST_TEST(in.text() == "k");
    BOOST_TEST(in.text() == "1.5");
    BOOST_TEST(in.is_error());
    BOOST_TEST(!in.done());
    BOOST_TEST(in.error() == "ERR no");
    BOOST_TEST(in.done());
}

BOOST_AUTO_TEST_CASE(a_list_is_skipped_with_all_that_is_in_it) {
    const auto from = read("*2\r\n%1\r\n$1\r\nk\r\n*2\r\n:1\r\n*0\r\n_\r\n:5\r\n");
    reader in(from);
    in.skip();
    BOOST_TEST(in.integer() == 5);
    BOOST_TEST(in.done());
}

BOOST_AUTO_TEST_CASE(only_an_error_that_is_the_whole_reply_is_its_error) {
    BOOST_TEST(read("-ERR no\r\n").error() == "ERR no");
    BOOST_TEST(read("!5\r\nERR x\r\n").error() == "ERR x");
    BOOST_TEST(read("*1\r\n-ERR no\r\n").error().empty());
    BOOST_TEST(read("+OK\r\n").error().empty());
    BOOST_TEST(reply().error().empty());
}

BOOST_AUTO_TEST_CASE(what_comes_unexpected_is_named_next_to_what_was_expected) {
    refuses(
        "$1\r\n5\r\n", [](reader& in) { in.integer(); },
        "expected an integer as node 1, but a text came: \"5\"");
    refuses(
        ":5\r\n", [](reader& in) { in.text(); }, "expected a text as node 1, but an integer came: \"5\"");
    refuses(
        "*0\r\n", [](reader& in) { in.text(); }, "but a list came");
    refuses(
        "_\r\n", [](reader& in) { in.list(); }, "expected a list as node 1, but nil came");
    refuses(
        "*1\r\n-WRONGTYPE x\r\n", [](reader& in) { in.list(), in.text(); },
        "expected a text as node 2, but an error came: \"WRONGTYPE x\"");
    refuses(
        ":5\r\n", [](reader& in) { in.error(); }, "expected an error");
    refuses(
        "*0\r\n", [](reader& in) { in.list(), in.integer(); }, "expected an integer as node 2, but it ends");
    refuses(
        "*0\r\n", [](reader& in) { in.list(), in.skip(); }, "ends too early");
    refuses(
        ":99999999999999999999\r\n", [](reader& in) { in.integer(); }, "as an integer");
    refuses(
        "+" + std::string(1000, 'x') + "\r\n", [](reader& in) { in.integer(); }, std::string(80, 'x') + '"');
}

BOOST_AUTO_TEST_CASE(an_error_does_not_repeat_the_arguments_of_the_command) {
    const auto from = read("-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `default`, `s3cret`, \r\n");
    BOOST_TEST(from.error() == "ERR unknown command `HELLO`");
    BOOST_TEST(reader(from).error() == "ERR unknown command `HELLO`");
}

BOOST_AUTO_TEST_SUITE_END()
