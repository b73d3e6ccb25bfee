#pragma once

#include <taskflux/admin/metrics/writer.hpp>
#include <taskflux/admin/process_metrics.hpp>

#include <algorithm>
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

std::string process_metrics::text() const {
    constexpr auto process = detail::metrics_writer::scope::process;
    detail::metrics_writer out;
    const std::lock_guard lock(mutex_);
    out.family("taskflux_broker_call_seconds", "histogram", "Calls to the broker's server, by script, with waits for the connection.", process);
    for (const auto& [call, times] : calls_) detail::write_times(out, {{"call", call}}, times);
    out.family("taskflux_broker_errors_total", "counter", "Calls to the broker's server that have failed.", process);
    for (const auto& [call, count] : errors_) out.sample({{"call", call}}, count);
    out.family("taskflux_broker_reconnects_total", "counter", "Connections to the server that were lost and are there again.", process);
    out.sample({}, reconnects_);
    out.family("taskflux_rpc_client_seconds", "histogram", "Calls of methods that this process has made.", process);
    detail::write_methods(out, called_);
    out.family("taskflux_rpc_server_seconds", "histogram", "Calls of methods that this process has run.", process);
    detail::write_methods(out, served_);
    out.family("taskflux_schedule_missed_total", "counter", "How often ticks of a schedule came up too late.", process);
    for (const auto& [labels, count] : missed_.all()) out.sample({{"queue", labels[0]}, {"schedule", labels[1]}}, count);
    out.family("taskflux_events_lost_total", "counter", "Entries of events that a reader here has missed.", process);
    for (const auto& [labels, count] : lost_.all()) out.sample({{"queue", labels[0]}}, count);
    out.family("taskflux_throttled_total", "counter", "Attempts that have told their queue to wait.", process);
    for (const auto& [labels, count] : throttled_.all()) out.sample({{"queue", labels[0]}}, count);
    out.family("taskflux_blocked_total", "counter", "How often something has blocked a worker's I/O thread.", process);
    out.sample({}, blocked_);
    return out.take();
}

void process_metrics::on_call(std::string_view call, std::chrono::microseconds took, bool failed) {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(call);
    (found != calls_.end() ? found->second : calls_[std::string(call)]).add(took);
    if (failed) ++errors_[std::string(call)];
}

void process_metrics::on_reconnect() {
    const std::lock_guard lock(mutex_);
    ++reconnects_;
}

void process_metrics::on_throttled(const std::string& queue, duration) {
    const std::lock_guard lock(mutex_);
    ++throttled_.at({queue});
}

void process_metrics::on_blocked(const std::vector<running_handler>&, duration) {
    const std::lock_guard lock(mutex_);
    ++blocked_;
}

void process_metrics::on_missed(const std::string& queue, const std::string& schedule, time_point) {
    const std::lock_guard lock(mutex_);
    ++missed_.at({queue, schedule});
}

void process_metrics::on_called(const ended_call& what) {
    const std::lock_guard lock(mutex_);
    called_.at({what.service, what.method, std::string(what.code)}).add(what.took);
}

void process_metrics::on_served(const ended_call& what) {
    const std::lock_guard lock(mutex_);
    served_.at({what.service, what.method, std::string(what.code)}).add(what.took);
}

void process_metrics::on_events_lost(const std::string& queue, std::uint64_t entries) {
    const std::lock_guard lock(mutex_);
    lost_.at({queue}) += entries;
}

}  // namespace taskflux
