#pragma once

#include <taskflux/broker/memory/entry.hpp>
#include <taskflux/core/time.hpp>

#include <cstdint>
#include <unordered_map>
#include <utility>

namespace taskflux::memory {

/// The tasks that are held or scheduled for a time of the wall clock, which may be set meanwhile.
class wall_tasks {
public:
    /// `task` is to start at `at`, if that is later than it would otherwise.
    void add(entry& task, time_point at) {
        const auto when = due(at);
        if (when <= task.when) return;
        task.when = when;
        task.more().at = at;
        all_.emplace(task.sequence, &task);
    }

    /// From here on it waits for no time of the wall clock.
    void remove(entry& task) {
        if (!task.extras || task.extras->at == time_point{}) return;
        all_.erase(task.sequence);
        task.extras->at = {};
    }

    /// Takes over how far the wall clock is ahead; `move(task, when)` makes a task due at another time.
    template <class Move>
    void follow(duration ahead, Move move) {
        if (std::exchange(ahead_, ahead) == ahead) return;
        for (const auto& [sequence, task] : all_) move(*task, shifted(task->extras->at, -ahead_));
    }

    /// When that time of the wall clock comes, as things are.
    time_point due(time_point at) const { return shifted(at, -ahead_); }

    duration ahead() const { return ahead_; }
    bool empty() const { return all_.empty(); }

private:
    duration ahead_{};
    std::unordered_map<std::uint64_t, entry*> all_;
};

}  // namespace taskflux::memory
