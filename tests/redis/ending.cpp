#include <support/hang_limit.hpp>
#include <support/redis_server.hpp>
#include <taskflux/admin/node.hpp>
#include <taskflux/app/app.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/connect.hpp>
#include <taskflux/flow/scheduler.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <fstream>
#include <functional>
#include <list>
#include <memory>
#include <sstream>
#include <string>

// What starts before its server and ends while that is away. A call to the server may take 600 s: what waits for one hangs.
namespace redis_ending {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace taskflux;

constexpr task<void()> brief{"brief"};
constexpr task<void()> endless{"endless"};
constexpr method<void()> serve_endless{"place", "endless"};

struct program {
    test::redis_server server;
    asio::io_context io;
    broker_ptr broker = connect(io.get_executor(), server.url() + "?timeout=600s");
    int begun = 0;
    std::string lines;

    ~program() {
        broker->close();
        io.restart();
        io.run();
    }

    worker_options options() {
        return worker_options().drain_for(100ms).log([this](const log_line& line, const task_id*) { lines += line.text + '\n'; });
    }

    struct ending {
        bool is_over = false;
        std::exception_ptr error;
    };
    std::list<ending> lives;

    ending& start(asio::awaitable<void> run) {
        auto& made = lives.emplace_back();
        asio::co_spawn(io, std::move(run), [&made](std::exception_ptr error) {
            made.is_over = true;
            made.error = std::move(error);
        });
        return made;
    }

    bool run_until(const std::function<bool()>& holds) {
        const auto limit = std::chrono::steady_clock::now() + test::hang_limit;
        while (!holds() && std::chrono::steady_clock::now() < limit) {
            io.restart();
            io.run_one_for(100ms);
        }
        return holds();
    }

