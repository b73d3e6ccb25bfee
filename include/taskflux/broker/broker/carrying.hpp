#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/search_checks.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/search.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/sleep.hpp>

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <chrono>
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
    check_progress(query, found);
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

/// How long a carrier waits after a step that took so long: as long, so that half of the server's time is left to others. Where
/// another one has made that step, long enough for it to make several.
inline duration pause_of_carrier(const operation& is_now, const std::string& carrier, duration took) {
    constexpr duration longest = std::chrono::seconds(1), for_another = std::chrono::milliseconds(500);
    if (is_now.state != operation_state::running) return duration::zero();
    if (is_now.carrier != carrier) return for_another;
    return std::clamp(took, duration::zero(), longest);  // a clock may have been set
}

/// Until it has ended, or somebody else has made a step.
inline asio::awaitable<void> carry_to_end(broker_ptr by, operation of, std::string carrier) {
    for (;;) {
        const auto begun = by->clock().now();
        of = co_await carry_on(by, of, carrier);
        if (of.state != operation_state::running || of.carrier != carrier) co_return;
        const auto pause = pause_of_carrier(of, carrier, by->clock().now() - begun);
        co_await sleep_for(by->clock(), pause);
    }
}

}  // namespace taskflux::detail
