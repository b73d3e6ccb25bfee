// expect: this handler cannot be called with the contract's payload: it must take (Payload) or (Context&, Payload)
// names: circle
#include <taskflux/flow/worker.hpp>

#include <boost/describe/class.hpp>

#include <string>

struct circle {
    double radius = 1;
};
BOOST_DESCRIBE_STRUCT(circle, (), (radius))

inline constexpr taskflux::task<double(circle)> circumference{"circumference"};

void set_up(taskflux::worker& worker) {
#ifndef FIXED
    worker.on(circumference, [](const std::string& name) { return static_cast<double>(name.size()); });
#else
    worker.on(circumference, [](const circle& c) { return 6.28 * c.radius; });
#endif
}
