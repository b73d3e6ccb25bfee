// expect: a local job takes no arguments
#include <taskflux/flow/scheduler.hpp>

void set_up(taskflux::scheduler& scheduler) {
#ifndef FIXED
    scheduler.local("sweep", "@hourly", [](int) {});
#else
    scheduler.local("sweep", "@hourly", [] {});
#endif
}
