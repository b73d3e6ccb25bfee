// expect: this handler cannot be called with the contract's payload: it must take (Payload) or (Context&, Payload)
#include <taskflux/flow/worker.hpp>

inline constexpr taskflux::task<double(double)> circumference{"circumference"};

void set_up(taskflux::worker& worker) {
#ifndef FIXED
    worker.on(circumference, 6.28);
#else
    worker.on(circumference, [](double radius) { return 6.28 * radius; });
#endif
}
