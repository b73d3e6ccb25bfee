#include "fixture.hpp"

#include <taskflux/admin/events.hpp>
#include <taskflux/calls/call_observer.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/flow/queue_control.hpp>
#include <taskflux/flow/scheduler.hpp>

#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

using namespace test::flow;
using namespace taskflux;

namespace flow_observers {

struct calls_seen final : call_observer {
    void on_called(const ended_call& what) override { note(called, what); }
    void on_served(const ended_call& what) override { note(served, what); }

    void on_method(const std::string& service, const std::string& method) override {
        methods.push_back(service + '.' + method);
        throw 1;
    }

    std::vector<std::string> called, served, methods;
    bool throws = false;

private:
    void note(std::vector<std::string>& in, const ended_call& what) {
        BOOST_TEST(what.took.count() >= 0);
        in.push_back(what.service + '.' + what.method + ' ' + std::string(what.code));
        if (throws) throw std::runtime_error("the observer's own trouble");
    }
};

struct misses_seen final : scheduler_observer {
    void on_missed(const std::string& queue, const std::string& schedule, time_point first) override {
        all.push_back(queue + ' ' + schedule);
        firsts.push_back(first);
        throw 1;
    }
    void on_schedule(const std::string& queue, const std::string& schedule) override {
        known.push_back(queue + ' ' + schedule);
        throw 1;
    }
    std::vector<std::string> all, known;
    std::vector<time_point> firsts;
};

struct losses_seen final : events_observer {
    void on_events_lost(const std::string& queue, std::uint64_t entries) override {
        all.push_back(queue);
        count += entries;
        throw 1;
    }
    void on_reader(const std::string& queue) override {
        readers.push_back(queue);
        throw 1;
    }
    std::vector<std::string> all, readers;
    std::uint64_t count = 0;
};

inline constexpr method<int(int)> echo{"numbers", "echo"};
inline constexpr method<int(int)> hold{"numbers", "hold"};
inline constexpr method<int(int)> absent{"nobody", "is_there"};
inline constexpr method<stream<int>(int)> count_to{"numbers", "count_to"};

using texts = std::vector<std::string>;

}  // namespace flow_observers

BOOST_FIXTURE_TEST_SUITE(flow_observers, fixture)

BOOST_AUTO_TEST_CASE(calls_are_seen_at_both_ends_with_their_codes) {
    const auto seen = std::make_shared<calls_seen>();
    service serves(broker, service_options().observer(seen).cpu(here).max_running(1));
    gate closed(here);
    serves.on(echo, [](int n) {
        if (n < 0) throw std::runtime_error("below zero");
        return n;
    });
    serves.on(hold, [&](int n) -> asio::awaitable<int> {
        co_await closed.pass();
        co_return n;
    });
    BOOST_TEST(seen->methods.empty());
    start(serves.run());
    BOOST_TEST((seen->methods == texts{"numbers.echo", "numbers.hold"}));
    const rpc caller(broker, seen);
    BOOST_TEST(now(caller.call(echo, 4)) == 4);
    BOOST_TEST((seen->served == texts{"numbers.echo ok"} && seen->called == texts{"numbers.echo ok"}));
    BOOST_CHECK_THROW(now(caller.call(echo, -1)), call_failed);
    BOOST_TEST((seen->served.back() == "numbers.echo task_failed" && seen->called.back() == "numbers.echo task_failed"));
    BOOST_CHECK_THROW(now(caller.call(absent, 1)), error);
    BOOST_TEST((seen->called.back() == "nobody.is_there no_instance" && seen->served.size() == 2U));
    const auto held = start(caller.call(hold, 5));
    BOOST_TEST(seen->called.size() == 3U);  // it has not ended
    BOOST_CHECK_THROW(now(caller.call(echo, 1)), error);
    BOOST_TEST((seen->called.back() == "numbers.echo busy" && seen->served.back() == "numbers.echo busy"));
    closed.open();
    settle();
    BOOST_TEST(held->get() == 5);
    BOOST_TEST((seen->called.back() == "numbers.hold ok" && seen->served.back() == "numbers.hold ok"));
}

