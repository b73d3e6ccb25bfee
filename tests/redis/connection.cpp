#include <taskflux/broker/redis/connection.hpp>

#include "fixture.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(redis_connection)

namespace {

using namespace std::chrono_literals;
using namespace test;
using taskflux::redis::script;
using fixture = connection_fixture;

constexpr std::string_view echo_text = "return {#KEYS, KEYS[1], ARGV[1]}";

script echo_script(redis_server& server, std::string& digest) {
    digest = server.command({"SCRIPT", "LOAD", std::string(echo_text)}).text;
    server.command({"SCRIPT", "FLUSH"});
    return {"echo", digest, echo_text};
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_script_is_loaded_where_it_is_missing, fixture) {
    redis_server server;
    const auto redis = make(server.url());
    std::string digest;
    const auto echo = echo_script(server, digest);
    for (int i = 0; i != 3; ++i) {
        const auto answer = later(redis->eval(echo, {"k"}, {"v"}, false)).get();
        reader in(answer);
        BOOST_TEST(in.list() == 3u);
        BOOST_TEST(in.integer() == 1);
        BOOST_TEST(in.text() == "k");
        BOOST_TEST(in.text() == "v");
        BOOST_TEST(in.done());
        server.command({"SCRIPT", "FLUSH"});
    }
}

BOOST_FIXTURE_TEST_CASE(a_script_with_another_digest_than_its_own_is_refused, fixture) {
    redis_server server;
    const auto redis = make(server.url());
    const script wrong{"wrong", "da39a3ee5e6b4b0d3255bfef95601890afd80709", echo_text};
    refused(later(redis->eval(wrong, {}, {}, true)), errc::protocol, "the script wrong can't be called: the server gives it the SHA-1 ");
}

BOOST_FIXTURE_TEST_CASE(only_the_server_that_a_call_names_gets_it, fixture) {
    constexpr std::string_view text = "return redis.call('INCR', KEYS[1])";
    redis_server server(redis_server_options().append_only());
    const auto digest = server.command({"SCRIPT", "LOAD", std::string(text)}).text;
    const script count{"count", digest, text};
    const auto redis = make(server.url());
    const auto call = [&](bool is_durable, const std::string& run_id) {
        const taskflux::redis::wire::named_run named{run_id, redis->deadline_of({})};
        return later(is_durable ? redis->eval_durably(count, {"calls"}, {}, named) : redis->eval(count, {"calls"}, {}, true, named));
    };
    const auto run_id_in = [](const reply& from) {
        reader in(from);
        BOOST_TEST(in.list() == 2u);
        BOOST_TEST(in.text() == taskflux::redis::wire::another_server);
        return std::string(in.text());
    };
    auto run_id = run_id_in(call(false, "").get());  // no server is known yet
    BOOST_TEST(run_id == redis->run_id());
    const taskflux::redis::wire::named_run late{run_id, std::chrono::steady_clock::now()};
    refused(later(redis->eval(count, {"late"}, {}, true, late)), errc::unavailable, "no answer came in time");
    int calls = 0;
    for (const bool is_durable : {false, true}) {
        BOOST_TEST(run_id_in(call(is_durable, "another").get()) == run_id);
        BOOST_TEST(reader(call(is_durable, run_id).get()).integer() == ++calls);
        server.kill();
        auto waiting = call(is_durable, run_id);  // names the server that was there when it began
        server.start();
        const auto next = run_id_in(waiting.get());
        BOOST_TEST(next != run_id);
        run_id = next;
    }
}

BOOST_FIXTURE_TEST_CASE(an_error_of_a_command_is_thrown_and_the_connection_lives_on, fixture) {
    redis_server server;
    const auto redis = make(server.url());
    refused(later(redis->command({"INCR"}, true)), errc::protocol, "wrong number of arguments");
    refused(later(redis->command({"EVAL", "return redis.error_reply('OOM x')", "0"}, true)), errc::queue_full,
            "maxmemory");
    const auto inner =
        later(redis->command({"EVAL", "return {1, redis.error_reply('NO x')}", "0"}, true)).get();
    reader in(inner);
    BOOST_TEST(in.list() == 2u);
    in.skip();
    BOOST_TEST(in.error() == "NO x");
    BOOST_TEST(text_of(later(redis->command({"PING"}, true))) == "PONG");
    BOOST_TEST(log().find("lost") == std::string::npos, log());
}

BOOST_FIXTURE_TEST_CASE(a_full_server_is_told_with_the_remedy, fixture) {
    redis_server server;
    const auto redis = make(server.url());
    server.command({"CONFIG", "SET", "maxmemory", "1"});
    refused(later(redis->command({"SET", "k", "v"}, true)), errc::queue_full, "raise its maxmemory");
}

BOOST_FIXTURE_TEST_CASE(a_wrong_or_missing_or_superfluous_password_is_told_at_once, fixture) {
    redis_server server(redis_server_options().password("right"));
    const auto port = ":" + std::to_string(server.port());
    refused(later(make("redis://:s3cret@127.0.0.1" + port)->command({"PING"}, true)), errc::invalid_argument,
            "correct the user and password");
    refused(later(make("redis://127.0.0.1" + port)->command({"PING"}, true)), errc::invalid_argument,
            "it wants a password");
    server.command({"CONFIG", "SET", "requirepass", ""});
    BOOST_TEST(text_of(later(make("redis://127.0.0.1" + port)->command({"PING"}, true))) == "PONG");
}

BOOST_FIXTURE_TEST_CASE(a_server_that_repeats_the_password_is_not_quoted_with_it, fixture) {
    redis_server server(redis_server_options().password("s3cret").config("rename-command HELLO \"\"\n"));
    const auto redis = make(server.url());
    refused(later(redis->command({"PING"}, true)), errc::unsupported, "unknown command 'HELLO'");
    BOOST_TEST(log().find("s3cret") == std::string::npos, log());
}

BOOST_FIXTURE_TEST_CASE(a_password_that_becomes_right_is_used_without_a_restart, fixture) {
    redis_server server(redis_server_options().password("old"));
    const auto redis = make("redis://:s3cret@127.0.0.1:" + std::to_string(server.port()));
    refused(later(redis->command({"PING"}, true)), errc::invalid_argument, "WRONGPASS");
    server.command({"CONFIG", "SET", "requirepass", "s3cret"});
    BOOST_TEST(eventually([&] {
        try {
            return text_of(later(redis->command({"PING"}, true))) == "PONG";
        } catch (const boost::system::system_error&) {
            return false;
        }
    }));
}

BOOST_FIXTURE_TEST_CASE(a_database_is_selected_or_refused_at_once, fixture) {
    redis_server server;
    later(make(server.url() + "/3")->command({"SET", "k", "v"}, true)).get();
    const auto keys = server.command({"INFO", "keyspace"}).text;
    BOOST_TEST(keys.find("db3:keys=1,") != std::string::npos, keys);
    refused(later(make(server.url() + "/99")->command({"PING"}, true)), errc::invalid_argument, "database");
}

BOOST_FIXTURE_TEST_CASE(a_missing_permission_is_named, fixture) {
    redis_server server;
    server.command({"ACL", "SETUSER", "weak", "on", ">s3cret", "+ping", "+hello", "~*"});
    const auto redis = make("redis://weak:s3cret@127.0.0.1:" + std::to_string(server.port()));
    refused(later(redis->command({"PING"}, true)), errc::invalid_argument, "ACL SETUSER weak +evalsha +script|load");
    BOOST_TEST(eventually([&] { return log().find("weak +subscribe") != std::string::npos; }), log());
}

BOOST_FIXTURE_TEST_CASE(what_the_server_may_keep_to_itself_is_not_needed, fixture) {
    redis_server server;
    server.command({"ACL", "SETUSER", "modest", "on", ">s3cret", "+@all", "-info", "-config", "~tf:*", "&tf:*"});
    const auto redis = make("redis://modest:s3cret@127.0.0.1:" + std::to_string(server.port()));
    BOOST_TEST(text_of(later(redis->command({"PING"}, true))) == "PONG");
    BOOST_TEST(redis->run_id().empty());
    refused(later(redis->command({"GET", "k"}, true)), errc::invalid_argument, "ACL SETUSER");
}

BOOST_FIXTURE_TEST_CASE(both_connections_have_a_name, fixture) {
    redis_server server;
    make(server.url())->start();
    BOOST_TEST(eventually([&] {
        const auto list = server.command({"CLIENT", "LIST"}).text;
        const auto first = list.find("name=taskflux");
        return first != std::string::npos && list.find("name=taskflux", first + 1) != std::string::npos;
    }));
}

BOOST_FIXTURE_TEST_CASE(an_eviction_policy_that_drops_tasks_is_warned_about, fixture) {
    redis_server server;
    const auto redis = make(server.url());
    later(redis->command({"PING"}, true)).get();
    BOOST_TEST(log().empty(), log());
    server.command({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
    later(make(server.url())->command({"PING"}, true)).get();
    BOOST_TEST(log().find("maxmemory-policy is allkeys-lru") != std::string::npos, log());
}

BOOST_FIXTURE_TEST_CASE(calls_resume_by_themselves_when_the_server_was_killed_and_came_back, fixture) {
    redis_server server;
    const auto redis = make(server.url());
    std::atomic<int> calls = 0;
    redis->on_missed_messages([&] { ++calls; });
    later(redis->command({"PING"}, true)).get();
    BOOST_TEST(eventually([&] { return calls == 1; }));  // the inbox is there
    const auto before = redis->run_id();
    BOOST_TEST(before.size() == 40u);
    for (int i = 0; i != 3; ++i) {
        server.kill();
        auto waiting = later(redis->command({"PING"}, true));
        server.start();
        BOOST_TEST(text_of(std::move(waiting)) == "PONG");
        // The commands' connection and the inbox'.
        BOOST_TEST(eventually([&] { return calls == 1 + 2 * (i + 1); }), calls.load());
    }
    BOOST_TEST(redis->run_id().size() == 40u);
    BOOST_TEST(redis->run_id() != before);
}

BOOST_FIXTURE_TEST_CASE(only_what_is_repeatable_is_sent_again_after_a_lost_connection, fixture) {
    redis_server server;
    const auto redis = make(server.url());
    later(redis->command({"PING"}, true)).get();
    server.command({"CLIENT", "PAUSE", "600000", "WRITE"});
    auto once = later(redis->command({"INCR", "once"}, false));
    BOOST_TEST(eventually([&] {
        return server.command({"INFO", "clients"}).text.find("blocked_clients:1") != std::string::npos;
    }));
    auto again = later(redis->command({"INCR", "again"}, true));
    server.kill();
    refused(std::move(once), errc::unavailable, "the connection was lost in a call");
    server.start();
    const auto answer = again.get();
    BOOST_TEST(reader(answer).integer() == 1);
    BOOST_TEST(server.command({"EXISTS", "once"}).integer() == 0);
}

BOOST_FIXTURE_TEST_CASE(a_call_to_a_dead_port_ends_by_its_deadline, fixture) {
    const auto url = "redis://127.0.0.1:" + std::to_string(test::free_port());
    refused_by_deadline(url, {"PING"}, errc::unavailable, "Connection refused");
    refused(later(make(url + "?timeout=100ms")->command({"PING"}, true)), errc::unavailable, "in time");
}

BOOST_FIXTURE_TEST_CASE(a_call_to_a_server_that_hangs_ends_by_its_deadline, fixture) {
    redis_server server;
    const auto redis = make(server.url() + "?timeout=200ms");
    BOOST_TEST(gets_through(redis));
    server.suspend();
    refused(later(redis->command({"PING"}, true)), errc::unavailable, "in time");
    server.resume();
    BOOST_TEST(gets_through(redis));
}

BOOST_FIXTURE_TEST_CASE(a_server_that_stands_still_is_not_taken_for_one_that_closes_connections, fixture) {
    redis_server server;
    server.suspend();
    refused_by_deadline(server.url(), {"PING"}, errc::unavailable, "the server does not answer: it stands still",
                        connection_options().health_check(20ms));
}

BOOST_FIXTURE_TEST_CASE(a_server_that_may_not_write_is_left_and_tried_again, fixture) {
    redis_server server;
    const auto redis = make(server.url());
    server.command({"REPLICAOF", "127.0.0.1", std::to_string(test::free_port())});
    server.command({"CONFIG", "SET", "replica-serve-stale-data", "yes"});
    refused_by_deadline(server.url(), {"SET", "k", "v"}, errc::unavailable, "READONLY");
    auto waiting =
        later(redis->command({"SET", "k", "v"}, false));  // it was refused, so it may be sent again
    BOOST_TEST(eventually([&] { return log().find("leaves a server that refuses") != std::string::npos; }));
    server.command({"REPLICAOF", "NO", "ONE"});
    BOOST_TEST(text_of(std::move(waiting)) == "OK");
}

BOOST_FIXTURE_TEST_CASE(what_the_server_puts_off_is_tried_again_on_the_same_connection, fixture) {
    redis_server server;
    const auto redis = make(server.url());
    server.command({"CONFIG", "SET", "min-replicas-to-write", "1"});
    refused_by_deadline(server.url(), {"SET", "k", "v"}, errc::unavailable, "NOREPLICAS");
    auto waiting = later(redis->command({"SET", "k", "v"}, false));
    BOOST_TEST(eventually([&] {
        return server.command({"INFO", "errorstats"}).text.find("NOREPLICAS") != std::string::npos;
    }));
    server.command({"CONFIG", "SET", "min-replicas-to-write", "0"});
    BOOST_TEST(text_of(std::move(waiting)) == "OK");
    BOOST_TEST(log().find("lost") == std::string::npos, log());
}

BOOST_FIXTURE_TEST_CASE(a_durable_call_waits_for_replicas_and_tells_when_they_are_too_few, fixture) {
    redis_server server;
    redis_server replica(redis_server_options().words({"--replicaof", "127.0.0.1", std::to_string(server.port())}));
    const auto link_is_up = [&] {
        return server.command({"INFO", "replication"}).text.find("state=online") != std::string::npos;
    };
    BOOST_REQUIRE(eventually(link_is_up));
    std::string write_digest;
    std::string read_digest;
    constexpr std::string_view write_text = "return {redis.call('INCR', KEYS[1])}";
    constexpr std::string_view read_text = "return {redis.call('EXISTS', KEYS[1])}";
    write_digest = server.command({"SCRIPT", "LOAD", std::string(write_text)}).text;
    read_digest = server.command({"SCRIPT", "LOAD", std::string(read_text)}).text;
    server.command({"SCRIPT", "FLUSH"});
    const script write{"write", write_digest, write_text};
    const script read{"read", read_digest, read_text};
    const auto count = [&](const std::shared_ptr<connection>& redis, const script& what) {
        auto answer = later(redis->eval_durably(what, {"k"}, {})).get();
        redis->check_replicas(answer);
        reader in(answer);
        BOOST_TEST(in.list() == 1u);
        const auto number = in.integer();
        BOOST_TEST(in.done());
        return number;
    };
    const auto redis = make(server.url() + "?durable=1");
    BOOST_TEST(count(redis, write) == 1);  // with the script to load first
    BOOST_TEST(count(redis, write) == 2);
    BOOST_TEST(replica.command({"GET", "k"}).integer() == 2);
    BOOST_TEST(count(make(server.url() + "?durable=0", unhurried().durable(1)), write) == 3);
    // Replicas have a third of the timeout: on a slow machine, where that is too little for any, the call is made anew with
    // a longer one, until it tells what is expected.
    const auto too_few = [&](unsigned replicas, const script& what, const std::string& says) {
        for (auto timeout = 2s;; timeout *= 4) {
            const auto on = make(server.url(), connection_options().durable(replicas).timeout(timeout).health_check(timeout));
            BOOST_TEST(gets_through(on));
            std::string said;
            try {
                count(on, what);
            } catch (const taskflux::error& e) {
                BOOST_TEST(bool(e.code() == errc::unavailable));
                said = e.what();
            }
            BOOST_TEST(!said.empty());
            if (said.find(says) == std::string::npos && timeout < 1min) continue;
            BOOST_TEST(said.find(says) != std::string::npos, said);
            return;
        }
    };
    too_few(2, write, "1 of 2 replicas had it in time");
    replica.suspend();
    const auto written = server.command({"GET", "k"}).integer();
    too_few(1, write, "0 of 1 replicas");
    // Nothing new is written on this connection, but what it tells of may be known to nobody else.
    too_few(1, read, "0 of 1 replicas");
    BOOST_TEST(server.command({"GET", "k"}).integer() > written);
    replica.resume();
    BOOST_TEST(count(redis, read) == 1);
}

BOOST_FIXTURE_TEST_CASE(durable_calls_that_wait_hold_up_no_others, fixture) {
    redis_server server;
    constexpr std::string_view text = "return {redis.call('INCR', KEYS[1])}";
    const auto digest = server.command({"SCRIPT", "LOAD", std::string(text)}).text;
    const script write{"write", digest, text};
    const auto redis = make(server.url() + "?durable=1", unhurried().health_check(5min));
    auto waiting = later(redis->eval_durably(write, {"k"}, {}));
    BOOST_TEST(eventually([&] { return server.command({"EXISTS", "k"}).integer() == 1; }));
    BOOST_TEST(text_of(later(redis->command({"PING"}, true))) == "PONG");
    redis->close();
    refused(std::move(waiting), errc::shut_down, "closed");
}

BOOST_FIXTURE_TEST_CASE(what_is_published_to_the_inbox_arrives_also_after_its_connection_was_killed,
                        fixture) {
    redis_server server;
    const auto redis = make(server.url());
    std::mutex mutex;
    std::vector<std::string> came;
    std::atomic<int> calls = 0;
    redis->on_message([&](std::string_view payload) {
        const std::lock_guard lock(mutex);
        came.emplace_back(payload);
    });
    redis->on_missed_messages([&] { ++calls; });
    BOOST_TEST(!redis->hears());
    redis->start();
    const auto subscribers = [&] {
        return server.command({"PUBSUB", "NUMSUB", redis->inbox()}).items.at(1).integer();
    };
    const auto arrive = [&](const std::string& name, int count) {
        words expected;
        for (int i = 0; i != count; ++i) {
            expected.push_back(name + std::to_string(i));
            BOOST_TEST(server.command({"PUBLISH", redis->inbox(), expected.back()}).integer() == 1);
        }
        BOOST_TEST(eventually([&] {
            const std::lock_guard lock(mutex);
            return came == expected;
        }));
        came.clear();
    };
    BOOST_TEST(eventually([&] { return calls == 1; }));
    BOOST_TEST(redis->hears());
    BOOST_TEST(subscribers() == 1);
    arrive("first", 1000);
    for (int i = 1; i != 3; ++i) {
        server.command({"CLIENT", "KILL", "TYPE", "pubsub"});
        BOOST_TEST(eventually([&] { return calls == 1 + i; }));
        BOOST_TEST(subscribers() == 1);
        arrive("again", 10);
    }
    const std::string large(300'000, 'x');
    server.command({"PUBLISH", redis->inbox(), large});
    BOOST_TEST(eventually([&] {
        const std::lock_guard lock(mutex);
        return came == words{large};
    }));
}

BOOST_FIXTURE_TEST_CASE(each_connection_has_an_inbox_of_its_own, fixture) {
    const auto one = make("redis://localhost");
    const auto other = make("redis://localhost");
    BOOST_TEST(one->inbox().starts_with("tf:in:"));
    BOOST_TEST(one->inbox() != other->inbox());
}

BOOST_FIXTURE_TEST_CASE(closing_ends_pending_calls_and_refuses_later_ones, fixture) {
    redis_server server;
    const auto redis = make(server.url());
    later(redis->command({"PING"}, true)).get();
    server.suspend();
    auto written = later(redis->command({"PING"}, true));
    auto waiting = make("redis://127.0.0.1:" + std::to_string(test::free_port()));
    auto unconnected = later(waiting->command({"PING"}, true));
    redis->close();
    redis->close();
    waiting->close();
    refused(std::move(written), errc::shut_down, "closed");
    refused(std::move(unconnected), errc::shut_down, "closed");
    BOOST_CHECK_EXCEPTION(redis->start(), taskflux::error,
                          [](const taskflux::error& e) { return e.code() == errc::shut_down; });
}

BOOST_FIXTURE_TEST_CASE(closing_what_was_never_started_does_nothing, fixture) {
    make("redis://localhost")->close();
    BOOST_CHECK(make("redis://localhost")->run_id().empty());
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_call_ends_at_once_whether_written_or_waiting, fixture) {
    redis_server server;
    const auto redis = make(server.url());
    const auto dead = make("redis://127.0.0.1:" + std::to_string(test::free_port()));
    later(redis->command({"PING"}, true)).get();
    server.suspend();
    for (const auto& each : {redis, dead}) {
        asio::cancellation_signal signal;
        auto call = later(each->command({"PING"}, true), signal.slot());
        asio::post(context(), [&] { signal.emit(asio::cancellation_type::terminal); });
        BOOST_CHECK_EXCEPTION(
            call.get(), boost::system::system_error,
            [](const boost::system::system_error& e) { return e.code() == asio::error::operation_aborted; });
    }
    server.resume();
    BOOST_TEST(text_of(later(redis->command({"PING"}, true))) == "PONG");
}

BOOST_AUTO_TEST_CASE(calls_from_many_threads_all_arrive_once) {
    redis_server server;
    asio::thread_pool pool(4);
    const auto redis = connection::make(pool.get_executor(), parse_url(server.url()), unhurried());
    constexpr int calls = 10'000;
    constexpr int callers = 100;
    std::vector<std::future<void>> all;
    for (int i = 0; i != callers; ++i) {
        all.push_back(asio::co_spawn(
            pool,
            [](std::shared_ptr<connection> to) -> asio::awaitable<void> {
                for (int n = 0; n != calls / callers; ++n) {
                    const words incr{"INCR", "k"};
                    co_await to->command(incr, false);
                }
            }(redis),
            asio::use_future));
    }
    for (auto& each : all) each.get();
    BOOST_TEST(server.command({"GET", "k"}).text == std::to_string(calls));
    redis->close();
    pool.join();
}

BOOST_AUTO_TEST_CASE(a_context_may_end_before_its_connections_and_their_calls) {
    redis_server server;
    auto context = std::make_unique<asio::io_context>();
    auto redis = connection::make(context->get_executor(), parse_url(server.url()), unhurried());
    const auto never_used =
        connection::make(context->get_executor(), parse_url(server.url()), unhurried());
    const auto other_context = std::make_unique<asio::io_context>();
    auto first = asio::co_spawn(*context, redis->command({"PING"}, true), asio::use_future);
    while (first.wait_for(0s) != std::future_status::ready) context->run_one();
    first.get();
    server.suspend();
    auto same = asio::co_spawn(*context, redis->command({"PING"}, true), asio::use_future);
    auto other = asio::co_spawn(*other_context, redis->command({"PING"}, true), asio::use_future);
    other_context->poll();
    context->poll();
    context.reset();
    BOOST_CHECK_THROW(same.get(), std::future_error);
    other_context->restart();
    other_context->poll();
    BOOST_CHECK_EXCEPTION((void)redis->command({"PING"}, true), taskflux::error,
                          [](const taskflux::error& e) { return e.code() == errc::shut_down; });
    redis->close();
    redis.reset();
}

BOOST_FIXTURE_TEST_CASE(a_unix_socket_is_as_good_and_so_is_a_large_reply, fixture) {
    redis_server server(redis_server_options().unix_socket());
    const auto redis = make("redis+unix://" + server.socket_path().string());
    const std::string large(5'000'000, 'x');
    BOOST_TEST(text_of(later(redis->command({"SET", "k", large}, true))) == "OK");
    BOOST_TEST((text_of(later(redis->command({"GET", "k"}, true))) == large));
}

BOOST_FIXTURE_TEST_CASE(over_tls_the_server_must_show_a_certificate_that_is_trusted, fixture) {
    const auto port = std::to_string(test::free_port());
    redis_server server;  // for its directory
    const auto file = [&](const std::string& name) { return (server.directory() / name).string(); };
    const auto make_certificate =
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext "
        "subjectAltName=DNS:localhost -keyout " +
        file("key.pem") + " -out " + file("cert.pem") + "";
    BOOST_REQUIRE(std::system((make_certificate + " >/dev/null 2>&1").c_str()) == 0);
    redis_server secure(redis_server_options().words({"--tls-port", port, "--tls-cert-file", file("cert.pem"),
                                                      "--tls-key-file", file("key.pem"), "--tls-ca-cert-file",
                                                      file("cert.pem"), "--tls-auth-clients", "optional"}));
    const auto ca = "?ca=" + file("cert.pem");
    BOOST_TEST(text_of(later(make("rediss://localhost:" + port + ca)->command({"PING"}, true))) == "PONG");
    const auto with_key = ca + "&cert=" + file("cert.pem") + "&key=" + file("key.pem");
    BOOST_TEST(text_of(later(make("rediss://localhost:" + port + with_key)->command({"PING"}, true))) ==
               "PONG");
    refused_by_deadline("rediss://localhost:" + port, {"PING"}, errc::unavailable,
                        "signed by \"/CN=localhost\", which is not trusted: name the file with that CA in the URL");
    refused_by_deadline("rediss://127.0.0.1:" + port + ca, {"PING"}, errc::unavailable,
                        "is not for the host \"127.0.0.1\": it is for localhost");
    refused_by_deadline("redis://localhost:" + port, {"PING"}, errc::unavailable, "the port may want TLS, rediss://");
    refused_by_deadline("rediss://localhost:" + std::to_string(server.port()) + ca, {"PING"}, errc::unavailable, "the port may not speak TLS, then it is redis://");
    const auto strict_port = std::to_string(test::free_port());
    redis_server strict(redis_server_options().words({"--tls-port", strict_port, "--tls-cert-file", file("cert.pem"),
                                                      "--tls-key-file", file("key.pem"), "--tls-ca-cert-file",
                                                      file("cert.pem")}));
    refused_by_deadline("rediss://localhost:" + strict_port + ca, {"PING"}, errc::unavailable, "it may want a client's certificate");
}

BOOST_FIXTURE_TEST_CASE(over_tls_a_certificate_whose_time_is_over_or_has_not_come_is_refused_with_the_day, fixture) {
    redis_server server;  // for its directory
    const auto file = [&](const std::string& name) { return (server.directory() / name).string(); };
    std::ofstream(file("index"));
    std::ofstream(file("ca.cnf")) << "[ca]\ndefault_ca=own\n[own]\ndatabase=" << file("index") << "\nnew_certs_dir="
                                  << server.directory().string() << "\ndefault_md=sha256\npolicy=any\nrand_serial=yes\n"
                                  << "unique_subject=no\nx509_extensions=more\n[any]\ncommonName=supplied\n"
                                  << "[more]\nsubjectAltName=DNS:localhost\n";
    const auto succeeds = [](const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; };
    BOOST_REQUIRE(succeeds("openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout " + file("key.pem") + " -out " +
                           file("request.pem")));
    const auto refuses = [&](const std::string& from, const std::string& until, const std::string& why) {
        BOOST_REQUIRE(succeeds("openssl ca -batch -selfsign -notext -config " + file("ca.cnf") + " -keyfile " + file("key.pem") +
                               " -in " + file("request.pem") + " -out " + file("cert.pem") + " -startdate " + from +
                               "000000Z -enddate " + until + "000000Z"));
        const auto port = std::to_string(test::free_port());
        redis_server secure(redis_server_options().words({"--tls-port", port, "--tls-cert-file", file("cert.pem"),
                                                          "--tls-key-file", file("key.pem"), "--tls-ca-cert-file",
                                                          file("cert.pem"), "--tls-auth-clients", "optional"}));
        refused_by_deadline("rediss://localhost:" + port + "?ca=" + file("cert.pem"), {"PING"}, errc::unavailable, why);
    };
    refuses("20190101", "20200102", "\"/CN=localhost\" expired on 2020-01-02: renew it");
    refuses("20900101", "20910102", "\"/CN=localhost\" is valid from 2090-01-01 on: compare the clocks");
}

BOOST_FIXTURE_TEST_CASE(a_command_without_words_and_a_missing_certificate_are_refused, fixture) {
    const auto is_invalid = [](const taskflux::error& e) { return e.code() == errc::invalid_argument; };
    BOOST_CHECK_EXCEPTION((void)make("redis://localhost")->command({}, true), taskflux::error, is_invalid);
    BOOST_CHECK_EXCEPTION(make("rediss://localhost?ca=/nowhere.pem"), taskflux::error, is_invalid);
}

BOOST_AUTO_TEST_SUITE_END()
