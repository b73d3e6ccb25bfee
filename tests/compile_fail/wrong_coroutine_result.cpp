// expect: this handler does not return the contract's result: it must return the Result that the contract names
#include <taskflux/flow/worker.hpp>

#include <string>

inline constexpr taskflux::task<double(double)> circumference{"circumference"};

boost::asio::awaitable<void> nothing(double) {
    co_return;
}

boost::asio::awaitable<double> something(double radius) {
    co_return 6.28 * radius;
}

void set_up(taskflux::worker& worker) {
#ifndef FIXED
    worker.on(circumference, &nothing);
#else
    worker.on(circumference, &something);
#endif
}
