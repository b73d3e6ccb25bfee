#pragma once

#include <taskflux/admin/inspector.hpp>
#include <taskflux/broker/broker/carrying.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/uuid.hpp>
#include <taskflux/detail/sleep.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace taskflux {

namespace detail {

inline void check_bulk(search_filter& filter, const operation_options& options) {
    const auto refuse = [](const char* why) { throw error(errc::invalid_argument, std::string("an operation can't begin: ") + why); };
    if (filter.queue.empty()) refuse("its filter names no queue, and each operation is for one: add queue:…");
    if (!filter.id.empty()) refuse("its filter names one task: act on that by its id");
    std::ranges::sort(filter.states);
    const auto same = std::ranges::unique(filter.states);
    filter.states.erase(same.begin(), same.end());
    if (parse_search(to_string(filter), time_point{}) != filter) refuse("its filter can't be written as text, as `parse_search` reads it");
    constexpr std::size_t most_text = 8192;
    if (to_string(filter).size() > most_text) refuse("its filter has more than 8 KiB as text: leave some of it out");
    check_name(limits::own_id, options.id(), true);
    check_reason(options.by());
    check_reason(options.reason());
}

/// An id is that of one operation: a call that is made again finds it, another call is refused.
inline void check_same(const operation& stored, const operation& wanted) {
    const char* differs = nullptr;
    if (stored.verb != wanted.verb) differs = "does something else";
    else if (stored.filter != wanted.filter) differs = "has another filter";
    else if (stored.dry_run != wanted.dry_run) differs = stored.dry_run ? "is a dry run" : "is no dry run";
    if (!differs) return;
    throw error(errc::invalid_argument, "an operation can't begin: queue " + wanted.queue + " has one of the id " + in_quotes(wanted.id) +
                                            ", which " + differs + ": take another id");
}

asio::awaitable<operation> begin_bulk(broker_ptr by, bulk_verb what, search_filter filter, operation_options options) {
    check_bulk(filter, options);
    operation begun;
    begun.id = options.id().empty() ? uuid_generator().text() : options.id();
    begun.queue = filter.queue;
    begun.verb = what;
    begun.filter = to_string(filter);
    begun.by = options.by();
    begun.reason = options.reason();
    begun.dry_run = options.is_dry_run();
    auto stored = co_await by->begin_operation(begun);
    check_same(stored, begun);
    co_return stored;
}

asio::awaitable<operation> find_operation(broker_ptr by, std::string queue, std::string id) {
    auto all = co_await by->operations(queue);
    for (auto& one : all) {
        if (one.id == id) co_return std::move(one);
    }
    throw no_such_operation(queue, id);
}

asio::awaitable<operation> run_to_end(broker_ptr by, std::string queue, std::string id) {
    auto of = co_await find_operation(by, std::move(queue), std::move(id));
    const auto carrier = uuid_generator().text();
    while (of.state == operation_state::running) {
        const auto begun = by->clock().now();
        of = co_await carry_on(by, of, carrier);
        while (of.state == operation_state::running) {
            const auto pause = pause_of_carrier(of, carrier, by->clock().now() - begun);
            co_await sleep_for(by->clock(), pause);
            if (of.carrier == carrier) break;
            const auto before = of.next;
            of = co_await find_operation(by, of.queue, of.id);
            if (of.next == before) break;  // the other one makes no more steps
        }
    }
    co_return of;
}

asio::awaitable<std::vector<operation>> all_operations(broker_ptr by, std::string queue) {
    std::vector<std::string> names;
    if (queue.empty()) names = co_await by->queues();
    else names.push_back(std::move(queue));
    std::vector<operation> found;
    for (const auto& name : names) {
        auto some = co_await by->operations(name);
        for (auto& one : some) found.push_back(std::move(one));
    }
    std::ranges::sort(found, [](const operation& a, const operation& b) {
        return a.began_at != b.began_at ? a.began_at > b.began_at : a.id < b.id;
    });
    co_return found;
}

}  // namespace detail

asio::awaitable<operation> inspector::begin_operation(bulk_verb what, search_filter filter, operation_options options) const {
    return detail::begin_bulk(broker(), what, std::move(filter), std::move(options));
}

asio::awaitable<operation> inspector::run_operation(std::string queue, std::string id) const {
    return detail::run_to_end(broker(), std::move(queue), std::move(id));
}

asio::awaitable<operation> inspector::operation_of(std::string queue, std::string id) const {
    return detail::find_operation(broker(), std::move(queue), std::move(id));
}

asio::awaitable<std::vector<operation>> inspector::operations(std::string queue) const {
    return detail::all_operations(broker(), std::move(queue));
}

asio::awaitable<operation> inspector::stop_operation(std::string queue, std::string id) const {
    return broker()->stop_operation(std::move(queue), std::move(id));
}

}  // namespace taskflux
