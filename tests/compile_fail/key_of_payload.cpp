// expect: what is given to task::key gives neither a text nor an integer: give a function that makes a text of it
// names: double
#include <taskflux/core/task.hpp>

#include <string>

#ifndef FIXED
inline constexpr auto draw = taskflux::task<void(double)>{"draw"}.key([](double radius) { return radius; });
#else
inline constexpr auto draw = taskflux::task<void(double)>{"draw"}.key([](double radius) { return std::to_string(radius); });
#endif
