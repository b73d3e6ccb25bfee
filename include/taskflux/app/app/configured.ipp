#pragma once

#include <taskflux/app/app.hpp>
#include <taskflux/app/config/check.hpp>
#include <taskflux/app/config/limits.hpp>
#include <taskflux/app/config/nearest.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/uuid.hpp>
#include <taskflux/version.hpp>

#include <boost/describe/enum_to_string.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What an app makes of its config.
namespace taskflux {

namespace detail {

/// Every name of a list in a config has to be one that the program has.
void check_known(const std::string& pointer, const char* what, const std::vector<std::string>& names,
                 const std::vector<std::string>& known) {
    for (std::size_t i = 0; i != names.size(); ++i) {
        if (std::ranges::find(known, names[i]) != known.end()) continue;
        throw config_error(pointer + '/' + std::to_string(i), "this program has no " + std::string(what) + ' ' +
                                                                  in_quotes(names[i]) + allowed_instead(names[i], known));
    }
}

std::vector<std::string> names_of(const std::vector<app_task>& tasks) {
    std::vector<std::string> names;
    for (const auto& task : tasks) names.push_back(task.name);
    return names;
}

}  // namespace detail

bool app::is_enabled(const std::string& task) const {
    const auto has = [&](const std::vector<std::string>& names) { return std::ranges::find(names, task) != names.end(); };
    if (!config_.values.enabled_tasks.empty()) return has(config_.values.enabled_tasks);
    return !has(config_.values.disabled_tasks);
}

bool app::is_served(const std::string& name) const {
    const auto& named = config_.values.services;
    return named.empty() || std::ranges::find(named, name) != named.end();
}

std::vector<std::string> app::limited_queues() const {
    if (tasks_.empty()) return {};
    auto queues = config_.values.queues;
    for (const auto& task : tasks_) {
        if (std::ranges::find(queues, task.contract.queue()) == queues.end()) queues.emplace_back(task.contract.queue());
    }
    return queues;
}

/// The config's schedules, and those of the program whose id is not in the config.
std::vector<detail::app_schedule> app::all_schedules() const {
    std::vector<detail::app_schedule> all;
    std::set<std::string> ids;
    const auto names = detail::names_of(tasks_);
    for (std::size_t i = 0; i != config_.values.schedules.size(); ++i) {
        const auto& from = config_.values.schedules[i];
        const auto here = "/schedules/" + std::to_string(i);
        const auto task = std::ranges::find(tasks_, from.task, &detail::app_task::name);
        if (task == tasks_.end()) {
            throw config_error(here + "/task", "this program has no task " + detail::in_quotes(from.task) +
                                                   detail::allowed_instead(from.task, names));
        }
        auto& made = all.emplace_back();
        made.cron = from.cron;
        made.task = from.task;
        made.contract = task->contract;
        made.payload = encode(from.payload);
        made.options = detail::options_of(from);
        made.is_enabled = from.enabled;
        if (!ids.insert(made.id()).second) {
            throw config_error(here, "a second schedule has the id \"" + made.id() + "\": give it an id of its own");
        }
        detail::take_key(made, task->key_of, here);
    }
    for (const auto& own : schedules_) {
        if (!ids.contains(own.id())) all.push_back(own);
    }
    return all;
}

/// Those that run: as the config says, or as the program does.
std::vector<detail::app_job> app::all_jobs() const {
    std::vector<std::string> names;
    for (const auto& own : jobs_) names.push_back(own.id);
    auto all = jobs_;
    for (std::size_t i = 0; i != config_.values.jobs.size(); ++i) {
        const auto& from = config_.values.jobs[i];
        const auto here = "/jobs/" + std::to_string(i);
        const auto named = std::ranges::find(all, from.job, &detail::app_job::id);
        if (named == all.end()) {
            throw config_error(here + "/job", "this program has no local job " + detail::in_quotes(from.job) +
                                                  detail::allowed_instead(from.job, names));
        }
        if (!from.cron.empty()) named->cron = from.cron;
        if (from.enabled && named->cron.empty()) throw config_error(here + "/cron", "the cron expression is missing");
        if (!from.enabled) named->cron.clear();
        named->options = detail::options_of(from);
    }
    std::erase_if(all, [](const auto& one) { return one.cron.empty(); });
    return all;
}

void app::check() const {
    const auto names = detail::names_of(tasks_);
    std::vector<std::string> services;
    for (const auto& one : methods_) services.push_back(one.of);
    try {
        check_config(config_.values);
        detail::check_known("/enabled_tasks", "task", config_.values.enabled_tasks, names);
        detail::check_known("/disabled_tasks", "task", config_.values.disabled_tasks, names);
        detail::check_known("/services", "service", config_.values.services, services);
        const bool has_task = std::ranges::any_of(names, [this](const auto& name) { return is_enabled(name); });
        detail::check_limited_queues(config_.values, limited_queues());
        if (all_schedules().empty() && all_jobs().empty() && !has_task && methods_.empty() && starters_.empty()) {
            throw config_error("",
                               "there is nothing to run: no task is enabled, and no service, no schedule and no "
                               "local job is set; enable one");
        }
    } catch (const config_error& e) {
        throw config_.placed(e);
    }
}

submit_options app::defaults() const {
    const auto& from = config_.values;
    submit_options made;
    made.deadline(from.deadline);
    if (from.retention) made.retention(*from.retention);
    if (from.failed_retention) made.failed_retention(*from.failed_retention);
    return made;
}

worker_options app::make_worker_options(const log_sink& log) const {
    const auto& from = config_.values;
    worker_options made;
    if (from.weights.empty()) {
        made.queues(from.queues);
    } else {
        std::vector<std::pair<std::string, unsigned>> weighted;
        for (const auto& queue : from.queues) {
            const auto found = from.weights.find(queue);
            weighted.emplace_back(queue, found == from.weights.end() ? 1 : found->second);
        }
        made.weighted_queues(weighted);
    }
    made.concurrency(from.concurrency).cpu_threads(from.cpu_threads).lease(from.lease).drain_for(from.drain_for);
    made.timeout(from.timeout).log(log).observer(metrics_).tracing(tracer_);
    if (from.start_timeout) made.start_timeout(*from.start_timeout);
    // A new name for each run: after a crash, the next run must not hold the lease of this one.
    made.name(detail::node_of(from) + '.' + uuid_generator().text());
    return made;
}

std::string app::start_line() const {
    const auto& from = config_.values;
    std::string queues;
    std::set<std::string> added;
    const auto add = [&](const std::string& name) {
        if (added.insert(name).second) queues.append(queues.empty() ? "" : ",").append(name);
    };
    const bool has_task = std::ranges::any_of(tasks_, [this](const auto& task) { return is_enabled(task.name); });
    for (const auto& queue : from.queues) {
        const auto weight = from.weights.find(queue);
        add(weight == from.weights.end() ? queue : queue + ':' + std::to_string(weight->second));
    }
    for (const auto& task : tasks_) {
        if (from.queues.empty() && is_enabled(task.name)) add(std::string(task.contract.queue()));
    }
    std::string line = std::string("taskflux ") + version + " node=" + detail::node_of(from) +
                       " backend=" + detail::shown_url(from.url) + " queues=" + queues;
    line.append(" slots=").append(std::to_string(has_task ? from.concurrency : 0));
    if (from.env) line.append(" env=").append(boost::describe::enum_to_string(*from.env, "?"));
    return line;
}

}  // namespace taskflux
