#include "fixture.hpp"
#include "ledger.hpp"

#include <support/proxy.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service.hpp>

#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Calls whose connections are cut, whose servers are killed, and whose Redis can't be reached. None is carried out twice,
// and each ends within its own time.
namespace faults_calls {

using namespace test::faults;
using namespace taskflux;
using direction = test::proxy::direction;

inline constexpr taskflux::method<int(int)> echo{"numbers", "echo"};
inline constexpr taskflux::method<void()> hold{"numbers", "hold"};

bool is_long() { return std::getenv("TASKFLUX_LONG") != nullptr; }

// A broker's own limit is beyond the hang limit: what ends a call is the call's.
constexpr const char* patient = "?timeout=3600s";

/// How calls have ended, by their numbers.
struct account {
    std::set<int> results;
    std::map<int, errc> errors;
    std::map<int, std::string> reasons;

    /// How many of those that ended with an error had been carried out, and how many had not.
    std::size_t errors_of(bool carried_out, ledger& executions) const {
        std::size_t count = 0;
        for (const auto& [number, code] : errors) count += (executions[std::size_t(number)] != 0) == carried_out;
        return count;
    }
};

/// One call, and whether it gives a result; anything but that or a `taskflux::error` goes on to who awaits it.
asio::awaitable<bool> make_call(taskflux::rpc by, account& to, int number, taskflux::call_options options) {
    try {
        const int got = co_await by.call(echo, options, number);
        BOOST_TEST(got == number);
        to.results.insert(number);
        co_return true;
    } catch (const error& e) {
        to.errors.emplace(number, errc(e.code().value()));
        to.reasons.emplace(number, e.what());
    }
    co_return false;
}

void rethrow(std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
}

/// What servers write down.
struct notes {
    explicit notes(std::size_t calls) : executions(calls), executors(calls) {}

    static constexpr std::size_t servers = 8;  // at most
    ledger executions, executors;              // of each call
    ledger keeping{servers}, kept{servers};    // of each server: whether it is to answer no more; calls kept since then
};

/// Notes each execution by the number of the call, before it does anything.
class server {
public:
    server(asio::io_context& io, const std::string& url, notes& to, unsigned me, service_options options = service_options(),
           const redis_options& by = redis_options())
        : broker(make_redis_broker(io.get_executor(), url, by)), service(broker, std::move(options)) {
        service.on(echo, [&to, me](int number) { return answer(to, me, number); });
        service.on(hold, [this] { return wait(*this); });
        asio::co_spawn(io, service.run(), [](std::exception_ptr) {});
    }

    const broker_ptr broker;
    taskflux::service service;
    int held = 0;  // ends when it is 0 again

private:
    static asio::awaitable<void> wait(server& self) {
        for (self.held = 1; self.held > 0;) co_await pause(5ms);
    }
    static asio::awaitable<int> answer(notes& to, unsigned me, int number) {
        ++to.executions[std::size_t(number)];
        to.executors[std::size_t(number)] = me;
        if (to.keeping[me] != 0) {
            ++to.kept[me];
            co_await pause(1h);
        }
        co_await pause(3ms);
        co_return number;
    }
};

/// A caller and two servers whose connections lead through a proxy that cuts one of them, whichever it is, again and again
/// while calls are in hand.
class lane {
public:
    static constexpr int calls_in_hand = 4;

    lane(asio::io_context& io, const test::redis_server& redis, unsigned number, notes& to)
        : proxy_(redis.port()), random_(number),
          url_("redis://127.0.0.1:" + std::to_string(proxy_.port()) + '/' + std::to_string(number) + patient),
          servers_{std::make_unique<server>(io, url_, to, 1),
                   std::make_unique<server>(io, url_, to, 2)},
          broker_(make_redis_broker(io.get_executor(), url_)), rpc_(broker_) {}
    ~lane() {
        for (const auto& one : servers_) one->broker->close();
        broker_->close();
    }

