// expect: has no key, and this copy would lose it: write inline constexpr auto name
// names: task<void
#include <taskflux/core/task.hpp>

#include <string>

#ifndef FIXED
const taskflux::task<void(std::string)> draw = taskflux::task<void(std::string)>{"draw"}.key([](const std::string& text) { return text; });
#else
const auto draw = taskflux::task<void(std::string)>{"draw"}.key([](const std::string& text) { return text; });
#endif
