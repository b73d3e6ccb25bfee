// expect: this Type is not described: add BOOST_DESCRIBE_STRUCT(Type, (), (member, member))
// names: circle
#include <taskflux/core/codec.hpp>

#include <boost/describe/class.hpp>

struct circle {
    double radius = 1;
};
#ifdef FIXED
BOOST_DESCRIBE_STRUCT(circle, (), (radius))
#endif

std::string text(const circle& value) {
    return taskflux::encode(value);
}