    static asio::awaitable<void> never(program& self) {
        ++self.begun;
        asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    static asio::awaitable<void> submit(client by) {
        co_await by.submit(brief);
        co_await by.submit(endless);
    }
    static asio::awaitable<void> call(rpc by) { co_await by.call(serve_endless); }
};

}  // namespace redis_ending

BOOST_FIXTURE_TEST_SUITE(redis_ending, program)

BOOST_AUTO_TEST_CASE(what_is_stopped_while_its_server_is_away_ends_in_its_time_without_an_error) {
    worker works(broker, options());
    works.on(brief, [this]() -> asio::awaitable<void> { ++begun; co_return; });
    works.on(endless, [this] { return never(*this); });
    node shown(broker, works);
    service serves(broker, service_options().drain_for(100ms));
    serves.on(serve_endless, [this] { return never(*this); });
    scheduler plans(broker);
    for (auto* one : {&start(shown.run()), &start(serves.run()), &start(plans.run())}) BOOST_TEST(!one->is_over);
    start(submit(client(broker)));
    const rpc caller(broker);
    BOOST_REQUIRE(run_until([&] { return begun == 2; }));
    start(call(caller));
    start(call(caller));
    while (begun < 3) {  // the first call may have come before the service
        if (lives.back().is_over) start(call(caller));
        io.run_one_for(100ms);
    }
    server.kill();
    shown.stop();
    serves.stop();
    plans.stop();
    BOOST_REQUIRE(run_until([&] {
        auto one = lives.begin();
        return one->is_over && (++one)->is_over && (++one)->is_over;
    }));
    for (auto one = lives.begin(); one != std::next(lives.begin(), 3); ++one) BOOST_TEST(!one->error);
}

BOOST_AUTO_TEST_CASE(an_app_whose_server_is_away_ends_without_an_error) {
    app_config config;
    config.drain_for = 100ms;
    config.log_path = (server.directory() / "app.log").string();
    const auto runs = std::make_unique<app>(config);
    runs->on(endless, [this] { return never(*this); });
    runs->serve(serve_endless, [this] { return never(*this); });
    auto& life = start(runs->run_on(broker));
    start(submit(client(broker)));
    BOOST_REQUIRE(run_until([&] { return begun == 1; }));
    server.kill();
    runs->stop();
    BOOST_REQUIRE(run_until([&] { return life.is_over; }));
    BOOST_TEST(!life.error);
}

BOOST_AUTO_TEST_CASE(what_starts_before_its_server_begins_when_that_is_there) {
    server.kill();
    broker->close();
    broker = connect(io.get_executor(), server.url() + "?timeout=50ms");
    worker works(broker, options());
    works.on(brief, [this]() -> asio::awaitable<void> { ++begun; co_return; });
    auto& life = start(works.run());
    BOOST_REQUIRE(run_until([&] { return lines.find("it can't start yet, and tries again") != std::string::npos; }));
    BOOST_TEST(!life.is_over);
    server.start();
    while (begun == 0) {
        auto& sent = start(submit(client(broker)));
        BOOST_REQUIRE(run_until([&] { return sent.is_over; }));
        run_until([&] { return begun > 0 || sent.error; });
    }
    works.stop();
    BOOST_REQUIRE(run_until([&] { return life.is_over; }));
    BOOST_TEST(!life.error);
}

BOOST_AUTO_TEST_CASE(an_app_that_starts_before_its_server_stores_its_schedules_when_that_is_there) {
    server.kill();
    broker->close();
    broker = connect(io.get_executor(), server.url() + "?timeout=50ms");
    app_config config;
    config.drain_for = 100ms;
    const auto log = server.directory() / "app.log";
    config.log_path = log.string();
    const auto log_text = [&] {
        std::ostringstream text;
        text << std::ifstream(log).rdbuf();
        return text.str();
    };
    const auto runs = std::make_unique<app>(config);
    runs->on(brief, [this]() -> asio::awaitable<void> { ++begun; co_return; });
    runs->every("@every 1s", brief);
    auto& end = start(runs->run_on(broker));
    BOOST_REQUIRE(run_until([&] { return log_text().find("can't start yet, and tries again") != std::string::npos; }));
    BOOST_TEST(!end.is_over);
    server.start();
    BOOST_REQUIRE(run_until([&] { return begun > 0; }));
    runs->stop();
    BOOST_REQUIRE(run_until([&] { return end.is_over; }));
    BOOST_TEST(!end.error);
}

BOOST_AUTO_TEST_CASE(what_can_not_start_in_its_time_says_why) {
    server.kill();
    broker->close();
    broker = connect(io.get_executor(), server.url() + "?timeout=50ms");
    worker works(broker, options().start_timeout(0s));
    works.on(brief, []() -> asio::awaitable<void> { co_return; });
    worker shown_one(broker, options().start_timeout(0s));
    shown_one.on(brief, []() -> asio::awaitable<void> { co_return; });
    node as_its_worker(broker, shown_one, node_options().log(nullptr));
    worker patient(broker, options());
    patient.on(brief, []() -> asio::awaitable<void> { co_return; });
    node shows(broker, patient, node_options().log(nullptr).start_timeout(100ms));
    service serves(broker, service_options().log(nullptr).start_timeout(100ms));
    serves.on(serve_endless, [this] { return never(*this); });
    scheduler plans(broker, scheduler_options().log(nullptr).start_timeout(100ms));
    app_config config;
    config.start_timeout = 100ms;
    config.log_path = (server.directory() / "app.log").string();
    const auto runs = std::make_unique<app>(config);
    runs->on(brief, []() -> asio::awaitable<void> { co_return; });
    for (auto* one : {&start(works.run()), &start(as_its_worker.run()), &start(shows.run()), &start(serves.run()), &start(plans.run()),
                      &start(runs->run_on(broker))}) {
        BOOST_REQUIRE(run_until([&] { return one->is_over; }));
        BOOST_REQUIRE(one->error);
        BOOST_CHECK_EXCEPTION(std::rethrow_exception(one->error), error, [](const error& e) { return e.code() == errc::unavailable; });
    }
}

BOOST_AUTO_TEST_CASE(nodes_services_and_schedulers_that_start_before_their_server_begin_when_that_is_there) {
    server.kill();
    broker->close();
    broker = connect(io.get_executor(), server.url() + "?timeout=50ms");
    const auto keep = [this](std::string_view text) { (lines += text) += '\n'; };
    int ran = 0;
    worker works(broker, options());
    works.on(brief, [&ran]() -> asio::awaitable<void> { ++ran; co_return; });
    node shows(broker, works, node_options().name("early").log(keep).start_timeout(1h));
    service serves(broker, service_options().id("early").log(keep).start_timeout(1h));
    serves.on(serve_endless, [this] { return never(*this); });
    scheduler plans(broker, scheduler_options().log(keep).start_timeout(1h));
    auto& shown = start(shows.run());
    auto& served = start(serves.run());
    auto& planned = start(plans.run());
    BOOST_REQUIRE(run_until([&] {
        return lines.find("node early: it can't start yet, and tries again") != std::string::npos &&
               lines.find("service early: it can't start yet, and tries again") != std::string::npos;
    }));
    server.start();
    const rpc caller(broker);
    while (begun == 0 || ran == 0) {
        auto& sent = start(submit(client(broker)));
        start(call(caller));
        BOOST_REQUIRE(run_until([&] { return sent.is_over; }));
        run_until([&] { return (begun > 0 && ran > 0) || sent.error || lives.back().is_over; });
    }
    BOOST_TEST((!shown.is_over && !served.is_over && !planned.is_over));
    shows.stop();
    serves.stop();
    plans.stop();
    BOOST_REQUIRE(run_until([&] { return shown.is_over && served.is_over && planned.is_over; }));
    BOOST_TEST((!shown.error && !served.error && !planned.error));
}

BOOST_AUTO_TEST_SUITE_END()
