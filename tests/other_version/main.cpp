#include <taskflux/flow/client.hpp>
#include <taskflux/flow/connect.hpp>
#include <taskflux/flow/context.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <ranges>
#include <string>
#include <utility>

// A program with another version of taskflux, as far as its scripts' texts go. "work URL" runs tasks until it is
// killed; "submit URL N" submits N tasks and awaits their results, each as somebody ran it.
namespace {

namespace asio = boost::asio;

inline constexpr taskflux::task<std::string(int)> job{"job"};

asio::awaitable<void> submit(taskflux::broker_ptr broker, int count) {
    const taskflux::client client(broker);
    const auto jobs = co_await client.submit_all(job, std::views::iota(0, count));
    for (const auto& one : jobs) co_await one.result();
    broker->close();
}

/// Whoever gets the task -1 first keeps it.
asio::awaitable<std::string> run(taskflux::context& ctx, int value) {
    if (value == -1 && ctx.lease_token() == 1) {
        asio::steady_timer for_long(co_await asio::this_coro::executor, std::chrono::hours(1));
        co_await for_long.async_wait(asio::use_awaitable);
    }
    co_return "another version";
}

void rethrow(std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
}

}  // namespace

int main(int count, char** words) {
    if (count < 3) return 2;
    asio::io_context io;
    const auto broker = taskflux::connect(io.get_executor(), words[2]);
    taskflux::worker worker{broker, taskflux::worker_options().concurrency(4).lease(std::chrono::seconds(2))};
    worker.on(job, run);
    if (std::string(words[1]) == "work") {
        asio::co_spawn(io, worker.run(), rethrow);
    } else {
        asio::co_spawn(io, submit(broker, count > 3 ? std::stoi(words[3]) : 1), rethrow);
    }
    io.run();
}