BOOST_AUTO_TEST_CASE(notifications_broadcasts_and_streams_are_calls_too) {
    const auto seen = std::make_shared<calls_seen>();
    service serves(broker, service_options().observer(seen).cpu(here));
    serves.on(echo, [](int n) { return n; });
    serves.on(count_to, [](emitter<int>& out, int end) -> asio::awaitable<void> {
        for (int n = 1; n <= end; ++n) co_await out.emit(n);
    });
    start(serves.run());
    const rpc caller(broker, seen);
    now(caller.notify(echo, 4));
    BOOST_TEST((seen->served == texts{"numbers.echo ok"} && seen->called == texts{"numbers.echo ok"}));
    BOOST_TEST(now(caller.broadcast(echo, 4)).size() == 1U);
    BOOST_TEST((seen->served.size() == 2U && seen->called.size() == 2U));
    auto values = now(caller.call(count_to, 2));
    BOOST_TEST(seen->called.back() == "numbers.count_to ok");  // an instance has taken it
    while (now(values.next())) continue;
    BOOST_TEST(seen->served.back() == "numbers.count_to ok");
}

BOOST_AUTO_TEST_CASE(what_an_observer_of_calls_throws_is_ignored) {
    const auto seen = std::make_shared<calls_seen>();
    seen->throws = true;
    service serves(broker, service_options().observer(seen).cpu(here));
    serves.on(echo, [](int n) { return n; });
    start(serves.run());
    const rpc caller(broker, seen);
    BOOST_TEST(now(caller.call(echo, 4)) == 4);
    BOOST_TEST((seen->served.size() == 1U && seen->called.size() == 1U));
}

BOOST_AUTO_TEST_CASE(missed_ticks_are_told_once_by_the_scheduler_that_deals_with_them) {
    const auto seen = std::make_shared<misses_seen>();
    const auto quiet = scheduler_options().observer(seen).log([](const log_line&, const task_id*) {});
    time_point tick{};
    {
        scheduler first(broker, quiet);
        now(first.every("0 * * * *", "UTC", twice, 1));  // each hour
        const auto life = start(first.run());
        pass(3h, 1min);
        BOOST_TEST(seen->all.empty());
        BOOST_TEST(seen->known == texts{"default twice"});  // once, though its state has changed with each tick
        tick = *now(first.list()).front().state.next;
        first.stop();
        settle();
    }
    advance(5h);  // none runs
    scheduler a(broker, quiet), b(broker, quiet);
    start(a.run());
    start(b.run());
    pass(1min, 1s);
    BOOST_TEST(seen->all == texts{"default twice"});
    BOOST_TEST((seen->firsts.at(0) == tick));
    pass(2h, 1min);
    BOOST_TEST(seen->all.size() == 1U);
    a.stop();
    b.stop();
    settle();
}

BOOST_AUTO_TEST_CASE(events_that_a_reader_misses_are_counted) {
    const auto seen = std::make_shared<losses_seen>();
    const queue_control control(broker, "default");
    now(control.keep_events(10));
    events reads(broker, "default", events_options().observer(seen));
    BOOST_TEST(std::holds_alternative<queue_event>(now(reads.next())));
    constexpr int many = 300;
    for (int n = 0; n < many; ++n) now(client.submit(twice, n));
    BOOST_TEST(std::holds_alternative<event_gap>(now(reads.next())));
    std::uint64_t left = 0;
    for (; left < 10; ++left) BOOST_TEST(std::holds_alternative<queue_event>(now(reads.next())));
    BOOST_TEST(seen->all == texts{"default"});
    BOOST_TEST(seen->readers == texts{"default"});
    BOOST_TEST(seen->count == many - left);
}

BOOST_AUTO_TEST_SUITE_END()
