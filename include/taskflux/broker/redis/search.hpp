#pragma once

#include <taskflux/broker/broker/search_checks.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/broker/redis/inspect.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace taskflux::redis {

/// `broker::search`. What has fallen due is done bit by bit, so that a search comes to an end.
inline awaitable<search_step> search(engine_ptr on, search_query query) {
    detail::check_search(query);
    const auto& filter = query.filter;
    std::string states;
    for (const auto state : filter.states) states += static_cast<char>('a' + static_cast<int>(state));
    const auto ms = [](time_point when) { return static_cast<std::int64_t>(to_number(when)); };
    arguments with;
    with.add_pass_over().add(query.from).add(query.limit).add(std::move(states)).add(filter.task).add(filter.key).add(filter.node);
    with.add(ms(filter.since)).add(ms(filter.until)).add(detail::is_error_group(filter.error) ? filter.error : std::string());
    with.add(detail::asks_for_error_text(filter) ? "1" : "");
    const auto got = co_await on->call(query.queue, scripts::search, {}, std::move(with));
    auto from = got.read();
    search_step made;
    made.next = static_cast<std::uint64_t>(from.integer());
    made.from = static_cast<std::uint64_t>(from.integer());
    made.looked_at = static_cast<std::uint64_t>(from.integer());
    made.back_to = time_point(duration(from.integer()));
    while (!from.done()) {
        from.list();
        const auto sequence = static_cast<std::uint64_t>(from.integer());
        try {
            made.tasks.push_back(read_record(query.queue, sequence, from));
        } catch (const error& e) {
            on->at(query.queue)->report_damage(std::to_string(sequence), e.what());
        }
    }
    co_return made;
}

}  // namespace taskflux::redis
