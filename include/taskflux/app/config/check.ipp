#pragma once

#include <taskflux/app/config/check.hpp>
#include <taskflux/app/config/limits.hpp>
#include <taskflux/app/config/nearest.hpp>
#include <taskflux/app/config/schedules.hpp>
#include <taskflux/broker/redis/url.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/flow/connect.hpp>

#include <boost/asio/ip/host_name.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace taskflux {

namespace detail {

std::string shown_url(std::string_view url) {
    return names_memory(url) ? std::string(url) : redis::to_string(redis::parse_url(url));
}

std::string node_of(const app_config& config) { return config.node.empty() ? asio::ip::host_name() : config.node; }

void check_range(const std::string& pointer, unsigned value, unsigned least, unsigned most) {
    if (value >= least && value <= most) return;
    throw config_error(pointer, "expected an integer from " + std::to_string(least) + " to " + std::to_string(most) +
                                    ", got " + std::to_string(value));
}

void check_range(const std::string& pointer, duration value, duration least) {
    if (value >= least && value <= longest_span) return;
    throw config_error(pointer, "expected a time from " + span_text(least) + " to " + span_text(longest_span) + ", got " +
                                    span_text(value));
}

void check_name(const std::string& pointer, const std::string& name) {
    if (is_valid_name(name)) return;
    throw config_error(pointer, "expected a name of 1 to 128 characters of A-Z a-z 0-9 _ - . /, got \"" + shown_name(name) + '"');
}

void check_names(const std::string& pointer, const std::vector<std::string>& names) {
    std::unordered_set<std::string_view> before;
    for (std::size_t i = 0; i != names.size(); ++i) {
        const auto here = pointer + '/' + std::to_string(i);
        check_name(here, names[i]);
        if (!before.insert(names[i]).second) throw config_error(here, in_quotes(names[i]) + " is listed twice: remove one");
    }
}

void check_weights(const app_config& config) {
    const std::unordered_set<std::string_view> known(config.queues.begin(), config.queues.end());
    for (const auto& [queue, weight] : config.weights) {
        const auto here = path(path(path(), "weights"), queue).pointer();
        if (!known.contains(queue)) {
            throw config_error(here, "this queue is not in /queues: add it there" + allowed_instead(queue, config.queues));
        }
        check_range(here, weight, 1, 1'000'000);
    }
}

void check_limits(const app_config& config) {
    for_each_limit(
        config, [](const std::string& queue, const path& here, const limit&) { check_name(here.pointer(), queue); },
        [](const std::string& queue, const path& here, const std::string&, const limit&) { check_name(here.pointer(), queue); });
}

/// What schedules and local jobs have in common.
template <class Config>
void check_ticking(const std::string& pointer, const Config& one) {
    const auto check = [&](const char* member, auto&& use) {
        try {
            use();
        } catch (const error& e) {
            throw config_error(pointer + member, e.what());
        }
    };
    if (!one.cron.empty()) check("/cron", [&] { cron{one.cron}; });
    check("/zone", [&] { zone::named(one.zone); });
    check("/hosts", [&] { schedule_options().hosts(one.hosts); });
    check_range(pointer + "/grace", one.grace, duration::zero());
    check_range(pointer + "/jitter", one.jitter, duration::zero());
    check("", [&] { options_of(one); });
}

void check_schedule(const std::string& pointer, const schedule_config& one) {
    if (one.task.empty()) throw config_error(pointer + "/task", "the task is missing");
    if (one.cron.empty()) throw config_error(pointer + "/cron", "the cron expression is missing");
    check_name(pointer + "/task", one.task);
    if (!one.id.empty()) check_name(pointer + "/id", one.id);
    if (!one.queue.empty()) check_name(pointer + "/queue", one.queue);
    check_ticking(pointer, one);
    try {
        encode(one.payload);
    } catch (const payload_error& e) {
        throw config_error(pointer + "/payload" + e.pointer(), e.reason());
    }
}

void check_jobs(const std::vector<job_config>& jobs) {
    std::unordered_set<std::string_view> before;
    for (std::size_t i = 0; i != jobs.size(); ++i) {
        const auto here = "/jobs/" + std::to_string(i);
        if (jobs[i].job.empty()) throw config_error(here + "/job", "the job is missing");
        check_name(here + "/job", jobs[i].job);
        if (!before.insert(jobs[i].job).second) {
            throw config_error(here + "/job", in_quotes(jobs[i].job) + " is listed twice: remove one");
        }
        check_ticking(here, jobs[i]);
    }
}

}  // namespace detail

void check_config(const app_config& config) {
    using namespace detail;
    const auto zero = duration::zero();
    try {
        shown_url(config.url);
    } catch (const error& e) {
        throw config_error("/url", e.what());
    }
    if (!config.node.empty()) check_name("/node", config.node);
    check_names("/queues", config.queues);
    check_weights(config);
    check_limits(config);
    check_range("/concurrency", config.concurrency, 1, 100'000);
    check_range("/threads", config.threads, 1, 1'000);
    check_range("/cpu_threads", config.cpu_threads, 0, 1'000);
    check_range("/lease", config.lease, std::chrono::milliseconds(100));
    check_range("/drain_for", config.drain_for, zero);
    if (config.start_timeout) check_range("/start_timeout", *config.start_timeout, zero);
    check_names("/services", config.services);
    check_names("/enabled_tasks", config.enabled_tasks);
    check_names("/disabled_tasks", config.disabled_tasks);
    check_range("/timeout", config.timeout, zero);
    check_range("/deadline", config.deadline, zero);
    if (config.retention) check_range("/retention", *config.retention, zero);
    if (config.failed_retention) check_range("/failed_retention", *config.failed_retention, zero);
    for (std::size_t i = 0; i != config.schedules.size(); ++i) {
        check_schedule("/schedules/" + std::to_string(i), config.schedules[i]);
    }
    check_jobs(config.jobs);
}

}  // namespace taskflux
