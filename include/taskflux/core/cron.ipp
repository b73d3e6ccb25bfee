#pragma once

#include <taskflux/core/cron.hpp>
#include <taskflux/core/cron/clocks.hpp>
#include <taskflux/core/cron/parser.hpp>
#include <taskflux/core/error/quoted.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace taskflux {

namespace detail {

inline std::string_view without_spaces_around(std::string_view text) {
    constexpr std::string_view spaces = " \t\r\n";
    const auto begin = text.find_first_not_of(spaces);
    return begin == std::string_view::npos ? std::string_view() : text.substr(begin, text.find_last_not_of(spaces) - begin + 1);
}

}  // namespace detail

cron::cron(std::string_view text) : text_(detail::without_spaces_around(text)) {
    const detail::cron_parser parser(text_);
    const auto name = std::string_view(text_).substr(0, text_.find_first_of(" \t"));
    if (detail::is_same_word(name, "@every")) every_ = period(parser, name.size());
    else if (name.starts_with('@')) fields_ = detail::cron_parser(meaning(parser)).parse();
    else fields_ = detail::cron_parser(text_).parse();
}

std::optional<time_point> cron::next(time_point after, const zone& in) const {
    using namespace std::chrono;
    constexpr auto latest = sys_days(year(30000) / January / 1), earliest = sys_days(year(-30000) / January / 1);
    if (after >= latest) return std::nullopt;
    after = (std::max)(after, time_point(earliest));  // no calendar has what is before
    if (every_ > duration::zero()) {
        const auto periods = floor<duration>(after.time_since_epoch()).count() / every_.count();
        auto when = time_point(every_ * periods);
        while (when <= after) when += every_;
        return when;
    }
    const auto from = floor<seconds>(after) + seconds(1);
    return fields_.any_hour ? detail::next_by_real_time(fields_, from, in) : detail::next_by_local_time(fields_, from, in);
}

std::string_view cron::meaning(const detail::cron_parser& parser) const {
    constexpr std::pair<std::string_view, std::string_view> known[] = {
        {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
        {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@hourly", "0 * * * *"}};
    for (const auto& [name, fields] : known) {
        if (detail::is_same_word(text_, name)) return fields;
    }
    parser.refuse("name", 0, "not known; use @yearly, @monthly, @weekly, @daily, @hourly or @every with a time");
}

duration cron::period(const detail::cron_parser& parser, std::size_t at) const {
    using unit = std::pair<std::string_view, duration>;
    constexpr unit units[] = {{"ms", std::chrono::milliseconds(1)},
                              {"s", std::chrono::seconds(1)},
                              {"m", std::chrono::minutes(1)},
                              {"h", std::chrono::hours(1)},
                              {"d", std::chrono::days(1)}};
    constexpr auto longest = std::chrono::days(3650);
    at = text_.find_first_not_of(" \t", at);
    if (at == std::string::npos) parser.refuse("period", text_.size(), "how often? for instance @every 90s");
    duration total{};
    while (at < text_.size()) {
        std::uint64_t count = 0;
        const auto [end, ec] = std::from_chars(text_.data() + at, text_.data() + text_.size(), count);
        if (ec == std::errc::result_out_of_range) parser.refuse("period", at, "longer than ten years");
        if (ec != std::errc()) parser.refuse("period", at, "a whole number and a unit are needed, for instance 1h30m");
        const auto name_at = static_cast<std::size_t>(end - text_.data());
        const auto name = std::string_view(text_).substr(name_at, text_.find_first_of("0123456789", name_at) - name_at);
        const auto* const found = std::ranges::find(units, name, &unit::first);
        if (found == std::end(units)) {
            const auto what = name.empty() ? "the unit is missing" : "the unit is not known: " + detail::in_quotes(name);
            parser.refuse("period", name_at, what + "; use d, h, m, s or ms after a whole number, without spaces: 1h30m");
        }
        if (count > static_cast<std::uint64_t>(longest / found->second)) parser.refuse("period", at, "longer than ten years");
        total += found->second * static_cast<duration::rep>(count);
        if (total > longest) parser.refuse("period", at, "longer than ten years, all together");
        at = name_at + name.size();
    }
    if (total <= duration::zero()) parser.refuse("period", 0, "it must be longer than nothing");
    return total;
}

}  // namespace taskflux
