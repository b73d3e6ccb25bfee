#include "fixture.hpp"

#include <support/sentinels.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The servers that tests start, and then connections that find their master through Sentinels.
namespace redis_sentinels {

using namespace std::chrono_literals;
using test::connection;
using test::connection_options;
using test::errc;
using test::eventually;
using test::redis_server;
using test::redis_server_options;
using test::refused;
using test::text_of;
using fixture = test::connection_fixture;

// Returns when the replica has it.
void write(test::redis_server& master, const std::string& key, const std::string& value) {
    auto client = master.connect();
    client.command({"SET", key, value});
    BOOST_TEST(client.command({"WAIT", "1", "0"}) == "1");
}

// A Sentinel that knows one server by the name "main", and nothing of other Sentinels.
redis_server_options sentinel_of(std::uint16_t port, const std::string& more = {}) {
    return redis_server_options()
        .config(more + "sentinel monitor main 127.0.0.1 " + std::to_string(port) +
                " 1\nsentinel down-after-milliseconds main 500\n")
        .words({"--sentinel"});
}

std::string at(const redis_server& server) { return "127.0.0.1:" + std::to_string(server.port()); }

std::string dead_port() { return "127.0.0.1:" + std::to_string(test::free_port()); }

long subscribers(redis_server& server, const connection& of) {
    return server.command({"PUBSUB", "NUMSUB", of.inbox()}).items.at(1).integer();
}

}  // namespace redis_sentinels

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

BOOST_FIXTURE_TEST_CASE(both_connections_follow_the_master_when_the_roles_are_swapped, fixture) {
    test::sentinels all(redis_server_options().password("s3cret"));
    const auto redis = make(all.url());
    std::mutex mutex;
    std::string came;
    redis->on_message([&](std::string_view payload) {
        const std::lock_guard lock(mutex);
        came = payload;
    });
    BOOST_TEST(text_of(later(redis->command({"SET", "k", "before"}, true))) == "OK");
    auto before = redis->run_id();
    for (const std::string round : {"first", "second"}) {
        all.fail_over();
        BOOST_TEST(text_of(later(redis->command({"SET", "k", round}, true))) == "OK");
        BOOST_TEST(all.master().command({"GET", "k"}) == round);
        BOOST_TEST(redis->run_id() != before);
        before = redis->run_id();
        BOOST_TEST(eventually([&] { return subscribers(all.master(), *redis) == 1; }));
        BOOST_TEST(eventually([&] { return subscribers(all.replica(), *redis) == 0; }));
        all.master().command({"PUBLISH", redis->inbox(), round});
        BOOST_TEST(eventually([&] {
            const std::lock_guard lock(mutex);
            return came == round;
        }));
    }
}

BOOST_FIXTURE_TEST_CASE(a_call_outlives_the_death_of_the_master, fixture) {
    test::sentinels all;
    const auto redis = make(all.url());
    BOOST_TEST(text_of(later(redis->command({"PING"}, true))) == "PONG");
    all.master().kill();
    auto waiting = later(redis->command({"SET", "k", "v"}, true));
    all.await_failover();
    BOOST_TEST(text_of(std::move(waiting)) == "OK");
    BOOST_TEST(all.master().command({"GET", "k"}) == "v");
}

BOOST_FIXTURE_TEST_CASE(a_master_that_hangs_is_left_for_its_successor, fixture) {
    test::sentinels all;
    const auto redis = make(all.url(), test::unhurried().health_check(300ms));
    BOOST_TEST(text_of(later(redis->command({"PING"}, true))) == "PONG");
    all.master().suspend();
    auto waiting = later(redis->command({"SET", "k", "v"}, true));
    all.await_failover();
    BOOST_TEST(text_of(std::move(waiting)) == "OK");
    BOOST_TEST(eventually([&] { return subscribers(all.master(), *redis) == 1; }));
}

BOOST_FIXTURE_TEST_CASE(sentinels_that_the_url_does_not_name_are_asked_when_the_others_are_gone, fixture) {
    test::sentinels all;
    const auto redis = make("redis+sentinel://" + at(all.sentinel(0)) + "/" + test::sentinels::name);
    BOOST_TEST(text_of(later(redis->command({"PING"}, true))) == "PONG");
    all.sentinel(0).kill();
    all.master().kill();
    auto waiting = later(redis->command({"SET", "k", "v"}, true));
    all.await_failover();
    BOOST_TEST(text_of(std::move(waiting)) == "OK");
}

