// expect: this Type cannot travel: instead of
// names: unique_ptr
#include <taskflux/core/codec.hpp>

#include <memory>
#include <string>
#include <vector>

#ifndef FIXED
using numbers = std::unique_ptr<int[]>;
#else
using numbers = std::vector<int>;
#endif

std::string text(const numbers& value) {
    return taskflux::encode(value);
}
