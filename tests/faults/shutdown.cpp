#include "fixture.hpp"

#include <taskflux/admin/node.hpp>
#include <taskflux/broker/memory.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/flow/raw_queue.hpp>
#include <taskflux/flow/scheduler.hpp>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

// Everything that a program may hold ends in a random order, while it works. The sanitizers tell what touches something that
// is gone; a round that does not end is one in which something waits for ever. TASKFLUX_STORM_ROUNDS sets how many rounds
// there are, TASKFLUX_STORM_SEED the first of their seeds; with the former set, a round that takes longer than its drain time
// and a second fails too, without the time for which other programs had the processors.

using namespace test::faults;
using namespace taskflux;

BOOST_AUTO_TEST_SUITE(faults_shutdown)

namespace {

constexpr task<int(int)> leaf{"leaf"};
constexpr task<int(int)> parent{"parent"};
constexpr task<void(int)> plain{"plain"};
constexpr method<int(int)> slow{"storm", "slow"};
constexpr method<void(int)> block{"storm", "block"};
constexpr method<stream<int>(int)> count{"storm", "count"};

unsigned number(const char* name, unsigned otherwise) {
    const char* const value = std::getenv(name);
    return value ? unsigned(std::stoul(value)) : otherwise;
}

asio::awaitable<void> rest(std::chrono::milliseconds time) { return taskflux::detail::sleep_for(real_clock(), time); }

/// What programs have done in all rounds, on whatever thread. A storm without one of these has not ended anything at it.
struct deeds {
    std::atomic<unsigned> tasks = 0, functions = 0, parents = 0, messages = 0;
    std::atomic<unsigned> calls = 0, blocks = 0, values = 0, jobs = 0, job_functions = 0;

    unsigned least() const {
        return std::min({tasks.load(), functions.load(), parents.load(), messages.load(), calls.load(), blocks.load(), values.load(),
                         jobs.load(), job_functions.load()});
    }
};

std::ostream& operator<<(std::ostream& out, const deeds& of) {
    return out << of.tasks << " tasks, " << of.functions << " of plain functions, " << of.parents << " parents, " << of.messages
               << " messages, " << of.calls << " calls, " << of.blocks << " of plain functions, " << of.values << " values, " << of.jobs
               << " local jobs, " << of.job_functions << " of plain functions";
}

/// Where a program's broker is from.
struct source {
    std::function<broker_ptr(asio::any_io_executor)> make;
    unsigned pace = 1;             ///< how much longer a program runs than one in memory
    std::vector<pid_t> processes;  ///< that must run for it to go on
};

/// How long the main threads of those processes have been ready to run while others had the processors.
std::chrono::nanoseconds stood_by(const std::vector<pid_t>& processes) {
    long long sum = 0;
    for (const auto process : processes) {
        std::ifstream file("/proc/" + std::to_string(process) + "/schedstat");
        long long ran = 0, waited = 0;
        if (file >> ran >> waited) sum += waited;
    }
    return std::chrono::nanoseconds(sum);
}

/// A program in one thread, in the middle of everything.
class program {
public:
    program(const source& from, unsigned seed, deeds& done)
        : random_(seed), pace_(from.pace), processes_(from.processes), done_(done) {
        io_.emplace();
        broker_ = from.make(io_->get_executor());
        client_.emplace(broker_);
        rpc_.emplace(broker_);
        messages_.emplace(broker_, "raw");
        drain_ = std::chrono::milliseconds(pick(2) * 20);
        worker_.emplace(broker_, worker_options().concurrency(6).cpu_threads(1).lease(500ms).drain_for(drain_));
        worker_->on(leaf, [&done](int value) -> asio::awaitable<int> {
            co_await rest(std::chrono::milliseconds(value % 4));
            ++done.tasks;
            co_return value;
        });
        worker_->on(parent, [&done](context& ctx, int many) -> asio::awaitable<int> {
            std::vector<int> payloads(static_cast<std::size_t>(many));
            std::iota(payloads.begin(), payloads.end(), 1);
            const auto made = co_await ctx.map(leaf, payloads);
            ++done.parents;
            co_return int(made.size());
        });
        worker_->on(plain, [&done](int) {
            ++done.functions;
            std::this_thread::yield();
        });
        node_.emplace(broker_, *worker_, node_options().lease(300ms));
        service_.emplace(broker_, service_options().lease(300ms).drain_for(drain_).cpu_threads(1).max_running(20));
        service_->on(slow, [](int time) -> asio::awaitable<int> {
            co_await rest(std::chrono::milliseconds(time));
            co_return time;
        });
        service_->on(block, [&done](int) {
            ++done.blocks;
            std::this_thread::yield();
        });
        service_->on(count, [](emitter<int>& out, int end) -> asio::awaitable<void> {
            for (int i = 0; i < end; ++i) co_await out.emit(i);
        });
        scheduler_.emplace(broker_, scheduler_options().look_every(5ms));
        const auto here = schedule_options().scope(local_scope::every_process).overlap(overlap_policy::cancel_previous);
        const auto job = [&done] {
            ++done.jobs;
            return rest(3ms);
        };
        const auto function = [&done] {
            ++done.job_functions;
            std::this_thread::yield();
        };
        scheduler_->local("coroutine", "@every 2ms", job, here);
        scheduler_->local("function", "@every 2ms", function, here);
        begin_all();
    }

