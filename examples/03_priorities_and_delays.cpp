// Priorities and delays: what a single submission can ask for. A higher priority goes first, equal ones in
// the order of submission; a delayed task waits for its time; an id of one's own is taken only once.

#include <taskflux/flow/client.hpp>
#include <taskflux/flow/connect.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/stop_on_error.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>

#include <iostream>
#include <string>

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;
using taskflux::submit_options;

inline constexpr taskflux::task<void(std::string)> print{"print"};

asio::awaitable<void> submit(taskflux::client client) {
    const auto later = co_await client.submit(print, submit_options().delay(200ms).priority(100), "later");
    co_await client.submit(print, submit_options().priority(-10), "last");
    co_await client.submit(print, "second");
    co_await client.submit(print, submit_options().priority(10), "first");

    const auto invoice = co_await client.submit(print, submit_options().id("invoice 7"), "third, once");
    const auto again = co_await client.submit(print, submit_options().id("invoice 7"), "never printed");
    std::cout << "duplicate: " << std::boolalpha << again.is_duplicate() << '\n';
    const auto state = co_await later.status();
    std::cout << "scheduled: " << (state == taskflux::task_state::scheduled) << '\n';
}

asio::awaitable<void> finish(taskflux::client client, taskflux::worker& worker) {
    co_await client.run(print, submit_options().delay(300ms), "the end");
    worker.stop();
}

asio::awaitable<void> show(taskflux::broker_ptr broker) {
    taskflux::client client{broker};
    co_await submit(client);  // before a worker runs, so that the order shows

    taskflux::worker worker{broker, taskflux::worker_options().concurrency(1)};
    worker.on(print, [](const std::string& text) { std::cout << text << '\n'; });
    co_await (worker.run() && finish(client, worker));
}

int main() {
    asio::io_context io;
    const auto broker = taskflux::connect(io.get_executor(), "memory://");
    taskflux::stop_on_error handler{io};
    asio::co_spawn(io, show(broker), handler);
    io.run();
    return handler.status();
}
