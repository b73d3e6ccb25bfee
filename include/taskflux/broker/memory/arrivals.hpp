#pragma once

#include <taskflux/core/time.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

namespace taskflux::memory {

/// The tasks that have become ready later than their numbers say (they were held, scheduled, retried, given back), in that order:
/// each has a place among the numbers. Kept while somebody asks for it. Not thread-safe.
class arrivals {
public:
    /// `seed`: what tells its orders from those of other queues.
    explicit arrivals(std::uint64_t seed) : order_(seed) {}

    /// From now on the order is kept, for an hour. Another one begins where it was not.
    void ask(time_point now) {
        if (!are_asked_for(now)) {
            by_place_.clear();
            places_.clear();
            ++order_;
        }
        until_ = later(now, std::chrono::hours(1));
    }
    bool are_asked_for(time_point now) const { return now < until_; }

    /// Which order this is.
    std::uint64_t order() const { return order_; }

    /// A task has become ready.
    void add(std::uint64_t sequence, std::uint64_t place) {
        remove(sequence);
        places_.emplace(sequence, place);
        by_place_.emplace(place, sequence);
    }
    /// It has gone.
    void remove(std::uint64_t sequence) {
        const auto known = places_.find(sequence);
        if (known == places_.end()) return;
        by_place_.erase(known->second);
        places_.erase(known);
    }

    bool has(std::uint64_t sequence) const { return places_.contains(sequence); }
    /// Place and number of the first behind that place.
    std::optional<std::pair<std::uint64_t, std::uint64_t>> after(std::uint64_t place) const {
        const auto found = by_place_.upper_bound(place);
        return found == by_place_.end() ? std::nullopt : std::optional(*found);
    }

private:
    std::uint64_t order_;
    time_point until_{};
    std::map<std::uint64_t, std::uint64_t> by_place_;
    std::unordered_map<std::uint64_t, std::uint64_t> places_;
};

}  // namespace taskflux::memory