BOOST_FIXTURE_TEST_CASE(dead_hanging_and_ignorant_sentinels_are_passed_over, fixture) {
    redis_server server;
    redis_server ignorant(redis_server_options().config("\n").words({"--sentinel"}));
    redis_server hanging(sentinel_of(server.port()));
    redis_server good(sentinel_of(server.port()));
    hanging.suspend();
    const auto redis = make("redis+sentinel://" + dead_port() + "," + at(ignorant) + "," + at(hanging) + "," +
                            at(good) + "/main/3");
    BOOST_TEST(text_of(later(redis->command({"SET", "k", "v"}, true))) == "OK");
    const auto keys = server.command({"INFO", "keyspace"}).text;
    BOOST_TEST(keys.find("db3:keys=1,") != std::string::npos, keys);
}

BOOST_FIXTURE_TEST_CASE(while_no_sentinel_is_there_the_last_master_will_do_unless_it_was_started_again, fixture) {
    redis_server server;
    redis_server sentinel(sentinel_of(server.port()));
    const auto url = "redis+sentinel://" + at(sentinel) + "/main";
    const auto redis = make(url);
    const auto hasty = make(url + "?timeout=2s");
    BOOST_TEST(text_of(later(redis->command({"PING"}, true))) == "PONG");
    BOOST_TEST(gets_through(hasty));
    sentinel.kill();
    server.command({"CLIENT", "KILL", "TYPE", "normal"});
    BOOST_TEST(text_of(later(redis->command({"PING"}, true))) == "PONG");
    server.restart();
    refused_by_deadline([&](auto) { return later(hasty->command({"PING"}, true)); }, errc::unavailable,
                        "the last one: it has been started again");
    auto waiting = later(redis->command({"PING"}, true));
    sentinel.start();
    BOOST_TEST(text_of(std::move(waiting)) == "PONG");
}

BOOST_FIXTURE_TEST_CASE(where_one_connection_finds_another_master_the_other_follows, fixture) {
    redis_server first;
    redis_server second;
    redis_server sentinel(sentinel_of(first.port()));
    const auto redis = make("redis+sentinel://" + at(sentinel) + "/main");
    BOOST_TEST(text_of(later(redis->command({"PING"}, true))) == "PONG");
    BOOST_TEST(eventually([&] { return subscribers(first, *redis) == 1; }));
    sentinel.command({"SENTINEL", "REMOVE", "main"});
    sentinel.command({"SENTINEL", "MONITOR", "main", "127.0.0.1", std::to_string(second.port()), "1"});
    first.command({"CLIENT", "KILL", "TYPE", "normal"});  // the inbox keeps its connection
    BOOST_TEST(eventually([&] { return subscribers(second, *redis) == 1 && subscribers(first, *redis) == 0; }));
    BOOST_TEST(text_of(later(redis->command({"SET", "k", "v"}, true))) == "OK");
    BOOST_TEST(second.command({"GET", "k"}) == "v");
}

BOOST_FIXTURE_TEST_CASE(a_server_that_is_not_the_master_is_not_used, fixture) {
    redis_server server;
    redis_server sentinel(sentinel_of(server.port()));
    server.command({"REPLICAOF", "127.0.0.1", std::to_string(test::free_port())});
    server.command({"CONFIG", "SET", "replica-read-only", "no"});
    const auto url = "redis+sentinel://" + at(sentinel) + "/main";
    refused_by_deadline(url, {"SET", "k", "v"}, errc::unavailable, "is a replica, not the master");
    auto waiting = later(make(url)->command({"SET", "k", "v"}, true));
    server.command({"REPLICAOF", "NO", "ONE"});
    BOOST_TEST(text_of(std::move(waiting)) == "OK");
}

BOOST_FIXTURE_TEST_CASE(a_wrong_name_of_the_master_is_told_at_once, fixture) {
    redis_server server;
    redis_server sentinel(sentinel_of(server.port()));
    const auto redis = make("redis+sentinel://" + dead_port() + "," + at(sentinel) + "/mian");
    refused(later(redis->command({"PING"}, true)), errc::invalid_argument, "know no master named \"mian\"");
    refused(later(redis->command({"PING"}, true)), errc::invalid_argument, "'sentinel monitor'");
    sentinel.command({"SENTINEL", "MONITOR", "mian", "127.0.0.1", std::to_string(server.port()), "1"});
    BOOST_TEST(gets_through(redis));
}

BOOST_FIXTURE_TEST_CASE(when_no_sentinel_can_be_reached_each_is_told_with_its_reason, fixture) {
    redis_server hanging(sentinel_of(1));
    hanging.suspend();
    const auto dead = dead_port();
    const auto url = "redis+sentinel://" + dead + "," + at(hanging) + "/main";
    const auto options = connection_options().connect_timeout(300ms);
    refused_by_deadline(url, {"PING"}, errc::unavailable, dead + ": Connection refused", options);
    refused_by_deadline(url, {"PING"}, errc::unavailable, at(hanging) + ": no answer came in time", options);
}

