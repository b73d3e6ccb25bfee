#include "support/sentinels.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

// Returns when the replica has it.
void write(test::redis_server& master, const std::string& key, const std::string& value) {
    auto client = master.connect();
    client.command({"SET", key, value});
    BOOST_TEST(client.command({"WAIT", "1", "0"}) == "1");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(redis_sentinels)

BOOST_AUTO_TEST_CASE(a_failover_by_command_keeps_what_was_written_and_swaps_the_roles) {
    test::sentinels all(test::redis_server_options().password("secret"));
    auto& first = all.master();
    write(first, "key", "value");
    all.fail_over();
    BOOST_TEST(&all.replica() == &first);
    BOOST_TEST(all.master().command({"GET", "key"}) == "value");
    BOOST_TEST(first.connect().try_command({"SET", "key", "other"}).text.starts_with("READONLY"));
    all.fail_over();
    BOOST_TEST(&all.master() == &first);
}

BOOST_AUTO_TEST_CASE(a_killed_master_is_replaced_and_comes_back_as_a_replica) {
    test::sentinels all;
    auto& first = all.master();
    write(first, "key", "value");
    first.kill();
    all.await_failover();
    BOOST_TEST(all.master().command({"GET", "key"}) == "value");
    all.master().command({"SET", "key", "newer"});
    first.start();
    all.await_replica();
    BOOST_TEST(first.command({"GET", "key"}) == "newer");
}

BOOST_AUTO_TEST_CASE(the_url_names_every_sentinel_and_the_master) {
    test::sentinels all;
    const auto port = [&](std::size_t index) { return "127.0.0.1:" + std::to_string(all.sentinel(index).port()); };
    BOOST_TEST(all.url() == "redis+sentinel://" + port(0) + "," + port(1) + "," + port(2) + "/taskflux");
}

BOOST_AUTO_TEST_SUITE_END()
