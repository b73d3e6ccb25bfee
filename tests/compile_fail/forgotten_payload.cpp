// expect: these arguments are neither a payload of the task's type nor its fields: compare the contract
// names: circle
#include <taskflux/flow/client.hpp>

#include <boost/describe/class.hpp>

struct circle {
    double radius = 1;
};
BOOST_DESCRIBE_STRUCT(circle, (), (radius))

inline constexpr taskflux::task<double(circle)> circumference{"circumference"};

boost::asio::awaitable<double> measure(taskflux::client client) {
#ifndef FIXED
    co_return co_await client.run(circumference);
#else
    const circle usual{};
    co_return co_await client.run(circumference, usual);
#endif
}
