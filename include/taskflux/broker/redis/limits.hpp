#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/core/limit.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// A limit as the queue's fields have it: 'running starts per burst', of which each may be missing, and perhaps ' max_waiting'.
inline std::string limit_text(const limit& of) {
    const auto& rate = of.rate();
    const auto number = [](bool is_there, std::uint64_t value) { return is_there ? std::to_string(value) : std::string(); };
    return number(of.running().has_value(), of.running().value_or(0)) + ' ' + number(rate.has_value(), rate ? rate->starts : 0) +
           ' ' + number(rate.has_value(), rate ? static_cast<std::uint64_t>(rate->per.count()) : 0) + ' ' +
           number(rate.has_value(), rate ? rate->burst : 0) +
           (of.max_waiting() ? ' ' + std::to_string(*of.max_waiting()) : std::string());
}

/// Nothing where the text is no limit.
inline std::optional<limit> read_limit(std::string_view text) {
    std::vector<std::optional<std::uint64_t>> numbers;
    for (bool is_end = false; !is_end;) {
        const auto space = text.find(' ');
        const auto part = text.substr(0, space);
        auto& number = numbers.emplace_back();
        if (!part.empty()) {
            const auto* const end = part.data() + part.size();
            const auto read = std::from_chars(part.data(), end, number.emplace());
            if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
        }
        is_end = space == std::string_view::npos;
        text.remove_prefix(is_end ? text.size() : space + 1);
    }
    if (numbers.size() != 4 && numbers.size() != 5) return std::nullopt;
    const auto& running = numbers[0];
    const auto &starts = numbers[1], &per = numbers[2], &burst = numbers[3];
    if (burst == std::uint64_t(0)) return std::nullopt;
    if (starts.has_value() != per.has_value() || starts.has_value() != burst.has_value()) return std::nullopt;
    try {
        limit made;
        if (numbers.size() == 5) made.max_waiting(static_cast<std::size_t>(numbers[4].value_or(0)));
        if (running) made.running(static_cast<std::size_t>(*running));
        if (starts) made.rate(*starts, duration(static_cast<duration::rep>(*per)), *burst);
        return made;
    } catch (const error&) {
        return std::nullopt;
    }
}

/// What has been stated: when, the limit, and on the next line the reason. `what`: for the error.
inline std::optional<stated_limit> read_stated(std::string_view text, const std::string& queue, const char* what) {
    if (text.empty()) return std::nullopt;
    std::int64_t since = 0;
    const auto line = text.substr(0, text.find('\n'));
    const auto* const end = line.data() + line.size();
    const auto read = std::from_chars(line.data(), end, since);
    const bool is_whole = read.ec == std::errc() && since >= 0 && read.ptr != end && *read.ptr == ' ' && line.size() < text.size();
    const auto value = is_whole ? read_limit(std::string_view(read.ptr + 1, static_cast<std::size_t>(end - read.ptr - 1))) : std::nullopt;
    if (!value) {
        throw error(errc::protocol, "the " + std::string(what) + " limit of queue " + queue + " is damaged: it counts as none; set it "
                                    "again, or take it back");
    }
    return stated_limit(*value, std::string(text.substr(line.size() + 1)), time_point(duration(since)));
}

/// A field of what is said of single keys. What is damaged is set aside: it is named, and hides no other. What is of no key, somebody
/// else's, is passed over.
inline void read_key_limit(const std::string& field, const std::string& text, const std::string& queue, queue_limits& found) {
    const auto key = field.empty() ? std::string() : field.substr(1);
    const bool is_live = field.starts_with('l');
    if ((!is_live && !field.starts_with('d')) || !detail::allows(detail::limits::key, key)) return;
    std::optional<stated_limit> stated;
    try {
        stated = read_stated(text, queue, is_live ? "live" : "declared");
    } catch (const error&) {
    }
    if (!stated || stated->value.max_waiting()) return found.damaged.emplace_back(key, is_live), void();
    auto& own = found.keys[key];
    (is_live ? own.live : own.declared) = stated;
}

/// `broker::set_limit`.
inline awaitable<void> set_limit(engine_ptr on, std::string name, limit_kind kind, std::optional<limit> value, std::string reason) {
    detail::check_reason(reason);
    const auto of = on->at(name);
    auto& calls = of->calls();
    co_await calls.announce();
    arguments with;
    with.add(kind == limit_kind::live ? "limit_live" : "limit_declared");
    const bool is_stated = value && (kind == limit_kind::live || !value->is_empty());
    with.add(is_stated ? limit_text(*value) : std::string()).add(std::move(reason));
    co_await calls.run(scripts::set_limit, {}, std::move(with), true);
}

/// `broker::set_key_limit`.
inline awaitable<void> set_key_limit(engine_ptr on, std::string name, std::string key, limit_kind kind, std::optional<limit> value,
                                     std::string reason) {
    detail::check_name(detail::limits::key, key, true);
    detail::check_key_limit(value);
    detail::check_reason(reason);
    const auto of = on->at(name);
    auto& calls = of->calls();
    co_await calls.announce();
    arguments with;
    with.add(std::move(key)).add(kind == limit_kind::live ? "1" : "0");
    const bool is_stated = value && (kind == limit_kind::live || !value->is_empty());
    with.add(is_stated ? limit_text(*value) : std::string()).add(std::move(reason));
    co_await calls.run(scripts::set_key_limit, {}, std::move(with), true);
}

/// `broker::limits`.
inline awaitable<queue_limits> limits(engine_ptr on, std::string name) {
    const auto got = co_await on->call(name, scripts::limits, {}, {});
    auto from = got.read();
    queue_limits found;
    found.declared = read_stated(from.text(), name, "declared");
    found.live = read_stated(from.text(), name, "live");
    found.each_key.declared = read_stated(from.text(), name, "declared");
    found.each_key.live = read_stated(from.text(), name, "live");
    if (const auto until = from.integer(); until > 0) found.throttled_until = time_point(duration(until));
    const auto all = from.integer();
    std::int64_t told = 0;
    for (; !from.done(); ++told) {
        const std::string field(from.text()), text(from.text());
        read_key_limit(field, text, name, found);
    }
    found.left_out = static_cast<std::size_t>((std::max)(all - told, std::int64_t(0)));
    co_return found;
}

}  // namespace taskflux::redis
