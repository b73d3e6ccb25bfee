// expect: this Type has no default constructor, which decoding needs: add Type() = default
// names: circle
#include <taskflux/core/codec.hpp>

#include <boost/describe/class.hpp>

struct circle {
#ifdef FIXED
    circle() = default;
#endif
    explicit circle(double r) : radius(r) {}
    double radius = 1;
};
BOOST_DESCRIBE_STRUCT(circle, (), (radius))

circle read(std::string_view text) {
    return taskflux::decode<circle>(text);
}
