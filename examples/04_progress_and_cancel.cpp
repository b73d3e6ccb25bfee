// Progress and cancel: a long task says how far it is and what it does, and its submitter ends it early.
// Cancellation reaches a coroutine in whatever it awaits; a plain function asks ctx.cancelled().

#include <taskflux/flow/client.hpp>
#include <taskflux/flow/connect.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/stop_on_error.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <iostream>

namespace asio = boost::asio;
using namespace std::chrono_literals;

inline constexpr taskflux::task<int(int)> count_to{"count_to"};

asio::awaitable<int> on_count_to(taskflux::context& ctx, int goal) {
    ctx.log(taskflux::log_level::info, "counting to " + std::to_string(goal));
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (int n = 1; n <= goal; ++n) {
        timer.expires_after(1ms);
        co_await timer.async_wait();  // where a cancelled task's coroutine ends
        ctx.progress(n);
    }
    co_return goal;
}

asio::awaitable<void> watch(taskflux::client client, taskflux::worker& worker) {
    std::cout << "counted to " << co_await client.run(count_to, 3) << '\n';

    const auto job = co_await client.submit(count_to, 1'000'000);
    std::optional<int> reached;
    while (reached.value_or(0) < 10) {
        co_await job.outcome(2ms);  // waits for the end, but not longer than this
        reached = co_await job.progress<int>();
    }
    std::cout << "it got to 10; enough\n";
    co_await job.cancel();
    const auto outcome = co_await job.outcome();  // how it ended, as a value; result() would throw
    std::cout << "cancelled: " << std::boolalpha << (outcome->state == taskflux::task_state::cancelled) << '\n';
    worker.stop();
}

int main() {
    asio::io_context io;
    const auto broker = taskflux::connect(io.get_executor(), "memory://");
    const auto print = [](const taskflux::log_line& line, const taskflux::task_id*) {
        std::cout << "log: " + line.text + '\n';
    };
    taskflux::worker worker{broker, taskflux::worker_options().log(print)};
    worker.on(count_to, on_count_to);
    taskflux::stop_on_error handler{io};
    asio::co_spawn(io, worker.run(), handler);
    asio::co_spawn(io, watch(taskflux::client{broker}, worker), handler);
    io.run();
    return handler.status();
}
