#pragma once

#include <taskflux/core/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

namespace taskflux::memory {

/// Which task holds which unique key, until when, and which one waits for its end. An empty key is none. Not thread-safe.
class unique_keys {
public:
    /// The number of the task that holds it now, which may have gone. A lock lasts as long as a successor waits.
    std::optional<std::uint64_t> holder(const std::string& key, time_point now) const {
        const auto lock = locks_.find(key);
        if (lock == locks_.end() || (lock->second.until <= now && !lock->second.successor)) return std::nullopt;
        return lock->second.sequence;
    }

    std::optional<std::uint64_t> successor(const std::string& key) const {
        const auto lock = locks_.find(key);
        return lock == locks_.end() ? std::nullopt : lock->second.successor;
    }

    void lock(const std::string& key, std::uint64_t sequence, time_point until) {
        if (!key.empty()) locks_[key] = {sequence, until, std::nullopt};
    }

    /// A key that somebody holds.
    void set_successor(const std::string& key, std::uint64_t sequence) { locks_.at(key).successor = sequence; }

    /// A task has ended: who holds its key next, where it was the holder.
    std::optional<std::uint64_t> unlock(const std::string& key, std::uint64_t sequence) {
        const auto lock = locks_.find(key);
        if (lock == locks_.end()) return std::nullopt;
        auto& [holder, until, successor] = lock->second;
        if (successor == sequence) successor.reset();
        if (holder != sequence) return std::nullopt;
        const auto next = successor;
        locks_.erase(lock);
        return next;
    }

private:
    struct lock_entry {
        std::uint64_t sequence;
        time_point until;
        std::optional<std::uint64_t> successor;
    };

    std::unordered_map<std::string, lock_entry> locks_;
};

}  // namespace taskflux::memory