    /// Until there have been so many cuts, and a call has a result again.
    static asio::awaitable<void> go(lane& self, std::size_t cuts, int& next_number, account& to) {
        while (self.proxy_.cuts() < cuts) {
            const auto way = self.pick(2) == 0 ? direction::to_server : direction::to_client;
            const auto before = self.proxy_.cuts();
            self.proxy_.cut_after(way, self.pick(2500));
            while (self.proxy_.cuts() == before) co_await self.make_calls(next_number, to);
        }
        for (bool is_answered = false; !is_answered;) is_answered = co_await self.make_calls(next_number, to);
    }

private:
    std::size_t pick(std::size_t below) { return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_); }

    /// Whether any of them gives a result.
    asio::awaitable<bool> make_calls(int& next_number, account& to) {
        const auto executor = co_await asio::this_coro::executor;
        int open = calls_in_hand;
        bool is_answered = false;
        asio::steady_timer over(executor, asio::steady_timer::time_point::max());
        const auto options = call_options().timeout(limit_);
        for (int i = 0; i < calls_in_hand; ++i) {
            asio::co_spawn(executor, make_call(rpc_, to, next_number++, options), [&](std::exception_ptr failure, bool has_result) {
                rethrow(failure);
                is_answered |= has_result;
                if (--open == 0) over.cancel();
            });
        }
        boost::system::error_code ignored;
        co_await over.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        limit_ = is_answered ? shortest_limit : 2 * limit_;
        co_return is_answered;
    }

    // Of a call whose answer is lost. A machine on which no call comes to its end in this time is given longer.
    static constexpr duration shortest_limit = 1s;
    duration limit_ = shortest_limit;
    test::proxy proxy_;
    std::minstd_rand random_;
    const std::string url_;
    const std::array<std::unique_ptr<server>, 2> servers_;
    const broker_ptr broker_;
    const taskflux::rpc rpc_;
};

std::map<errc, std::size_t> by_code(const account& of) {
    std::map<errc, std::size_t> counts;
    for (const auto& [number, code] : of.errors) ++counts[code];
    return counts;
}

std::string text_of(const account& of) {
    auto text = std::to_string(of.results.size()) + " results";
    for (const auto& [code, count] : by_code(of)) text += ", " + std::to_string(count) + ' ' + make_error_code(code).message();
    return text;
}

/// Each of them has ended, and none was carried out twice.
void check(const account& of, int calls, ledger& executions) {
    BOOST_TEST(of.results.size() + of.errors.size() == std::size_t(calls));
    for (int i = 1; i <= calls; ++i) {
        const unsigned times = executions[std::size_t(i)];
        if (times > 1) BOOST_ERROR("call " << i << " was carried out " << times << " times");
        if (of.results.contains(i) && times != 1) BOOST_ERROR("call " << i << " has a result from nowhere");
    }
}

boost::system::error_code code_in(const std::exception_ptr& failure) {
    try {
        if (failure) std::rethrow_exception(failure);
    } catch (const error& e) {
        return e.code();
    }
    return {};
}

/// Five instances under load, of which three are killed one after the other, and how the calls have ended.
struct killing {
    static constexpr std::size_t instances = 5, dead = 3, callers = 64;
    static constexpr std::size_t kill_after = 3000;  // results
    static constexpr unsigned in_hand = 3;           // calls at least, of each that is killed

