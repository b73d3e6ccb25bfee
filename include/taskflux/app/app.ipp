#pragma once

#include <taskflux/app/app.hpp>
#include <taskflux/app/app/command_line.hpp>
#include <taskflux/app/app/core.hpp>
#include <taskflux/app/app/log_file.hpp>
#include <taskflux/app/app/signals.hpp>
#include <taskflux/app/config/check.hpp>
#include <taskflux/app/config/limits.hpp>
#include <taskflux/app/config/nearest.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/core/uuid.hpp>
#include <taskflux/detail/live.hpp>
#include <taskflux/detail/spawn.hpp>
#include <taskflux/flow/connect.hpp>
#include <taskflux/version.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/ip/host_name.hpp>
#include <boost/describe/enum_to_string.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

std::string node_of(const app_config& config) { return config.node.empty() ? asio::ip::host_name() : config.node; }

}  // namespace detail

app::app(app_config config) { config_.values = std::move(config); }

app::~app() { life_.abandon(); }

app& app::on_start(std::function<asio::awaitable<void>(client)> starter) {
    detail::require_given(starter, "on_start", {});
    require_new("a function can't be started with the app", "on_start");
    starters_.push_back(std::move(starter));
    return *this;
}

app& app::metrics(std::shared_ptr<process_metrics> into) {
    return require_new("metrics can't be set", "metrics"), metrics_ = std::move(into), *this;
}

app& app::tracing(std::shared_ptr<tracer> by) {
    return require_new("a tracer can't be set", "tracing"), tracer_ = std::move(by), *this;
}

void app::require_new(const std::string& what, const char* call) const {
    if (has_run_) throw error(errc::wrong_state, what + ": the app has been run; call " + call + "() before run()");
}

app& app::accept(config_format format) {
    return formats_.push_back(std::move(format)), *this;
}

void app::add(detail::app_task task) {
    require_new("the handler for task " + task.name + " can't be set", "on");
    for (const auto& known : tasks_) {
        if (known.name == task.name) {
            throw error(errc::invalid_argument,
                        "the handler for task " + task.name + " can't be set: it has one; call on() once");
        }
    }
    tasks_.push_back(std::move(task));
}

void app::add(detail::app_job job) {
    require_new("local job " + job.id + " can't be added", "local");
    if (!job.cron.empty()) job.options.define(job.id, job.cron, job.options.zone());  // throws for a wrong one
    detail::checked_name(job.id, "local job");
    if (std::ranges::find(jobs_, job.id, &detail::app_job::id) != jobs_.end()) {
        throw error(errc::invalid_argument, "local job " + job.id + " can't be added: there is one with this id; use another id");
    }
    jobs_.push_back(std::move(job));
}

app& app::serve_by(std::string name, std::function<void(service&)> give_to) {
    require_new("service " + name + " can't be added", "serve");
    methods_.push_back({std::move(name), std::move(give_to)});
    return *this;
}

app& app::plan(std::string_view expression, std::string task, const task_options& contract, detail::encoded_payload payload,
               const schedule_options& options) {
    require_new("a schedule for task " + task + " can't be added", "every");
    detail::app_schedule made;
    made.cron = expression;
    made.task = std::move(task);
    made.contract = contract;
    made.payload = std::move(payload.text);
    made.options = options;
    made.carry(std::move(payload.key));
    options.define(made.id(), expression, options.zone());  // throws for a wrong one
    for (const auto& known : schedules_) {
        if (known.id() == made.id()) {
            throw error(errc::invalid_argument,
                        "schedule " + made.id() +
                            " can't be added: there is one with this id; use schedule_options::id");
        }
    }
    schedules_.push_back(std::move(made));
    return *this;
}

bool app::is_enabled(const std::string& task) const {
    const auto has = [&](const std::vector<std::string>& names) { return std::ranges::find(names, task) != names.end(); };
    if (!config_.values.enabled_tasks.empty()) return has(config_.values.enabled_tasks);
    return !has(config_.values.disabled_tasks);
}

