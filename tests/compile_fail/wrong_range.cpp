// expect: submit_all takes a range of the task's payloads: compare its elements' type with the contract
// names: circle
#include <taskflux/flow/client.hpp>

#include <boost/describe/class.hpp>

#include <string>
#include <vector>

struct circle {
    double radius = 1;
};
BOOST_DESCRIBE_STRUCT(circle, (), (radius))

inline constexpr taskflux::task<double(circle)> circumference{"circumference"};

#ifndef FIXED
using payloads = std::vector<std::string>;
#else
using payloads = std::vector<circle>;
#endif

boost::asio::awaitable<void> measure(taskflux::client client, payloads all) {
    co_await client.submit_all(circumference, all);
}
