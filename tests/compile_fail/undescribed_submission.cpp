// expect: this Type is not described: add BOOST_DESCRIBE_STRUCT(Type, (), (member, member))
// names: circle
#include <taskflux/flow/client.hpp>

#include <boost/describe/class.hpp>

struct circle {
    double radius = 1;
};
#ifdef FIXED
BOOST_DESCRIBE_STRUCT(circle, (), (radius))
#endif

inline constexpr taskflux::task<double(circle)> circumference{"circumference"};

boost::asio::awaitable<double> measure(taskflux::client client) {
    co_return co_await client.run(circumference, 2.0);
}