    explicit killing(const call_options& options) {
        for (unsigned i = 0; i < instances; ++i) {
            children_.push_back(std::make_unique<test::child>([this, i] {
                asio::io_context io;
                const auto named = service_options().id("s" + std::to_string(i)).lease(lease);
                const server here(io, redis_.url() + patient, seen, i, named, counting_losses());
                io.run();
            }));
        }
        const auto are_there = [&] { return redis_.command({"HLEN", board}).integer() == std::int64_t(instances); };
        BOOST_REQUIRE(test::eventually(are_there));
        asio::io_context io;
        const auto broker = make_redis_broker(io.get_executor(), redis_.url() + patient, counting_losses());
        const taskflux::rpc rpc{broker};
        const auto call_on = [&]() -> asio::awaitable<void> {
            while (!is_over_) co_await make_call(rpc, all, ++calls, options);
        };
        std::size_t running = callers;
        for (std::size_t i = 0; i < callers; ++i) {
            asio::co_spawn(io, call_on(), [&](std::exception_ptr failure) {
                rethrow(failure);
                --running;
            });
        }
        bool is_time_over = false;
        asio::co_spawn(io, pass_time(*this, running), [&](std::exception_ptr failure) {
            rethrow(failure);
            is_time_over = true;
        });
        for (std::size_t i = 0; i <= dead; ++i) {
            const auto next = all.results.size() + kill_after;
            BOOST_REQUIRE(run_until(io, [&] { return all.results.size() >= next; }, [&] { return all.results.size(); }));
            if (i == dead) break;
            seen.keeping[i] = 1;  // with luck alone it would often have nothing in hand
            BOOST_REQUIRE(run_until(io, [&] { return seen.kept[i] >= in_hand; }, [&] { return all.results.size(); }));
            children_[i]->kill();
            ++killed_;
        }
        is_over_ = true;
        BOOST_TEST(run_until(io, [&] { return running == 0 && is_time_over; }));
        broker->close();
    }

    /// How many calls may have been lost with connections of those who are not killed. They lose none but where they stand still
    /// for seconds, and then take their connections for dead.
    std::size_t lost() { return losses_[0] * callers; }

    notes seen{100'000};
    account all;
    int calls = 0;

private:
    redis_options counting_losses() {
        return redis_options().log([this](std::string_view text) { losses_[0] += text.find("lost the connection") != text.npos; });
    }

    static constexpr const char* board = "tf:{taskflux/service/numbers}:D";
    static constexpr auto lease = 2000ms;

    /// A second passes at the server whenever all that live have renewed their leases since the last one, however long that
    /// takes them: so those of the dead run out, and no other because a machine is slow.
    static asio::awaitable<void> pass_time(killing& self, const std::size_t& running) {
        while (running > 0) {
            if (self.have_renewed()) self.redis_.advance(1s);
            co_await pause(10ms);
        }
    }
    bool have_renewed() {
        const auto time = redis_.command({"TIME"}).texts();
        const auto fresh = double(std::stoll(time.at(0)) * 1000 + std::stoll(time.at(1)) / 1000 + lease.count());
        for (std::size_t i = killed_; i < instances; ++i) {
            const auto row = redis_.command({"HGET", board, "s" + std::to_string(i)}).text;
            double until = 0;
            if (row.size() >= sizeof until) std::memcpy(&until, row.data(), sizeof until);
            if (until != fresh) return false;
        }
        return true;
    }

    test::redis_server redis_{test::redis_server_options().frozen_clock()};
    ledger losses_{1};
    std::vector<std::unique_ptr<test::child>> children_;
    std::size_t killed_ = 0;
    bool is_over_ = false;
};

/// A caller and a server, each behind a proxy of its own.
struct with_one_server {
    with_one_server() { await_answer(0); }
    ~with_one_server() {
        broker->close();
        here.broker->close();
    }

    /// What it ends with, and it does not hang; nothing where it gives a result.
    template <class T>
    boost::system::error_code code_of(asio::awaitable<T> call) {
        std::optional<boost::system::error_code> code;
        asio::co_spawn(io, std::move(call), [&](std::exception_ptr failure, auto...) { code = code_in(failure); });
        BOOST_REQUIRE(run_until(io, [&] { return code.has_value(); }));
        return *code;
    }

    /// Calls until there is an answer again: some may be lost before.
    void await_answer(int number) {
        for (auto options = brief; code_of(rpc.call(echo, options, number));) {
            BOOST_REQUIRE(bool(options.timeout() < test::hang_limit));
            options.timeout(2 * options.timeout());
        }
    }

    static std::string url(const test::proxy& of) { return "redis://127.0.0.1:" + std::to_string(of.port()) + patient; }

    test::redis_server redis;
    test::proxy caller_proxy{redis.port()}, server_proxy{redis.port()};
    notes seen{10};
    asio::io_context io;
    server here{io, url(server_proxy), seen, 0, service_options().lease(1h)};
    const broker_ptr broker = make_redis_broker(io.get_executor(), url(caller_proxy));
    const taskflux::rpc rpc{broker};
    const call_options brief = call_options().timeout(1500ms);  // long enough to look whether its instance is there
};

}  // namespace faults_calls

