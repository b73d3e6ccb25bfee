#include "frozen.hpp"

#include <support/observer.hpp>
#include <support/redis_server.hpp>
#include <taskflux/core/error.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace redis_boards {

using namespace std::chrono_literals;

}  // namespace redis_boards

BOOST_AUTO_TEST_SUITE(redis_boards)

BOOST_AUTO_TEST_CASE(a_process_is_not_announced_before_it_hears) {
    test::redis_server server;
    server.command({"ACL", "SETUSER", "deaf", "on", ">s3cret", "~*", "&*", "+@all", "-subscribe"});
    test::observer on("redis://deaf:s3cret@127.0.0.1:" + std::to_string(server.port()));
    const auto box = on.broker->open([](std::string_view) {});
    const auto announces = [&] {
        try {
            on.run(on.broker->announce("board", "it", box->address(), 1h));
            return true;
        } catch (const boost::system::system_error&) {
            return false;
        }
    };
    BOOST_TEST(!announces());
    test::observer with_rights(server.url());
    BOOST_TEST(with_rights.run(with_rights.broker->announced("board")).empty());
    server.command({"ACL", "SETUSER", "deaf", "+subscribe"});
    BOOST_REQUIRE(test::eventually(announces));
    BOOST_TEST(on.run(on.broker->send(box->address(), "heard")));
}

BOOST_FIXTURE_TEST_CASE(rows_whose_time_is_over_make_room_for_somebody_new, test::frozen_fixture) {
    run(broker().announce("board", "gone", "text", 1s));
    run(broker().announce("board", "here", "text", 1min));
    server.command({"HSET", "tf:{board}:D", "foreign", "x"});  // without a time
    advance(2s);
    run(broker().announce("board", "new", "text", 1min));
    const std::vector<std::string> expected{"here", "new"};
    BOOST_TEST(server.command({"HKEYS", "tf:{board}:D"}).texts() == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
