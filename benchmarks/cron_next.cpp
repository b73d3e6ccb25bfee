// How long it takes to say when a cron expression comes next: of ordinary expressions, in a zone whose clocks change, and
// of those that are looked for the longest.

#include "harness.hpp"

#include <taskflux/core/cron.hpp>
#include <taskflux/core/zone.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

struct question {
    std::string name;
    std::string_view text;
    std::string_view zone;
};

const question questions[] = {
    {"every_minute", "* * * * *", "UTC"},
    {"every_five_minutes_by_seconds", "0 */5 * * * *", "UTC"},
    {"working_days_at_nine", "0 9 * * MON-FRI", "UTC"},
    {"last_of_the_month", "0 0 L * *", "UTC"},
    {"every_minute_in_berlin", "* * * * *", "Europe/Berlin"},
    {"working_days_at_nine_in_berlin", "0 9 * * MON-FRI", "Europe/Berlin"},
    {"night_in_berlin", "30 2 * * *", "Europe/Berlin"},
    {"worst_29_february", "0 0 29 2 *", "UTC"},
    {"worst_29_february_on_a_monday", "0 0 ? 2 MON#5", "UTC"},
    {"worst_hourly_on_29_february_in_berlin", "0 * 29 2 *", "Europe/Berlin"},
};

}  // namespace

int main() {
    constexpr std::size_t repeats = 2000;
    bench::report report{"cron_next"};
    std::vector<bench::candidate> candidates;
    for (const auto& one : questions) {
        candidates.emplace_back(one.name, [when = taskflux::cron(one.text), in = taskflux::zone::named(one.zone)] {
            auto at = taskflux::time_point(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1));
            for (std::size_t i = 0; i < repeats; ++i) {
                const auto next = when.next(at, in);
                bench::keep(next);
                at = next.value_or(at);
            }
            return repeats;
        });
    }
    candidates.emplace_back("parse", [] {
        for (std::size_t i = 0; i < repeats; ++i) bench::keep(taskflux::cron("0 9-17/2 1,15 JAN-JUN MON-FRI"));
        return repeats;
    });
    const auto times = bench::interleave(9, std::move(candidates));
    for (const auto& one : questions) report.figure(one.name, times[one.name].median, "ns");
    report.figure("parse", times["parse"].median, "ns");
}
