// A program outside the project that uses taskflux: built by each of the ways to get at it.
#include <taskflux/taskflux.hpp>

#include <iostream>

int main() {
    const taskflux::error error{taskflux::errc::queue_full, "queue 'mail' holds 1000 tasks"};
    std::cout << "taskflux " << taskflux::version << ": " << error.what() << '\n';
    return error.code() == taskflux::errc::queue_full ? 0 : 1;
}
