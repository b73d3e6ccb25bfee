#pragma once

#include <taskflux/core/time.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace taskflux {

/// A time zone of the IANA database, or UTC. A small value; thread-safe.
class zone {
public:
    using sys_seconds = std::chrono::sys_seconds;
    using local_seconds = std::chrono::local_seconds;

    /// A time during which clocks there do not change.
    struct span {
        sys_seconds begin;
        sys_seconds end;  ///< the first second of the next one
        std::chrono::seconds offset{};  ///< what local clocks are ahead of UTC
    };

    /// UTC.
    zone() noexcept = default;

    /// The zone of that name, such as "Europe/Berlin", as this system's database knows it. Errors: `invalid_argument`
    /// for a name that is not there.
    static zone named(std::string_view name);

    std::string name() const;

    span at(sys_seconds when) const;

    /// What clocks there call their time then, such as "CET" or "+03".
    std::string abbreviation(sys_seconds when) const;

    local_seconds to_local(sys_seconds when) const { return local_seconds(when.time_since_epoch() + at(when).offset); }

    /// When clocks there first show `local`, or, where they skip it, when they do that.
    sys_seconds first_at(local_seconds local) const {
        constexpr auto most_ahead = std::chrono::hours(26);
        for (auto now = at(sys_seconds(local.time_since_epoch() - most_ahead));; now = at(now.end)) {
            const sys_seconds here(local.time_since_epoch() - now.offset);
            if (here < now.begin) return now.begin;
            if (here < now.end) return here;
        }
    }

    friend bool operator==(const zone&, const zone&) noexcept = default;

private:
    const void* found_ = nullptr;  // in the database, which lasts as long as the process; null: UTC
};

}  // namespace taskflux
