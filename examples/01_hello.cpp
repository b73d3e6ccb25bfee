// Hello: a contract names a task and its types, a worker runs it, a client awaits the result.
// No server and no thread of its own is needed: "memory://" stores tasks in this process. Function bodies are linked from
// the CMake target taskflux::src; without CMake, one .cpp file of the program includes <taskflux/src.hpp>.

#include <taskflux/flow/client.hpp>
#include <taskflux/flow/connect.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/stop_on_error.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/describe/class.hpp>

#include <iostream>
#include <numbers>

namespace asio = boost::asio;

struct circle {
    double radius = 1;
};
BOOST_DESCRIBE_STRUCT(circle, (), (radius))

struct area {
    double value = 0;
};
BOOST_DESCRIBE_STRUCT(area, (), (value))

inline constexpr taskflux::task<area(circle)> circle_area{"circle_area"};

asio::awaitable<void> hello(taskflux::client client, taskflux::worker& worker) {
    const area result = co_await client.run(circle_area, 2.0);  // the fields of the payload
    std::cout << "a circle of radius 2 covers " << result.value << '\n';
    worker.stop();
}

int main() {
    asio::io_context io;
    const auto broker = taskflux::connect(io.get_executor(), "memory://");

    taskflux::worker worker{broker};
    worker.on(circle_area, [](circle c) { return area{std::numbers::pi * c.radius * c.radius}; });

    taskflux::stop_on_error handler{io};  // says what has failed, and ends io.run()
    asio::co_spawn(io, worker.run(), handler);
    asio::co_spawn(io, hello(taskflux::client{broker}, worker), handler);
    io.run();
    return handler.status();
}