BOOST_AUTO_TEST_SUITE(faults_calls)

BOOST_AUTO_TEST_CASE(no_call_is_carried_out_twice_in_1000_runs_whose_connections_are_cut_at_random) {
    const std::size_t lanes = is_long() ? 128 : 32, cuts_each = is_long() ? 100 : 32;
    test::redis_server redis(test::redis_server_options().words({"--databases", std::to_string(lanes)}));  // one for each
    notes seen(lanes * cuts_each * 1000);
    account all;
    int next_number = 1;
    {
        asio::io_context io;
        std::list<lane> each;
        std::size_t running = 0;
        for (unsigned i = 0; i < lanes; ++i) {
            auto& made = each.emplace_back(io, redis, i, seen);
            ++running;
            asio::co_spawn(io, lane::go(made, cuts_each, next_number, all), [&](std::exception_ptr failure) {
                rethrow(failure);
                --running;
            });
        }
        BOOST_TEST(run_until(io, [&] { return running == 0; }, [&] { return all.results.size(); }));
    }
    const int calls = next_number - 1;
    const auto without_answer = all.errors_of(true, seen.executions), without_execution = all.errors_of(false, seen.executions);
    BOOST_TEST_MESSAGE(lanes * cuts_each << " cuts, " << calls << " calls: " << text_of(all) << "; of the lost ones "
                                         << without_answer << " had been carried out, " << without_execution << " had not");
    check(all, calls, seen.executions);
    BOOST_TEST(without_answer >= lanes);  // the cuts have hit answers as well as requests, while calls were in hand
    BOOST_TEST(without_execution >= lanes);
    for (const auto& [number, code] : all.errors) {
        const bool is_clear = code == errc::unavailable || code == errc::timed_out || code == errc::no_instance;
        if (!is_clear) BOOST_ERROR("call " << number << " ended with: " << all.reasons.at(number));
    }
}

BOOST_AUTO_TEST_CASE(killing_3_of_5_instances_fails_no_call_that_they_had_not_taken) {
    killing run(call_options().timeout(1min));
    std::size_t unread = 0;
    for (const auto& [number, code] : run.all.errors) {
        const auto& why = run.all.reasons.at(number);
        const bool names_a_dead_one = std::ranges::any_of(std::array{0, 1, 2}, [&](int i) {
            return why.starts_with("the call of numbers.echo is lost: instance s" + std::to_string(i) + " accepted the call and is gone");
        });
        const bool is_lost = code == errc::timed_out && run.lost() > 0;
        BOOST_TEST((names_a_dead_one || is_lost), "call " << number << " ended with: " << why);
        unread += run.seen.executions[std::size_t(number)] == 0;
    }
    // What Redis had written to a process that was killed before it read it counts as taken, too: nobody can tell.
    BOOST_TEST_MESSAGE(run.calls << " calls: " << text_of(run.all) << "; " << unread << " of the failed ones had not been read");
    BOOST_TEST(run.all.errors.size() <= killing::dead * killing::callers + run.lost());
    BOOST_TEST(run.all.errors.size() >= killing::dead * killing::in_hand);
    check(run.all, run.calls, run.seen.executions);
    for (const int number : run.all.results) BOOST_TEST(run.seen.executors[std::size_t(number)] < killing::instances);
}

BOOST_AUTO_TEST_CASE(killing_3_of_5_instances_fails_no_call_that_may_be_repeated) {
    killing run(call_options().timeout(1min).idempotent());
    BOOST_TEST_MESSAGE(run.calls << " calls: " << text_of(run.all));
    BOOST_TEST(run.all.errors.size() <= run.lost());
    BOOST_TEST(run.all.results.size() + run.all.errors.size() == std::size_t(run.calls));
    std::size_t again = 0;
    for (const int number : run.all.results) {
        const unsigned times = run.seen.executions[std::size_t(number)];
        BOOST_TEST(times >= 1U);
        again += times - 1;
    }
    BOOST_TEST(again <= killing::dead * killing::callers + run.lost());  // only what a dead one had begun
    BOOST_TEST(again >= killing::dead * killing::in_hand);
}

