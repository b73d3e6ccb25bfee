// expect: this Type is a map's key: JSON needs std::string, an integer or a described enum there
// names: double
#include <taskflux/core/codec.hpp>

#include <map>

#ifndef FIXED
using prices = std::map<double, std::string>;
#else
using prices = std::map<int, std::string>;
#endif

std::string text(const prices& value) {
    return taskflux::encode(value);
}
