// expect: this Type cannot travel: instead of
// names: multimap
#include <taskflux/core/codec.hpp>

#include <map>
#include <string>

#ifndef FIXED
using prices = std::multimap<std::string, int>;
#else
using prices = std::map<std::string, int>;
#endif

std::string text(const prices& value) {
    return taskflux::encode(value);
}
