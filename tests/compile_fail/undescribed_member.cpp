// expect: this Type is not described: add BOOST_DESCRIBE_STRUCT(Type, (), (member, member))
// names: point
#include <taskflux/core/codec.hpp>

#include <boost/describe/class.hpp>

#include <vector>

struct point {
    double x = 0, y = 0;
};
#ifdef FIXED
BOOST_DESCRIBE_STRUCT(point, (), (x, y))
#endif

struct polygon {
    std::vector<point> corners;
};
BOOST_DESCRIBE_STRUCT(polygon, (), (corners))

polygon read(std::string_view text) {
    return taskflux::decode<polygon>(text);
}
