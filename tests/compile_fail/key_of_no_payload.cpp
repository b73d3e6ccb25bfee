// expect: a task without a payload can't take its key from it: give it with each submission
#include <taskflux/core/task.hpp>

#include <string>

#ifndef FIXED
inline constexpr auto tick = taskflux::task<void()>{"tick"}.key([] { return std::string("all"); });
#else
inline constexpr taskflux::task<void()> tick{"tick"};
#endif
