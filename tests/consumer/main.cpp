// A program outside the project that uses taskflux, without Redis: built by each of the ways to get at it.
#include <taskflux/taskflux.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/describe.hpp>

#include <iostream>

namespace asio = boost::asio;

struct circle {
    double radius = 1;
};
BOOST_DESCRIBE_STRUCT(circle, (), (radius))

inline constexpr taskflux::task<double(circle)> circle_area{"circle_area"};

asio::awaitable<void> ask(taskflux::client client, taskflux::worker& worker, double& answer) {
    answer = co_await client.run(circle_area, circle{2});
    worker.stop();
}

int main() {
    asio::io_context io;
    const auto broker = taskflux::make_memory_broker(io.get_executor());
    taskflux::worker worker{broker};
    worker.on(circle_area, [](circle c) { return 3 * c.radius * c.radius; });
    double answer = 0;
    taskflux::stop_on_error handler{io};
    asio::co_spawn(io, worker.run(), handler);
    asio::co_spawn(io, ask(taskflux::client{broker}, worker, answer), handler);
    io.run();
    std::cout << "taskflux " << taskflux::version << ": " << answer << '\n';
    return answer == 12 ? 0 : 1;
}
