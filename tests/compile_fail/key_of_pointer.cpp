// expect: what is given to task::key gives neither a text nor an integer
#include <taskflux/core/task.hpp>

#include <string>

struct order {
    const char* customer = nullptr;
};

#ifndef FIXED
inline constexpr auto ship = taskflux::task<void(order)>{"ship"}.key(&order::customer);
#else
inline constexpr auto ship = taskflux::task<void(order)>{"ship"}.key([](const order& of) { return std::string(of.customer ? of.customer : ""); });
#endif
