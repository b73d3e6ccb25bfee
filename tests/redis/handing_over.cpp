#include <support/hang_limit.hpp>
#include <support/observer.hpp>
#include <support/redis_client.hpp>
#include <support/redis_server.hpp>
#include <taskflux/broker/redis.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// A lone task goes straight to a consumer that sleeps, in the message that wakes it; and its end to who awaits it.
namespace redis_handing_over {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace taskflux;

/// A fetch under way.
struct sleeping_fetch {
    bool has_ended = false;
    std::vector<delivery> found;
    asio::cancellation_signal stop;
};

struct fixture {
    fixture() { watcher.run(watcher.broker->join("watcher", queues(), 1h)); }
    static std::vector<std::string> queues() { return {"q", "other"}; }

    /// Has a consumer wait for tasks until the server knows that it sleeps. `queues`: it has joined them.
    std::shared_ptr<sleeping_fetch> put_to_sleep(const std::string& consumer, std::vector<std::string> queues,
                                                 std::optional<name_set> names = {}, std::size_t max = 1) {
        fetch_request request;
        request.consumer = consumer;
        request.queues = std::move(queues);
        request.max = max;
        request.wait = 1h;
        if (names) request.names = std::make_shared<name_set>(std::move(*names));
        const auto made = std::make_shared<sleeping_fetch>();
        const auto asleep = sleepers();
        asio::co_spawn(on.io, on.broker->fetch(std::move(request)),
                       asio::bind_cancellation_slot(made->stop.slot(), [made](std::exception_ptr, std::vector<delivery> found) {
                           made->has_ended = true;
                           made->found = std::move(found);
                       }));
        until([&] { return sleepers() > asleep; });
        return made;
    }

    std::shared_ptr<sleeping_fetch> put_to_sleep(const std::string& consumer) { return put_to_sleep(consumer, {"q"}); }

    void join(const std::string& consumer, std::vector<std::string> queues = {"q"}) {
        on.run(on.broker->join(consumer, std::move(queues), 1h));
    }

    static task_key submit_to(test::observer& by, const std::string& queue, bool is_awaited = false) {
        std::vector<new_task> one;
        one.push_back(test::plain_task());
        one.back().is_awaited = is_awaited;
        return by.run(by.broker->submit(queue, std::move(one))).front().key;
    }

    task_key submit() { return submit_to(on, "q"); }
    /// Nothing of what this process hears meanwhile is looked at before something runs here again.
    void submit_by_watcher(const std::string& queue) { submit_to(watcher, queue); }

    static std::vector<settlement> success_of(const delivery& what) {
        std::vector<settlement> ends(1);
        ends.front().key = what.key;
        ends.front().token = what.token;
        ends.front().how = settlement::kind::complete;
        ends.front().data = "42";
        return ends;
    }

    template <class Condition>
    void until(Condition condition) {
        on.run(poll(std::move(condition)));
    }

