// expect: this enum Type is not described: add BOOST_DESCRIBE_ENUM(Type, name, name)
// names: colour
#include <taskflux/core/codec.hpp>

#include <boost/describe/enum.hpp>

enum class colour { red, green };
#ifdef FIXED
BOOST_DESCRIBE_ENUM(colour, red, green)
#endif

std::string text(colour value) {
    return taskflux::encode(value);
}
