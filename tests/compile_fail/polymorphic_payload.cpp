// expect: this Type has virtual functions
// names: shape
#include <taskflux/core/codec.hpp>

#include <boost/describe/class.hpp>

#include <string>

struct shape {
#ifndef FIXED
    virtual ~shape() = default;
#endif
    double area = 0;
};
BOOST_DESCRIBE_STRUCT(shape, (), (area))

std::string text(const shape& any) { return taskflux::encode(any); }
