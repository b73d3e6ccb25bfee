#include "fixture.hpp"
#include "ledger.hpp"

#include <support/sentinels.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service.hpp>

#include <boost/describe/enum_to_string.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// Fault 8: times of day that are wrong. A server that comes back, or that takes over, has another time than the one
// before; the clients' clocks are an hour off.
namespace faults_clocks {

using namespace test::faults;
using test::eventually;
using test::redis_server;
using test::redis_server_options;
namespace data = boost::unit_test::data;

inline constexpr taskflux::task<int(int)> until_told{"until_told"};
inline constexpr taskflux::task<int(int)> plain{"plain"};
inline constexpr taskflux::task<int()> flaky{
    "flaky", taskflux::task_options().retry(taskflux::retry_policy::fixed(200ms).attempts(3))};
inline constexpr taskflux::task<void()> unknown{"unknown", taskflux::task_options().queue("nobody")};

const int minutes_ahead[] = {10, -10};
constexpr int some = 40;

// What a ledger holds: 1 when tasks may end, and how many have begun.
constexpr std::size_t may_end = 0, begun = 1, told_size = 2;

asio::awaitable<int> run_until_told(test::faults::ledger* told, int value) {
    ++(*told)[begun];
    while ((*told)[may_end] == 0) co_await pause(10ms);
    co_return value;
}

/// A process whose tasks do not end before they are told to.
std::unique_ptr<test::child> start_worker(const std::string& url, test::faults::ledger& told) {
    return std::make_unique<test::child>([&] {
        work(url, [&](taskflux::worker& worker) {
            worker.on(until_told, [&](int value) { return run_until_told(&told, value); });
        });
    });
}

/// Returns when all of them have begun. That the server has handed them out is not enough: where the answer that does is lost
/// with its connection, they are rightly given back and handed out again.
std::vector<taskflux::job<int>> submit_some(observer& on, test::faults::ledger& told) {
    auto jobs = on.run(on.client.submit_all(until_told, std::views::iota(0, some)));
    BOOST_REQUIRE(eventually([&] { return told[begun] == unsigned(some); }));
    return jobs;
}

/// All of them end, and each was handed out so often.
void check(observer& on, const std::vector<taskflux::job<int>>& jobs, unsigned deliveries) {
    BOOST_TEST(eventually([&] { return on.counts().succeeded == jobs.size(); }));
    std::size_t as_expected = 0;
    for (const auto& one : jobs) {
        const auto record = on.run(on.broker->get(one.id()));
        BOOST_REQUIRE(record.has_value());
        as_expected += record->deliveries == deliveries && record->crashes == deliveries - 1;
    }
    BOOST_TEST(as_expected == jobs.size());
}

redis_server_options kept_on_disk() {
    return redis_server_options().append_only().frozen_clock();
}

/// The local clock, and so much.
class wrong_clock final : public taskflux::clock {
public:
    explicit wrong_clock(taskflux::duration ahead) : ahead_(ahead) {}

    taskflux::time_point now() const noexcept override { return taskflux::real_clock().now() + ahead_; }
    void arm(asio::steady_timer& timer, taskflux::time_point when) override {
        taskflux::real_clock().arm(timer, when == taskflux::never ? when : when - ahead_);
    }
    void disarm(asio::steady_timer& timer) noexcept override { taskflux::real_clock().disarm(timer); }

private:
    const taskflux::duration ahead_;
};

inline constexpr taskflux::method<int()> answer{"numbers", "answer"};
inline constexpr taskflux::method<void()> never_answer{"numbers", "never"};

void serve(const std::string& url, taskflux::clock& clock) {
    asio::io_context io;
    const auto broker = taskflux::make_redis_broker(io.get_executor(), url, taskflux::redis_options(), clock);
    // No lease runs out because the machine is slow, though each would have if it went by a clock that is an hour off.
    taskflux::service service{broker, taskflux::service_options().lease(10min)};
    service.on(answer, []() -> asio::awaitable<int> { co_return 42; });
    service.on(never_answer, [] { return pause(1h); });
    asio::co_spawn(io, service.run(), [](std::exception_ptr) {});
    io.run();
}

int not_at_first(taskflux::context& ctx) {
    if (ctx.attempt() < 3) throw std::runtime_error("not yet");
    return 3;
}

/// What comes of this and that when the clocks are so far off, in words.
std::string results_with(taskflux::duration client_ahead, taskflux::duration worker_ahead) {
    redis_server server(redis_server_options().frozen_clock());
    test::faults::ledger told(told_size);
    wrong_clock of_worker(worker_ahead);
    wrong_clock of_client(client_ahead);
    test::child worker([&] {
        work(
            server.url(),
            [&](taskflux::worker& it) {
                it.on(plain, [](int value) { return 2 * value; });
                it.on(flaky, not_at_first);
                it.on(until_told, [&](int value) { return run_until_told(&told, value); });
            },
            of_worker);
    });
    observer on(server.url(), test::patient(), of_client);
    std::ostringstream out;
    const auto tell = [&](const char* what, const taskflux::task_id& id) {
        const auto record = on.run(on.broker->get(id));
        if (!record) throw std::runtime_error("no record");
        out << what << ": " << record->result << ' ' << boost::describe::enum_to_string(record->state, "?") << ' ' << record->attempts << ' '
            << record->crashes << (record->started_at - record->submitted_at >= 300ms ? " later\n" : "\n");
    };
    const auto running = on.run(on.client.submit(until_told, 7));
    const auto expiring = on.run(on.client.submit(unknown, taskflux::submit_options().expires_in(200ms)));
    const auto delayed = on.run(on.client.submit(plain, taskflux::submit_options().delay(300ms), 2));
    const auto retried = on.run(on.client.submit(flaky));
    const auto at_once = on.run(on.client.submit(plain, 1));
    on.run(at_once.result());
    // No timer knows how this clock moves: whoever asks has done what is due.
    const auto is_finished = [&] { return on.counts().succeeded == 3 && on.counts("nobody").failed + on.counts("nobody").expired > 0; };
    BOOST_TEST(pass_time_until(is_finished, server, 1));
    on.run(delayed.result());
    on.run(retried.result());
    outlast_a_lease(server, 1);
    told[may_end] = 1;
    on.run(running.result());
    tell("plain", at_once.id());
    tell("delayed", delayed.id());
    tell("retried", retried.id());
    tell("longer than a lease", running.id());
    tell("expired", expiring.id());
    return out.str();
}

}  // namespace faults_clocks