BOOST_AUTO_TEST_CASE(a_call_ends_in_its_time_though_redis_can_not_be_reached) {
    with_one_server on;
    const auto& options = on.brief;
    const taskflux::rpc stranger{on.broker};
    on.caller_proxy.stall(true);
    for (const bool is_cut : {false, true}) {
        on.caller_proxy.refuse(is_cut);
        if (is_cut) on.caller_proxy.cut();
        BOOST_TEST((on.code_of(on.rpc.call(echo, options, 2)) == errc::timed_out));
        BOOST_TEST((on.code_of(stranger.call(echo, options, 3)) == errc::timed_out));
        BOOST_TEST((on.code_of(on.rpc.notify(echo, options, 4)) == errc::timed_out));
        BOOST_TEST((on.code_of(stranger.broadcast(echo, options, 5)) == errc::timed_out));
    }
    on.caller_proxy.refuse(false);
    on.caller_proxy.stall(false);
    on.await_answer(6);
    for (const std::size_t i : {2U, 3U, 4U, 5U}) BOOST_TEST(on.seen.executions[i] == 0U);
}

BOOST_AUTO_TEST_CASE(a_caller_that_is_about_to_hear_again_loses_no_answer) {
    with_one_server on;
    // The subscriptions that there are, by the numbers of their connections.
    const auto subscriptions = [&] {
        std::istringstream lines(on.redis.command({"CLIENT", "LIST", "TYPE", "pubsub"}).text);
        std::set<std::string> ids;
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with("id=")) ids.insert(line.substr(3, line.find(' ') - 3));
        }
        return ids;
    };
    const auto others = subscriptions();
    BOOST_REQUIRE(others.size() == 2U);
    for (int i = 0; i < 20; ++i) {
        const auto losses = std::make_shared<int>(0);
        const auto count = [losses](std::string_view text) { *losses += text.find("lost the connection") != text.npos; };
        const auto fresh = make_redis_broker(on.io.get_executor(), on.redis.url(), test::patient().log(count));
        const taskflux::rpc rpc{fresh};
        BOOST_TEST(on.code_of(rpc.call(echo, 1)) == boost::system::error_code());  // it may be sent before the process hears
        for (const auto& id : subscriptions()) {
            if (!others.contains(id)) on.redis.command({"CLIENT", "KILL", "ID", id});
        }
        BOOST_REQUIRE(run_until(on.io, [&] { return *losses > 0; }));  // it knows, and does not hear again yet
        BOOST_TEST(on.code_of(rpc.call(echo, 2)) == boost::system::error_code());
        fresh->close();
        BOOST_REQUIRE(run_until(on.io, [&] { return subscriptions() == others; }));
    }
}

BOOST_AUTO_TEST_CASE(a_server_that_connects_again_still_answers_what_it_has_in_hand) {
    with_one_server on;
    std::optional<boost::system::error_code> first;
    asio::co_spawn(on.io, on.rpc.call(hold, call_options().timeout(test::no_timeout)), [&](std::exception_ptr failure) { first = code_in(failure); });
    BOOST_REQUIRE(run_until(on.io, [&] { return on.here.held == 1; }));
    on.server_proxy.refuse(true);
    on.server_proxy.cut();
    while (on.code_of(on.rpc.call(echo, on.brief, 1)) != errc::no_instance) BOOST_REQUIRE(!first);
    on.server_proxy.refuse(false);
    const auto before = scripts_run(on.redis);
    BOOST_REQUIRE(run_until(on.io, [&] { return scripts_run(on.redis) > before; }));  // it has looked whether the instance is there
    on.await_answer(2);
    BOOST_REQUIRE(!first);
    on.here.held = 0;
    BOOST_TEST(run_until(on.io, [&] { return first.has_value(); }));
    BOOST_TEST(!*first);
}

BOOST_AUTO_TEST_SUITE_END()
