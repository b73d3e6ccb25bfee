#pragma once

#include <taskflux/app/config/time_span.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/schedule.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/flow/scheduler_options.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux {

/// The environment that a program runs in. A config may have a section for each.
enum class app_environment { TEST, STAGE, PRODUCTION };
BOOST_DESCRIBE_ENUM(app_environment, TEST, STAGE, PRODUCTION)

/// A schedule in a config; see `schedule_options` for the members.
struct schedule_config {
    std::string id;             ///< empty: the task's name
    std::string task;           ///< one that the app has a handler for
    std::string cron;           ///< such as "0 9 * * MON-FRI" or "@every 5m"
    std::string zone = "UTC";
    boost::json::value payload; ///< the task's, as JSON
    std::string queue;          ///< empty: that of the task
    bool enabled = true;        ///< false: a stored schedule with its id is removed
    misfire_policy misfire = misfire_policy::fire_once;
    overlap_policy overlap = overlap_policy::allow;
    time_span grace = std::chrono::seconds(5);
    time_span jitter;
    std::vector<std::string> hosts;
};
BOOST_DESCRIBE_STRUCT(schedule_config, (), (id, task, cron, zone, payload, queue, enabled, misfire, overlap, grace,
                                            jitter, hosts))

/// When a local job of the program runs; see `schedule_options` for the members.
struct job_config {
    std::string job;   ///< one that the app has
    std::string cron;  ///< empty: the program's
    std::string zone = "UTC";
    bool enabled = true;
    local_scope scope = local_scope::every_process;
    misfire_policy misfire = misfire_policy::fire_once;
    overlap_policy overlap = overlap_policy::allow;
    time_span grace = std::chrono::seconds(5);
    time_span jitter;
    std::vector<std::string> hosts;
};
BOOST_DESCRIBE_STRUCT(job_config, (), (job, cron, zone, enabled, scope, misfire, overlap, grace, jitter, hosts))

/// A limit in a config; see `limit` for the members. Empty: takes an earlier declaration back.
struct limit_config {
    std::optional<unsigned> running;
    std::optional<unsigned> rate;         ///< starts in each `per`
    std::optional<time_span> per;         ///< default 1 s; only with `rate`
    std::optional<unsigned> burst;        ///< only with `rate`
    std::optional<unsigned> max_waiting;  ///< of a queue only
};
BOOST_DESCRIBE_STRUCT(limit_config, (), (running, rate, per, burst, max_waiting))

/// The limits of a queue's keys in a config.
struct key_limits_config {
    std::optional<limit_config> each;          ///< of each key
    std::map<std::string, limit_config> keys;  ///< of single keys, in place of what each has
};
BOOST_DESCRIBE_STRUCT(key_limits_config, (), (each, keys))

/// The config of an `app`. Each member is a key of a config file and, but for `limits`, `key_limits`, `schedules` and `jobs`, an
/// environment variable: TASKFLUX_ and its name in capitals.
struct app_config {
    std::string url = "memory://";            ///< the broker's; see `connect`
    std::string node;                         ///< this node's name in records and schedules' hosts; empty: the host's
    std::vector<std::string> queues;          ///< in this order, strictly; empty: those of the tasks
    std::map<std::string, unsigned> weights;  ///< not empty: replace the order; a queue that is not here has weight 1
    std::map<std::string, limit_config> limits;           ///< of queues, which the worker declares
    std::map<std::string, key_limits_config> key_limits;  ///< of queues' keys, the same
    unsigned concurrency = 16;                ///< tasks that run at a time
    unsigned threads = 1;                     ///< threads that run coroutines
    unsigned cpu_threads = 0;                 ///< threads that run plain functions; 0: one a core
    time_span lease = std::chrono::seconds(30);      ///< see `worker_options`
    time_span drain_for = std::chrono::seconds(30);  ///< see `worker_options`
    std::optional<time_span> start_timeout;   ///< how long it tries to reach the broker when it starts; default: for ever
    std::string log_path;                     ///< the log file, appended to; empty: standard error
    taskflux::log_level log_level = taskflux::log_level::info;  ///< lines below it are left out
    std::vector<std::string> services;        ///< those to serve; empty: all
    std::vector<schedule_config> schedules;
    std::vector<job_config> jobs;             ///< each in place of what the program says of its local job
    std::vector<std::string> enabled_tasks;   ///< not empty: only these tasks are run
    std::vector<std::string> disabled_tasks;  ///< these tasks are not run, unless they are enabled
    time_span timeout;                        ///< of an attempt at a task that has none; 0: none
    time_span deadline;                       ///< of a task submitted here that has none; 0: none
    std::optional<time_span> retention;       ///< of a task submitted here that does not set it; default 1 h
    std::optional<time_span> failed_retention;  ///< of a task submitted here that does not set it; default 7 days
    std::optional<app_environment> env;
};
BOOST_DESCRIBE_STRUCT(app_config, (), (url, node, queues, weights, limits, key_limits, concurrency, threads, cpu_threads, lease,
                                       drain_for, start_timeout, log_path, log_level, services, schedules, jobs, enabled_tasks, disabled_tasks, timeout,
                                       deadline, retention, failed_retention, env))

