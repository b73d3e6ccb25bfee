// What the source of a program that runs a worker includes.
#include <taskflux/broker/broker.hpp>
#include <taskflux/core/task.hpp>

inline constexpr taskflux::task<int(int)> twice{"twice"};

int main() {
    return twice.name() == "twice" ? 0 : 1;
}
