// What the single header costs whoever includes it.
#include <taskflux/taskflux.hpp>

int main() {
    return taskflux::version[0] == '0' ? 0 : 1;
}