namespace detail {

/// A name in a config as an error shows it; not at all where it may be a URL with a password in it.
inline std::string shown_name(std::string_view name) {
    return name.find_first_of("@:") == std::string_view::npos ? printable(name) : "…";
}

inline std::string shown_pointer(std::string_view pointer) {
    std::string out;
    while (!pointer.empty()) {
        const auto end = (std::min)(pointer.find('/', 1), pointer.size());
        out.append(1, '/').append(shown_name(pointer.substr(1, end - 1)));
        pointer.remove_prefix(end);
    }
    return out;
}

}  // namespace detail

/// A config that can't be used. `what()` reads like `app.json:3:5: /concurrency: expected an integer from 1 …, got 0`.
class config_error : public error {
public:
    /// `pointer`: the JSON pointer of the wrong value; empty for the whole config. `place`: file, line and column, or the
    /// environment variable.
    config_error(std::string pointer, std::string reason, const std::string& place = "config")
        : error(errc::invalid_argument, place + ": " + (pointer.empty() ? "" : detail::shown_pointer(pointer) + ": ") + reason),
          pointer_(std::move(pointer)), reason_(std::move(reason)) {}

    const std::string& pointer() const { return pointer_; }
    const std::string& reason() const { return reason_; }

private:
    std::string pointer_;
    std::string reason_;
};

/// The values of a config file, and the place of each ("app.json:3:5") by JSON pointer.
struct config_document {
    boost::json::value root;
    std::map<std::string, std::string> places;
};

/// A format of config files: the endings of their names, and a function that reads a text; `name` is the file's, for errors.
struct config_format {
    std::vector<std::string> endings;
    std::function<config_document(std::string_view text, const std::string& name)> read;
};

/// The sources of a config. Setters may be chained.
class config_sources {
public:
    config_sources() {}

    /// The file to read; default: none.
    config_sources& file(std::string path) { return file_ = std::move(path), *this; }

    /// Environment variables by name; default: none. Those that begin with TASKFLUX_ are used; an empty one counts as not set.
    config_sources& variables(std::map<std::string, std::string> all) { return variables_ = std::move(all), *this; }

    /// TEST, STAGE or PRODUCTION; default: the variable TASKFLUX_ENV, or the file's `env`.
    config_sources& env(std::string name) { return env_ = std::move(name), *this; }

    /// Also reads files of this format, beside JSON.
    config_sources& format(config_format another) { return formats_.push_back(std::move(another)), *this; }

    const std::string& file() const { return file_; }
    const std::map<std::string, std::string>& variables() const { return variables_; }
    const std::string& env() const { return env_; }
    const std::vector<config_format>& formats() const { return formats_; }

private:
    std::string file_;
    std::map<std::string, std::string> variables_;
    std::string env_;
    std::vector<config_format> formats_;
};

/// The program's environment variables that begin with TASKFLUX_.
std::map<std::string, std::string> taskflux_variables();

/// Loads a config from `base`, the file, the file's section for the environment, and the variables; a later source overrides
/// an earlier one. All sections are checked, also unused ones. Errors: `config_error`.
app_config load_config(const config_sources& sources, const app_config& base = app_config());

/// Reads a JSON file. Errors: `config_error`.
app_config load_config(const std::string& path);

/// Checks that every value can be used. Errors: `config_error` for the first that can't.
void check_config(const app_config& config);

}  // namespace taskflux
