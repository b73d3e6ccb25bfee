// expect: this Type cannot be moved, which decoding needs: add Type(Type&&) = default
// names: circle
#include <taskflux/core/codec.hpp>

#include <boost/describe/class.hpp>

struct circle {
    circle() = default;
#ifdef FIXED
    circle(circle&&) = default;
#endif
    circle& operator=(circle&&) = default;
    double radius = 1;
};
BOOST_DESCRIBE_STRUCT(circle, (), (radius))

circle read(std::string_view text) {
    return taskflux::decode<circle>(text);
}
