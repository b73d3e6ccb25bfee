// expect: has no key, and this copy would lose it: write inline constexpr auto name
#include <taskflux/core/task.hpp>

#include <string>

inline constexpr auto live = taskflux::task<void(std::string)>{"live"}.key([](const std::string& text) { return text; });

#ifndef FIXED
void rename() {
    taskflux::task<void(std::string)> other{"other"};
    other = live;
}
#else
void rename() {
    auto other = live;
    other = live;
}
#endif