    /// Ends everything, in an order of chance. How much longer that took than the drain time, without what it was let run.
    std::chrono::milliseconds end() {
        const auto begun = std::chrono::steady_clock::now();
        const auto stood_by_before = stood_by(processes_);
        std::chrono::microseconds let_run{};
        std::vector<std::function<void()>> steps{
            [this] { worker_.reset(); },    [this] { node_.reset(); },      [this] { service_.reset(); },
            [this] { scheduler_.reset(); }, [this] { rpc_.reset(); },       [this] { values_.reset(); },
            [this] { client_.reset(); },    [this] { messages_.reset(); },  [this] { held_.reset(); },
            [this] { broker_->close(); },   [this] { if (worker_) worker_->stop(); },
            [this] { if (service_) service_->stop(); },                     [this] { if (scheduler_) scheduler_->stop(); },
            [this] { if (node_) node_->stop(); },
        };
        std::ranges::shuffle(steps, random_);
        const bool ends_early = pick(3) == 0;  // with its context, in the middle
        const auto all = ends_early ? pick(unsigned(steps.size())) : unsigned(steps.size());
        for (unsigned i = 0; i < all; ++i) {
            steps[i]();
            if (pick(2) == 0) {
                const std::chrono::microseconds time(pace_ * pick(3000));
                run_for(time);
                let_run += time;
            }
        }
        if (!ends_early) {
            BOOST_REQUIRE_MESSAGE(has_run_empty(), "something waits for ever");
        } else {  // what runs goes before its context; the rest may outlive it
            node_.reset();
            worker_.reset();
            service_.reset();
            scheduler_.reset();
        }
        io_.reset();
        const auto took = std::chrono::steady_clock::now() - begun - (stood_by(processes_) - stood_by_before);
        return std::chrono::duration_cast<std::chrono::milliseconds>(took - let_run) - drain_;
    }

private:
    unsigned pick(unsigned below) { return std::uniform_int_distribution<unsigned>(0, below - 1)(random_); }

    void run_for(std::chrono::microseconds time) {
        io_->restart();
        io_->run_for(time);
    }

    bool has_run_empty() {
        io_->restart();
        io_->run_for(test::hang_limit);
        return io_->stopped();
    }

    void start(asio::awaitable<void> work) {
        asio::co_spawn(*io_, std::move(work), [](const std::exception_ptr&) {});  // errors are expected
    }

