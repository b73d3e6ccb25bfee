#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/redis/bytes.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/broker/redis/records.hpp>
#include <taskflux/core/limit.hpp>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::redis {

/// A limit in numbers, as scripts read it: `limit_layout`.
inline std::string packed_limit(const limit& of) {
    const detail::pace rate(of);
    std::string out;
    put(out, of.running() ? static_cast<double>(*of.running()) : stored_time::never);
    put(out, rate.emission);
    put(out, rate.tolerance);
    return out;
}

/// `broker::set_limit`.
inline awaitable<void> set_limit(engine_ptr on, std::string name, limit_change change) {
    on->check_open();
    detail::check_limit(change);
    arguments with;
    with.add(change.is_live ? "1" : "0").add(change.what ? packed_limit(*change.what) : std::string());
    if (const auto& what = change.what; what) {
        with.add(std::to_string(what->count()) + ' ' + std::to_string(what->per().count()) + ' ' + std::to_string(what->burst()));
    } else {
        with.add("");
    }
    with.add(std::move(change.reason));
    co_await on->call(std::move(name), scripts::set_limit, {}, std::move(with));
}

/// A limit as it is stored; nothing where there is none, or what is there can't be read.
inline std::optional<limit_rule> read_rule(std::string_view stored) {
    const auto number = [&](char till) {
        std::int64_t value = 0;
        const auto [end, ec] = std::from_chars(stored.data(), stored.data() + stored.size(), value);
        if (ec != std::errc() || end == stored.data() + stored.size() || *end != till || value < 0) {
            throw error(errc::protocol, "a stored limit can't be read: it is damaged; set it anew");
        }
        stored.remove_prefix(static_cast<std::size_t>(end - stored.data()) + 1);
        return value;
    };
    if (stored.empty()) return std::nullopt;
    limit_rule made;
    made.since = to_time(static_cast<double>(number('\n')));
    if (stored.size() < stored_size::limit) throw error(errc::protocol, "a stored limit can't be read: it is cut off; set it anew");
    const auto running = byte_reader(stored).whole();
    if (running < static_cast<std::int64_t>(stored_time::never)) made.what.running(static_cast<std::size_t>(running));
    stored.remove_prefix(stored_size::limit);
    const auto count = number(' '), per = number(' '), burst = number('\n');
    if (count > 0) made.what.rate(static_cast<std::size_t>(count), duration(per), static_cast<std::size_t>(burst));
    made.reason = stored;
    return made;
}

/// `broker::limits`.
inline awaitable<queue_limits> limits(engine_ptr on, std::string name) {
    on->check_open();
    constexpr int most = 1'000'000;
    arguments with;
    with.add(most);
    const auto got = co_await on->call(std::move(name), scripts::limits, {}, std::move(with));
    auto from = got.read();
    queue_limits made;
    made.may_start = static_cast<std::size_t>(from.integer());
    const auto why = from.text();
    made.why_not_more = why == "paused"    ? obstacle::paused
                        : why == "running" ? obstacle::running
                        : why == "rate"    ? obstacle::rate
                                           : obstacle::none;
    const auto opens = from.integer();
    if (opens >= 0) made.starts_again = to_time(static_cast<double>(opens));
    made.declared = read_rule(from.text());
    made.live = read_rule(from.text());
    co_return made;
}

}  // namespace taskflux::redis
