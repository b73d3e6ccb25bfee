#include "support/redis_server.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <string>

// The servers that the other tests rely on.
BOOST_AUTO_TEST_SUITE(redis_server)

namespace {

using namespace std::chrono_literals;
using test::redis_server_options;
using server = test::redis_server;

std::int64_t seconds_of(server& redis) { return redis.command({"TIME"}).items.at(0).integer(); }

bool alive(pid_t pid) { return ::kill(pid, 0) == 0; }

}  // namespace

BOOST_AUTO_TEST_CASE(a_server_answers_as_soon_as_it_is_made_and_leaves_nothing_behind) {
    pid_t pid;
    std::filesystem::path directory;
    {
        server redis;
        pid = redis.pid();
        directory = redis.directory();
        BOOST_TEST(redis.url() == "redis://127.0.0.1:" + std::to_string(redis.port()));
        BOOST_TEST(redis.command({"SET", "key", "value"}) == "OK");
        BOOST_TEST(redis.command({"GET", "key"}) == "value");
        BOOST_TEST(redis.command({"GET", "other"}).is_nil());
        redis.command({"RPUSH", "list", "a", "b"});
        BOOST_TEST(redis.command({"LRANGE", "list", "0", "-1"}).texts() == (std::vector<std::string>{"a", "b"}));
    }
    BOOST_TEST(!alive(pid));
    BOOST_TEST(!std::filesystem::exists(directory));
}

BOOST_AUTO_TEST_CASE(an_error_reply_is_thrown_and_the_next_command_works) {
    server redis;
    BOOST_CHECK_THROW(redis.command({"NO-SUCH-COMMAND"}), std::runtime_error);
    BOOST_TEST(redis.command({"PING"}) == "PONG");
}

BOOST_AUTO_TEST_CASE(a_password_is_asked_for) {
    server redis(redis_server_options().password("secret"));
    BOOST_TEST(redis.command({"PING"}) == "PONG");
    BOOST_TEST(test::redis_client(redis.port()).try_command({"PING"}).is_error());
    BOOST_TEST(redis.url() == "redis://:secret@127.0.0.1:" + std::to_string(redis.port()));
}

BOOST_AUTO_TEST_CASE(a_unix_socket_is_listened_on) {
    server redis(redis_server_options().unix_socket());
    BOOST_TEST(std::filesystem::is_socket(redis.socket_path()));
}

BOOST_AUTO_TEST_CASE(a_killed_server_comes_back_on_its_port_with_what_it_wrote_to_disk) {
    server redis(redis_server_options().append_only());
    const auto port = redis.port();
    redis.command({"SET", "key", "value"});
    redis.kill();
    BOOST_TEST(!redis.running());
    BOOST_CHECK_THROW(redis.command({"PING"}), std::runtime_error);
    redis.start();
    BOOST_TEST(redis.port() == port);
    BOOST_TEST(redis.command({"GET", "key"}) == "value");
    redis.restart();
    BOOST_TEST(redis.command({"GET", "key"}) == "value");
}

BOOST_AUTO_TEST_CASE(a_suspended_server_answers_when_it_is_resumed) {
    server redis;
    auto client = redis.connect();
    redis.suspend();
    BOOST_CHECK_THROW(test::redis_client(redis.port(), "", 20ms).command({"PING"}), std::runtime_error);
    client.send({"PING"});
    redis.resume();
    BOOST_TEST(client.receive() == "PONG");
    redis.suspend();  // and one that is suspended when the test is over can be ended
}

BOOST_AUTO_TEST_CASE(a_server_dies_with_the_program_that_crashes) {
    int channel[2];
    BOOST_REQUIRE(::pipe(channel) == 0);
    const auto directory = std::filesystem::temp_directory_path() / ("taskflux-crash-" + std::to_string(::getpid()));
    const pid_t program = ::fork();
    if (program == 0) {
        try {
            server redis;
            const pid_t pid = redis.pid();
            std::filesystem::rename(redis.directory(), directory);
            if (::write(channel[1], &pid, sizeof pid) != sizeof pid) ::_exit(1);
            ::raise(SIGKILL);
        } catch (...) {
        }
        ::_exit(1);
    }
    ::close(channel[1]);
    pid_t pid = 0;
    BOOST_TEST(::read(channel[0], &pid, sizeof pid) == static_cast<ssize_t>(sizeof pid));
    ::close(channel[0]);
    ::waitpid(program, nullptr, 0);
    BOOST_REQUIRE(pid > 0);
    BOOST_TEST(test::eventually([&] { return !std::filesystem::exists("/proc/" + std::to_string(pid) + "/exe"); }));
    std::filesystem::remove_all(directory);
}

BOOST_AUTO_TEST_CASE(a_server_that_cannot_start_says_why) {
    const auto start = [](redis_server_options options) {
        try {
            server redis(options);
        } catch (const std::runtime_error& e) {
            return std::string(e.what());
        }
        return std::string("started");
    };
    BOOST_TEST(start(redis_server_options().words({"--no-such-option", "1"})).find("no-such-option") !=
               std::string::npos);
    BOOST_TEST(start(redis_server_options().executable("no-such-server")).find("tools/setup --dev") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_cluster_of_one_node_serves_every_slot_and_refuses_keys_of_two) {
    server redis(redis_server_options().cluster());
    BOOST_TEST(redis.command({"SET", "foo", "1"}) == "OK");
    BOOST_TEST(redis.command({"SET", "bar", "1"}) == "OK");
    BOOST_CHECK_THROW(redis.command({"MGET", "foo", "bar"}), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_cluster_starts_by_a_clock_that_only_the_test_moves) {
    server redis(redis_server_options().cluster().frozen_clock());
    const auto before = redis.command({"TIME"}).texts();
    BOOST_TEST(redis.command({"SET", "foo", "1"}) == "OK");
    BOOST_TEST(redis.command({"TIME"}).texts() == before);
}

BOOST_AUTO_TEST_CASE(an_advanced_clock_shows_in_time_at_once_and_makes_keys_expire) {
    server redis(redis_server_options().movable_clock());
    redis.command({"SET", "key", "value", "PX", "3600000"});
    const auto before = seconds_of(redis);
    redis.advance(3599s);
    BOOST_TEST(seconds_of(redis) - before >= 3599);
    BOOST_TEST(redis.command({"GET", "key"}) == "value");
    redis.advance(1500ms);
    BOOST_TEST(redis.command({"GET", "key"}).is_nil());
    BOOST_TEST(redis.command({"EVAL", "return redis.call('TIME')[1]", "0"}).integer() - before >= 3600);
    redis.restart();
    BOOST_TEST(seconds_of(redis) - before >= 3600);
    redis.advance(-2h);
    BOOST_TEST(seconds_of(redis) < before);
}

BOOST_AUTO_TEST_SUITE_END()
