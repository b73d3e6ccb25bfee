#pragma once

#include <taskflux/core/cron/fields.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/core/zone.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace taskflux {

namespace detail {
class cron_parser;
}

/// When something is to happen again and again, as cron says it. A value; `next` is a pure function.
///
/// Five fields (minute, hour, day of month, month, day of week), or six with seconds in front: `*`, numbers, names (`jan`,
/// `MON`), lists `1,5`, ranges `1-5`, steps `*/10` `1-30/2` `5/15` (from 5 on). Sunday is 0 and 7. Days of the month also
/// `L` (the last), `L-2`, `15W` (the working day nearest to it), `LW`; days of the week also `5L` (the month's last Friday),
/// `5#3` (its third); `?` is `*`. Where both day fields are restricted one of them suffices, as in Vixie's cron, unless
/// one begins with a star. Or `@yearly`, `@monthly`, `@weekly`, `@daily`, `@hourly`, or `@every 90s` (units d h m s ms;
/// counted from 1970, the same on every node).
///
/// Where clocks change: an expression whose hour field begins with `*`, or allows every hour, goes by real time: it happens in both of two like
/// hours, and in none that is skipped. Any other happens once: what is skipped happens when clocks skip it, and what comes
/// twice, the first time.
class cron {
public:
    /// Errors: `invalid_argument`, which names the field and the position, for what is none of that, and for dates that
    /// never come (30 February).
    explicit cron(std::string_view text);

    /// The first time after `after`, by clocks in that zone. Nothing after the year 30000; what is before
    /// the year -30000 counts as its beginning.
    std::optional<time_point> next(time_point after, const zone& in = {}) const;

    const std::string& text() const noexcept { return text_; }

    friend bool operator==(const cron& a, const cron& b) noexcept { return a.text_ == b.text_; }

private:
    std::string_view meaning(const detail::cron_parser& parser) const;
    duration period(const detail::cron_parser& parser, std::size_t at) const;  // `at`: where the name ends

    std::string text_;
    detail::cron_fields fields_;
    duration every_{};  // zero: by fields
};

}  // namespace taskflux
