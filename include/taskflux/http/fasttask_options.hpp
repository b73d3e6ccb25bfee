#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

/// What a program of a FastTask deployment is: `NODE_TYPE`.
enum class fasttask_node { single_node, distributed_master, distributed_worker };

/// Options of `fasttask_dialect`, and of the programs of a deployment. Errors of the setters: `invalid_argument`.
class fasttask_options {
public:
    fasttask_options() {}

    /// By FastTask's environment variables: `lookup` returns the value of one, or nothing. Empty ones count as absent. Errors:
    /// `invalid_argument`, which names the variable.
    static fasttask_options from_environment(const std::function<std::optional<std::string>(std::string_view name)>& lookup);

    /// Which calls there are; the others are answered with 404. Default: all. `API_RUN` and so on: on where it is `True`, or absent.
    fasttask_options& run(bool on) { return run_ = on, *this; }
    fasttask_options& create(bool on) { return create_ = on, *this; }
    fasttask_options& check(bool on) { return check_ = on, *this; }
    fasttask_options& revoke(bool on) { return revoke_ = on, *this; }
    fasttask_options& status_info(bool on) { return status_info_ = on, *this; }
    fasttask_options& upload(bool on) { return upload_ = on, *this; }
    fasttask_options& download(bool on) { return download_ = on, *this; }
    /// For what serves the API's page.
    fasttask_options& docs(bool on) { return docs_ = on, *this; }

    /// Limit of an attempt, for tasks whose contract has none; default a day (`SOFT_TIME_LIMIT`, s). Zero: none.
    fasttask_options& soft_time_limit(duration limit) {
        return soft_time_limit_ = detail::not_negative(limit, "soft_time_limit"), *this;
    }

    /// When a process would be killed; default a minute after the soft limit (`TIME_LIMIT`, s). For programs that run tasks in
    /// processes of their own; the dialect does not use it.
    fasttask_options& time_limit(duration limit) { return time_limit_ = detail::not_negative(limit, "time_limit"), *this; }

    /// How long the results of tasks are kept, failures too; default 3 days (`RESULT_EXPIRES`, s). Zero: not at all.
    fasttask_options& result_expires(duration length) {
        return result_expires_ = detail::not_negative(length, "result_expires"), *this;
    }

    /// How many tasks a worker runs at a time; default 0: one for each core (`WORKER_CONCURRENCY`).
    fasttask_options& worker_concurrency(std::size_t slots) { return worker_concurrency_ = slots, *this; }

    /// The tasks that a worker has handlers for: those that are enabled (none: all) and not disabled (`ENABLED_TASKS`,
    /// `DISABLED_TASKS`, by commas).
    fasttask_options& enabled_tasks(std::set<std::string, std::less<>> names) { return enabled_ = std::move(names), *this; }
    fasttask_options& disabled_tasks(std::set<std::string, std::less<>> names) { return disabled_ = std::move(names), *this; }

    /// The folder of files, which must be there; default none: no uploads and downloads. From the environment: `files`.
    fasttask_options& files(std::string folder) { return files_ = std::move(folder), *this; }

    /// The largest file that may be uploaded, in bytes; default 1 GiB.
    fasttask_options& max_upload(std::uint64_t bytes) { return max_upload_ = bytes, *this; }

    /// Whether files are removed that have not changed for so long (`FILE_CLEANUP_ENABLED`, `FILE_EXPIRATION_SECONDS`); default:
    /// after ten times the soft limit, and at least a minute. Not what is in the folder `fasttask`.
    fasttask_options& file_cleanup(bool on) { return file_cleanup_ = on, *this; }
    fasttask_options& file_expiration(duration age) {
        return file_expiration_ = detail::not_negative(age, "file_expiration"), *this;
    }

    /// A file with users and passwords (see `http::users`), whose logins count in the place of the gateway's own authentication.
    /// As long as there is no such file, anybody may call, as "Anonymous". Default none: the gateway's authentication. From the
    /// environment: `files/fasttask/conf/user_to_passwd.json`.
    fasttask_options& users_file(std::string path) { return users_file_ = std::move(path), *this; }

    /// `NODE_TYPE`, by its words; default `single_node`.
    fasttask_options& node(fasttask_node type) { return node_ = type, *this; }

    /// The broker's URL; default "redis://127.0.0.1:6379" (`MASTER_HOST`, `TASK_QUEUE_PORT`, `TASK_QUEUE_PASSWD`).
    fasttask_options& broker_url(std::string url) { return broker_url_ = std::move(url), *this; }

    /// Whether a worker of this program has a handler for this task.
    bool handles(std::string_view task) const {
        return (enabled_.empty() || enabled_.contains(task)) && !disabled_.contains(task);
    }

    /// Whether this program serves HTTP.
    bool serves() const { return node_ != fasttask_node::distributed_worker; }

    bool run() const { return run_; }
    bool create() const { return create_; }
    bool check() const { return check_; }
    bool revoke() const { return revoke_; }
    bool status_info() const { return status_info_; }
    bool upload() const { return upload_ && !files_.empty(); }
    bool download() const { return download_ && !files_.empty(); }
    bool docs() const { return docs_; }
    duration soft_time_limit() const { return soft_time_limit_; }
    duration time_limit() const { return time_limit_.value_or(soft_time_limit_ + std::chrono::seconds(60)); }
    duration result_expires() const { return result_expires_; }
    std::size_t worker_concurrency() const { return worker_concurrency_; }
    const std::string& files() const { return files_; }
    std::uint64_t max_upload() const { return max_upload_; }
    bool file_cleanup() const { return file_cleanup_; }
    duration file_expiration() const;
    const std::string& users_file() const { return users_file_; }
    fasttask_node node() const { return node_; }
    const std::string& broker_url() const { return broker_url_; }

private:
    bool run_ = true, create_ = true, check_ = true, revoke_ = true, status_info_ = true, upload_ = true, download_ = true, docs_ = true;
    duration soft_time_limit_ = std::chrono::hours(24);
    std::optional<duration> time_limit_;
    duration result_expires_ = std::chrono::hours(72);
    std::size_t worker_concurrency_ = 0;
    std::set<std::string, std::less<>> enabled_, disabled_;
    std::string files_;
    std::uint64_t max_upload_ = 1024ULL * 1024 * 1024;
    bool file_cleanup_ = true;
    std::optional<duration> file_expiration_;
    std::string users_file_;
    fasttask_node node_ = fasttask_node::single_node;
    std::string broker_url_ = "redis://127.0.0.1:6379";
};

}  // namespace taskflux
