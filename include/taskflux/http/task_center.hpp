#pragma once

#include <taskflux/fwd.hpp>
#include <taskflux/http/dialect.hpp>

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

/// Options of a `task_center_dialect`.
class task_center_options {
public:
    task_center_options() {}

    /// What stands in front of the names of its queues in the broker, so that its clients see no others; default nothing: they see
    /// all queues of the broker. Errors: `invalid_argument` for what no queue's name can begin with.
    task_center_options& queue_prefix(std::string_view text);

    /// What `GET /version` and `GET /buildtime` answer; default taskflux' version, and nothing.
    task_center_options& version(std::string text) { return version_ = std::move(text), *this; }
    task_center_options& build_time(std::string text) { return build_time_ = std::move(text), *this; }

    const std::string& queue_prefix() const { return prefix_; }
    const std::string& version() const { return version_; }
    const std::string& build_time() const { return build_time_; }

private:
    std::string prefix_;
    std::string version_;
    std::string build_time_;
};

/// Serves the clients of Task Center: `POST /task/put`, `peek`, `acquire`, `reply`, `call`, `remove`, `clear_queue`, `list_queue`
/// and `stat_queue`. Any number of gateways on one Redis answer as one.
///
///     gate.mount(taskflux::task_center_dialect());
///
/// Its clients log in as those of the gateway do; where it has no authentication, everybody may call everything. Looking needs the
/// permission `read`, putting and calling `submit`, and the rest `control`. See docs/task-center.md.
class task_center_dialect : public http::dialect {
public:
    explicit task_center_dialect(task_center_options options = task_center_options()) : options_(std::move(options)) {}

    std::string_view name() const override { return "task_center"; }
    void add_to(http::routes& to, const http::gateway_parts& with) override;

private:
    task_center_options options_;
};

/// The URL for `connect` that the environment variables of Task Center say: `redis_host` (127.0.0.1), `redis_port` (6379), `redis_db` (0) and
/// `redis_prefix` (tc), in capitals or small letters. Errors: `invalid_argument`, which names the variable.
std::string task_center_url(const std::map<std::string, std::string>& variables);

}  // namespace taskflux