    void begin_all() {
        start(node_->run());
        start(service_->run());
        start(scheduler_->run());
        run_for(std::chrono::microseconds(pace_ * pick(4000)));
        start(work(*client_));
        start(receive(*messages_, held_, done_));
        start(read(*rpc_, values_, done_));
        for (int i = 0; i < 4; ++i) {
            start(call(*rpc_, int(pick(30)), done_));
            start(notify(*rpc_));
        }
        run_for(std::chrono::microseconds(pace_ * pick(8000)));
    }

    static asio::awaitable<void> work(client by) {
        const auto tasks = std::vector<int>{1, 2, 3, 4};
        co_await by.submit_all(plain, tasks);
        co_await by.run(parent, 5);
    }
    static asio::awaitable<void> receive(raw_queue from, std::optional<received_message>& into, deeds& done) {
        const std::string text = "text";
        co_await from.send(text);
        into = co_await from.receive(1s);
        done.messages += into.has_value();
        co_await from.receive(1s);
    }
    static asio::awaitable<void> read(rpc by, std::optional<stream<int>>& into, deeds& done) {
        into = co_await by.call(count, 1000);
        for (int i = 0; i < 20 && into; ++i) {
            const auto value = co_await into->next();
            done.values += value.has_value();
        }
    }
    static asio::awaitable<void> call(rpc by, int time, deeds& done) {
        co_await by.call(slow, time);
        ++done.calls;
    }
    static asio::awaitable<void> notify(rpc by) {
        co_await by.notify(block, 1);
        co_await by.broadcast(slow, 2);
    }

    std::mt19937 random_;
    const unsigned pace_;
    const std::vector<pid_t> processes_;
    deeds& done_;
    std::chrono::milliseconds drain_{};
    std::optional<asio::io_context> io_;
    broker_ptr broker_;
    std::optional<client> client_;
    std::optional<rpc> rpc_;
    std::optional<raw_queue> messages_;
    std::optional<received_message> held_;
    std::optional<stream<int>> values_;
    std::optional<worker> worker_;
    std::optional<node> node_;
    std::optional<service> service_;
    std::optional<scheduler> scheduler_;
};

/// `done`: lives for ever, as threads of the last program may.
void storm(source from, deeds& done) {
    from.processes.push_back(getpid());
    const auto first = number("TASKFLUX_STORM_SEED", std::random_device{}() % 1000000);
    const auto rounds = number("TASKFLUX_STORM_ROUNDS", 100);
    BOOST_TEST_MESSAGE("seeds from " << first);
    const bool is_long = std::getenv("TASKFLUX_STORM_ROUNDS") != nullptr;
    unsigned ended = 0;  // a round that touches what is gone, or never ends, fails by the sanitizer or the limit of the test
    auto longest = 0ms;
    for (unsigned i = 0; i < rounds; ++i) {
        if (i % 10 == 9 && done.least() == 0) from.pace *= 2;  // this machine is slow
        BOOST_TEST_CONTEXT("TASKFLUX_STORM_SEED=" << first + i) {
            const auto time = program(from, first + i, done).end();
            longest = std::max(longest, time);
            if (is_long) BOOST_TEST((time <= 1s), "the end took " << time.count() << " ms more than the drain time");
            ++ended;
        }
    }
    BOOST_TEST_MESSAGE(rounds << " rounds, the longest end took " << longest.count() << " ms more than its drain time; " << done);
    BOOST_TEST(ended == rounds);
    if (rounds >= 100) BOOST_TEST(done.least() > 0U);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_program_in_memory_may_end_in_any_order) {
    static deeds done;
    storm({[](const asio::any_io_executor& executor) { return make_memory_broker(executor); }, 1, {}}, done);
}

BOOST_AUTO_TEST_CASE(a_program_on_redis_may_end_in_any_order) {
    test::redis_server server;
    static deeds done;
    const auto make = [&](const asio::any_io_executor& executor) { return make_redis_broker(executor, server.url()); };
    storm({make, 5, {server.pid()}}, done);
}

BOOST_AUTO_TEST_SUITE_END()
