// expect: what is given to task::key takes no payload of this task: give a pointer to a member
// names: double
#include <taskflux/core/task.hpp>

#include <string>

struct order {
    std::string customer;
};

#ifndef FIXED
inline constexpr auto draw = taskflux::task<void(double)>{"draw"}.key(&order::customer);
#else
inline constexpr auto draw = taskflux::task<void(order)>{"draw"}.key(&order::customer);
#endif
