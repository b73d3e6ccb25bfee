#include "fuzz.hpp"

#include <taskflux/core/cron.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/zone.hpp>

#include <chrono>
#include <iterator>

/// Byte 0 chooses the zone, bytes 1 and 2 the day to begin at; the rest is the expression.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const taskflux::zone zones[] = {taskflux::zone(), taskflux::zone::named("Europe/Berlin"),
                                           taskflux::zone::named("America/Juneau"), taskflux::zone::named("Australia/Lord_Howe")};
    if (size < 3) return 0;
    const auto& in = zones[data[0] % std::size(zones)];
    taskflux::time_point last = std::chrono::sys_days(std::chrono::days(data[1] * 256 + data[2] - 20'000));
    try {
        const taskflux::cron when(test::as_text(data + 3, size - 3));
        for (int i = 0; i < 20; ++i) {
            const auto next = when.next(last, in);
            if (!next) break;
            test::require(*next > last, "each time is later than the one before");
            last = *next;
        }
        test::require(taskflux::cron(when.text()) == when, "its text is the same expression");
    } catch (const taskflux::error& e) {
        test::require(e.code() == taskflux::errc::invalid_argument, "a refusal has its code");
        test::require_readable(e);
    }
    return 0;
}
