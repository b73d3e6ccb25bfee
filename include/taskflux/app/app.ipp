#pragma once

#include <taskflux/app/app.hpp>
#include <taskflux/app/app/command_line.hpp>
#include <taskflux/app/app/core.hpp>
#include <taskflux/app/app/log_file.hpp>
#include <taskflux/app/app/signals.hpp>
#include <taskflux/app/config/check.hpp>
#include <taskflux/app/config/limits.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/live.hpp>
#include <taskflux/detail/spawn.hpp>
#include <taskflux/flow/connect.hpp>
#include <taskflux/version.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux {

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

log_sink app::log() const {
    try {
        return detail::open_log(config_.values.log_path, config_.values.log_level);
    } catch (const config_error& e) {
        throw config_.placed(e);
    }
}

broker_ptr app::broker() const {
    const auto core = life_.core();
    if (!core) throw error(errc::wrong_state, "the app has no broker, as it doesn't run: ask for it in a function of on_start");
    return core->broker();
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
    const auto served = core->worker ? core->worker->queues() : std::vector<std::string>();
    for (const auto& queue : detail::declare_limits(config_.values, served, core->worker.get())) {
        (*log_)(log_level::info, "the limits of queue " + queue + " are not declared here, as no task of it is run");
    }
    if (core->worker) {
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
    } catch (...) {
        std::cerr << program << ": the app can't start: " << detail::describe(std::current_exception()).message << '\n';
        return 1;
    }
    return run_checked();
}

}  // namespace taskflux
