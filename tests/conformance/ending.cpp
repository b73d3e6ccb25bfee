#include <conformance/fixture.hpp>
#include <taskflux/admin/node.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/raw_queue.hpp>
#include <taskflux/flow/scheduler.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>

// How what runs ends, on every broker. Virtual time stands still but where it is moved: what waits for it hangs.
namespace taskflux::conformance {

namespace conformance_ending {

inline constexpr method<void()> wait_long{"place", "wait_long"};
inline constexpr method<stream<int>()> count{"place", "count"};
inline constexpr method<stream<int>()> silent{"place", "silent"};
inline constexpr task<void()> rest{"rest", task_options().queue("q")};

asio::awaitable<void> never() {
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

/// A worker in its node, a service and a scheduler, that run.
struct everything : fixture {
    explicit everything(std::unique_ptr<backend> on)
        : fixture(std::move(on)), caller(shared()), client(shared()), service(shared(), service_options().lease(1min)),
          worker(shared(), worker_options().queues({"q"}).renewal_thread(false).lease(1min)),
          node(shared(), worker, node_options().lease(1min)), scheduler(shared(), scheduler_options().look_every(1min)) {
        service.on(wait_long, []() { return never(); });
        service.on(count, [this](emitter<int>& out) { return emit(*this, out); });
        service.on(silent, [](emitter<int>&) { return never(); });
        worker.on(rest, []() { return never(); });
        lives.push_back(start(node.run()));
        lives.push_back(start(service.run()));
        lives.push_back(start(scheduler.run()));
        let_work();
    }

    static asio::awaitable<void> emit(everything& self, emitter<int>& out) {
        try {
            for (;;) {
                co_await out.emit(1);
                ++self.emitted;
            }
        } catch (const boost::system::system_error& e) {
            self.emit_error = e.code();
            throw;
        }
    }

    /// Reads a value, then waits for the next one.
    static asio::awaitable<void> read(rpc by) {
        auto values = co_await by.call(silent);
        co_await values.next();
    }

    rpc caller;
    taskflux::client client;
    taskflux::service service;
    taskflux::worker worker;
    taskflux::node node;
    taskflux::scheduler scheduler;
    std::vector<started<void>> lives;
    int emitted = 0;
    boost::system::error_code emit_error;
};

}  // namespace conformance_ending

BOOST_AUTO_TEST_SUITE(conformance_ending)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_closed_broker_ends_everything_at_once, Backend, backends) {
    everything on(std::make_unique<Backend>());
    auto calling = on.start(on.caller.call(wait_long));
    auto all = on.start(on.caller.broadcast(wait_long));
    const auto values = on.run(on.caller.call(count));
    auto reading = on.start(everything::read(on.caller));
    auto running = on.start(on.client.run(rest));
    const raw_queue raw(on.shared(), "raw");
    auto receiving = on.start(raw.receive(1h));
    on.let_work();
    BOOST_TEST(on.emitted > 0);
    on.broker().close();
    BOOST_TEST(on.error_of(calling) == errc::shut_down);
    for (const auto& one : all.get()) BOOST_CHECK_THROW(std::rethrow_exception(one.error), error);
    BOOST_TEST(on.error_of(reading) == errc::shut_down);
    BOOST_TEST(on.error_of(running) == errc::shut_down);
    BOOST_TEST(on.error_of(receiving) == errc::shut_down);
    for (auto& life : on.lives) BOOST_TEST(on.error_of(life) == errc::shut_down);
    BOOST_TEST(on.emit_error == errc::shut_down);
    BOOST_TEST(on.service.running() == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_was_stopped_before_the_broker_is_closed_ends_without_an_error, Backend, backends) {
    everything on(std::make_unique<Backend>());
    auto running = on.start(on.client.run(rest));
    auto calling = on.start(on.caller.call(wait_long));
    on.let_work();
    on.worker.stop();
    on.service.stop();
    on.scheduler.stop();
    on.broker().close();
    for (auto& life : on.lives) life.get();
    BOOST_TEST(on.error_of(running) == errc::shut_down);
    BOOST_TEST(on.error_of(calling) == errc::shut_down);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_destroyed_while_it_runs_ends_and_leaves_nothing_that_waits, Backend, backends) {
    struct local {
        std::optional<taskflux::worker> worker;
        std::optional<taskflux::node> node;
        std::optional<taskflux::service> service;
    } all;
    fixture on(std::make_unique<Backend>());
    all.worker.emplace(on.shared(), worker_options().renewal_thread(false).drain_for(0s));
    all.worker->on(rest, []() { return never(); });
    all.node.emplace(on.shared(), *all.worker);
    all.service.emplace(on.shared(), service_options().cpu_threads(1));
    constexpr method<void()> plain{"place", "plain"};
    all.service->on(plain, [] {});
    auto working = on.start(all.node->run());
    auto serving = on.start(all.service->run());
    on.let_work();
    const rpc caller(on.shared());
    auto last = on.begin(caller.notify(plain));  // on its way
    all.service.reset();
    all.worker.reset();
    all.node.reset();
    working.get();
    serving.get();
    on.error_of(last);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
