#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/schedule.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/flow/scheduler_observer.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/log.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/describe/enum.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux {

/// Where a local job runs at each tick.
enum class local_scope {
    once_per_cluster,  ///< in one of all processes
    once_per_host,     ///< in one process of each host
    every_process      ///< in each process; the broker stores nothing, so that it can't be listed, paused or run out of turn
};
BOOST_DESCRIBE_ENUM(local_scope, once_per_cluster, once_per_host, every_process)

/// How a schedule behaves. Setters may be chained; name the options on a line of their own before a co_await.
class schedule_options {
public:
    schedule_options() {}

    /// The schedule's id, which names one schedule in all queues: 1 to 128 characters of A-Z a-z 0-9 _ - . /; default: the
    /// task's name. Ignored for local jobs.
    schedule_options& id(std::string_view name) { return id_ = detail::checked_name(name), *this; }

    /// What happens to missed ticks, at which no scheduler ran; default `fire_once`. `limit`, for `catch_up`: how many of
    /// them fire, 1 to 1000.
    schedule_options& misfire(misfire_policy policy, unsigned limit = 10) {
        if (limit == 0) {
            throw error(
                errc::invalid_argument,
                "schedule_options: the limit of misfire must be at least 1: to catch up with none use skip");
        }
        if (limit > detail::most_caught_up) {
            throw error(errc::invalid_argument,
                        "schedule_options: the limit of misfire must be at most 1000");
        }
        limit_ = policy == misfire_policy::catch_up ? limit : 1;
        return misfire_ = policy, *this;
    }

    /// How late a tick may fire without being missed; default 5 s, at most 365 days.
    schedule_options& grace(duration late) {
        return grace_ = at_most_a_year(late, "grace"), *this;
    }

    /// The names of the hosts that may fire it; empty (the default): all hosts.
    schedule_options& hosts(std::vector<std::string> names) {
        if (std::ranges::find(names, std::string()) != names.end()) {
            throw error(errc::invalid_argument, "schedule_options: a name in hosts is empty: leave it out");
        }
        return hosts_ = std::move(names), *this;
    }

    /// What happens at a tick when the task or local job of the last tick has not ended; default `allow`. For local jobs,
    /// only those that run in this process count.
    schedule_options& overlap(overlap_policy policy) { return overlap_ = policy, *this; }

    /// Delays each tick by a time of its own between zero and `most`; default zero, at most 365 days. Keep it below the
    /// time between two ticks.
    schedule_options& jitter(duration most) {
        return jitter_ = at_most_a_year(most, "jitter"), *this;
    }

    /// Options of each submission: queue, priority, retry, limits, headers, key. Errors: `invalid_argument` for others. Ignored
    /// for local jobs.
    schedule_options& submit(const submit_options& options) {
        if (!options.id().empty() || !options.unique_key().empty() || options.hold() || options.at() ||
            options.delay() != duration::zero() || options.on_duplicate() != duplicate::join) {
            throw error(
                errc::invalid_argument,
                "schedule_options: submit can't have an id, a unique key, on_duplicate, hold, delay or at: leave them out");
        }
        return submit_ = options, *this;
    }

    /// The time zone of a local job's expression; default UTC.
    schedule_options& zone(std::string_view name) { return zone_ = name, *this; }

    /// Where a local job runs; default: in `every_process`.
    schedule_options& scope(local_scope where) { return scope_ = where, *this; }

    const std::string& id() const { return id_; }
    const submit_options& submit() const { return submit_; }
    const std::string& zone() const { return zone_; }
    local_scope scope() const { return scope_; }

    /// A schedule's definition with these options; `place` is its time zone. Errors: `invalid_argument` for an invalid
    /// expression or an unknown zone.
    schedule_definition define(std::string id, std::string_view expression, std::string_view place) const {
        schedule_definition made;
        made.cron = cron(expression).text();
        made.zone = taskflux::zone::named(place).name();
        made.id = std::move(id);
        made.misfire = misfire_;
        made.limit = limit_;
        made.grace = grace_;
        made.overlap = overlap_;
        made.jitter = jitter_;
        made.hosts = hosts_;
        return made;
    }

private:
    static duration at_most_a_year(duration given, const std::string& name) {
        if (given < duration::zero()) throw error(errc::invalid_argument, "schedule_options: " + name + " must not be negative");
        if (given > detail::longest_delay) {
            throw error(errc::invalid_argument, "schedule_options: " + name + " must be at most 365 days");
        }
        return given;
    }

    std::string id_;
    misfire_policy misfire_ = misfire_policy::fire_once;
    unsigned limit_ = 1;
    duration grace_ = std::chrono::seconds(5);
    std::vector<std::string> hosts_;
    overlap_policy overlap_ = overlap_policy::allow;
    duration jitter_{};
    submit_options submit_;
    std::string zone_ = "UTC";
    local_scope scope_ = local_scope::every_process;
};

/// How a scheduler works. Setters may be chained; the same name without an argument reads.
class scheduler_options {
public:
    scheduler_options() {}

    /// The queues whose schedules it fires and lists; default: all queues of the broker.
    scheduler_options& queues(std::vector<std::string> names) {
        for (const auto& name : names) detail::checked_name(name);
        return queues_ = std::move(names), *this;
    }

    /// This host's name, for schedules of some hosts only and for jobs that run once per host; default: the system's host
    /// name. Set it where that changes, as in containers: a schedule that is stored for a host stays until it is removed.
    scheduler_options& host(std::string_view name) { return host_ = detail::checked_name(name), *this; }

    /// How often it looks for schedules that other processes have added or changed; default 1 s. While no queue can be
    /// read it backs off, up to ten times as long.
    scheduler_options& look_every(duration time) {
        if (time <= duration::zero()) {
            throw error(errc::invalid_argument,
                        "scheduler_options: look_every must be positive: use a millisecond or more");
        }
        return look_every_ = time, *this;
    }

    /// The executor of local jobs that are plain functions; default: threads of the scheduler's own, as many as the
    /// machine has cores, started when there are such jobs.
    scheduler_options& cpu(asio::any_io_executor executor) { return cpu_ = std::move(executor), *this; }

    /// How long a scheduler tries to reach the broker when it starts, before `run` throws; default: for ever, with back-off and a
    /// line in the log for each attempt.
    scheduler_options& start_timeout(duration limit) { return start_timeout_ = detail::not_negative(limit, "start_timeout"), *this; }

    /// Receives a line for each problem with the broker, a schedule or a local job; default: they go to standard error.
    scheduler_options& log(log_sink sink) { return log_ = std::move(sink), *this; }

    /// Is told of missed ticks; default: none.
    scheduler_options& observer(std::shared_ptr<scheduler_observer> to) { return observer_ = std::move(to), *this; }

    const std::vector<std::string>& queues() const { return queues_; }
    const std::string& host() const { return host_; }
    duration look_every() const { return look_every_; }
    const asio::any_io_executor& cpu() const { return cpu_; }
    const std::optional<duration>& start_timeout() const { return start_timeout_; }
    const log_sink& log() const { return log_; }
    const std::shared_ptr<scheduler_observer>& observer() const { return observer_; }

private:
    std::vector<std::string> queues_;
    std::string host_;
    duration look_every_ = std::chrono::seconds(1);
    asio::any_io_executor cpu_;
    std::optional<duration> start_timeout_;
    log_sink log_;
    std::shared_ptr<scheduler_observer> observer_;
};

}  // namespace taskflux
