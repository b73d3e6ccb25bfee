// expect: this handler does not return the contract's result: it must return the Result that the contract names
// names: double
#include <taskflux/flow/worker.hpp>

#include <string>

inline constexpr taskflux::task<double(double)> circumference{"circumference"};

void set_up(taskflux::worker& worker) {
#ifndef FIXED
    worker.on(circumference, [](double radius) { return std::to_string(radius); });
#else
    worker.on(circumference, [](double radius) { return 6.28 * radius; });
#endif
}