    template <class Condition>
    static asio::awaitable<void> poll(Condition condition) {
        asio::steady_timer timer(co_await asio::this_coro::executor);
        const auto limit = std::chrono::steady_clock::now() + test::hang_limit;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("it does not come about");
            timer.expires_after(1ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
    }

    std::int64_t sleepers(const std::string& queue = "q") { return server.command({"ZCARD", "tf:{" + queue + "}:i"}).integer(); }
    std::int64_t scripts_run() {
        const auto all = server.command({"INFO", "commandstats"}).text;
        const auto at = all.find("cmdstat_evalsha:calls=");
        return at == std::string::npos ? 0 : std::stoll(all.substr(at + 22));
    }

    test::redis_server server;
    test::observer watcher{server.url()};
    test::observer on{server.url()};
};

}  // namespace redis_handing_over

BOOST_FIXTURE_TEST_SUITE(redis_handing_over, fixture)

BOOST_AUTO_TEST_CASE(a_lone_task_reaches_a_sleeping_consumer_without_its_asking) {
    join("w");
    std::int64_t scripts = 0;
    for (int round = 0; round < 3; ++round) {  // the first loads scripts and learns keys
        const auto fetching = put_to_sleep("w");
        const auto before = scripts_run();
        const auto key = submit();
        until([&] { return fetching->has_ended; });
        scripts = scripts_run() - before;
        BOOST_REQUIRE(fetching->found.size() == 1U);
        BOOST_TEST(fetching->found.front().key.sequence == key.sequence);
        BOOST_TEST(fetching->found.front().payload == "1");
        BOOST_TEST(fetching->found.front().spec->name == "job");
        BOOST_TEST(fetching->found.front().token == 1U);
        BOOST_TEST(fetching->found.front().attempt == 1U);
    }
    BOOST_TEST(scripts == 1);
    const auto counts = on.counts("q");
    BOOST_TEST(counts.running == 3U);
    BOOST_TEST(counts.waiting == 0U);
    BOOST_TEST(sleepers() == 0);
}

BOOST_AUTO_TEST_CASE(it_is_settled_like_any_other) {
    join("w");
    const auto fetching = put_to_sleep("w");
    const auto key = submit();
    until([&] { return fetching->has_ended; });
    const auto ends = success_of(fetching->found.front());
    BOOST_TEST((on.run(on.broker->settle("q", "w", ends)).front() == effect::done));
    BOOST_TEST((on.run(on.broker->settle("q", "w", ends)).front() == effect::lease_lost));
    const auto record = on.run(on.broker->get({"q", key}));
    BOOST_TEST((record->state == task_state::succeeded));
    BOOST_TEST(record->result == "42");
    BOOST_TEST(server.command({"SCARD", "tf:{q}:a:w"}).integer() == 0);
}

BOOST_AUTO_TEST_CASE(it_keeps_its_own_limits) {
    join("w");
    auto task = test::plain_task();
    const auto spec = std::make_shared<task_spec>(*task.spec);
    spec->policy.retention = 0ms;
    spec->policy.crash_limit = 1;
    task.spec = spec;
    const auto fetching = put_to_sleep("w");
    std::vector<new_task> one(1, task);
    const auto key = on.run(on.broker->submit("q", one)).front().key;
    until([&] { return fetching->has_ended; });
    on.run(on.broker->settle("q", "w", success_of(fetching->found.front())));
    BOOST_TEST(!on.run(on.broker->get({"q", key})).has_value());  // retention: 0
    const auto again = put_to_sleep("w");
    const auto doomed = on.run(on.broker->submit("q", one)).front().key;
    until([&] { return again->has_ended; });
    server.command({"ZADD", "tf:{q}:C", "1", "w"});
    BOOST_TEST(watcher.counts("q").failed == 1U);  // one lost lease is enough
    BOOST_TEST((on.run(on.broker->get({"q", doomed}))->state == task_state::failed));
}

BOOST_AUTO_TEST_CASE(several_sleepers_get_one_each) {
    std::vector<std::shared_ptr<sleeping_fetch>> all;
    for (int i = 0; i < 4; ++i) {
        const auto name = "w" + std::to_string(i);
        join(name);
        all.push_back(put_to_sleep(name));
    }
    for (int i = 0; i < 4; ++i) submit();
    for (const auto& one : all) {
        until([&] { return one->has_ended; });
        BOOST_TEST(one->found.size() == 1U);
    }
}

BOOST_AUTO_TEST_CASE(nothing_is_handed_to_who_does_not_know_the_name) {
    join("w");
    const auto ignorant = put_to_sleep("w", {"q"}, name_set{"another"});
    submit();
    until([&] { return on.counts("q").unclaimed == 1U; });
    BOOST_TEST(on.counts("q").running == 0U);
    join("v");
    BOOST_TEST(on.fetch("v", "q", 1).size() == 1U);
    ignorant->stop.emit(asio::cancellation_type::terminal);
    until([&] { return ignorant->has_ended; });
}

BOOST_AUTO_TEST_CASE(tasks_that_wait_come_first) {
    join("w");
    on.run(on.broker->pause("q"));
    const auto fetching = put_to_sleep("w");
    const auto first = submit();
    BOOST_TEST(on.counts("q").waiting == 1U);
    on.run(on.broker->resume("q"));
    submit();
    until([&] { return fetching->has_ended; });
    BOOST_REQUIRE(fetching->found.size() == 1U);
    BOOST_TEST(fetching->found.front().key.sequence == first.sequence);
}

BOOST_AUTO_TEST_CASE(a_consumer_without_a_lease_gets_nothing) {
    join("w");
    const auto fetching = put_to_sleep("w");
    server.command({"ZREM", "tf:{q}:C", "w"});
    submit();
    BOOST_TEST(on.counts("q").waiting == 1U);
    BOOST_TEST(on.counts("q").running == 0U);
    until([&] { return fetching->has_ended; });  // it was woken, and found that its lease is lost
    BOOST_TEST(fetching->found.empty());
}

BOOST_AUTO_TEST_CASE(what_reaches_a_fetch_that_has_been_given_up_goes_back) {
    join("w");
    const auto fetching = put_to_sleep("w");
    submit_by_watcher("q");
    BOOST_TEST(server.command({"SCARD", "tf:{q}:a:w"}).integer() == 1);
    fetching->stop.emit(asio::cancellation_type::terminal);
    until([&] { return on.counts("q").waiting == 1U; });
    BOOST_TEST(on.counts("q").running == 0U);
    const auto found = watcher.fetch("watcher", "q", 1);
    BOOST_REQUIRE(found.size() == 1U);
    BOOST_TEST(found.front().attempt == 1U);
}

BOOST_AUTO_TEST_CASE(what_reaches_a_fetch_while_it_is_given_up_goes_back_however_far_both_have_come) {
    join("w");
    for (int handlers = 0; handlers < 10; ++handlers) {
        const auto fetching = put_to_sleep("w");
        submit_by_watcher("q");
        on.io.restart();
        for (int i = 0; i < handlers && !fetching->has_ended; ++i) on.io.run_one_for(2ms);
        fetching->stop.emit(asio::cancellation_type::terminal);
        until([&] { return fetching->has_ended; });
        const std::string holder = fetching->found.empty() ? "watcher" : "w";
        auto found = std::move(fetching->found);
        if (found.empty()) {
            until([&] { return watcher.counts("q").waiting == 1U; });
            found = watcher.fetch(holder, "q", 1);
        }
        BOOST_REQUIRE(found.size() == 1U);
        const auto ends = success_of(found.front());
        BOOST_TEST((watcher.run(watcher.broker->settle("q", holder, ends)).front() == effect::done));
    }
}

BOOST_AUTO_TEST_CASE(a_fetch_from_two_queues_takes_no_more_than_it_asked_for) {
    join("w", {"q", "other"});
    const auto fetching = put_to_sleep("w", {"q", "other"});
    until([&] { return sleepers("other") == 1; });
    submit_by_watcher("q");
    submit_by_watcher("other");
    until([&] { return fetching->has_ended; });
    BOOST_TEST(fetching->found.size() == 1U);
    until([&] { return on.counts("q").waiting + on.counts("other").waiting == 1U; });
    BOOST_TEST(on.counts("q").running + on.counts("other").running == 1U);
}

BOOST_AUTO_TEST_CASE(a_message_that_got_lost_costs_no_lease) {
    join("w");
    const auto fetching = put_to_sleep("w");
    // Another one hears what is meant for this process.
    test::redis_client thief(server.port());
    thief.command({"SUBSCRIBE", "elsewhere"});
    const auto member = server.command({"ZRANGE", "tf:{q}:i", "0", "0"}).texts().front();
    server.command({"DEL", "tf:{q}:i"});
    server.command({"ZADD", "tf:{q}:i", "1", "elsewhere" + member.substr(member.find('\n'))});
    submit_by_watcher("q");
    BOOST_TEST(thief.receive().items.back().text.front() == 'T');
    BOOST_TEST(server.command({"SCARD", "tf:{q}:a:w"}).integer() == 1);
    server.command({"CLIENT", "KILL", "TYPE", "pubsub"});
    until([&] { return fetching->has_ended; });
    BOOST_REQUIRE(fetching->found.size() == 1U);
    BOOST_TEST(on.counts("q").running == 1U);
    BOOST_TEST(server.command({"SCARD", "tf:{q}:a:w"}).integer() == 1);
    on.fetch("w", "q", 1);  // it knows again what it holds: that is not asked for each time
    const auto before = scripts_run();
    on.fetch("w", "q", 1);
    BOOST_TEST(scripts_run() - before == 1);
}

BOOST_AUTO_TEST_CASE(what_was_written_is_answered_though_word_of_it_may_not_be_sent) {
    join("w");
    join("asleep");
    submit_to(on, "q", true);
    const auto found = on.fetch("w", "q", 1);
    BOOST_REQUIRE(found.size() == 1U);
    put_to_sleep("asleep");
    server.command({"ACL", "SETUSER", "default", "-publish"});
    submit();
    BOOST_TEST(on.counts("q").waiting == 1U);
    BOOST_TEST((on.run(on.broker->settle("q", "w", success_of(found.front()))).front() == effect::done));
    BOOST_TEST(on.counts("q").succeeded == 1U);
    server.command({"ACL", "SETUSER", "default", "+publish"});
}

BOOST_AUTO_TEST_CASE(sleepers_do_not_pile_up_on_the_server) {
    join("w", {"q", "other"});
    for (int i = 0; i < 20; ++i) {
        const auto fetching = put_to_sleep("w", {"q", "other"});
        submit();
        until([&] { return fetching->has_ended; });
    }
    BOOST_TEST(sleepers("other") <= 1);
}

BOOST_AUTO_TEST_CASE(a_submitter_that_awaits_its_task_need_not_ask_for_its_end) {
    std::int64_t until_the_end = 0, in_all = 0;
    for (int round = 0; round < 2; ++round) {  // the first loads scripts
        const auto key = submit_to(on, "q", true);
        const auto taken = watcher.fetch("watcher", "q", 1);
        BOOST_REQUIRE(taken.size() == 1U);
        const auto before = scripts_run();
        const auto ends = success_of(taken.front());
        watcher.run(watcher.broker->settle("q", "watcher", ends));
        const auto outcome = on.run(on.broker->wait({"q", key}, 1h));
        BOOST_REQUIRE(outcome.has_value());
        BOOST_TEST(outcome->result == "42");
        until_the_end = scripts_run() - before;
        BOOST_TEST(on.run(on.broker->wait({"q", key}, 1h))->result == "42");  // who waits again asks
        in_all = scripts_run() - before;
    }
    BOOST_TEST(until_the_end == 1);
    BOOST_TEST(in_all == 2);
}

BOOST_AUTO_TEST_SUITE_END()
