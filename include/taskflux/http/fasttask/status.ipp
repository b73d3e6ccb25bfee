#pragma once

#include <taskflux/admin/directory.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/http/fasttask/core.hpp>
#include <taskflux/http/fasttask/python_text.hpp>
#include <taskflux/http/fasttask/running_id.hpp>
#include <taskflux/http/fasttask/status.hpp>
#include <taskflux/http/fasttask/told_state.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace taskflux::detail {

namespace status {

struct window {
    std::string_view name;
    task_window throughput::*of;
    double seconds;
};

inline constexpr std::array<window, 4> windows{{{"1_minute", &throughput::minute, 60},
                                                {"15_minute", &throughput::quarter, 900},
                                                {"1_hour", &throughput::hour, 3600},
                                                {"1_day", &throughput::day, 86400}}};

inline std::uint64_t failures(const ended_tasks& of) { return of.failed + of.expired; }

inline std::uint64_t ends(const ended_tasks& of) { return of.succeeded + failures(of) + of.cancelled; }

inline void add(ended_tasks& to, const ended_tasks& other) {
    to.succeeded += other.succeeded;
    to.failed += other.failed;
    to.cancelled += other.cancelled;
    to.expired += other.expired;
}

inline double rate(std::uint64_t count, double seconds) { return std::round(static_cast<double>(count) / seconds * 100) / 100; }

inline constexpr std::array<std::string_view, 3> words{"worker_status", "task_info", "pending_task_count"};

/// Errors: `problem` 422.
inline std::set<std::string> fields_in(const http::request& asked, const std::string& text) {
    const auto body = read_params_body(asked, text);
    const boost::json::array place{"body"}, at{"body", "fields"};
    param_flaws flaws;
    std::set<std::string> made;
    if (!body.is_object()) {
        flaws.emplace_back("model_attributes_type", place, "Input should be a valid dictionary or object to extract fields from", body);
        throw unprocessable(flaws);
    }
    const auto* given = body.get_object().if_contains("fields");
    if (!given) return made;
    if (!given->is_array()) {
        flaws.emplace_back("list_type", at, "Input should be a valid list", *given);
        throw unprocessable(flaws);
    }
    constexpr std::string_view expected = "'worker_status', 'task_info' or 'pending_task_count'";
    for (std::size_t i = 0; i < given->get_array().size(); ++i) {
        const auto& one = given->get_array()[i];
        if (one.is_string() && std::ranges::find(words, std::string_view(one.get_string())) != words.end()) {
            made.emplace(one.get_string());
            continue;
        }
        auto where = at;
        where.emplace_back(i);
        flaws.emplace_back("enum", std::move(where), "Input should be " + std::string(expected), one, boost::json::object{{"expected", expected}});
    }
    if (!flaws.empty()) throw unprocessable(flaws);
    return made;
}

/// Attempts under way in the queues of the tasks: the first some hundred of each.
inline asio::awaitable<std::vector<active_task>> active_tasks(fasttask_ptr core) {
    constexpr std::size_t most = 500;
    std::vector<active_task> all;
    for (const auto& queue : core->queues()) {
        list_query which;
        which.queue = queue;
        which.state = task_state::running;
        which.limit = most;
        auto listing = core->broker()->list(std::move(which));
        const auto page = co_await std::move(listing);
        for (const auto& one : page.tasks) {
            active_task made{one.own_id.empty() ? to_string(one.id) : one.own_id, one.name, worker_of(one.consumer)};
            all.push_back(std::move(made));
        }
    }
    co_return all;
}

inline asio::awaitable<std::map<std::string, task_figures>> figures(fasttask_ptr core, const std::vector<active_task>* active) {
    std::map<std::string, task_figures> all;
    for (const auto& queue : core->queues()) {
        const statistics of(core->broker(), queue);
        auto asking = of.now();
        const auto now = co_await std::move(asking);
        for (const auto& [name, task] : core->tasks()) {
            if (task.task().queue() != queue) continue;
            auto& made = all[name];
            for (const auto& one : now.tasks) {
                if (one.name == name) made.all = one.counts;
            }
            auto rating = of.rates(name);
            made.lately = co_await std::move(rating);
        }
    }
    for (const auto& one : *active) {
        if (const auto found = all.find(one.name); found != all.end()) ++found->second.running;
    }
    co_return all;
}

inline asio::awaitable<std::uint64_t> pending(fasttask_ptr core) {
    std::uint64_t sum = 0;
    for (const auto& queue : core->queues()) {
        auto counting = core->broker()->counts(queue);
        const auto counts = co_await std::move(counting);
        sum += counts.waiting + counts.scheduled;
    }
    co_return sum;
}

}  // namespace status

