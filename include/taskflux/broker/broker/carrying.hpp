#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/search.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>
#include <utility>

namespace taskflux::detail {

/// Makes the next step of an operation that is under way; gives it as it is then. Where somebody else has made that step, nothing is
/// done twice, and it names another `carrier`.
inline asio::awaitable<operation> carry_on(broker_ptr by, operation of, std::string carrier) {
    search_query query;
    query.filter = parse_search(of.filter, time_point{});  // its times are absolute
    if (query.filter.queue != of.queue) {
        throw error(errc::protocol, "operation " + of.id + " of queue " + of.queue + " can't be carried on: its filter is for another queue");
    }
    query.queue = of.queue;
    query.from = of.next;
    query.limit = most_operations::tasks;
    const auto found = co_await by->search(query);
    operation_step step;
    step.from = of.next;
    step.next = found.next;
    step.looked_at = found.looked_at;
    step.carrier = std::move(carrier);
    for (const auto& task : found.tasks) {
        if (has_texts(query.filter, task)) step.tasks.push_back({task.id.key, task.state});
    }
    co_return co_await by->step_operation(std::move(of.queue), std::move(of.id), std::move(step));
}

/// Until it has ended, or somebody else has made a step.
inline asio::awaitable<void> carry_to_end(broker_ptr by, operation of, std::string carrier) {
    do {
        of = co_await carry_on(by, of, carrier);
    } while (of.state == operation_state::running && of.carrier == carrier);
}

}  // namespace taskflux::detail