bool app::is_served(const std::string& name) const {
    const auto& named = config_.values.services;
    return named.empty() || std::ranges::find(named, name) != named.end();
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
        if (!has_task) detail::refuse_limits(config_.values);
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

log_sink app::log() const {
    try {
        return detail::open_log(config_.values.log_path, config_.values.log_level);
    } catch (const config_error& e) {
        throw config_.placed(e);
    }
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

asio::awaitable<void> app::run_on(broker_ptr broker) {
    if (has_run_) throw error(errc::wrong_state, "this app can't be run again: an app runs once; make another one");
    check();
    if (!log_) log_ = log();
    auto core = std::make_shared<detail::app_core>(broker);
    core->on_ready = on_ready_;
    core->log = *log_;
    core->start_timeout = config_.values.start_timeout;
    core->starters = starters_;
    core->defaults = defaults();
    core->tracing = tracer_;
    core->schedules = all_schedules();
    const auto jobs = all_jobs();
    if (!core->schedules.empty() || !jobs.empty()) {
        scheduler_options options;
        options.host(detail::node_of(config_.values)).log(*log_).observer(metrics_);
        if (core->start_timeout) options.start_timeout(*core->start_timeout);
        core->scheduler = std::make_unique<scheduler>(broker, options);
    }
    for (const auto& one : jobs) one.give_to(*core->scheduler, one);
    for (const auto& task : tasks_) {
        if (!is_enabled(task.name)) continue;
        if (!core->worker) core->worker = std::make_unique<worker>(broker, make_worker_options(*log_));
        task.give_to(*core->worker);
    }
    if (core->worker) {
        detail::declare_limits(config_.values, *core->worker);
        node_options options;
        options.name(detail::node_of(config_.values)).log(*log_);
        core->shown = std::make_unique<node>(broker, *core->worker, options);
    }
    for (const auto& one : methods_) {
        if (!is_served(one.of)) continue;
        service_options options;
        options.cpu_threads(config_.values.cpu_threads).drain_for(config_.values.drain_for).log(*log_).observer(metrics_);
        if (core->start_timeout) options.start_timeout(*core->start_timeout);
        if (!core->service) core->service = std::make_unique<service>(broker, options);
        one.give_to(*core->service);
    }
    life_.begin(core);
    has_run_ = true;
    return detail::live(std::move(core), nullptr);
}

void app::stop() { life_.stop(); }

void app::run_here() {
    asio::io_context io;
    log_ = log();
    const auto options = redis_options().log(*log_).observer(metrics_);
    const auto broker = connect(io.get_executor(), config_.values.url, options);
    on_ready_ = [this] {
        std::cout << start_line() << std::endl;
        (*log_)(log_level::info, "started");
    };
    std::exception_ptr failure;
    detail::spawn_on(io.get_executor(), run_on(broker), [&](std::exception_ptr error) {
        failure = std::move(error);
        broker->close();
    });
    int heard = 0;
    const detail::signals listener([&](int) {
        if (heard++ > 0) {
            (*log_)(log_level::error, "second signal: the process ends at once");
            std::_Exit(EXIT_FAILURE);
        }
        (*log_)(log_level::info, "signal: handlers have " + detail::span_text(config_.values.drain_for) +
                                         " to finish; a second signal ends the process at once");
        stop();
    });
    const auto others = config_.values.threads - 1;
    asio::thread_pool threads(others);
    for (unsigned i = 0; i < others; ++i) asio::post(threads, [&] { io.run(); });
    io.run();
    threads.join();
    life_.forget();  // waits for plain functions; what it holds must not outlive the context
    if (failure) std::rethrow_exception(failure);
    (*log_)(log_level::info, "stopped");
}

int app::run_checked() {
    try {
        run_here();
        return 0;
    } catch (const config_error& e) {
        std::cerr << e.what() << '\n';
        return 2;
    } catch (...) {
        const auto why = "the app has failed: " + detail::describe(std::current_exception()).message;
        (log_ ? *log_ : log_sink())(log_level::error, why);
        return 1;
    }
}

int app::run() { return run_checked(); }

int app::run(int argc, const char* const* argv) {
    const std::string program = argc > 0 ? argv[0] : "app";
    try {
        const auto line = detail::parse_command_line(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
        if (line.help) return std::cout << detail::help_text(program), 0;
        if (line.version) return std::cout << "taskflux " << version << '\n', 0;
        const auto variables = taskflux_variables();
        config_sources sources;
        const auto named = variables.find("TASKFLUX_CONFIG");
        sources.file(line.config.empty() && named != variables.end() ? named->second : line.config);
        sources.variables(variables).env(line.env);
        for (const auto& format : formats_) sources.format(format);
        config_ = detail::load(sources, config_.values);
        check();
        if (line.check) return std::cout << "the config is valid: " << start_line() << '\n', 0;
    } catch (const config_error& e) {
        std::cerr << program << ": " << e.what() << '\n';
        return 2;
    }
    return run_checked();
}

}  // namespace taskflux
