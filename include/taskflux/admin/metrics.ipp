#pragma once

#include <taskflux/admin/metrics.hpp>
#include <taskflux/core/state.hpp>

#include <boost/describe/enum_to_string.hpp>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace taskflux {

namespace detail {

/// Writes metrics: a family's HELP and TYPE, then its samples.
class metrics_writer {
public:
    using label = std::pair<std::string_view, std::string_view>;

    void family(std::string_view name, std::string_view type, std::string_view help) {
        name_ = name;
        out_.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ").append(type) += '\n';
    }

    void sample(std::initializer_list<label> labels, const std::string& value, std::string_view suffix = {}) {
        out_.append(name_).append(suffix) += '{';
        bool is_first = true;
        for (const auto& [name, text] : labels) {
            if (!std::exchange(is_first, false)) out_ += ',';
            out_.append(name).append("=\"");
            for (const char c : text) {
                if (c == '\n') out_ += "\\n";
                else if (c == '"' || c == '\\') (out_ += '\\') += c;
                else out_ += c;
            }
            out_ += '"';
        }
        out_.append("} ").append(value) += '\n';
    }
    void sample(std::initializer_list<label> labels, std::uint64_t value) { sample(labels, std::to_string(value)); }

    /// Milliseconds as seconds, exactly.
    static std::string seconds(std::uint64_t ms) {
        auto text = std::to_string(ms / 1000);
        if (ms % 1000 == 0) return text;
        auto rest = std::to_string(1000 + ms % 1000).substr(1);
        while (rest.back() == '0') rest.pop_back();
        return text + '.' + rest;
    }

    void histogram(std::string_view queue, std::string_view task, const time_histogram& of) {
        std::uint64_t below = 0;
        for (std::size_t i = 0; i < time_histogram::bounds_ms.size(); ++i) {
            below += i < of.counts.size() ? of.counts[i] : 0;
            const auto bound = seconds(static_cast<std::uint64_t>(time_histogram::bounds_ms[i]));
            sample({{"queue", queue}, {"task", task}, {"le", bound}}, std::to_string(below), "_bucket");
        }
        const auto all = std::to_string(of.count());
        sample({{"queue", queue}, {"task", task}, {"le", "+Inf"}}, all, "_bucket");
        sample({{"queue", queue}, {"task", task}}, seconds(of.sum_ms), "_sum");
        sample({{"queue", queue}, {"task", task}}, all, "_count");
    }

    std::string take() { return std::move(out_); }

private:
    std::string out_;
    std::string_view name_;
};

}  // namespace detail

std::string metrics_text(const std::vector<queue_metrics>& queues) {
    detail::metrics_writer out;
    const auto each_queue = [&](auto write) {
        for (const auto& one : queues) write(one);
    };
    const auto each_task = [&](auto write) {
        for (const auto& one : queues) {
            for (const auto& task : one.statistics.tasks) write(one.queue, task.name, task.counts);
        }
    };
    out.family("taskflux_tasks", "gauge", "Tasks by state, ended ones as long as they are kept. Of the cluster: use max.");
    each_queue([&](const queue_metrics& one) {
        for (std::size_t n = 0; n < task_state_count; ++n) {
            const auto state = static_cast<task_state>(n);
            out.sample({{"queue", one.queue}, {"state", boost::describe::enum_to_string(state, "")}}, one.counts[state]);
        }
    });
    out.family("taskflux_queue_oldest_age_seconds", "gauge",
               "For how long the task that has waited longest has been due. Of the cluster: use max.");
    each_queue([&](const queue_metrics& one) {
        const auto age = static_cast<std::uint64_t>(one.statistics.oldest_waiting.count());
        out.sample({{"queue", one.queue}}, detail::metrics_writer::seconds(age));
    });
    out.family("taskflux_queue_paused", "gauge", "1 where the queue is paused. Of the cluster: use max.");
    each_queue([&](const queue_metrics& one) { out.sample({{"queue", one.queue}}, std::uint64_t(one.counts.paused)); });
    out.family("taskflux_queue_unclaimed", "gauge", "Waiting tasks for which no worker that looked had a handler. Of the cluster: use max.");
    each_queue([&](const queue_metrics& one) { out.sample({{"queue", one.queue}}, one.counts.unclaimed); });
    out.family("taskflux_queue_set_aside", "gauge", "Corrupt or foreign data that was met. Of the cluster: use max.");
    each_queue([&](const queue_metrics& one) { out.sample({{"queue", one.queue}}, one.counts.set_aside); });

    out.family("taskflux_tasks_submitted_total", "counter", "Tasks submitted. Of the cluster: use max.");
    each_task([&](const std::string& queue, const std::string& task, const task_statistics& counts) {
        out.sample({{"queue", queue}, {"task", task}}, counts.submitted);
    });
    out.family("taskflux_tasks_finished_total", "counter", "Tasks by how they have ended. Of the cluster: use max.");
    each_task([&](const std::string& queue, const std::string& task, const task_statistics& counts) {
        const auto& ended = counts.ended;
        const std::pair<const char*, std::uint64_t> outcomes[] = {
            {"succeeded", ended.succeeded}, {"failed", ended.failed}, {"cancelled", ended.cancelled}, {"expired", ended.expired}};
        for (const auto& [outcome, many] : outcomes) out.sample({{"queue", queue}, {"task", task}, {"outcome", outcome}}, many);
    });
    out.family("taskflux_attempts_total", "counter", "Attempts by how they have ended. Of the cluster: use max.");
    each_task([&](const std::string& queue, const std::string& task, const task_statistics& counts) {
        const auto& ended = counts.attempts;
        const std::pair<const char*, std::uint64_t> outcomes[] = {
            {"succeeded", ended.succeeded}, {"retried", ended.retried}, {"failed", ended.failed}, {"timed_out", ended.timed_out},
            {"cancelled", ended.cancelled}, {"lost", ended.lost}};
        for (const auto& [outcome, many] : outcomes) out.sample({{"queue", queue}, {"task", task}, {"outcome", outcome}}, many);
    });
    out.family("taskflux_task_wait_seconds", "histogram",
               "From when a task was due until its first attempt started. Of the cluster: use max.");
    each_task([&](const std::string& queue, const std::string& task, const task_statistics& counts) {
        out.histogram(queue, task, counts.wait);
    });
    out.family("taskflux_task_run_seconds", "histogram", "Of each attempt. Of the cluster: use max.");
    each_task([&](const std::string& queue, const std::string& task, const task_statistics& counts) {
        out.histogram(queue, task, counts.run);
    });
    return out.take();
}

asio::awaitable<std::string> read_metrics(broker_ptr broker, std::vector<std::string> queues) {
    broker = detail::checked_broker(std::move(broker), "metrics");
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
        found.push_back(std::move(made));
    }
    co_return metrics_text(found);
}

}  // namespace taskflux
