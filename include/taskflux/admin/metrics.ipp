#pragma once

#include <taskflux/admin/directory.hpp>
#include <taskflux/admin/metrics.hpp>
#include <taskflux/admin/metrics/writer.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/state.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/flow/scheduler/book.hpp>

#include <boost/describe/enum_to_string.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace taskflux {

namespace detail {

using metrics_scope = metrics_writer::scope;

/// The bounds of histograms, in seconds.
inline std::vector<std::string> histogram_bounds() {
    std::vector<std::string> made;
    for (const auto bound : time_histogram::bounds_ms) made.push_back(metrics_writer::seconds(static_cast<std::uint64_t>(bound)));
    return made;
}

/// Whatever the program's locale is.
inline std::string decimal(double value) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return std::string(text.data(), end);
}

/// A limit by its rules: `write(rule, bound, is_of_keys)`.
template <class Write>
void each_rule(const queue_limits& limits, Write write) {
    const auto of = [&](const limit& what, const std::string& prefix, bool is_of_keys) {
        const auto number = [](std::size_t n) { return std::to_string(n); };
        if (what.running()) write(prefix + "running", number(*what.running()), is_of_keys);
        if (what.max_waiting()) write(prefix + "max_waiting", number(*what.max_waiting()), is_of_keys);
        if (!what.rate()) return;
        const auto per = static_cast<double>(what.rate()->per.count()) / 1000;
        write(prefix + "rate", decimal(static_cast<double>(what.rate()->starts) / per), is_of_keys);
    };
    of(limits.in_force(), "", false);
    of(limits.each_key.in_force(), "key_", true);
}

template <class Each>
void write_limits(metrics_writer& out, Each each_queue) {
    out.family("taskflux_limit_bound", "gauge",
               "What a rule of a queue allows: tasks that run or wait, or starts a second; key_: of each key.", metrics_scope::cluster);
    each_queue([&](const queue_metrics& one) {
        each_rule(one.limits, [&](const std::string& rule, const std::string& bound, bool) {
            out.sample({{"queue", one.queue}, {"rule", rule}}, bound);
        });
    });
    out.family("taskflux_limit_running", "gauge", "Tasks in the hands of workers, of a queue with such a rule.", metrics_scope::cluster);
    each_queue([&](const queue_metrics& one) {
        each_rule(one.limits, [&](const std::string& rule, const std::string&, bool is_of_keys) {
            if (!is_of_keys) out.sample({{"queue", one.queue}, {"rule", rule}}, one.counts.running);
        });
    });
    out.family("taskflux_limit_waiting", "gauge",
               "Tasks that wait in a queue with such a rule; for max_waiting those that are scheduled or held, too.",
               metrics_scope::cluster);
    each_queue([&](const queue_metrics& one) {
        each_rule(one.limits, [&](const std::string& rule, const std::string&, bool is_of_keys) {
            if (is_of_keys) return;
            const auto others = rule == "max_waiting" ? one.counts.scheduled + one.counts.held : 0;
            out.sample({{"queue", one.queue}, {"rule", rule}}, one.counts.waiting + others);
        });
    });
}

template <class Each>
void write_schedules(metrics_writer& out, Each each_queue) {
    const auto each_schedule = [&](auto time_of) {
        each_queue([&](const queue_metrics& one) {
            for (const auto& schedule : one.schedules) {
                const std::optional<time_point>& time = time_of(schedule);
                if (time) out.sample({{"queue", one.queue}, {"schedule", schedule.id}}, metrics_writer::timestamp(*time));
            }
        });
    };
    out.family("taskflux_schedule_last_tick_timestamp_seconds", "gauge", "The last tick of a schedule that has fired.",
               metrics_scope::cluster);
    each_schedule([](const schedule_metrics& of) -> const auto& { return of.last; });
    out.family("taskflux_schedule_next_tick_timestamp_seconds", "gauge",
               "The first tick of a schedule that has not fired; none where it is paused.", metrics_scope::cluster);
    each_schedule([](const schedule_metrics& of) -> const auto& { return of.next; });
}

