#include <taskflux/broker/redis/sentinels.hpp>

#include <boost/redis/resp3/parser.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Whom a round of questions asks, and what it says when nobody knows: without any Sentinel.
namespace redis_sentinel_round {

using namespace taskflux;
using redis::address;
using redis::reply;
using redis::wire::sentinel_round;

std::string bulk(std::string_view text) { return '$' + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n"; }

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

/// The answer of a Sentinel that knows of a master there, and of these other Sentinels.
reply knows(const std::string& host, const std::string& port, const std::vector<std::string>& others = {}) {
    auto wire = "+OK\r\n*2\r\n" + bulk(host) + bulk(port) + '*' + std::to_string(others.size()) + "\r\n";
    for (const auto& other : others) wire += "*4\r\n" + bulk("ip") + bulk(other) + bulk("port") + bulk("26379");
    return read(wire);
}

const std::string ignorance = "+OK\r\n_\r\n-ERR No such master with that name\r\n";

struct fixture {
    sentinel_round round{redis::parse_url("redis+sentinel://a,b,c:7/main")};

    /// The hosts that are asked when none of them can be.
    std::string asked() {
        std::string hosts;
        round.begin();
        while (const auto who = round.next()) {
            hosts += who->host;
            round.failed("no");
        }
        return hosts;
    }
};

}  // namespace redis_sentinel_round

BOOST_FIXTURE_TEST_SUITE(redis_sentinel_round, fixture)

BOOST_AUTO_TEST_CASE(each_is_asked_once_and_what_it_said_is_noted_with_its_name) {
    BOOST_TEST(round.failures() == "no Sentinel says where the master \"main\" is (a:26379: no answer yet)");
    round.begin();
    for (const auto* why : {"is dead", "is silent", "is mute"}) {
        BOOST_REQUIRE(round.next().has_value());
        round.failed(why);
    }
    BOOST_TEST(!round.next().has_value());
    const std::string all = "no Sentinel says where the master \"main\" is (a:26379: is dead; b:26379: is silent; c:7: is mute)";
    BOOST_TEST(round.failures() == all);
    round.begin();
    round.failed("is dead still");
    BOOST_TEST(round.failures() == all);  // of the last whole round
}

BOOST_AUTO_TEST_CASE(the_one_that_knew_is_asked_first_then_those_of_the_url_then_those_it_knows_of) {
    round.begin();
    round.failed("no");
    const auto master = round.answered(knows("m", "6379", {"d", "a", "e"}));
    BOOST_TEST((master == address{"m", 6379}));
    BOOST_TEST(asked() == "bacde");
}

BOOST_AUTO_TEST_CASE(those_of_the_url_are_asked_though_the_one_that_knew_does_not_name_them) {
    round.begin();
    BOOST_TEST(round.answered(knows("m", "6379", {"d"})).has_value());
    round.begin();
    for (int i = 0; i < 3; ++i) round.failed("no");
    BOOST_TEST(round.next()->host == "d");
    BOOST_TEST(round.answered(knows("m", "6379")).has_value());
    BOOST_TEST(asked() == "dabc");
}

BOOST_AUTO_TEST_CASE(the_one_that_misled_is_asked_last) {
    round.begin();
    BOOST_TEST(round.answered(knows("m", "6379")).has_value());
    round.misled();
    BOOST_TEST(asked() == "bca");
}

BOOST_AUTO_TEST_CASE(what_is_no_address_of_a_master_is_passed_over) {
    for (const auto& [host, port] : std::vector<std::pair<std::string, std::string>>{
             {"", "6379"}, {"m", ""}, {"m", "0"}, {"m", "65536"}, {"m", "6379x"}}) {
        round.begin();
        BOOST_TEST(!round.answered(knows(host, port)).has_value());
        BOOST_TEST(round.next()->host == "b");
        BOOST_TEST(!round.refusal().has_value());
        BOOST_TEST(round.failures().find("no Sentinel") == 0U);
    }
    round.begin();
    BOOST_TEST(!round.answered(read("+OK\r\n*1\r\n" + bulk("m"))).has_value());
}

BOOST_AUTO_TEST_CASE(what_is_refused_and_whether_any_has_answered_is_of_one_round) {
    round.begin();
    BOOST_TEST(!round.has_heard());
    BOOST_TEST(!round.answered(read(ignorance)).has_value());
    BOOST_TEST(round.has_heard());
    BOOST_REQUIRE(round.refusal().has_value());
    BOOST_TEST((round.refusal()->code() == errc::invalid_argument));
    BOOST_TEST(std::string(round.refusal()->what()).find("know no master named \"main\"") != std::string::npos);
    round.begin();
    BOOST_TEST(!round.has_heard());
    BOOST_TEST(!round.refusal().has_value());
}

BOOST_AUTO_TEST_CASE(a_sentinel_that_wants_a_password_says_what_the_url_lacks) {
    const std::pair<const char*, const char*> refusals[] = {{"WRONGPASS invalid username-password pair", "correct ?sentinel_user="},
                                                            {"NOAUTH Authentication required.", "add ?sentinel_user="},
                                                            {"NOPERM User x has no permissions", "it is about ?sentinel_user="},
                                                            {"ERR unknown command 'SENTINEL'", "for a single server write redis://"}};
    for (const auto& [said, remedy] : refusals) {
        round.begin();
        BOOST_TEST(!round.answered(read('-' + std::string(said) + "\r\n")).has_value());
        BOOST_REQUIRE(round.refusal().has_value());
        const std::string what = round.refusal()->what();
        BOOST_TEST(what.find("the Sentinel at a:26379 says") == 0U, what);
        BOOST_TEST(what.find(remedy) != std::string::npos, what);
    }
    round.begin();
    BOOST_TEST(!round.answered(read("-LOADING x\r\n")).has_value());
    BOOST_TEST(!round.refusal().has_value());  // that passes
}

BOOST_AUTO_TEST_SUITE_END()
