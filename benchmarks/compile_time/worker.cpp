// The source of a program that runs a worker.
#include <taskflux/broker/memory.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/describe/class.hpp>

struct circle {
    double radius = 1;
};
BOOST_DESCRIBE_STRUCT(circle, (), (radius))

inline constexpr taskflux::task<double(circle)> circle_area{"circle_area"};

int main() {
    boost::asio::io_context io;
    taskflux::worker worker(taskflux::make_memory_broker(io.get_executor()));
    worker.on(circle_area, [](circle c) { return 3.14159 * c.radius * c.radius; });
    boost::asio::co_spawn(io, worker.run(), boost::asio::detached);
    io.run();
}
