#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/broker/redis/records.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// `broker::schedules`, and `broker::schedule`: for that `with` has the id. The server's time comes with them, and sets the
/// broker's clock.
inline awaitable<stored_schedules> schedules(engine_ptr on, std::string name, arguments with) {
    const auto got = co_await on->read(queue::trouble::with_schedules, std::move(name), scripts::schedules, std::move(with));
    auto from = got.read();
    on->clock().set(to_time(static_cast<double>(from.integer())));
    stored_schedules found;
    found.life = from.text();
    found.rows.resize(from.list() / 2);
    for (auto& row : found.rows) {
        row.id = from.text();
        row.text = from.text();
    }
    std::ranges::sort(found.rows, {}, &schedule_row::id);
    co_return found;
}

/// `broker::set_schedule`.
inline awaitable<bool> set_schedule(engine_ptr on, std::string name, std::string id, std::string was, std::string to,
                                    std::vector<new_task> tasks) {
    const auto of = on->at(name);
    auto& calls = of->calls();
    co_await calls.announce();
    auto items = of->items_of(tasks);
    arguments with;
    with.add_run_id().add(std::move(id)).add(std::move(was)).add(std::move(to));
    for (auto& item : items) with.add(std::move(item.record)).add(std::move(item.place));
    const auto got = co_await calls.run(scripts::set_schedule, {}, std::move(with), true, !tasks.empty());
    co_return got.read().integer() != 0;
}

}  // namespace taskflux::redis
