#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/operations.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/core/error.hpp>

#include <boost/describe/enum_from_string.hpp>
#include <boost/describe/enum_to_string.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// A row as scripts give it. Throws `errc::protocol` for what this version does not understand.
inline operation read_operation(const std::string& queue, reader& from) {
    from.list();
    operation made;
    made.queue = queue;
    made.id = from.text();
    const std::string verb(from.text());
    const bool is_known = boost::describe::enum_from_string(verb.c_str(), made.verb);
    for (auto* const text : {&made.filter, &made.by, &made.reason, &made.carrier}) *text = from.text();
    made.dry_run = !from.text().empty();
    const auto state = from.integer();
    if (!is_known || state < 0 || state > std::int64_t(operation_state::stopped)) {
        throw error(errc::protocol, "operation " + made.id + " of queue " + queue + " can't be read: its verb or state is one that this "
                                    "version does not know; start a version of the program that began it");
    }
    made.state = static_cast<operation_state>(state);
    made.began_at = time_point(duration(from.integer()));
    made.ended_at = time_point(duration(from.integer()));
    for (auto* const number : {&made.from, &made.next, &made.looked_at, &made.matched, &made.done, &made.refused}) {
        *number = static_cast<std::uint64_t>(from.integer());
    }
    return made;
}

/// `broker::begin_operation`.
inline awaitable<operation> begin_operation(engine_ptr on, operation what) {
    arguments with;
    with.add(what.id).add(boost::describe::enum_to_string(what.verb, "")).add(what.filter).add(what.by).add(what.reason);
    with.add(what.dry_run ? "1" : "");
    const auto got = co_await on->call(what.queue, scripts::begin_operation, {}, std::move(with));
    auto from = got.read();
    if (from.done()) throw detail::no_queue_for_operation(what.queue);
    if (from.is_text()) throw detail::too_many_operations(what.queue);
    co_return read_operation(what.queue, from);
}

/// `broker::operations`. One that can't be read is told of, and left out.
inline awaitable<std::vector<operation>> operations(engine_ptr on, std::string queue) {
    const auto got = co_await on->call(queue, scripts::operations, {}, {});
    auto from = got.read();
    std::vector<operation> found;
    while (!from.done()) {
        auto row = from.part();
        try {
            found.push_back(read_operation(queue, row));
        } catch (const error& e) {
            on->at(queue)->report_damage("an operation", e.what());
        }
    }
    co_return found;
}

inline awaitable<operation> call_step(engine_ptr on, std::string queue, std::string id, arguments with) {
    const auto got = co_await on->call(queue, scripts::step_operation, {}, std::move(with));
    auto from = got.read();
    if (from.done()) throw detail::no_such_operation(queue, id);
    co_return read_operation(queue, from);
}

/// `broker::step_operation`.
inline awaitable<operation> step_operation(engine_ptr on, std::string queue, std::string id, operation_step step) {
    arguments with;
    with.add(id).add(step.from).add(step.next).add(step.looked_at).add(step.carrier);
    for (const auto& one : step.tasks) with.add(one.key.sequence).add(one.key.nonce).add(static_cast<int>(one.state));
    return call_step(std::move(on), std::move(queue), std::move(id), std::move(with));
}

/// `broker::stop_operation`.
inline awaitable<operation> stop_operation(engine_ptr on, std::string queue, std::string id) {
    arguments with;
    with.add(id).add("stop").add(0).add(0).add("");
    return call_step(std::move(on), std::move(queue), std::move(id), std::move(with));
}

}  // namespace taskflux::redis
