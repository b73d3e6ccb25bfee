// expect: this Type cannot be moved, which decoding needs: add Type(Type&&) = default
// names: circle
#include <taskflux/core/codec.hpp>

#include <boost/describe/class.hpp>

#include <map>
#include <string>

struct circle {
    circle() = default;
    circle(circle&&) = default;
#ifdef FIXED
    circle& operator=(circle&&) = default;
#endif
    double radius = 1;
};
BOOST_DESCRIBE_STRUCT(circle, (), (radius))

using circles = std::map<std::string, circle>;

circles read(std::string_view text) {
    return taskflux::decode<circles>(text);
}
