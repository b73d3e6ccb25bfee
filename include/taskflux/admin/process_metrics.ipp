#pragma once

#include <taskflux/admin/metrics/writer.hpp>
#include <taskflux/admin/process_metrics.hpp>
#include <taskflux/core/error.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace taskflux {

namespace detail {

void call_times::add(std::chrono::microseconds took) {
    const auto us = (std::max)(took.count(), std::chrono::microseconds::rep(0));
    const auto bucket = std::ranges::lower_bound(bounds_us, us) - bounds_us.begin();
    ++counts[static_cast<std::size_t>(bucket)];
    sum_us += static_cast<std::uint64_t>(us);
}

inline void write_times(metrics_writer& out, std::initializer_list<metrics_writer::label> labels, const call_times& of) {
    static constexpr std::uint64_t many = 1'000'000;
    static const auto bounds = [] {
        std::vector<std::string> made;
        for (const auto bound : call_times::bounds_us) made.push_back(metrics_writer::seconds(static_cast<std::uint64_t>(bound), many));
        return made;
    }();
    out.histogram(labels, bounds, of.counts, metrics_writer::seconds(of.sum_us, many));
}

inline void write_methods(metrics_writer& out, const labelled<call_times>& of) {
    for (const auto& [labels, times] : of.all()) {
        write_times(out, {{"service", labels[0]}, {"method", labels[1]}, {"code", labels[2]}}, times);
    }
}

}  // namespace detail

process_metrics::process_metrics(std::shared_ptr<const clock> by) : clock_(std::move(by)) {
    if (!clock_) throw error(errc::invalid_argument, "process_metrics was given no clock: pass one, or nothing for real time");
}

std::string process_metrics::text() const {
    constexpr auto process = detail::metrics_writer::scope::process;
    const auto counted = [this] {  // calls wait for no text to be made
        const std::lock_guard lock(mutex_);
        return counts_;
    }();
    detail::metrics_writer out;
    out.family("taskflux_broker_call_seconds", "histogram", "Calls to the broker's server, by script, with waits for the connection.", process);
    for (const auto& [call, times] : counted.calls) detail::write_times(out, {{"call", call}}, times);
    out.family("taskflux_broker_errors_total", "counter", "Calls to the broker's server that have failed.", process);
    for (const auto& [call, count] : counted.errors) out.sample({{"call", call}}, count);
    out.family("taskflux_broker_reconnects_total", "counter", "Connections to the server that were lost and are there again.", process);
    out.sample({}, counted.reconnects);
    out.family("taskflux_rpc_client_seconds", "histogram", "Calls of methods that this process has made.", process);
    detail::write_methods(out, counted.called);
    out.family("taskflux_rpc_server_seconds", "histogram", "Calls of methods that this process has run.", process);
    detail::write_methods(out, counted.served);
    out.family("taskflux_schedule_missed_total", "counter", "How often ticks of a schedule came up too late.", process);
    const auto each_schedule = [&](auto write) {
        for (const auto& [labels, what] : counted.missed.all()) {
            const auto value = write(what);
            if (value) out.sample({{"queue", labels[0]}, {"schedule", labels[1]}}, *value);
        }
    };
    each_schedule([](const misses& of) { return std::optional(std::to_string(of.count)); });
    out.family("taskflux_schedule_last_missed_timestamp_seconds", "gauge",
               "When a scheduler here has last found that ticks of a schedule came up too late.", detail::metrics_writer::scope::latest_of_process);
    each_schedule([](const misses& of) { return of.last ? std::optional(detail::metrics_writer::timestamp(*of.last)) : std::nullopt; });
    out.family("taskflux_events_lost_total", "counter", "Entries of events that a reader here has missed.", process);
    for (const auto& [labels, count] : counted.lost.all()) out.sample({{"queue", labels[0]}}, count);
    out.family("taskflux_throttled_total", "counter", "Attempts that have told their queue to wait.", process);
    for (const auto& [labels, count] : counted.throttled.all()) out.sample({{"queue", labels[0]}}, count);
    out.family("taskflux_blocked_total", "counter", "How often something has blocked a worker's I/O thread.", process);
    out.sample({}, counted.blocked);
    return out.take();
}

void process_metrics::on_call(std::string_view call, std::chrono::microseconds took, bool failed) {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.calls.find(call);
    (found != counts_.calls.end() ? found->second : counts_.calls[std::string(call)]).add(took);
    if (failed) ++counts_.errors[std::string(call)];
    else if (found == counts_.calls.end()) counts_.errors.try_emplace(std::string(call));  // zero, until one fails
}

void process_metrics::on_reconnect() {
    const std::lock_guard lock(mutex_);
    ++counts_.reconnects;
}

void process_metrics::on_queue(const std::string& queue) {
    const std::lock_guard lock(mutex_);
    counts_.throttled.announce({queue});
}

void process_metrics::on_throttled(const std::string& queue, duration) {
    const std::lock_guard lock(mutex_);
    ++counts_.throttled.at({queue});
}

void process_metrics::on_blocked(const std::vector<running_handler>&, duration) {
    const std::lock_guard lock(mutex_);
    ++counts_.blocked;
}

void process_metrics::on_schedule(const std::string& queue, const std::string& schedule) {
    const std::lock_guard lock(mutex_);
    counts_.missed.announce({queue, schedule});
}

void process_metrics::on_missed(const std::string& queue, const std::string& schedule, time_point) {
    const auto now = clock_->wall();
    const std::lock_guard lock(mutex_);
    auto& of = counts_.missed.at({queue, schedule});
    ++of.count;
    of.last = now;
}

void process_metrics::on_method(const std::string& service, const std::string& method) {
    const std::lock_guard lock(mutex_);
    for (const auto* const code : {"ok", "task_failed"}) counts_.served.announce({service, method, code});
}

void process_metrics::on_called(const ended_call& what) {
    detail::labelled<detail::call_times>::key labels{what.service, what.method, std::string(what.code)};
    const std::lock_guard lock(mutex_);
    counts_.called.at(std::move(labels)).add(what.took);
}

void process_metrics::on_served(const ended_call& what) {
    detail::labelled<detail::call_times>::key labels{what.service, what.method, std::string(what.code)};
    const std::lock_guard lock(mutex_);
    counts_.served.at(std::move(labels)).add(what.took);
}

void process_metrics::on_reader(const std::string& queue) {
    const std::lock_guard lock(mutex_);
    counts_.lost.announce({queue});
}

void process_metrics::on_events_lost(const std::string& queue, std::uint64_t entries) {
    const std::lock_guard lock(mutex_);
    counts_.lost.at({queue}) += entries;
}

}  // namespace taskflux
