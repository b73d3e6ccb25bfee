#pragma once

#include <taskflux/app/config/time_span.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/schedule.hpp>
#include <taskflux/core/task.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux {

/// Where a program runs. A config has a section for each that differs.
enum class app_environment { TEST, STAGE, PRODUCTION };
BOOST_DESCRIBE_ENUM(app_environment, TEST, STAGE, PRODUCTION)

/// A schedule as a config names it; see `schedule_options` for what the members mean.
struct schedule_config {
    std::string id;             ///< empty: the task's name
    std::string task;           ///< one that the app has a handler for
    std::string cron;           ///< such as "0 9 * * MON-FRI" or "@every 5m"
    std::string zone = "UTC";
    boost::json::value payload; ///< as the task takes it
    std::string queue;          ///< empty: that of the task
    bool enabled = true;        ///< false: what is stored under its id is removed
    misfire_policy misfire = misfire_policy::fire_once;
    overlap_policy overlap = overlap_policy::allow;
    time_span grace = std::chrono::seconds(5);
    time_span jitter;
    std::vector<std::string> hosts;
};
BOOST_DESCRIBE_STRUCT(schedule_config, (), (id, task, cron, zone, payload, queue, enabled, misfire, overlap, grace,
                                            jitter, hosts))

/// What an `app` works by. Each member is a key of a config file, and but for `schedules` an environment variable, its name
/// in capitals after TASKFLUX_.
struct app_config {
    std::string url = "memory://";            ///< the broker's; see `connect`
    std::string node;                         ///< this node's name in records and schedules' hosts; empty: the host's
    std::vector<std::string> queues;          ///< in this order, strictly; empty: those of the tasks
    std::map<std::string, unsigned> weights;  ///< not empty: instead of the order; a queue that is not in it weighs 1
    unsigned concurrency = 16;                ///< so many tasks at a time
    unsigned threads = 1;                     ///< that run coroutines
    unsigned cpu_threads = 0;                 ///< that run plain functions; 0: one a core
    time_span lease = std::chrono::seconds(30);      ///< see `worker_options`, as of the next
    time_span drain_for = std::chrono::seconds(30);
    std::string log_path;                     ///< is appended to; empty: the standard error stream
    taskflux::log_level log_level = taskflux::log_level::info;  ///< lines below it are left out
    std::vector<std::string> services;        ///< those to serve; empty: all
    std::vector<schedule_config> schedules;
    std::vector<std::string> enabled_tasks;   ///< not empty: these tasks are run and no others
    std::vector<std::string> disabled_tasks;  ///< these tasks are not run, unless they are enabled
    time_span timeout;                        ///< of an attempt here whose task has none; 0: none
    time_span deadline;                       ///< of a task that is submitted here and has none; 0: none
    std::optional<time_span> retention;       ///< of such a task whose contract keeps to the usual hour
    std::optional<time_span> failed_retention;  ///< of such a task whose contract keeps to the usual week
    std::optional<app_environment> env;
};
BOOST_DESCRIBE_STRUCT(app_config, (), (url, node, queues, weights, concurrency, threads, cpu_threads, lease, drain_for,
                                       log_path, log_level, services, schedules, enabled_tasks, disabled_tasks, timeout,
                                       deadline, retention, failed_retention, env))

/// A config that can't be used. `what()` reads like `app.json:3:5: /concurrency: expected an integer from 1 …, got 0`.
class config_error : public error {
public:
    /// `pointer`: the JSON pointer of what is wrong; empty for the whole. `place`: where it was said.
    config_error(std::string pointer, std::string reason, std::string place = "config")
        : error(errc::invalid_argument, reason), pointer_(std::move(pointer)), reason_(std::move(reason)),
          what_(std::move(place) + ": " + (pointer_.empty() ? "" : pointer_ + ": ") + reason_) {}

    const char* what() const noexcept override { return what_.c_str(); }
    const std::string& pointer() const { return pointer_; }
    const std::string& reason() const { return reason_; }

private:
    std::string pointer_;
    std::string reason_;
    std::string what_;
};

/// A config file, read: its values, and for the JSON pointers of what it says, where it says so ("app.json:3:5").
struct config_document {
    boost::json::value root;
    std::map<std::string, std::string> places;
};

/// A kind of config files: what their names end in, and what reads a text, whose name is for errors.
struct config_format {
    std::vector<std::string> endings;
    std::function<config_document(std::string_view text, const std::string& name)> read;
};

/// What a config is made of. Setters may be chained.
class config_sources {
public:
    config_sources() {}

    /// The file to read; by default none.
    config_sources& file(std::string path) { return file_ = std::move(path), *this; }

    /// Environment variables, by name; by default none. Of interest are those that begin with TASKFLUX_. An empty one is as
    /// one that is not set.
    config_sources& variables(std::map<std::string, std::string> all) { return variables_ = std::move(all), *this; }

    /// TEST, STAGE or PRODUCTION; by default the variable TASKFLUX_ENV says, or the file's `env`.
    config_sources& env(std::string name) { return env_ = std::move(name), *this; }

    /// Reads files of another kind than .json.
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

/// Puts a config together: of `base`, the file, that file's section for the environment, the variables; what comes later
/// wins. All sections are checked, also those that are not used. Errors: `config_error`.
app_config load_config(const config_sources& sources, const app_config& base = app_config());

/// Reads a JSON file. Errors: `config_error`.
app_config load_config(const std::string& path);

/// Whether every value is one that can be used. Errors: `config_error`, for the first that is not.
void check_config(const app_config& config);

}  // namespace taskflux