inline void write_nodes(metrics_writer& out, const std::vector<node_info>& nodes) {
    std::uint64_t busy = 0, all = 0;
    for (const auto& one : nodes) {
        busy += (std::min)(one.running, one.concurrency);
        all += one.concurrency;
    }
    out.family("taskflux_nodes", "gauge", "Nodes that are alive.", metrics_scope::cluster);
    out.sample({}, std::uint64_t(nodes.size()));
    out.family("taskflux_worker_slots", "gauge", "Slots of the nodes' workers, as their last heartbeats say.", metrics_scope::cluster);
    out.sample({{"state", "busy"}}, busy);
    out.sample({{"state", "free"}}, all - busy);
}

/// What is stored of a queue's first schedules by id, as each has series of its own; those that can't be read are left out.
inline asio::awaitable<std::vector<schedule_metrics>> read_schedules(broker_ptr broker, std::string queue) {
    const auto stored = co_await broker->schedules(std::move(queue));
    constexpr std::size_t most = 100;
    std::vector<schedule_metrics> all;
    for (const auto& row : stored.rows) {
        if (all.size() == most) break;
        try {
            const auto what = read_schedule(row.text);
            schedule_metrics made;
            made.id = row.id;
            made.last = what.state.last;
            if (!what.state.paused) made.next = what.state.next;
            all.push_back(std::move(made));
        } catch (const error&) {
            continue;
        }
    }
    co_return all;
}

}  // namespace detail

std::string metrics_text(const std::vector<queue_metrics>& queues, const std::optional<std::vector<node_info>>& nodes) {
    using detail::metrics_scope;
    detail::metrics_writer out;
    const auto bounds = detail::histogram_bounds();
    const auto each_queue = [&](auto write) {
        for (const auto& one : queues) write(one);
    };
    const auto each_task = [&](auto write) {
        for (const auto& one : queues) {
            for (const auto& task : one.statistics.tasks) write(one.queue, task.name, task.counts);
        }
    };
    out.family("taskflux_tasks", "gauge", "Tasks by state, ended ones as long as they are kept.", metrics_scope::cluster);
    each_queue([&](const queue_metrics& one) {
        for (std::size_t n = 0; n < task_state_count; ++n) {
            const auto state = static_cast<task_state>(n);
            out.sample({{"queue", one.queue}, {"state", boost::describe::enum_to_string(state, "")}}, one.counts[state]);
        }
    });
    out.family("taskflux_queue_oldest_age_seconds", "gauge",
               "For how long the task that has waited longest has been due.", metrics_scope::cluster);
    each_queue([&](const queue_metrics& one) {
        const auto age = static_cast<std::uint64_t>(one.statistics.oldest_waiting.count());
        out.sample({{"queue", one.queue}}, detail::metrics_writer::seconds(age));
    });
    out.family("taskflux_queue_paused", "gauge", "1 where the queue is paused.", metrics_scope::cluster);
    each_queue([&](const queue_metrics& one) { out.sample({{"queue", one.queue}}, std::uint64_t(one.counts.paused)); });
    out.family("taskflux_queue_consumers", "gauge", "Workers and receivers that serve the queue.", metrics_scope::cluster);
    each_queue([&](const queue_metrics& one) { out.sample({{"queue", one.queue}}, one.counts.consumers); });
    out.family("taskflux_queue_unclaimed", "gauge", "Waiting tasks for which no worker that looked had a handler.", metrics_scope::cluster);
    each_queue([&](const queue_metrics& one) { out.sample({{"queue", one.queue}}, one.counts.unclaimed); });
    out.family("taskflux_queue_set_aside", "gauge", "Corrupt or foreign data that was met.", metrics_scope::cluster);
    each_queue([&](const queue_metrics& one) { out.sample({{"queue", one.queue}}, one.counts.set_aside); });

    out.family("taskflux_tasks_submitted_total", "counter", "Tasks submitted.", metrics_scope::cluster);
    each_task([&](const std::string& queue, const std::string& task, const task_statistics& counts) {
        out.sample({{"queue", queue}, {"task", task}}, counts.submitted);
    });
    out.family("taskflux_tasks_finished_total", "counter", "Tasks by how they have ended.", metrics_scope::cluster);
    each_task([&](const std::string& queue, const std::string& task, const task_statistics& counts) {
        const auto& ended = counts.ended;
        const std::pair<const char*, std::uint64_t> outcomes[] = {
            {"succeeded", ended.succeeded}, {"failed", ended.failed}, {"cancelled", ended.cancelled}, {"expired", ended.expired}};
        for (const auto& [outcome, many] : outcomes) out.sample({{"queue", queue}, {"task", task}, {"outcome", outcome}}, many);
    });
    out.family("taskflux_attempts_total", "counter", "Attempts by how they have ended.", metrics_scope::cluster);
    each_task([&](const std::string& queue, const std::string& task, const task_statistics& counts) {
        const auto& ended = counts.attempts;
        const std::pair<const char*, std::uint64_t> outcomes[] = {
            {"succeeded", ended.succeeded}, {"retried", ended.retried}, {"failed", ended.failed}, {"timed_out", ended.timed_out},
            {"cancelled", ended.cancelled}, {"lost", ended.lost}};
        for (const auto& [outcome, many] : outcomes) out.sample({{"queue", queue}, {"task", task}, {"outcome", outcome}}, many);
    });
    out.family("taskflux_task_wait_seconds", "histogram",
               "From when a task was due until its first attempt started.", metrics_scope::cluster);
    each_task([&](const std::string& queue, const std::string& task, const task_statistics& counts) {
        out.histogram({{"queue", queue}, {"task", task}}, bounds, counts.wait.counts, detail::metrics_writer::seconds(counts.wait.sum_ms));
    });
    out.family("taskflux_task_run_seconds", "histogram", "Of each attempt.", metrics_scope::cluster);
    each_task([&](const std::string& queue, const std::string& task, const task_statistics& counts) {
        out.histogram({{"queue", queue}, {"task", task}}, bounds, counts.run.counts, detail::metrics_writer::seconds(counts.run.sum_ms));
    });
    detail::write_limits(out, each_queue);
    detail::write_schedules(out, each_queue);
    if (nodes) detail::write_nodes(out, *nodes);
    return out.take();
}

