#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/broker/redis/records.hpp>

#include <boost/describe/enum_from_string.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// Takes the digits at the beginning of a text; nothing where there are none.
inline std::optional<std::uint64_t> take_number(std::string_view& text) {
    std::uint64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    return number;
}

inline std::string_view take_word(std::string_view& text) {
    const auto end = (std::min)(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix((std::min)(end + 1, text.size()));
    return word;
}

/// Numbers as '7-9,12', or '-' for none; false where it is something else.
inline bool read_numbers(std::string_view text, std::vector<number_range>& into) {
    constexpr std::uint64_t most_numbers = 10'000'000;  // more are no call's: readers look at each one
    if (text == "-") return true;
    for (;;) {
        const auto first = take_number(text);
        if (!first) return false;
        number_range range;
        range.first = range.last = *first;
        if (text.starts_with('-')) {
            text.remove_prefix(1);
            const auto last = take_number(text);
            if (!last || *last < *first || *last - *first > most_numbers) return false;
            range.last = *last;
        }
        into.push_back(range);
        if (text.empty()) return true;
        if (!text.starts_with(',')) return false;
        text.remove_prefix(1);
    }
}

/// An event as an entry has it; nothing where this version does not know the kind, or it is damaged.
inline std::optional<queue_event> read_event(std::string_view kind, std::string_view value, time_point at) {
    queue_event made;
    if (!boost::describe::enum_from_string(std::string(kind).c_str(), made.kind)) return std::nullopt;
    made.at = at;
    const auto attempt = take_number(value);
    if (!attempt || !value.starts_with(' ')) return std::nullopt;
    value.remove_prefix(1);
    made.attempt = static_cast<unsigned>(*attempt);
    made.name = take_word(value);
    if (!read_numbers(take_word(value), made.numbers)) return std::nullopt;
    (made.kind == event_kind::schedule_fired ? made.schedule : made.consumer) = value;
    return made;
}

/// An entry of the stream. One that somebody else has written, or that is damaged, has number 0 or fewer events.
inline event_entry read_event_entry(reader from) {
    event_entry made;
    if (from.list() != 2) return made;
    made.at.id = from.text();
    std::string_view id = made.at.id;
    const auto ms = take_number(id);
    const auto at = ms && *ms < std::uint64_t(stored_time::never) ? time_point(duration(static_cast<duration::rep>(*ms))) : time_point();
    for (auto left = from.list(); left >= 2; left -= 2) {
        const auto field = from.text();
        auto value = from.text();
        if (field == "#") {
            made.at.number = take_number(value).value_or(0);
        } else if (auto event = read_event(field, value, at)) {
            made.events.push_back(std::move(*event));
        }
    }
    return made;
}

/// `broker::events`.
inline awaitable<event_page> events(engine_ptr on, std::string name, event_query query) {
    on->check_open();
    const auto begin = query.cursor.empty() ? event_cursor() : event_cursor::parse(query.cursor);
    arguments with;
    with.add(begin.id).add((std::min)(query.limit, engine::careful_batch_size) + (query.limit == 0 ? 1 : 0));
    constexpr duration longest(static_cast<duration::rep>(stored_time::never));
    with.add(std::clamp(query.lease, duration::zero(), longest).count());
    std::vector<std::string> own;
    own.emplace_back(own_key::events);
    const auto got = co_await on->call(std::move(name), scripts::events, std::move(own), std::move(with));
    auto from = got.read();
    event_page made;
    made.now = time_point(duration(from.integer()));
    made.end.number = static_cast<std::uint64_t>(from.integer());
    made.end.id = from.text();
    if (!from.done()) made.end.number = begin.number;  // there may be foreign ones only, and others behind them
    while (!from.done()) {
        auto entry = read_event_entry(from.part());
        made.end.id = entry.at.id;
        if (entry.at.number == 0) continue;  // another program's
        made.end.number = entry.at.number;
        made.entries.push_back(std::move(entry));
    }
    co_return made;
}

/// `broker::keep_events`.
inline awaitable<void> keep_events(engine_ptr on, std::string name, std::size_t most, duration age) {
    on->check_open();
    arguments with;
    with.add(most).add(age.count());
    std::vector<std::string> own;
    own.emplace_back(own_key::events);
    co_await on->call(std::move(name), scripts::keep_events, std::move(own), std::move(with));
}

}  // namespace taskflux::redis
