#include "fixture.hpp"
#include "ledger.hpp"

#include <support/sentinels.hpp>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <ranges>
#include <string>
#include <thread>

// Servers that die and come back or are replaced: faults 4 and 5.
namespace faults_servers {

using namespace test::faults;
using test::eventually;
using test::redis_server;
using test::redis_server_options;

// A queue for each worker, so that each can be seen to work.
inline constexpr taskflux::task<int(int)> job_0{"job", taskflux::task_options().queue("q0")};
inline constexpr taskflux::task<int(int)> job_1{"job", taskflux::task_options().queue("q1")};

bool is_long() { return std::getenv("TASKFLUX_LONG") != nullptr; }

/// What the processes of a test write down, in memory that they share.
struct records {
    static constexpr std::size_t most = 100'000;

    test::faults::ledger acknowledged{most};  ///< by task: the submission returned
    test::faults::ledger ran{most};           ///< by task: how often its handler has run
    test::faults::ledger runs{2};             ///< by worker
    test::faults::ledger flags{2};

    auto& submitted() { return flags[0]; }  ///< how many tasks, whatever came of it
    auto& stopping() { return flags[1]; }   ///< 1: submit no more; 2: that is so

    std::size_t lost() {
        std::size_t found = 0;
        for (std::size_t i = 0; i < submitted(); ++i) found += acknowledged[i] != 0 && ran[i] == 0;
        return found;
    }
    std::size_t have_run() {
        std::size_t found = 0;
        for (std::size_t i = 0; i < submitted(); ++i) found += ran[i] != 0;
        return found;
    }
};

void work_on(const std::string& url, std::size_t number, records& to) {
    work(url, [&, number](taskflux::worker& worker) {
        worker.on(number == 0 ? job_0 : job_1, [&to, number](int which) {
            ++to.ran[std::size_t(which)];
            ++to.runs[number];
            return which;
        });
    });
}

/// Submits ten tasks at a time, for either worker in turn.
asio::awaitable<void> submit_until_told(taskflux::client client, records* to) {
    for (unsigned batch = 0; to->stopping() == 0 && to->submitted() + 10 <= records::most; ++batch) {
        const int first = int(to->submitted().fetch_add(10));
        const auto some = std::views::iota(first, first + 10);
        bool is_stored = true;
        try {
            co_await client.submit_all(batch % 2 == 0 ? job_0 : job_1, some);
        } catch (const boost::system::system_error&) {
            is_stored = false;
        }
        for (const int one : some) to->acknowledged[std::size_t(one)] = is_stored;
        co_await pause(20ms);
    }
    to->stopping() = 2;
}

void submit_to(const std::string& url, records& to) {
    asio::io_context io;
    const auto broker = taskflux::make_redis_broker(io.get_executor(), url);
    asio::co_spawn(io, submit_until_told(taskflux::client(broker), &to), [&](std::exception_ptr) { broker->close(); });
    io.run();
}

/// Two workers and a process that submits, each on its own.
class load {
public:
    /// `options`: more of the URL, for who submits.
    explicit load(const std::string& url, const std::string& options = {})
        : url_(url), first_([this, url] { work_on(url, 0, seen); }), second_([this, url] { work_on(url, 1, seen); }),
          submitter_([this, url = url + options] { submit_to(url, seen); }) {
        BOOST_REQUIRE(eventually([&] { return seen.runs[0] > 50 && seen.runs[1] > 50 && seen.acknowledged.sum() > 100; }));
    }

    /// Waits until both workers have done something that was submitted after this. How long a connection and a worker rest
    /// before they try again is the subject of redis/link_state and unit/flow/worker_faults, whose clocks are their own.
    void resumes(const char* what) {
        const auto submitted = seen.submitted().load();
        const auto has_run = [&](unsigned worker) {
            for (unsigned i = submitted; i < seen.submitted(); ++i) {
                if (i / 10 % 2 == worker && seen.ran[i] != 0) return true;
            }
            return false;
        };
        BOOST_TEST(eventually([&] { return has_run(0) && has_run(1); }), what << ": a worker has not resumed");
    }

    struct outcome {
        std::size_t acknowledged = 0;
        std::size_t lost = 0;      ///< acknowledged, and not run
        std::size_t have_run = 0;  ///< by the numbers of the submissions
        std::size_t ended = 0;     ///< by the server's count: more than have run if one were stored, or ended, twice
    };

