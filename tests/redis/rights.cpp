#include <support/observer.hpp>
#include <support/redis_server.hpp>
#include <taskflux/broker/redis/rights.hpp>
#include <taskflux/core/error.hpp>

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace redis_rights {

using taskflux::redis::wire::rights_script;

const std::vector<std::string> grant_all = {"ACL", "SETUSER", "guest", "reset", "on", ">s3cret", "~tf:*", "&tf:*", "+@all"};

/// What a call says to a user with these rules after all have been granted.
std::string answer_with(test::redis_server& server, const std::vector<std::string>& rules,
                        const taskflux::redis_options& options = test::patient()) {
    auto command = grant_all;
    command.insert(command.end(), rules.begin(), rules.end());
    server.command(command);
    test::observer on("redis://guest:s3cret@127.0.0.1:" + std::to_string(server.port()), options);
    try {
        on.run(on.broker->counts("q"));
        return "granted";
    } catch (const taskflux::error& e) {
        return e.what();
    }
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace redis_rights

BOOST_AUTO_TEST_SUITE(redis_rights)

BOOST_AUTO_TEST_CASE(a_missing_right_is_named_before_anything_is_written) {
    test::redis_server server;
    BOOST_TEST(answer_with(server, {}) == "granted");
    for (const std::string name : {"publish", "set", "zadd", "hset", "lpush", "hgetall", "unlink", "time", "evalsha"}) {
        const auto said = answer_with(server, {"-" + name});
        BOOST_TEST(contains(said, "ACL SETUSER guest +" + name), said);
    }
    BOOST_TEST(contains(answer_with(server, {"resetchannels"}), "ACL SETUSER guest &tf:*"));
    BOOST_TEST(contains(answer_with(server, {"resetkeys", "~other:*"}), "ACL SETUSER guest ~tf:*"));
    BOOST_TEST(contains(answer_with(server, {"-zadd", "-time"}), "ACL SETUSER guest +time +zadd"));
    BOOST_TEST(answer_with(server, {"-eval", "-pubsub", "-info", "-config"}) == "granted");
    BOOST_TEST(server.command({"EXISTS", "tf:{rights}"}) == "0");
}

BOOST_AUTO_TEST_CASE(who_may_not_subscribe_hears_it_from_the_first_call) {
    test::redis_server server;
    BOOST_TEST(contains(answer_with(server, {"-subscribe"}), "ACL SETUSER guest +subscribe"));
    BOOST_TEST(answer_with(server, {"-@pubsub", "+publish", "+subscribe"}) == "granted");
}

BOOST_AUTO_TEST_CASE(waiting_for_replicas_needs_the_right_to_wait) {
    test::redis_server server;
    BOOST_TEST(answer_with(server, {"-wait"}) == "granted");
    const auto durable = test::patient().durable(1);
    BOOST_TEST(contains(answer_with(server, {"-wait"}, durable), "ACL SETUSER guest +wait"));
    BOOST_TEST(contains(answer_with(server, {"-wait", "-zadd"}, durable), "ACL SETUSER guest +wait +zadd"));
    BOOST_TEST(answer_with(server, {}, durable) == "granted");
}

BOOST_AUTO_TEST_CASE(the_named_rule_is_enough) {
    test::redis_server server;
    BOOST_TEST(contains(answer_with(server, {"-zadd", "resetchannels"}), "&tf:* +zadd"));
    BOOST_TEST(answer_with(server, {"-zadd", "resetchannels", "&tf:*", "+zadd"}) == "granted");
}

/// A script of the engine that calls a command for which no right is asked fails here.
BOOST_AUTO_TEST_CASE(rights_are_asked_for_all_commands_of_all_scripts) {
    test::redis_server server;
    std::set<std::string> words;
    const std::regex quoted("'([A-Z]+)'");
    for (const auto& entry : std::filesystem::recursive_directory_iterator(TASKFLUX_ROOT "/include/taskflux/broker/redis/lua")) {
        if (entry.path().extension() != ".lua") continue;
        std::ifstream file(entry.path());
        for (std::string line; std::getline(file, line);) {
            for (std::sregex_iterator it(line.begin(), line.end(), quoted), end; it != end; ++it) words.insert((*it)[1]);
        }
    }
    BOOST_REQUIRE(words.contains("PUBLISH"));
    for (const auto& word : words) {
        const bool is_command = !server.command({"COMMAND", "INFO", word}).items.at(0).items.empty();
        if (!is_command || word == "INFO" || word == "PUBSUB") continue;  // these may be refused
        BOOST_TEST(contains(rights_script, "'" + word + "'"), word);
    }
}

BOOST_AUTO_TEST_SUITE_END()