namespace detail {

inline asio::awaitable<std::string> read_cluster_metrics(broker_ptr broker, std::vector<std::string> queues) {
    if (queues.empty()) queues = co_await broker->queues();
    std::ranges::sort(queues);
    const auto twice = std::ranges::unique(queues);
    queues.erase(twice.begin(), twice.end());
    std::vector<queue_metrics> found;
    for (const auto& name : queues) {
        const statistics of(broker, name);
        queue_metrics made;
        made.queue = name;
        made.counts = co_await broker->counts(name);
        made.statistics = co_await of.now();
        made.limits = co_await broker->limits(name);
        made.schedules = co_await detail::read_schedules(broker, name);
        found.push_back(std::move(made));
    }
    const directory all(broker);
    const std::optional<std::vector<node_info>> nodes = co_await all.nodes();
    co_return metrics_text(found, nodes);
}

}  // namespace detail

asio::awaitable<std::string> read_metrics(broker_ptr broker, std::vector<std::string> queues,
                                          std::shared_ptr<const process_metrics> mine) {
    broker = detail::checked_broker(std::move(broker), "metrics");
    auto reading = detail::read_cluster_metrics(std::move(broker), std::move(queues));
    auto found = co_await detail::caught(std::move(reading));
    const bool goes_on = mine && !(found.failure() && detail::is_abort(found.failure()));
    if (!goes_on) co_return found.take();
    auto text = found.failure() ? std::string() : found.take();  // what this process knows says why
    text += mine->text();
    co_return text;
}

}  // namespace taskflux
