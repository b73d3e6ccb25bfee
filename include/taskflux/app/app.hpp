#pragma once

#include <taskflux/admin/process_metrics.hpp>
#include <taskflux/app/config.hpp>
#include <taskflux/app/config/load.hpp>
#include <taskflux/app/config/schedules.hpp>
#include <taskflux/broker/broker.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/method.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/detail/given_function.hpp>
#include <taskflux/detail/run_once.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/client/submission.hpp>
#include <taskflux/flow/scheduler.hpp>
#include <taskflux/flow/scheduler_options.hpp>
#include <taskflux/flow/tracer.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/log.hpp>

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskflux {

namespace detail {

/// A task that an app has a handler for.
struct app_task {
    std::string name;
    task_options contract;
    std::function<void(worker&)> give_to;
    std::function<std::string(std::string_view)> key_of;  // of a payload; empty: none. Throws `payload_error`
};

/// A method or an object that an app serves.
struct app_method {
    std::string of;  // the service's name
    std::function<void(service&)> give_to;
};

}  // namespace detail

/// A whole program from one config: broker, worker, services, schedules, its node in the directory, log, signals and exit
/// codes.
///
///     taskflux::app app;
///     app.on(report, make_report);
///     app.every("0 9 * * MON-FRI", report, "daily");
///     return app.run(argc, argv);
///
/// It is the only part of the library that installs signal handlers and prints. For one thread; `stop` is for any thread, at
/// any time, and `broker`.
class app {
public:
    explicit app(app_config config = app_config());
    app(const app&) = delete;
    app& operator=(const app&) = delete;

    /// Says so, and stops, where it is destroyed while it runs.
    ~app();

    /// Sets the handler for a contract's tasks; see `worker::on`. The config decides whether these tasks are run
    /// (`enabled_tasks`, `disabled_tasks`). Errors: `invalid_argument` for a second handler; `wrong_state` once the app has
    /// been run, also from the functions below.
    template <class R, class P, class Function>
    app& on(const detail::contract<R, P>& contract, Function handler) {
        detail::require_given(handler, "task", contract.name());
        detail::app_task task;
        task.name = contract.name();
        task.contract = contract.options();
        task.give_to = [contract, shared = std::make_shared<Function>(std::move(handler))](worker& to) {
            to.on(contract, std::move(*shared));
        };
        task.key_of = [keys = contract.keys(), name = task.name](std::string_view text) {
            return detail::key_of_text<P>(keys, text, [&] { return "the payload of task " + name; });
        };
        add(std::move(task));
        return *this;
    }

    /// Sets the function of a method, or serves an object's described functions; see `service::on` and `service::serve`. The
    /// config decides whether the service is served (`services`).
    template <class R, class P, class Function>
    app& serve(const detail::method_contract<R, P>& method, Function function) {
        detail::require_given(function, "method", method.name());
        auto shared = std::make_shared<Function>(std::move(function));
        return serve_by(std::string(method.service()), [method, shared](service& to) { to.on(method, std::move(*shared)); });
    }
    template <class Object>
    app& serve(std::string_view name, std::shared_ptr<Object> object) {
        return serve_by(std::string(name), [name = std::string(name), object](service& to) { to.serve(name, object); });
    }

    /// Submits a task with this payload at each time that the cron expression names in the options' time zone; see
    /// `scheduler::every`. Stored when the app starts. Errors: `invalid_argument` for an invalid expression, an unknown zone
    /// and a second schedule with the same id.
    template <class R, class P, class Payload>
        requires(!std::is_void_v<P>)
    app& every(std::string_view expression, const detail::contract<R, P>& contract, Payload&& payload,
               const schedule_options& options = schedule_options()) {
        return plan(expression, std::string(contract.name()), contract.options(),
                    detail::encode_keyed(contract, options.submit(), std::forward<Payload>(payload)), options);
    }

    /// Like `every` above, for a task without a payload.
    template <class R>
    app& every(std::string_view expression, const detail::contract<R, void>& contract,
               const schedule_options& options = schedule_options()) {
        return plan(expression, std::string(contract.name()), contract.options(), detail::encode_keyed(contract, options.submit()),
                    options);
    }

    /// Calls a function of this process at each time that the cron expression names; see `scheduler::local`. A config may
    /// change when it runs, or that it does (`jobs`). Errors: as for `every`.
    template <class Function>
    app& local(std::string_view id, std::string_view expression, Function function,
               const schedule_options& options = schedule_options()) {
        static_assert(std::invocable<Function&>, "a local job takes no arguments");
        detail::require_given(function, "local job", id);
        detail::app_job job;
        job.id = id;
        job.cron = expression;
        job.options = options;
        if constexpr (std::invocable<Function&>) {
            job.give_to = [shared = std::make_shared<Function>(std::move(function))](scheduler& to, const detail::app_job& as) {
                to.local(as.id, as.cron, [shared]() -> std::invoke_result_t<Function&> { return (*shared)(); }, as.options);
            };
            add(std::move(job));
        }
        return *this;
    }

    /// Like `local` above, for a job that runs only where the config says when.
    template <class Function>
    app& local(std::string_view id, Function function) {
        return local(id, std::string_view(), std::move(function));
    }

    /// Sets a coroutine that is spawned once the app has started, with a client that applies the config's limits; it is
    /// cancelled when the app stops. An exception from it ends the app.
    app& on_start(std::function<asio::awaitable<void>(client)> starter);

    /// Counts what the app does: gives these counters to its broker (not to that of `run_on`), worker, scheduler and service;
    /// `read_metrics` takes them, too, with `broker`. Null: nothing is counted, as at first.
    app& metrics(std::shared_ptr<process_metrics> into);

    /// Makes spans of attempts, and of what is submitted by the clients of `on_start`. Null: none, as at first.
    app& tracing(std::shared_ptr<tracer> by);

    /// Also reads config files of this format, beside JSON; see <taskflux/app/yaml.hpp>.
    app& accept(config_format format);

    /// Runs with the config that the constructor was given, on `threads` threads, the caller's included, until SIGINT or
    /// SIGTERM; then lets handlers finish within `drain_for`. A second signal ends the process at once. Returns the exit
    /// code: 0 stopped, 1 failed while running (the reason is in the log), 2 the config is wrong (the reason is on the standard
    /// error stream).
    int run();

    /// Like `run()`, with the config that the command line, its file and environment variables change; see docs/app.md.
    int run(int argc, const char* const* argv);

    /// Like `run()`, without signal handlers and threads, on the caller's broker: for tests, and for programs with a context
    /// of their own. Returns when it has been stopped. Like a worker, the app is destroyed before the context of that broker: write
    /// it behind the context. Errors: `config_error`, at once; those of `worker::run`.
    asio::awaitable<void> run_on(broker_ptr broker);

    /// What it runs on, once it runs: for `read_metrics`, `queue_control`, `inspector` and the like, in a function of `on_start` or
    /// a handler. It is closed when the app ends, but for that of `run_on`. Thread-safe. Errors: `wrong_state` before the app runs,
    /// and after `run`.
    broker_ptr broker() const;

    /// Ends `run` and `run_on` as a signal does; what is run later ends at once.
    void stop();

    /// The line that is printed at the start: version, node, backend, queues, slots.
    std::string start_line() const;

    const app_config& config() const { return config_.values; }

private:
    void require_new(const std::string& what, const char* call) const;
    void add(detail::app_task task);
    void add(detail::app_job job);
    app& serve_by(std::string name, std::function<void(service&)> give_to);
    app& plan(std::string_view expression, std::string task, const task_options& contract, detail::encoded_payload payload,
              const schedule_options& options);
    void check() const;
    bool is_enabled(const std::string& task) const;
    bool is_served(const std::string& name) const;
    std::vector<std::string> limited_queues() const;  // whose limits a config may have
    std::vector<detail::app_schedule> all_schedules() const;
    std::vector<detail::app_job> all_jobs() const;
    submit_options defaults() const;
    worker_options make_worker_options(const log_sink& log) const;
    log_sink log() const;
    int run_checked();
    void run_here();

    detail::loaded_config config_;
    std::vector<config_format> formats_;
    std::vector<detail::app_task> tasks_;
    std::vector<detail::app_method> methods_;
    std::vector<detail::app_schedule> schedules_;  // the program's own
    std::vector<detail::app_job> jobs_;
    std::vector<std::function<asio::awaitable<void>(client)>> starters_;
    std::shared_ptr<process_metrics> metrics_;
    std::shared_ptr<tracer> tracer_;
    std::optional<log_sink> log_;  // from run on
    detail::run_once<detail::app_core> life_;
    bool has_run_ = false;
    std::function<void()> on_ready_ = [] {};
};

}  // namespace taskflux
