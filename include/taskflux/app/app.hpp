#pragma once

#include <taskflux/app/app/log_writer.hpp>
#include <taskflux/app/config.hpp>
#include <taskflux/app/config/load.hpp>
#include <taskflux/app/config/schedules.hpp>
#include <taskflux/broker/broker.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/method.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/detail/payload.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/scheduler_options.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
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
    std::function<void(std::string_view)> check_payload;  // throws `payload_error`
};

/// What an app serves.
struct app_method {
    std::string of;  // the service's name
    std::function<void(service&)> give_to;
};

}  // namespace detail

/// A whole program: a broker, a worker, services, schedules, its place in the directory, a log, signals and exit codes, from one config.
///
///     taskflux::app app;
///     app.on(report, make_report);
///     app.every("0 9 * * MON-FRI", report, "daily");
///     return app.run(argc, argv);
///
/// It is the only part of the library that installs signal handlers and prints. For one thread, but for `stop`.
class app {
public:
    explicit app(app_config config = app_config());
    app(const app&) = delete;
    app& operator=(const app&) = delete;
    ~app();

    /// Sets the handler for a contract's tasks; see `worker::on`. Whether it is used the config says. Errors:
    /// `invalid_argument` for a second handler; `wrong_state`, as of all below, once it runs.
    template <class R, class P, class Function>
    app& on(const detail::contract<R, P>& contract, Function handler) {
        detail::app_task task;
        task.name = contract.name();
        task.contract = contract.options();
        task.give_to = [contract, shared = std::make_shared<Function>(std::move(handler))](worker& to) {
            to.on(contract, std::move(*shared));
        };
        task.check_payload = [](std::string_view text) { decode<P>(text); };
        add(std::move(task));
        return *this;
    }

    /// Sets what a method does, or serves an object's described functions; see `service::on` and `service::serve`. Whether
    /// the service is used the config says.
    template <class R, class P, class Function>
    app& serve(const detail::method_contract<R, P>& method, Function function) {
        auto shared = std::make_shared<Function>(std::move(function));
        return serve_by(std::string(method.service()), [method, shared](service& to) { to.on(method, std::move(*shared)); });
    }
    template <class Object>
    app& serve(std::string_view name, std::shared_ptr<Object> object) {
        return serve_by(std::string(name), [name = std::string(name), object](service& to) { to.serve(name, object); });
    }

    /// Submits a task with this payload at each time that `expression` names, by clocks in the options' zone; see
    /// `scheduler::every`. Stored when the app starts. Errors: `invalid_argument` for an expression or zone that is not
    /// known, and for a second schedule of one id.
    template <class R, class P, class Payload>
        requires(!std::is_void_v<P>)
    app& every(std::string_view expression, const detail::contract<R, P>& contract, Payload&& payload,
               const schedule_options& options = schedule_options()) {
        return plan(expression, std::string(contract.name()), contract.options(),
                    detail::encode_payload<P>(std::forward<Payload>(payload)), options);
    }

    /// Schedules a task without a payload.
    template <class R>
    app& every(std::string_view expression, const detail::contract<R, void>& contract,
               const schedule_options& options = schedule_options()) {
        return plan(expression, std::string(contract.name()), contract.options(), detail::encode_payload<void>(), options);
    }

    /// Spawned once the app has started, with a client that knows the config's limits; cancelled when the app stops. What it
    /// throws ends the app.
    app& on_start(std::function<asio::awaitable<void>(client)> starter);

    /// Reads config files of another kind than .json; see <taskflux/app/yaml.hpp>.
    app& accept(config_format format);

    /// Runs with the config that it was made with, on `threads` threads of which the caller's is one, until SIGINT or
    /// SIGTERM; then lets handlers end within `drain_for`. A second signal ends the process at once. Returns the exit code:
    /// 0 done, 1 it failed while it ran, 2 the config is wrong; why is on the standard error stream.
    int run();

    /// Like `run()`, with the config that the command line and environment variables make of it; see docs/app.md.
    int run(int argc, const char* const* argv);

    /// Like `run()`, with neither signals nor threads, and on a broker of the caller's: the part for tests, and for programs that
    /// have a context of their own. Returns when it has been stopped. Errors: `config_error`, at once; those of `worker::run`.
    asio::awaitable<void> run_on(broker_ptr broker);

    /// Ends `run` and `run_on` as a signal does. Thread-safe once `run_on` has been called or `on_start`'s function has.
    void stop();

    /// What is printed when it has started: version, node, backend, queues, slots.
    std::string start_line() const;

    const app_config& config() const { return config_.values; }

private:
    void add(detail::app_task task);
    app& serve_by(std::string name, std::function<void(service&)> give_to);
    app& plan(std::string_view expression, std::string task, const task_options& contract, std::string payload,
              const schedule_options& options);
    void check() const;
    bool is_enabled(const std::string& task) const;
    bool is_served(const std::string& name) const;
    std::vector<detail::app_schedule> all_schedules() const;
    submit_options defaults() const;
    worker_options make_worker_options(const std::shared_ptr<detail::log_writer>& log) const;
    std::shared_ptr<detail::log_writer> log() const;
    int run_checked();
    void run_here();

    detail::loaded_config config_;
    std::vector<config_format> formats_;
    std::vector<detail::app_task> tasks_;
    std::vector<detail::app_method> methods_;
    std::vector<detail::app_schedule> schedules_;  // the program's own
    std::vector<std::function<asio::awaitable<void>(client)>> starters_;
    std::shared_ptr<detail::log_writer> log_;
    std::shared_ptr<detail::app_core> core_;
    bool has_run_ = false;
    std::function<void()> on_ready_ = [] {};
};

}  // namespace taskflux
