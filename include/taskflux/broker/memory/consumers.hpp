#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/memory/attendance.hpp>
#include <taskflux/broker/memory/entry.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace taskflux::memory {

/// The consumers of one queue, and their leases. Not thread-safe.
class consumers {
public:
    /// `is_passing`: where it goes, the queue is served no less than before.
    consumer& join(const std::string& name, duration lease, time_point now, bool is_passing = false) {
        detail::check_consumer(name);
        auto& place = all_[name];
        if (!place) {
            place = std::make_unique<consumer>();
            place->name = name;
            place->label = std::make_shared<const std::string>(name);
        }
        renew(*place, lease, now);
        if (is_passing) return place->is_passing = true, *place;
        attended.join();
        return *place;
    }

    /// The consumer of that name, or null when it never joined or its lease has run out.
    consumer* find(const std::string& name) const {
        const auto found = all_.find(name);
        return found == all_.end() ? nullptr : found->second.get();
    }

    void renew(consumer& who, duration lease, time_point now) {
        who.lease_end = later(now, lease);
        next_lease_end_ = (std::min)(next_lease_end_, who.lease_end);
    }

    /// `give_back(consumer)` first.
    template <class Function>
    void leave(const std::string& name, time_point now, Function give_back) {
        const auto found = all_.find(name);
        if (found == all_.end()) return;
        give_back(*found->second);
        const bool stayed = !found->second->is_passing;
        all_.erase(found);
        ++gone_;
        if (stayed && nobody_stays()) attended.end(now);
    }

    /// Takes out those whose leases have ended, `take_back(consumer)` first. Where that throws, the consumer stays, and it is still
    /// to be done.
    template <class Function>
    void bury(time_point now, Function take_back) {
        auto next = never;
        bool has_stayed = false;
        std::erase_if(all_, [&](auto& named) {
            auto& who = *named.second;
            if (who.lease_end > now) {
                next = (std::min)(next, who.lease_end);
                return false;
            }
            take_back(who);
            if (!who.is_passing) attended.lose(), has_stayed = true;
            ++gone_;  // at once: the next may throw
            return true;
        });
        next_lease_end_ = next;
        if (has_stayed && nobody_stays()) attended.end(now);
    }

    /// Some of those that hold tasks, sorted.
    std::vector<std::string> busy(std::size_t most) const {
        std::vector<std::string> names;
        for (const auto& [name, who] : all_) {
            if (names.size() == most) break;
            if (!who->held.empty()) names.push_back(name);
        }
        std::ranges::sort(names);
        return names;
    }

    /// Who replies to waiting tasks: has them within a call, and no lease.
    consumer& replier() {
        if (!replier_) {
            replier_ = std::make_unique<consumer>();
            replier_->name = "reply";
            replier_->label = std::make_shared<const std::string>(replier_->name);
        }
        return *replier_;
    }

    /// How many have left or lost their leases.
    std::uint64_t gone() const { return gone_; }

    std::size_t size() const { return all_.size(); }
    time_point next_lease_end() const { return next_lease_end_; }

    attendance attended;

private:
    bool nobody_stays() const {
        return std::ranges::all_of(all_, [](const auto& named) { return named.second->is_passing; });
    }

    std::unordered_map<std::string, std::unique_ptr<consumer>> all_;
    time_point next_lease_end_ = never;
    std::uint64_t gone_ = 0;
    std::unique_ptr<consumer> replier_;  // null: nobody has replied yet
};

}  // namespace taskflux::memory
