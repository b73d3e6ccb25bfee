#include "fuzz.hpp"

#include <taskflux/core/error.hpp>
#include <taskflux/core/search.hpp>

#include <chrono>

/// A filter as text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr taskflux::time_point now = std::chrono::sys_days(std::chrono::days(20'000));
    try {
        const auto filter = taskflux::parse_search(test::as_text(data, size), now);
        const auto text = to_string(filter);
        test::require(taskflux::parse_search(text, now + std::chrono::hours(1)) == filter, "its text is the same filter");
        taskflux::task_record task;
        task.payload = text;
        taskflux::detail::has_texts(filter, task);
        task.payload = R"({"a":{"b":[1,"x",{"c":null}]}})";
        taskflux::detail::has_texts(filter, task);
    } catch (const taskflux::error& e) {
        test::require(e.code() == taskflux::errc::invalid_argument, "a refusal has its code");
        test::require_readable(e);
    }
    return 0;
}
