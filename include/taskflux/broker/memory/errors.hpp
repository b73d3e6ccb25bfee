#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/error_kind.hpp>
#include <taskflux/core/state.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::memory {

/// A queue's failed attempts by group. Not thread-safe.
class error_book {
public:
    /// `consumer`: empty where the broker itself gave the task up.
    void add(const task_spec& of, task_key key, const std::string& why, bool is_last, const std::string& consumer, time_point now) {
        auto kind = detail::error_kind_of(of.name, why);
        auto& one = find(kind, now);
        (is_last ? one.failed : one.retried) += 1;
        one.last = now;
        for (std::size_t i = 0; i < one.windows.size(); ++i) {
            auto& counts = one.windows[i];
            const auto number = now.time_since_epoch() / steps[i].length;
            ++counts[number];
            while (counts.begin()->first + steps[i].many <= number) counts.erase(counts.begin());
        }
        put_first(one.samples, key);
        if (!consumer.empty()) put_first(one.nodes, detail::node_of(consumer));
        tasks_[key.sequence] = {key, std::move(kind.id)};
        if (tasks_.size() > detail::most_errors::tasks) tasks_.erase(tasks_.begin());
    }

    std::vector<error_group> read(const std::string& queue, time_point now, duration ahead) const {
        std::vector<error_group> found;
        for (const auto& [id, one] : groups_) {
            error_group made;
            made.id = id;
            made.task = one.kind.task;
            made.code = one.kind.code;
            made.type = one.kind.type;
            made.signature = one.kind.signature;
            made.first = shifted(one.first, ahead);
            made.last = shifted(one.last, ahead);
            made.failed = one.failed;
            made.retried = one.retried;
            made.hour = sum(one, 0, now);
            made.day = sum(one, 1, now);
            made.week = sum(one, 2, now);
            for (const auto& key : one.samples) made.samples.push_back(to_string(task_id{queue, key}));
            made.nodes = one.nodes;
            found.push_back(std::move(made));
        }
        return found;
    }

    /// Calls `act(key)` for a page of the tasks of a group: whether that was done. What has no failure any more is forgotten:
    /// `is_kept(key)` says so.
    template <class Act, class Kept>
    group_result act_on(const std::string& group, std::uint64_t behind, Act act, Kept is_kept) {
        std::vector<task_key> some;
        group_result result;
        auto left = detail::most_errors::page;
        auto at = tasks_.upper_bound(behind);
        for (; at != tasks_.end() && left-- > 0 && some.size() < detail::most_errors::acts; ++at) {
            result.next = at->first;
            if (at->second.second == group) some.push_back(at->second.first);
        }
        if (at == tasks_.end()) result.next = 0;
        for (const auto key : some) {
            const bool is_done = act(key);
            result.done += is_done ? 1 : 0;
            if (is_done || !is_kept(key)) tasks_.erase(key.sequence);
        }
        return result;
    }

    /// Whether the last failure of a task, since it was acted on by group, was of that one.
    bool has(const std::string& group, task_key key) const {
        const auto known = tasks_.find(key.sequence);
        return known != tasks_.end() && known->second.first == key && known->second.second == group;
    }

private:
    struct step {
        duration length;
        std::int64_t many;
    };
    static constexpr std::array<step, 3> steps{{{std::chrono::minutes(5), 12}, {std::chrono::hours(1), 24}, {std::chrono::hours(24), 7}}};

    struct one_group {
        detail::error_kind kind;
        time_point first{}, last{};
        std::uint64_t failed = 0, retried = 0;
        std::array<std::map<std::int64_t, std::uint64_t>, 3> windows;
        std::vector<task_key> samples;
        std::vector<std::string> nodes;
    };

    template <class T>
    static void put_first(std::vector<T>& some, T what) {
        std::erase(some, what);
        some.insert(some.begin(), std::move(what));
        if (some.size() > detail::most_errors::few) some.pop_back();
    }

    static std::uint64_t sum(const one_group& of, std::size_t window, time_point now) {
        std::uint64_t all = 0;
        const auto last = now.time_since_epoch() / steps[window].length;
        for (const auto& [number, many] : of.windows[window]) all += number + steps[window].many > last ? many : 0;
        return all;
    }

    one_group& find(const detail::error_kind& kind, time_point now) {
        const auto [at, is_new] = groups_.try_emplace(kind.id);
        if (!is_new) return at->second;
        at->second.kind = kind;
        at->second.first = at->second.last = now;
        if (groups_.size() > detail::most_errors::groups) {
            auto stalest = groups_.end();
            for (auto other = groups_.begin(); other != groups_.end(); ++other) {
                if (other != at && (stalest == groups_.end() || other->second.last < stalest->second.last)) stalest = other;
            }
            groups_.erase(stalest);
        }
        return at->second;
    }

    std::map<std::string, one_group> groups_;
    std::map<std::uint64_t, std::pair<task_key, std::string>> tasks_;  // by number: which, and the group of its last failure
};

/// `broker::act_on_group`, on a queue.
template <class Queue>
group_result act_on_group(Queue& in, const std::string& group, group_verb what, std::uint64_t behind, time_point now) {
    const auto has_failed = [&](task_key key) {
        const auto* const task = in.find(key);
        return task && task->state == task_state::failed;
    };
    const auto is_live = [&](task_key key) {
        const auto* const task = in.find(key);
        return task && !is_terminal(task->state);
    };
    const auto act = [&](task_key key) {
        switch (what) {
            case group_verb::retry: return has_failed(key) && in.requeue(key, now) == effect::done;
            case group_verb::cancel: return is_live(key) && in.cancel(key, now) != effect::wrong_state;
            case group_verb::remove: return has_failed(key) && in.remove(key, now) == effect::done;
        }
        return false;
    };
    return in.store().errors().act_on(group, behind, act, [&](task_key key) { return has_failed(key) || is_live(key); });
}

}  // namespace taskflux::memory
