// expect: this Type cannot travel
#include <taskflux/core/codec.hpp>

#ifndef FIXED
std::string text(const char* value) {
#else
std::string text(const std::string& value) {
#endif
    return taskflux::encode(value);
}
