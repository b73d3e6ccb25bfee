#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/counting.hpp>
#include <taskflux/broker/broker/error_kind.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/broker/redis/inspect.hpp>
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

/// Failed attempts that this process has seen and not told the server of yet, by queue and group. Thread-safe.
class failure_tally {
public:
    struct group {
        detail::error_kind kind;
        std::uint64_t failed = 0, retried = 0;
        std::string node;
        std::vector<task_key> tasks;  ///< the last ones
    };
    using groups = std::map<std::string, group>;

    /// Attempts whose settlement was answered: `effects` are those from the place `from` on.
    void add(const std::string& queue, const std::string& consumer, const std::vector<settlement>& ends,
             std::size_t from, const std::vector<effect>& effects) {
        for (std::size_t i = 0; i < effects.size(); ++i) {
            const auto& end = ends[from + i];
            if (effects[i] != effect::done || !end.mark.spec || !detail::is_error(end)) continue;
            const bool is_last = end.how == settlement::kind::fail;
            add(queue, detail::error_kind_of(end.mark.spec->name, end.data), end.key, is_last, detail::node_of(consumer));
        }
    }

    /// `node`: empty where the server gave the task up.
    void add(const std::string& queue, detail::error_kind kind, task_key key, bool is_last, std::string node) {
        constexpr std::size_t most = 200;  // of one call
        const std::lock_guard lock(mutex_);
        auto& into = queues_[queue].all[kind.id];
        into.kind = std::move(kind);
        (is_last ? into.failed : into.retried) += 1;
        if (!node.empty()) into.node = std::move(node);
        if (into.tasks.size() == most) into.tasks.erase(into.tasks.begin());
        into.tasks.push_back(key);
    }

    /// At most once a second.
    groups take_due(const std::string& queue, time_point now) {
        const std::lock_guard lock(mutex_);
        auto& of = queues_[queue];
        if (of.all.empty() || now < later(of.sent_at, std::chrono::seconds(1))) return {};
        of.sent_at = now;
        return std::exchange(of.all, {});
    }

    groups take_all(const std::string& queue) {
        const std::lock_guard lock(mutex_);
        return std::exchange(queues_[queue].all, {});
    }

private:
    struct one_queue {
        groups all;
        time_point sent_at{};
    };

    std::mutex mutex_;
    std::map<std::string, one_queue> queues_;
};

/// Where the server can't be reached they are not counted: their tasks tell why they failed.
inline awaitable<void> send_failures(engine_ptr on, std::string queue, failure_tally::groups groups) {
    auto& calls = on->at(queue)->calls();
    for (const auto& [id, one] : groups) {
        arguments with;
        with.add(id).add(one.kind.task).add(one.kind.code).add(one.kind.type).add(one.kind.signature);
        with.add(one.failed).add(one.retried).add(one.node);
        for (const auto& key : one.tasks) with.add(key.sequence).add(key.nonce);
        co_await calls.run(scripts::count_failures, {}, std::move(with), false);
    }
}

/// What the server gave up is among it.
inline void send_due_failures(const engine_ptr& on, failure_tally& from, const std::string& queue, bool is_end = false) {
    for (const auto& dead : on->at(queue)->calls().take_dead()) {
        from.add(queue, detail::error_kind_of(dead.name, dead.why), dead.task.key, true, {});
    }
    auto groups = is_end ? from.take_all(queue) : from.take_due(queue, on->base().now());
    if (!groups.empty()) detail::spawn_ignoring_errors(on->get_executor(), send_failures(on, queue, std::move(groups)));
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

/// `broker::failing`.
inline awaitable<failing_tasks> failing(engine_ptr on, std::string queue, std::string group, std::uint64_t behind,
                                        std::vector<task_key> done) {
    arguments with;
    with.add(std::move(group)).add(behind);
    for (const auto& key : done) with.add(key.sequence);
    const auto got = co_await on->call(std::move(queue), scripts::failing, {}, std::move(with));
    auto from = got.read();
    failing_tasks found;
    found.next = static_cast<std::uint64_t>(from.integer());
    while (!from.done()) found.tasks.push_back(read_key(from));
    co_return found;
}

}  // namespace taskflux::redis
