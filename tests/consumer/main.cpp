// A program outside the project that uses taskflux, without Redis: built by each of the ways to get at it.
#include <taskflux/taskflux.hpp>

#include <boost/asio/detached.hpp>
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
    asio::co_spawn(io, worker.run(), asio::detached);
    asio::co_spawn(io, ask(taskflux::client{broker}, worker, answer), asio::detached);
    io.run();
    std::cout << "taskflux " << taskflux::version << ": " << answer << '\n';
    return answer == 12 ? 0 : 1;
}