    /// Ends the submissions and waits until the queues are empty.
    outcome finish() {
        seen.stopping() = 1;
        BOOST_REQUIRE(eventually([&] { return seen.stopping() == 2; }));
        observer on(url_);
        outcome result;
        BOOST_TEST(eventually([&] {
            result.ended = 0;
            for (const auto* const queue : {"q0", "q1"}) {
                const auto counts = on.run(on.broker->counts(queue));
                if (counts.waiting + counts.scheduled + counts.running > 0) return false;
                result.ended += counts.succeeded + counts.failed;
            }
            return true;
        }));
        result.acknowledged = seen.acknowledged.sum();
        result.lost = seen.lost();
        result.have_run = seen.have_run();
        BOOST_TEST_MESSAGE(seen.submitted() << " submitted, " << result.acknowledged << " acknowledged, of which " << result.lost
                                            << " lost; " << result.have_run << " run, " << result.ended << " ended");
        BOOST_TEST(result.ended <= result.have_run);
        return result;
    }

    records seen;

private:
    const std::string url_;
    test::child first_;
    test::child second_;
    test::child submitter_;
};

}  // namespace faults_servers

BOOST_AUTO_TEST_SUITE(faults_servers)

BOOST_AUTO_TEST_CASE(a_killed_server_that_comes_back_has_lost_nothing_and_everybody_works_on) {
    redis_server server(redis_server_options().append_only());
    load all(server.url());
    for (int i = 0; i < (is_long() ? 20 : 3); ++i) {
        server.kill();
        server.start();
        all.resumes("restart");
    }
    const auto end = all.finish();
    BOOST_TEST(end.acknowledged > 100U);
    BOOST_TEST(end.lost == 0U);
    BOOST_TEST(end.ended == end.have_run);
}

BOOST_AUTO_TEST_CASE(after_a_failover_everybody_works_on) {
    test::sentinels servers;
    load all(servers.url());
    for (int i = 0; i < (is_long() ? 10 : 1); ++i) {
        if (i > 0) {
            servers.replica().start();
            servers.await_replica();
        }
        servers.master().kill();
        servers.await_failover();
        all.resumes("failover");
    }
    BOOST_TEST(all.finish().acknowledged > 100U);  // what the replica had not got yet is lost
}

BOOST_AUTO_TEST_CASE(a_durable_submission_outlives_its_master) {
    test::sentinels servers;
    load all(servers.url(), "?durable=1");
    for (int i = 0; i < (is_long() ? 10 : 1); ++i) {
        servers.master().kill();
        servers.await_failover();
        // There is no replica now: what is submitted is stored, but not acknowledged.
        const auto submitted = all.seen.submitted().load();
        BOOST_TEST(eventually([&] { return all.seen.submitted() > submitted + 10; }));
        servers.replica().start();
        servers.await_replica();
        all.resumes("the replica's return");
    }
    const auto end = all.finish();
    BOOST_TEST(end.acknowledged > 100U);
    BOOST_TEST(end.acknowledged < all.seen.submitted());
    BOOST_TEST(end.lost == 0U);
}

BOOST_AUTO_TEST_CASE(without_sentinels_everybody_works_on_while_the_master_is_there_and_later_with_its_successor) {
    test::sentinels servers;
    load all(servers.url());
    const auto with_sentinels = [&](auto action) {
        for (std::size_t i = 0; i < test::sentinels::count; ++i) action(servers.sentinel(i));
    };
    with_sentinels([](redis_server& one) { one.kill(); });
    all.resumes("no Sentinels");
    servers.master().command({"CLIENT", "KILL", "TYPE", "normal"});
    servers.master().command({"CLIENT", "KILL", "TYPE", "pubsub"});
    all.resumes("no Sentinels, connections lost");
    servers.master().kill();
    std::this_thread::sleep_for(is_long() ? 60s : 1s);  // the fault's own time
    with_sentinels([](redis_server& one) { one.start(); });
    servers.await_failover();
    all.resumes("Sentinels and failover");
    BOOST_TEST(all.finish().acknowledged > 100U);
}

BOOST_AUTO_TEST_SUITE_END()