BOOST_AUTO_TEST_SUITE(faults_clocks)

BOOST_DATA_TEST_CASE(a_restarted_server_with_another_time_hands_nothing_out_again, data::make(minutes_ahead), minutes) {
    redis_server server(kept_on_disk());
    test::faults::ledger told(told_size);
    const auto first = start_worker(server.url(), told);
    const auto second = start_worker(server.url(), told);
    observer on(server.url());
    const auto jobs = submit_some(on, told);
    server.kill();
    server.advance(std::chrono::minutes(minutes));
    server.start();
    outlast_a_lease(server, 2);
    BOOST_TEST(on.counts().running == std::size_t(some));
    told[may_end] = 1;
    check(on, jobs, 1);
}

BOOST_DATA_TEST_CASE(who_died_with_the_server_is_found_out_though_that_has_another_time, data::make(minutes_ahead),
                     minutes) {
    redis_server server(kept_on_disk());
    test::faults::ledger told(told_size);
    const auto dead = start_worker(server.url(), told);
    observer on(server.url());
    const auto jobs = submit_some(on, told);
    const auto alive = start_worker(server.url(), told);
    server.kill();
    dead->kill();
    server.advance(std::chrono::minutes(minutes));
    server.start();
    told[may_end] = 1;
    BOOST_TEST(pass_time_until([&] { return on.counts().succeeded == jobs.size(); }, server, 1));
    check(on, jobs, 2);
}

BOOST_DATA_TEST_CASE(a_successor_with_another_time_hands_nothing_out_again, data::make(minutes_ahead), minutes) {
    test::sentinels servers(redis_server_options().frozen_clock());
    servers.replica().advance(std::chrono::minutes(minutes));
    test::faults::ledger told(told_size);
    const auto first = start_worker(servers.url(), told);
    const auto second = start_worker(servers.url(), told);
    observer on(servers.url());
    const auto jobs = submit_some(on, told);
    servers.await_replica();
    auto master = servers.master().connect();
    master.command({"SET", "last", "write"});
    BOOST_REQUIRE(master.command({"WAIT", "1", "0"}) == "1");
    servers.fail_over();
    outlast_a_lease(servers.master(), 2);
    BOOST_TEST(on.counts().running == std::size_t(some));
    told[may_end] = 1;
    check(on, jobs, 1);
}

BOOST_AUTO_TEST_CASE(it_makes_no_difference_how_wrong_the_clocks_of_clients_are) {
    const std::string expected =
        "plain: 2 succeeded 1 0\n"
        "delayed: 4 succeeded 1 0 later\n"
        "retried: 3 succeeded 3 0 later\n"
        "longer than a lease: 7 succeeded 1 0\n"
        "expired:  expired 0 0\n";
    BOOST_TEST(results_with(1h, -1h) == expected);
    BOOST_TEST(results_with(-1h, 1h) == expected);
}

BOOST_AUTO_TEST_CASE(calls_end_in_their_time_whatever_the_clocks_of_both_sides_say) {
    for (const auto caller_ahead : {-1h, 1h}) {
        const redis_server server;
        wrong_clock of_server(-caller_ahead);
        wrong_clock of_caller(caller_ahead);
        const test::child serving([&] { serve(server.url(), of_server); });
        observer on(server.url(), test::patient(), of_caller);
        const auto code_of = [&](const auto& method, taskflux::duration limit) {
            try {
                on.run(taskflux::rpc(on.broker).call(method, taskflux::call_options().timeout(limit)));
            } catch (const taskflux::error& e) {
                return e.code();
            }
            return boost::system::error_code();
        };
        constexpr auto patience = test::hang_limit;  // far below what the clocks are off by
        BOOST_REQUIRE(eventually([&] { return code_of(answer, patience) != errc::no_instance; }));
        BOOST_TEST((code_of(answer, patience) == boost::system::error_code()));
        BOOST_TEST((code_of(never_answer, 1s) == errc::timed_out));
    }
}

BOOST_AUTO_TEST_SUITE_END()