BOOST_FIXTURE_TEST_CASE(a_server_in_place_of_a_sentinel_is_told_at_once, fixture) {
    redis_server server;
    refused(later(make("redis+sentinel://" + at(server) + "/main")->command({"PING"}, true)), errc::invalid_argument,
            "26379; for a single server write redis://");
}

BOOST_FIXTURE_TEST_CASE(sentinels_have_passwords_of_their_own, fixture) {
    redis_server server(redis_server_options().password("s3cret1"));
    redis_server sentinel(sentinel_of(server.port(), "sentinel sentinel-pass s3cret2\n").password("s3cret2"));
    sentinel.command({"ACL", "SETUSER", "w", "on", ">s3cret3", "allchannels", "+@all"});
    const auto url = "redis+sentinel://:s3cret1@" + at(sentinel) + "/main";
    BOOST_TEST(text_of(later(make(url + "?sentinel_password=s3cret2")->command({"PING"}, true))) == "PONG");
    BOOST_TEST(text_of(later(make(url + "?sentinel_user=w&sentinel_password=s3cret3")->command({"PING"}, true))) ==
               "PONG");
    refused(later(make(url)->command({"PING"}, true)), errc::invalid_argument,
            "add ?sentinel_user=...&sentinel_password=...");
    refused(later(make(url + "?sentinel_password=s3cret1")->command({"PING"}, true)),
            errc::invalid_argument, "WRONGPASS");
    refused(later(make(url + "?sentinel_password=s3cret1")->command({"PING"}, true)),
            errc::invalid_argument, "correct ?sentinel_user=");
    const auto wrong_server = "redis+sentinel://:s3cret2@" + at(sentinel) + "/main?sentinel_password=s3cret2";
    refused(later(make(wrong_server)->command({"PING"}, true)), errc::invalid_argument,
            "correct the user and password in redis://");
}

BOOST_FIXTURE_TEST_CASE(over_tls_sentinels_and_servers_must_show_certificates_that_are_trusted, fixture) {
    redis_server plain;  // for its directory
    const auto file = [&](const std::string& name) { return (plain.directory() / name).string(); };
    const auto make_certificate = [&](const std::string& name, const std::string& of) {
        const auto command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=" +
                             of + " -keyout " + file(name + ".key") + " -out " + file(name) + " >/dev/null 2>&1";
        BOOST_REQUIRE(std::system(command.c_str()) == 0);
    };
    make_certificate("both", "DNS:localhost,IP:127.0.0.1");
    make_certificate("name", "DNS:localhost");
    const auto with_tls = [&](const std::string& certificate, const std::string& port) {
        return std::vector<std::string>{"--tls-port", port, "--tls-cert-file", file(certificate), "--tls-key-file",
                                        file(certificate + ".key"), "--tls-ca-cert-file", file(certificate),
                                        "--tls-auth-clients", "optional", "--tls-replication", "yes"};
    };
    for (const std::string certificate : {"both", "name"}) {
        const auto port = test::free_port();
        redis_server server(redis_server_options().words(with_tls(certificate, std::to_string(port))));
        const auto sentinel_port = std::to_string(test::free_port());
        redis_server sentinel(sentinel_of(port).words(with_tls(certificate, sentinel_port)));
        const auto with_ca = "/main?ca=" + file(certificate);
        const auto url = "rediss+sentinel://localhost:" + sentinel_port + with_ca;
        const std::string untrusted = "which is not trusted";
        if (certificate == "both") {
            BOOST_TEST(text_of(later(make(url)->command({"PING"}, true))) == "PONG");
            // Nothing falls back to plain text.
            const auto plain_text = "rediss+sentinel://localhost:" + std::to_string(sentinel.port()) + with_ca;
            refused_by_deadline(plain_text, {"PING"}, errc::unavailable, "no Sentinel says");
            refused_by_deadline("rediss+sentinel://localhost:" + sentinel_port + "/main", {"PING"}, errc::unavailable,
                                untrusted);
        } else {  // the Sentinel calls the server 127.0.0.1, for which the certificate is not
            refused_by_deadline(url, {"PING"}, errc::unavailable, "is not for the host \"127.0.0.1\"");
        }
    }
}

BOOST_FIXTURE_TEST_CASE(closing_ends_calls_while_sentinels_are_asked, fixture) {
    redis_server hanging(sentinel_of(1));
    hanging.suspend();
    const auto redis = make("redis+sentinel://" + at(hanging) + "/main");
    auto waiting = later(redis->command({"PING"}, true));
    redis->close();
    refused(std::move(waiting), errc::shut_down, "closed");
}

BOOST_AUTO_TEST_SUITE_END()
