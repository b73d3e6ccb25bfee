#pragma once

#include <taskflux/admin/statistics.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/clock.hpp>

#include <cstddef>
#include <utility>

namespace taskflux {

namespace detail {

/// The last `periods` whole periods of a tier and the one under way.
inline asio::awaitable<task_window> read_window(broker_ptr broker, std::string queue, std::string task, history_tier tier,
                                                std::size_t periods) {
    const auto found = co_await broker->history(std::move(queue), std::move(task), tier, periods + 1);
    const auto now = broker->clock().wall();
    counted_values sum;
    for (const auto& one : found) sum += one.values;
    auto counts = statistics_of(sum);
    task_window made;
    made.length = period_of(tier) * static_cast<duration::rep>(periods) + now.time_since_epoch() % period_of(tier);
    made.submitted = counts.submitted;
    made.ended = counts.ended;
    made.attempts = counts.attempts;
    co_return made;
}

}  // namespace detail

statistics::statistics(broker_ptr broker, std::string queue)
    : broker_(detail::checked_broker(std::move(broker), "a statistics")), queue_(std::move(queue)) {
    detail::check_queue_name(queue_);
}

asio::awaitable<queue_statistics> statistics::now() const {
    const auto broker = broker_;
    const auto stored = co_await broker->statistics(queue_);
    queue_statistics made;
    made.at = stored.at;
    made.oldest_waiting = stored.oldest_waiting;
    made.all = detail::statistics_of(stored.all);
    for (const auto& one : stored.names) {
        named_statistics named;
        named.name = one.name;
        named.counts = detail::statistics_of(one.values);
        made.tasks.push_back(std::move(named));
    }
    co_return made;
}

asio::awaitable<throughput> statistics::rates(std::string task) const {
    const auto broker = broker_;
    const auto queue = queue_;
    throughput made;
    made.minute = co_await detail::read_window(broker, queue, task, history_tier::ten_seconds, 6);
    made.quarter = co_await detail::read_window(broker, queue, task, history_tier::minute, 15);
    made.hour = co_await detail::read_window(broker, queue, task, history_tier::minute, 60);
    made.day = co_await detail::read_window(broker, queue, task, history_tier::quarter, 96);
    co_return made;
}

asio::awaitable<std::vector<history_point>> statistics::history(history_tier tier, std::string task) const {
    const auto broker = broker_;
    const auto found = co_await broker->history(queue_, std::move(task), tier, periods_of(tier));
    std::vector<history_point> made;
    made.reserve(found.size());
    for (const auto& one : found) {
        history_point point;
        point.begin = one.begin;
        point.counts = detail::statistics_of(one.values);
        made.push_back(std::move(point));
    }
    co_return made;
}

}  // namespace taskflux
