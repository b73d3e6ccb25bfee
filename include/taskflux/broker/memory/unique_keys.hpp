#pragma once

#include <taskflux/core/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

namespace taskflux::memory {

/// Which task holds which unique key, and until when. An empty key is none. Not thread-safe.
class unique_keys {
public:
    /// The number of the task that holds it now, which may have gone.
    std::optional<std::uint64_t> holder(const std::string& key, time_point now) const {
        const auto lock = locks_.find(key);
        if (lock == locks_.end() || lock->second.until <= now) return std::nullopt;
        return lock->second.sequence;
    }

    void lock(const std::string& key, std::uint64_t sequence, time_point until) {
        if (!key.empty()) locks_[key] = {sequence, until};
    }

    /// Unless another task has it by now.
    void unlock(const std::string& key, std::uint64_t sequence) {
        const auto lock = locks_.find(key);
        if (lock != locks_.end() && lock->second.sequence == sequence) locks_.erase(lock);
    }

private:
    struct lock_entry {
        std::uint64_t sequence;
        time_point until;
    };

    std::unordered_map<std::string, lock_entry> locks_;
};

}  // namespace taskflux::memory
