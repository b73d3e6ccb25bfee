#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/broker/counting.hpp>
#include <taskflux/broker/broker/error_kind.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/broker/redis/inspect.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/spawn.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// Failed attempts that this process has seen and not told the server of yet. Thread-safe.
class failure_tally {
public:
    struct group {
        detail::error_kind kind;
        std::uint64_t failed = 0, retried = 0;
        std::string node;
        std::vector<task_key> samples;  ///< the last ones, oldest first
    };
    struct failed_task {
        task_key key;
        std::uint32_t token = 0;
        std::string group;  ///< of its last failure
    };
    struct failures {
        std::map<std::string, group> groups;
        std::map<std::uint64_t, failed_task> tasks;  ///< by number
    };

    /// Attempts whose settlement was answered: `effects` are those from the place `from` on.
    void add(const std::string& queue, const std::string& consumer, const std::vector<settlement>& ends,
             std::size_t from, const std::vector<settled_end>& effects) {
        for (std::size_t i = 0; i < effects.size(); ++i) {
            const auto& end = ends[from + i];
            const auto& became = effects[i].became;
            if (effects[i].what != effect::done || !detail::is_error(end, became)) continue;
            failed_task task;
            task.key = end.key;
            task.token = end.token;
            const bool is_last = detail::is_last_error(end, became);
            add(queue, detail::error_kind_of(end.mark.spec->name, end.data), std::move(task), is_last, detail::node_of(consumer));
        }
    }

    /// `node`: empty where the server gave the task up; its token is 0 then, and this is the last that happened to it.
    /// Of more groups than a queue keeps, the later ones are left out.
    void add(const std::string& queue, detail::error_kind kind, failed_task task, bool is_last, std::string node) {
        using most = detail::most_errors;
        const std::lock_guard lock(mutex_);
        auto& [groups, tasks] = queues_[queue].all;
        if (groups.size() >= most::groups && !groups.contains(kind.id)) return;
        auto& into = groups[kind.id];
        task.group = kind.id;
        into.kind = std::move(kind);
        (is_last ? into.failed : into.retried) += 1;
        if (!node.empty()) into.node = std::move(node);
        std::erase(into.samples, task.key);
        if (into.samples.size() == most::few) into.samples.erase(into.samples.begin());
        into.samples.push_back(task.key);
        auto& known = tasks[task.key.sequence];
        if (known.key == task.key) {  // attempts may be told of in another order than they ended in
            if (task.token == 0) task.token = known.token;
            if (task.token < known.token) return;
        }
        known = std::move(task);
        if (tasks.size() > most::tasks) tasks.erase(tasks.begin());
    }

    /// At most once a second.
    failures take_due(const std::string& queue, time_point now) {
        const std::lock_guard lock(mutex_);
        auto& of = queues_[queue];
        if (of.all.groups.empty() || now < later(of.sent_at, std::chrono::seconds(1))) return {};
        of.sent_at = now;
        return std::exchange(of.all, {});
    }

    failures take_all(const std::string& queue) {
        const std::lock_guard lock(mutex_);
        return std::exchange(queues_[queue].all, {});
    }

private:
    struct one_queue {
        failures all;
        time_point sent_at{};
    };

    std::mutex mutex_;
    std::map<std::string, one_queue> queues_;
};

/// In several calls, where there are many. What a call that fails had is not counted, and the others are made all the same.
inline awaitable<void> send_failures(engine_ptr on, std::string queue, failure_tally::failures what) {
    constexpr std::size_t most_groups = 50, most_tasks = 500;
    auto& calls = on->at(queue)->calls();
    auto& [groups, tasks] = what;
    while (!groups.empty() || !tasks.empty()) {
        arguments with;
        with.add((std::min)(groups.size(), most_groups));
        for (std::size_t n = 0; n < most_groups && !groups.empty(); ++n) {
            const auto& [id, one] = *groups.begin();
            std::string samples;
            for (const auto& key : one.samples) samples += std::to_string(key.sequence) + ':' + std::to_string(key.nonce) + ' ';
            with.add(id).add(one.kind.task).add(one.kind.code).add(one.kind.type).add(one.kind.signature);
            with.add(one.failed).add(one.retried).add(one.node).add(std::move(samples));
            groups.erase(groups.begin());
        }
        for (std::size_t n = 0; n < most_tasks && !tasks.empty(); ++n) {
            const auto& one = tasks.begin()->second;
            with.add(one.key.sequence).add(one.key.nonce).add(one.token).add(one.group);
            tasks.erase(tasks.begin());
        }
        auto sending = calls.run(scripts::count_failures, {}, std::move(with), false);
        co_await detail::caught(std::move(sending));
    }
}

/// Adds what the server gave up.
inline void add_dead(const engine_ptr& on, failure_tally& from, const std::string& queue) {
    for (const auto& dead : on->at(queue)->calls().take_dead()) {
        failure_tally::failed_task task;
        task.key = dead.task.key;
        from.add(queue, detail::error_kind_of(dead.name, dead.why), std::move(task), true, {});
    }
}

inline failure_tally::failures all_failures(const engine_ptr& on, failure_tally& from, const std::string& queue) {
    add_dead(on, from, queue);
    return from.take_all(queue);
}

inline void spawn_failures(const engine_ptr& on, const std::string& queue, failure_tally::failures what) {
    if (!what.groups.empty()) detail::spawn_ignoring_errors(on->get_executor(), send_failures(on, queue, std::move(what)));
}

inline void send_all_failures(const engine_ptr& on, failure_tally& from, const std::string& queue) {
    spawn_failures(on, queue, all_failures(on, from, queue));
}

inline void send_due_failures(const engine_ptr& on, failure_tally& from, const std::string& queue) {
    add_dead(on, from, queue);
    spawn_failures(on, queue, from.take_due(queue, on->base().now()));
}

inline task_key read_sample(std::string_view text) {
    task_key key;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, key.sequence);
    if (read.ptr != end) std::from_chars(read.ptr + 1, end, key.nonce);
    return key;
}

/// `broker::errors`.
inline awaitable<std::vector<error_group>> errors(engine_ptr on, std::string queue) {
    const auto got = co_await on->call(queue, scripts::errors, {}, {});
    auto from = got.read();
    std::vector<error_group> found;
    const auto number = [&] { return static_cast<std::uint64_t>(from.integer()); };
    while (!from.done()) {
        auto& made = found.emplace_back();
        for (auto* const text : {&made.id, &made.task, &made.code, &made.type, &made.signature}) *text = from.text();
        made.first = time_point(duration(from.integer()));
        made.last = time_point(duration(from.integer()));
        for (auto* const count : {&made.failed, &made.retried, &made.hour, &made.day, &made.week}) *count = number();
        for (auto left = from.list(); left > 0; --left) made.samples.push_back(to_string(task_id{queue, read_sample(from.text())}));
        for (auto left = from.list(); left > 0; --left) made.nodes.emplace_back(from.text());
    }
    co_return found;
}

/// `broker::act_on_group`.
inline awaitable<group_result> act_on_group(engine_ptr on, std::string queue, std::string group, group_verb what,
                                            std::uint64_t behind) {
    detail::check_queue_name(queue);
    arguments with;
    with.add(std::move(group)).add(behind).add(what == group_verb::retry ? "retry" : what == group_verb::cancel ? "cancel" : "remove");
    const auto got = co_await on->call(std::move(queue), scripts::act_on_group, {}, std::move(with));
    auto from = got.read();
    group_result made;
    made.next = static_cast<std::uint64_t>(from.integer());
    made.done = static_cast<std::size_t>(from.integer());
    co_return made;
}

}  // namespace taskflux::redis
