#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::memory {

/// Names of queues in an order, and where each of them stands.
class queue_list {
public:
    explicit queue_list(std::vector<std::string> names) : names_(std::move(names)), by_name_(names_.size()) {
        std::iota(by_name_.begin(), by_name_.end(), std::size_t(0));
        std::ranges::sort(by_name_, {}, [this](std::size_t i) { return std::pair(std::string_view(names_[i]), i); });
    }

    const std::vector<std::string>& names() const { return names_; }

    /// At first; nothing where it is not in the list. O(log n).
    std::optional<std::size_t> place_of(std::string_view name) const {
        const auto name_at = [this](std::size_t i) { return std::string_view(names_[i]); };
        const auto found = std::ranges::lower_bound(by_name_, name, {}, name_at);
        if (found == by_name_.end() || name_at(*found) != name) return std::nullopt;
        return *found;
    }

private:
    std::vector<std::string> names_;
    std::vector<std::size_t> by_name_;  // places, in the order of the names
};

}  // namespace taskflux::memory
