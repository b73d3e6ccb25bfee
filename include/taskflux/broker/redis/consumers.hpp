#pragma once

#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::redis {

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

    void took(const std::string& consumer, const std::string& queue, std::uint64_t sequence) {
        const std::lock_guard lock(mutex_);
        if (const auto at = all_.find({consumer, queue}); at != all_.end()) at->second.held.insert(sequence);
    }

    void settled(const std::string& consumer, const std::string& queue, std::uint64_t sequence) {
        const std::lock_guard lock(mutex_);
        if (const auto at = all_.find({consumer, queue}); at != all_.end()) at->second.held.erase(sequence);
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

    /// Those of `sequences`, which the server says the consumer holds, that it does not know of.
    std::vector<std::uint64_t> unknown(const std::string& consumer, const std::string& queue,
                                       const std::vector<std::uint64_t>& sequences) const {
        const std::lock_guard lock(mutex_);
        std::vector<std::uint64_t> found;
        const auto at = all_.find({consumer, queue});
        for (const auto sequence : sequences) {
            if (at == all_.end() || !at->second.held.contains(sequence)) found.push_back(sequence);
        }
        return found;
    }

    void certain(const std::string& consumer, const std::string& queue) {
        const std::lock_guard lock(mutex_);
        if (const auto at = all_.find({consumer, queue}); at != all_.end()) at->second.is_uncertain = false;
    }

private:
    struct membership {
        std::set<std::uint64_t> held;
        duration lease{};
        bool is_uncertain = false;
        bool has_failed = false;
    };

    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, membership> all_;
    std::uint64_t departures_ = 1;
};

}  // namespace taskflux::redis
