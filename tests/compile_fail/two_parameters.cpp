// expect: a task's signature is Result(Payload) or Result(): put several parameters into one described struct
#include <taskflux/core/task.hpp>

#ifndef FIXED
inline constexpr taskflux::task<int(int, int)> add{"add"};
#else
inline constexpr taskflux::task<int(int)> add{"add"};
#endif
