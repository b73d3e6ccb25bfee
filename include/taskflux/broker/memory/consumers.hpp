#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/memory/entry.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace taskflux::memory {

/// The consumers of one queue, their leases, and whether anybody serves it. Not thread-safe.
class consumers {
public:
    void join(const std::string& name, duration lease, time_point now) {
        detail::check_consumer(name);
        auto& place = all_[name];
        if (!place) place = std::make_unique<consumer>();
        place->name = name;
        renew(*place, lease, now);
        is_deserted_ = has_buried_ = is_told_unserved_ = false;
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

    /// `give_back(consumer)` first. False where there is none of that name.
    template <class Function>
    bool leave(const std::string& name, Function give_back) {
        const auto found = all_.find(name);
        if (found == all_.end()) return false;
        give_back(*found->second);
        all_.erase(found);
        is_deserted_ = all_.empty() && !has_buried_;
        return true;
    }

    /// Takes out those whose leases have ended, `take_back(consumer)` first. Gives how many.
    template <class Function>
    std::size_t bury(time_point now, Function take_back) {
        next_lease_end_ = never;
        return std::erase_if(all_, [&](auto& named) {
            auto& who = *named.second;
            if (who.lease_end > now) {
                next_lease_end_ = (std::min)(next_lease_end_, who.lease_end);
                return false;
            }
            take_back(who);
            return has_buried_ = true;
        });
    }

    std::size_t size() const { return all_.size(); }
    time_point next_lease_end() const { return next_lease_end_; }

    /// Whether nobody serves the queue since the last consumer has left. One that has only lost its lease joins again.
    bool is_deserted() const { return is_deserted_; }

    /// Whether it is still to be said that nobody serves the queue; then it is.
    bool notes_unserved() { return !std::exchange(is_told_unserved_, true); }

private:
    std::unordered_map<std::string, std::unique_ptr<consumer>> all_;
    time_point next_lease_end_ = never;
    bool is_deserted_ = false;
    bool has_buried_ = false;  // a consumer, since the last has joined
    bool is_told_unserved_ = false;
};

}  // namespace taskflux::memory
