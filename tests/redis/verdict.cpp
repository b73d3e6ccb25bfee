#include <taskflux/broker/redis/verdict.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

BOOST_AUTO_TEST_SUITE(redis_verdict)

namespace {

using taskflux::errc;
using taskflux::redis::wire::in_words;
using taskflux::redis::wire::refusal_for;
using taskflux::redis::wire::remedy;
using taskflux::redis::wire::remedy_for;
using taskflux::redis::wire::throw_error;
using taskflux::redis::wire::to_error;

bool is(std::string_view text, errc code) {
    return to_error(text).code() == code;
}

bool refuses(std::string_view text, errc code) {
    const auto refusal = refusal_for(text);
    return refusal && refusal->code() == code;
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_error_has_its_remedy) {
    BOOST_CHECK(remedy_for("NOSCRIPT No matching script. Please use EVAL.") == remedy::load_script);
    BOOST_CHECK(remedy_for("READONLY You can't write against a read only replica.") == remedy::reconnect);
    BOOST_CHECK(remedy_for("MASTERDOWN Link with MASTER is down") == remedy::reconnect);
    for (const auto* text : {"LOADING Redis is loading", "BUSY Redis is busy", "TRYAGAIN x", "CLUSTERDOWN x",
                             "NOREPLICAS Not enough", "MISCONF Redis is configured to save"}) {
        BOOST_CHECK(remedy_for(text) == remedy::put_off);
    }
    for (const auto* text : {"ERR x", "OOM x", "NOAUTH x", "NOSCRIPTS x", "", "BUSYGROUP x"}) {
        BOOST_CHECK(remedy_for(text) == remedy::none);
    }
}

BOOST_AUTO_TEST_CASE(redis_6_hides_the_code_of_an_error_inside_a_script) {
    const std::string prefix = "ERR Error running script (call to f_0123): @user_script:1: @user_script: 1: ";
    BOOST_CHECK(remedy_for(prefix + "-READONLY You can't write") == remedy::reconnect);
    BOOST_CHECK(is(prefix + "-OOM command not allowed", errc::queue_full));
    BOOST_CHECK(is(prefix + "attempt to index a nil value", errc::protocol));
}

BOOST_AUTO_TEST_CASE(a_right_that_a_script_lacks_is_a_missing_right_in_each_version) {
    const std::string can_not = "The user executing the script can't ";
    for (const std::string& said : {"ERR " + can_not + "run this command or subcommand script: 7aea, on @user_script:1.",
                                    "ERR " + can_not + "publish to the channel mentioned in the command script: db17, on @user_script:1.",
                                    "ERR Error running script (call to f_0123): @user_script:1: @user_script: 1: " + can_not +
                                        "access at least one of the keys mentioned in the command arguments",
                                    std::string("NOPERM ACL failure in script: User guest has no permissions to run the 'zadd' command")}) {
        BOOST_CHECK(is(said, errc::invalid_argument));
    }
}

BOOST_AUTO_TEST_CASE(each_error_is_thrown_as_what_its_reader_can_act_upon) {
    BOOST_CHECK(is("OOM command not allowed when used memory > 'maxmemory'.", errc::queue_full));
    BOOST_CHECK(is("WRONGPASS invalid username-password pair", errc::invalid_argument));
    BOOST_CHECK(is("NOAUTH Authentication required.", errc::invalid_argument));
    BOOST_CHECK(is("NOPERM this user has no permissions", errc::invalid_argument));
    BOOST_CHECK(is("ERR syntax error", errc::protocol));
    const std::string what = to_error("ERR syntax error").what();
    BOOST_TEST(what.find("\"ERR syntax error\"") != std::string::npos, what);
}

BOOST_AUTO_TEST_CASE(what_a_server_answers_instead_of_working_has_a_policy_a_code_and_a_remedy_in_words) {
    struct row {
        const char* said;
        remedy helps;
        errc code;
        const char* words;
    };
    const row rows[] = {
        {"MOVED 3999 127.0.0.1:6381", remedy::none, errc::unsupported, "which taskflux does not support yet"},
        {"ASK 3999 127.0.0.1:6381", remedy::none, errc::unsupported, "which taskflux does not support yet"},
        {"CLUSTERDOWN Hash slot not served", remedy::put_off, errc::unavailable, "CLUSTER INFO"},
        {"TRYAGAIN Multiple keys request during rehashing of slot", remedy::put_off, errc::unavailable, "are being moved"},
        {"READONLY You can't write against a read only replica.", remedy::reconnect, errc::unavailable, "connect to the master"},
        {"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", remedy::reconnect, errc::unavailable,
         "connect to the master"},
        {"LOADING Redis is loading the dataset in memory", remedy::put_off, errc::unavailable, "has been started"},
        {"BUSY Redis is busy running a script.", remedy::put_off, errc::unavailable, "SCRIPT KILL"},
        {"MISCONF Redis is configured to save RDB snapshots", remedy::put_off, errc::unavailable, "its disk"},
        {"NOREPLICAS Not enough good replicas to write.", remedy::put_off, errc::unavailable, "min-replicas-to-write"},
        {"OOM command not allowed when used memory > 'maxmemory'.", remedy::none, errc::queue_full, "maxmemory, or let tasks"},
        {"CROSSSLOT Keys in request don't hash to the same slot", remedy::none, errc::protocol, "CROSSSLOT"},
    };
    for (const auto& [said, helps, code, words] : rows) {
        BOOST_TEST_CONTEXT(said) {
            BOOST_CHECK(remedy_for(said) == helps);
            BOOST_CHECK(is(said, code));
            const std::string what = to_error(said).what();
            BOOST_TEST(what.find(said) != std::string::npos, what);
            BOOST_TEST(what.find(words) != std::string::npos, what);
            BOOST_TEST(what.find(in_words(said)) != std::string::npos, what);
            const auto in_script = "ERR Error running script (call to f_0123): @user_script:1: @user_script: 1: -" + std::string(said);
            BOOST_CHECK(remedy_for(in_script) == helps);
            BOOST_CHECK(is(in_script, code));
        }
    }
}

BOOST_AUTO_TEST_CASE(what_may_pass_on_the_server_is_no_mistake_of_who_calls) {
    using taskflux::detail::server_trouble;
    for (const auto* text : {"OOM command not allowed", "NOPERM no permissions", "MOVED 3999 127.0.0.1:6381", "ASK 3999 127.0.0.1:6381"}) {
        BOOST_TEST_CONTEXT(text) {
            const auto is_as_told = [&](const server_trouble& e) { return e.code() == to_error(text).code(); };
            BOOST_CHECK_EXCEPTION(throw_error(text), server_trouble, is_as_told);
        }
    }
    const auto is_no_trouble = [](const taskflux::error& e) { return dynamic_cast<const server_trouble*>(&e) == nullptr; };
    for (const auto* text : {"ERR syntax error", "WRONGTYPE Operation against a key"}) {
        BOOST_CHECK_EXCEPTION(throw_error(text), taskflux::error, is_no_trouble);
    }
}

BOOST_AUTO_TEST_CASE(a_connection_is_refused_only_for_what_does_not_pass_by_itself) {
    BOOST_CHECK(refuses("WRONGPASS invalid username-password pair", errc::invalid_argument));
    BOOST_CHECK(
        refuses("NOAUTH HELLO must be called with the client already authenticated", errc::invalid_argument));
    BOOST_CHECK(refuses("ERR AUTH <password> called without any password configured for the default user.",
                        errc::invalid_argument));
    BOOST_CHECK(refuses("ERR DB index is out of range", errc::invalid_argument));
    BOOST_CHECK(refuses("ERR unknown command `HELLO`", errc::unsupported));
    BOOST_CHECK(refuses("NOPROTO unsupported protocol version", errc::unsupported));
    BOOST_CHECK(!refusal_for("ERR max number of clients reached"));
    BOOST_CHECK(!refusal_for("LOADING Redis is loading the dataset in memory"));
}

BOOST_AUTO_TEST_SUITE_END()
