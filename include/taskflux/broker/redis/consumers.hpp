#pragma once

#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// A task that was handed out, as it counts for the server: one that is handed out again has another token.
struct held_task {
    std::uint64_t sequence = 0;
    std::uint32_t token = 1;  ///< of one that nobody had before
};

/// What this process knows of its consumers: where they have joined, and what they hold there. Thread-safe.
class consumers {
public:
    void joined(const std::string& consumer, const std::string& queue, duration lease) {
        const std::lock_guard lock(mutex_);
        all_[{consumer, queue}].lease = lease;
    }

    void gone(const std::string& consumer, const std::string& queue) {
        const std::lock_guard lock(mutex_);
        all_.erase({consumer, queue});
        ++departures_;
    }

    /// How often any of them has gone from a queue: as long as it is the same, who had joined has still.
    std::uint64_t departures() const {
        const std::lock_guard lock(mutex_);
        return departures_;
    }

    /// Calls of theirs fail in that queue, so that its lease there may end and it is not lost elsewhere.
    void failed(const std::string& consumer, const std::string& queue) {
        const std::lock_guard lock(mutex_);
        if (const auto at = all_.find({consumer, queue}); at != all_.end()) at->second.has_failed = true;
    }

    bool has_failed(const std::string& consumer, const std::string& queue) const {
        const std::lock_guard lock(mutex_);
        const auto at = all_.find({consumer, queue});
        return at != all_.end() && at->second.has_failed;
    }

    /// It has a lease there again; of which length.
    duration recovered(const std::string& consumer, const std::string& queue) {
        const std::lock_guard lock(mutex_);
        const auto at = all_.find({consumer, queue});
        if (at == all_.end()) return {};
        at->second.has_failed = false;
        return at->second.lease;
    }

    bool has_joined(const std::string& consumer, const std::string& queue) const {
        const std::lock_guard lock(mutex_);
        return all_.contains({consumer, queue});
    }

    void took(const std::string& consumer, const std::string& queue, held_task task) {
        const std::lock_guard lock(mutex_);
        const auto at = all_.find({consumer, queue});
        if (at == all_.end()) return;
        auto& token = at->second.held[task.sequence];
        token = (std::max)(token, task.token);
    }

    /// It may have been given back, and taken again, before this is told.
    void settled(const std::string& consumer, const std::string& queue, held_task task) {
        const std::lock_guard lock(mutex_);
        const auto at = all_.find({consumer, queue});
        if (at == all_.end()) return;
        const auto held = at->second.held.find(task.sequence);
        if (held != at->second.held.end() && held->second == task.token) at->second.held.erase(held);
    }

    /// The answer to a fetch was lost: what it handed out is held, and nobody knows.
    void lost_an_answer(const std::string& consumer, const std::string& queue) {
        const std::lock_guard lock(mutex_);
        if (const auto at = all_.find({consumer, queue}); at != all_.end()) at->second.is_uncertain = true;
    }

    /// Tasks may have been handed to any of them without their knowing.
    void lost_messages() {
        const std::lock_guard lock(mutex_);
        for (auto& [where, one] : all_) one.is_uncertain = true;
    }

    bool is_uncertain(const std::string& consumer, const std::string& queue) const {
        const std::lock_guard lock(mutex_);
        const auto at = all_.find({consumer, queue});
        return at != all_.end() && at->second.is_uncertain;
    }

    /// Those of `tasks`, which the server says the consumer holds, that it does not know of.
    std::vector<held_task> unknown(const std::string& consumer, const std::string& queue, const std::vector<held_task>& tasks) const {
        const std::lock_guard lock(mutex_);
        std::vector<held_task> found;
        const auto at = all_.find({consumer, queue});
        const auto is_known = [&](const held_task& task) {
            if (at == all_.end()) return false;
            const auto held = at->second.held.find(task.sequence);
            return held != at->second.held.end() && held->second >= task.token;
        };
        for (const auto& task : tasks) {
            if (!is_known(task)) found.push_back(task);
        }
        return found;
    }

    void certain(const std::string& consumer, const std::string& queue) {
        const std::lock_guard lock(mutex_);
        if (const auto at = all_.find({consumer, queue}); at != all_.end()) at->second.is_uncertain = false;
    }

private:
    struct membership {
        std::map<std::uint64_t, std::uint32_t> held;  // tokens by sequence
        duration lease{};
        bool is_uncertain = false;
        bool has_failed = false;
    };

    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, membership> all_;
    std::uint64_t departures_ = 1;
};

}  // namespace taskflux::redis
