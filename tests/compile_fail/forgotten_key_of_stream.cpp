// expect: has no key, and this copy would lose it: write inline constexpr auto name
// names: task<taskflux::stream
#include <taskflux/core/task.hpp>

#include <string>

inline constexpr auto live = taskflux::task<taskflux::stream<int>(std::string)>{"live"}.key([](const std::string& text) { return text; });

#ifndef FIXED
inline constexpr taskflux::task<taskflux::stream<int>(std::string)> copy = live;
#else
inline constexpr auto copy = live;
#endif
