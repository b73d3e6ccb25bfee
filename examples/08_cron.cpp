// Schedules: a task at every tick of a cron expression, in any time zone, once over all nodes; and jobs of this process.
// They are kept by the broker, so a program that starts again finds them as they are.

#include <taskflux/flow/connect.hpp>
#include <taskflux/flow/scheduler.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/stop_on_error.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>

#include <iostream>
#include <string>

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

inline constexpr taskflux::task<void(std::string)> report{"report"};

asio::awaitable<void> show(taskflux::broker_ptr broker) {
    taskflux::scheduler scheduler{broker};
    taskflux::worker worker{broker};

    // A tick that no node fired fires later, however late (misfire); none fires while the last task runs (overlap).
    const auto daily = taskflux::schedule_options().id("daily").overlap(taskflux::overlap_policy::skip);
    co_await scheduler.every("0 9 * * MON-FRI", "Europe/Berlin", report, "daily", daily);
    const auto often = taskflux::schedule_options().id("often").jitter(10ms);
    co_await scheduler.every("@every 100ms", "UTC", report, "often", often);

    bool has_swept = false;
    scheduler.local("sweep", "@every 100ms", [&]() -> asio::awaitable<void> {
        has_swept = true;
        co_return;
    });

    const auto all = co_await scheduler.list();
    for (const auto& one : all) {
        std::cout << one.definition.id << ": " << one.definition.cron << ", " << one.definition.zone << '\n';
    }
    co_await scheduler.run_now("daily");

    int left = 4;
    worker.on(report, [&](std::string which) -> asio::awaitable<void> {
        if (left > 0) std::cout << "report, " << which << '\n';
        if (--left == 0) worker.stop(), scheduler.stop();
        co_return;
    });
    co_await (worker.run() && scheduler.run());
    std::cout << "swept: " << std::boolalpha << has_swept << '\n';
}

int main() {
    asio::io_context io;
    const auto broker = taskflux::connect(io.get_executor(), "memory://");
    taskflux::stop_on_error handler{io};
    asio::co_spawn(io, show(broker), handler);
    io.run();
    return handler.status();
}
