// Prints how far the clocks of the zones named on standard input are ahead of UTC, from 1970 to 2100: a line a zone, its name and
// `begin:offset` for each span, in seconds. Used by zones_test.py.

#include <taskflux/core/zone.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <string>

int main() {
    using namespace std::chrono;
    constexpr sys_seconds first = sys_days(1970y / 1 / 1), last = sys_days(2100y / 1 / 1);
    try {
        for (std::string name; std::cin >> name;) {
            const auto where = taskflux::zone::named(name);
            std::cout << name;
            for (auto span = where.at(first); span.begin < last; span = where.at(span.end)) {
                std::cout << ' ' << (span.begin < first ? first : span.begin).time_since_epoch().count() << ':' << span.offset.count();
                if (span.end >= last) break;
            }
            std::cout << '\n';
        }
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
