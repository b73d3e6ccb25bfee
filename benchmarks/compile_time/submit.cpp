// The source of a program that submits tasks.
#include <taskflux/core/task.hpp>
#include <taskflux/flow/client.hpp>

#include <boost/describe/class.hpp>

struct circle {
    double radius = 1;
};
BOOST_DESCRIBE_STRUCT(circle, (), (radius))

inline constexpr taskflux::task<double(circle)> circle_area{"circle_area"};

boost::asio::awaitable<double> ask(taskflux::client client) {
    const double area = co_await client.run(circle_area, 2.0);
    co_return area;
}

int main() {
    return ask(taskflux::client(nullptr)).valid() ? 0 : 1;
}