boost::json::object told_figures(const task_figures& of) {
    const auto& ended = of.all.ended;
    const auto open = of.all.submitted - (std::min)(of.all.submitted, status::ends(ended));
    boost::json::object amounts{{"PENDING", open - (std::min)(open, of.running)},
                                {"STARTED", of.running},
                                {"SUCCESS", ended.succeeded},
                                {"FAILURE", status::failures(ended)},
                                {"REVOKED", ended.cancelled}};
    boost::json::object rates, counts;
    for (const auto& one : status::windows) {
        const auto& seen = (of.lately.*one.of).ended;
        counts["success_in_" + std::string(one.name)] = seen.succeeded;
        rates["success_in_" + std::string(one.name)] = status::rate(seen.succeeded, one.seconds);
    }
    for (const auto& one : status::windows) {
        const auto failed = status::failures((of.lately.*one.of).ended);
        counts["failure_in_" + std::string(one.name)] = failed;
        rates["failure_in_" + std::string(one.name)] = status::rate(failed, one.seconds);
    }
    return {{"status_to_amount", std::move(amounts)},
            {"throughput_rates_per_second", std::move(rates)},
            {"completed_counts", std::move(counts)}};
}

task_figures sum_of(const std::map<std::string, task_figures>& all) {
    task_figures sum;
    for (const auto& [name, one] : all) {
        sum.all.submitted += one.all.submitted;
        sum.running += one.running;
        status::add(sum.all.ended, one.all.ended);
        for (const auto& part : status::windows) status::add((sum.lately.*part.of).ended, (one.lately.*part.of).ended);
    }
    return sum;
}

boost::json::object told_workers(const std::vector<node_info>& nodes, const std::vector<active_task>& active, time_point now) {
    boost::json::array names;
    boost::json::object details;
    for (const auto& one : nodes) {
        const auto name = details.contains(one.name) ? one.name + "@" + one.id : one.name;
        boost::json::array ids;
        for (const auto& task : active) {
            if (task.worker == name) ids.emplace_back(task.id);
        }
        const auto up = std::chrono::floor<std::chrono::seconds>((std::max)(now - one.started_at, duration::zero()));
        constexpr std::uint64_t kilobyte = 1024;
        names.emplace_back(name);
        details[name] = boost::json::object{{"active_tasks", std::move(ids)},
                                            {"reserved_tasks", boost::json::array()},
                                            {"scheduled_tasks", boost::json::array()},
                                            {"total", boost::json::object()},
                                            {"uptime", up.count()},
                                            {"pool.max-concurrency", one.concurrency},
                                            {"prefetch_count", one.concurrency},
                                            {"rusage.maxrss", one.memory / kilobyte}};
    }
    return {{"online_worker_count", nodes.size()}, {"online_workers_list", std::move(names)}, {"worker_details", std::move(details)}};
}

asio::awaitable<http::response> fasttask_status(fasttask_ptr core, http::call& in) {
    auto reading = in.read_all();
    const auto text = co_await std::move(reading);
    const auto asked = status::fields_in(in.request(), text);
    auto naming = fasttask_running_id(core->broker());
    const auto running_id = co_await std::move(naming);
    const boost::json::object nothing;
    boost::json::object told;
    told["running_id"] = running_id;
    told["username"] = in.who().name().empty() ? "Anonymous" : in.who().name();
    told["worker_status"] = nothing;
    told["task_info_total"] = nothing;
    for (const auto& [name, task] : core->tasks()) told["task_info_" + name] = nothing;
    told["pending_task_count"] = nothing;
    std::vector<active_task> active;
    if (asked.contains("worker_status") || asked.contains("task_info")) {
        auto listing = status::active_tasks(core);
        active = co_await std::move(listing);
    }
    if (asked.contains("worker_status")) {
        const directory nodes(core->broker());
        auto looking = nodes.nodes();
        const auto found = co_await std::move(looking);
        told["worker_status"] = told_workers(found, active, core->broker()->clock().now());
    }
    if (asked.contains("task_info")) {
        auto counting = status::figures(core, &active);
        const auto all = co_await std::move(counting);
        told["task_info_total"] = told_figures(sum_of(all));
        for (const auto& [name, one] : all) told["task_info_" + name] = told_figures(one);
    }
    if (asked.contains("pending_task_count")) {
        auto counting = status::pending(core);
        told["pending_task_count"] = co_await std::move(counting);
    }
    co_return fasttask_answer(python_json(encode(boost::json::value(std::move(told)))));
}

}  // namespace taskflux::detail
