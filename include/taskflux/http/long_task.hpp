#pragma once

#include <taskflux/app/config.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/core/zone.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/http/dialect.hpp>

#include <boost/describe/class.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux {

/// Where the tasks of a service go.
struct long_task_source {
    std::string source_name;  ///< what its tasks say of where their data is
    std::string topic_name;   ///< the queue that they are put into
    std::string consumer_id;  ///< who may fetch them; empty: anybody
};
BOOST_DESCRIBE_STRUCT(long_task_source, (), (source_name, topic_name, consumer_id))

/// Options of a `long_task_dialect`.
class long_task_options {
public:
    long_task_options() {}

    /// Adds a service: the type of its tasks, and their name in the broker. Errors: `invalid_argument` for a name that is empty, too
    /// long or there already, and for a topic that is no queue's name.
    long_task_options& service(std::string name, long_task_source source);

    /// Of how many tasks `status_task` tells at most; default 10. Errors: `invalid_argument` for none.
    long_task_options& max_status_task(std::size_t tasks);

    /// Whether a task waits for workers from its creation on; default: it does. Otherwise `start_task` lets it.
    long_task_options& starts_at_once(bool on) { return starts_at_once_ = on, *this; }

    /// What the header `Authorization` must be, with no word in front; empty, the default: clients log in as those of the gateway.
    long_task_options& token(std::string text) { return token_ = std::move(text), *this; }

    /// Whose clocks the times of answers show; default UTC.
    long_task_options& times_in(zone where) { return zone_ = std::move(where), *this; }

    /// How long a worker that has fetched a task, or has said that it runs, may say nothing of it before others get it; default 24 h.
    /// Errors: `invalid_argument` below a second.
    long_task_options& lease(duration length);

    /// How long tasks that have ended are kept; default 30 d. Errors: `invalid_argument` for a negative one.
    long_task_options& retention(duration ended);

    const std::map<std::string, long_task_source>& services() const { return services_; }
    const std::vector<std::string>& names() const { return names_; }  ///< in their order
    std::size_t max_status_task() const { return max_status_; }
    bool starts_at_once() const { return starts_at_once_; }
    const std::string& token() const { return token_; }
    const zone& times_in() const { return zone_; }
    duration lease() const { return lease_; }
    duration retention() const { return retention_; }

private:
    std::map<std::string, long_task_source> services_;
    std::vector<std::string> names_;
    std::size_t max_status_ = 10;
    bool starts_at_once_ = true;
    std::string token_;
    zone zone_;
    duration lease_ = std::chrono::hours(24);
    duration retention_ = std::chrono::hours(24 * 30);
};

/// Serves the clients of the long-task API: `POST /api/create_task`, `status_task`, `update_status_task`, `result_task`, `tasks`,
/// `start_task`, `update_task` and `service_task`; and `fetch_task`, by which workers get their tasks over HTTP. Any number of
/// gateways on one Redis answer as one. See docs/long-task.md.
class long_task_dialect : public http::dialect {
public:
    explicit long_task_dialect(long_task_options options) : options_(std::move(options)) {}

    std::string_view name() const override { return "long_task"; }
    void add_to(http::routes& to, const http::gateway_parts& with) override;

private:
    long_task_options options_;
};

/// Where the tasks are, in one environment.
struct long_task_connection {
    std::string url;  ///< as `connect` takes it
};
BOOST_DESCRIBE_STRUCT(long_task_connection, (), (url))

/// The config file of the long-task API, in JSON or YAML; keys that it doesn't know, such as those of Kafka and MongoDB, are passed
/// over.
struct long_task_config {
    app_environment default_env = app_environment::TEST;
    std::vector<std::string> service;
    std::map<std::string, long_task_source> source_db;
    std::size_t max_status_task = 10;
    bool starts_at_once = true;
    std::optional<long_task_connection> TEST;
    std::optional<long_task_connection> STAGE;
    std::optional<long_task_connection> PRODUCTION;
};
BOOST_DESCRIBE_STRUCT(long_task_config, (), (default_env, service, source_db, max_status_task, starts_at_once, TEST, STAGE, PRODUCTION))

/// Reads a config by the format of a file, such as `yaml_format()`. `name`: the file's, for errors. Errors: `config_error`.
long_task_config read_long_task_config(const config_format& by, std::string_view text, const std::string& name);

/// The options that a config and the environment variables `AUTH_TOKEN` say. Errors: `invalid_argument` for a service without a
/// source, and those of `long_task_options`.
long_task_options options_of(const long_task_config& config, const std::map<std::string, std::string>& variables);

/// The URL for `connect` of the environment that the variable `default_env`, or else the config, names. Errors: `invalid_argument`
/// where the config has none for it.
std::string url_of(const long_task_config& config, const std::map<std::string, std::string>& variables);

}  // namespace taskflux
