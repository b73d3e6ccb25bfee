// expect: these arguments are neither a payload of the task's type nor its fields: compare the contract
// names: circle
#include <taskflux/flow/client.hpp>

#include <boost/describe/class.hpp>

#include <string>

struct circle {
    double radius = 1;
};
BOOST_DESCRIBE_STRUCT(circle, (), (radius))

inline constexpr taskflux::task<double(circle)> circumference{"circumference"};

boost::asio::awaitable<double> measure(taskflux::client client, std::string name, double radius) {
#ifndef FIXED
    static_cast<void>(radius);
    co_return co_await client.run(circumference, name);
#else
    static_cast<void>(name);
    co_return co_await client.run(circumference, radius);
#endif
}
