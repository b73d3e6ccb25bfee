// expect: what is given to task::key gives no key: give a pointer to a member of the payload, or a function that takes
// names: double
#include <taskflux/core/task.hpp>

#include <string>

#ifndef FIXED
inline constexpr auto draw = taskflux::task<void(double)>{"draw"}.key([](double radius) { return radius; });
#else
inline constexpr auto draw = taskflux::task<void(double)>{"draw"}.key([](double radius) { return std::to_string(radius); });
#endif
