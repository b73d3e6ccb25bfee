#include <taskflux/broker/redis/greeting.hpp>

#include <boost/redis/resp3/parser.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

BOOST_AUTO_TEST_SUITE(redis_greeting)

namespace {

using taskflux::redis::reply;
using taskflux::redis::wire::check_is_master;
using taskflux::redis::wire::check_version;
using taskflux::redis::wire::server_facts;

const std::string hello =
    "%4\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n6.2.1\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
    "$7\r\nmodules\r\n*0\r\n";

reply read(std::string_view wire) {
    reply out;
    auto adapter = out.adapter();
    while (!wire.empty()) {
        boost::redis::resp3::parser parser;
        boost::system::error_code ec;
        BOOST_REQUIRE(boost::redis::resp3::parse(parser, wire, adapter, ec));
        wire.remove_prefix(parser.get_consumed());
    }
    return out;
}

std::string blob(const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

server_facts read_greeting(const reply& from) { return taskflux::redis::wire::read_greeting(from, "tf"); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_server_tells_its_version_run_and_policy) {
    const auto facts =
        read_greeting(read(hello + blob("# Server\r\nredis_version:6.2.1\r\nrun_id:0123abc\r\nx:y\r\n") +
                           "%1\r\n" + blob("maxmemory-policy") + blob("noeviction")));
    BOOST_TEST(facts.version == "6.2.1");
    BOOST_TEST(facts.role == "master");
    BOOST_TEST(facts.run_id == "0123abc");
    BOOST_TEST(facts.maxmemory_policy == "noeviction");
}

BOOST_AUTO_TEST_CASE(a_sentinel_is_no_server) {
    const auto greeted_by = [](const std::string& mode) {
        return read_greeting(read("%2\r\n" + blob("version") + blob("7.0.0") + blob("mode") + blob(mode) + "-ERR no\r\n-ERR no\r\n"));
    };
    using taskflux::redis::wire::check_is_server;
    for (const std::string mode : {"standalone", "cluster"}) BOOST_CHECK_NO_THROW(check_is_server(greeted_by(mode)));
    const auto says_so = [](const taskflux::error& e) {
        return e.code() == taskflux::errc::invalid_argument && std::string(e.what()).find("redis+sentinel://") != std::string::npos;
    };
    BOOST_CHECK_EXCEPTION(check_is_server(greeted_by("sentinel")), taskflux::error, says_so);
}

BOOST_AUTO_TEST_CASE(what_a_server_refuses_to_tell_stays_empty) {
    const std::string no = "-NOPERM no\r\n";
    for (const auto& rest : {no + no, blob("# Server\r\n") + "%0\r\n"}) {
        const auto facts = read_greeting(read(hello + rest));
        BOOST_TEST(facts.version == "6.2.1");
        BOOST_TEST(facts.run_id.empty());
        BOOST_TEST(facts.maxmemory_policy.empty());
    }
}

BOOST_AUTO_TEST_CASE(the_short_greeting_tells_no_policy) {
    const auto facts = read_greeting(read(hello + blob("a:b\r\nrun_id:0123abc\r\n") + "+PONG\r\n"));
    BOOST_TEST(facts.run_id == "0123abc");
    BOOST_TEST(facts.maxmemory_policy.empty());
}

BOOST_AUTO_TEST_CASE(what_is_not_a_master_may_become_one) {
    server_facts facts;
    facts.role = "master";
    BOOST_CHECK_NO_THROW(check_is_master(facts));
    facts.role = "replica";
    BOOST_CHECK_EXCEPTION(check_is_master(facts), taskflux::error, [](const taskflux::error& e) {
        return e.code() == taskflux::errc::unavailable &&
               std::string(e.what()).find("is a replica, not the master") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(a_server_older_than_6_2_is_refused_by_its_version) {
    for (const auto* version : {"6.2.0", "6.2", "6.10.1", "7.0.15", "8", "255.255.255"}) {
        BOOST_CHECK_NO_THROW(check_version(version));
    }
    for (const auto* version : {"6.0.16", "5.0.14", "6", "", "x"}) {
        BOOST_CHECK_EXCEPTION(check_version(version), taskflux::error, [&](const taskflux::error& e) {
            return e.code() == taskflux::errc::unsupported &&
                   std::string(e.what()).find("version " + std::string(version) + ", but 6.2") !=
                       std::string::npos;
        });
    }
}

BOOST_AUTO_TEST_SUITE_END()
