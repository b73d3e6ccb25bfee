#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::memory {

/// The schedules of one queue, as texts. Not thread-safe.
class schedules {
public:
    /// Stores `to` where there is `from`, empty texts meaning none, and calls `on_change` before; see `broker::set_schedule`.
    template <class Function>
    bool set(const std::string& id, const std::string& from, std::string to, Function on_change) {
        detail::check_name(detail::limits::schedule, id);
        const auto there = texts_.find(id);
        const auto& text = there == texts_.end() ? std::string() : there->second;
        if (text == to) return true;
        if (text != from) return false;
        on_change();
        has_held_any_ = true;
        if (to.empty()) texts_.erase(there);
        else texts_.insert_or_assign(id, std::move(to));
        return true;
    }

    std::vector<schedule_row> rows() const {
        std::vector<schedule_row> found;
        found.reserve(texts_.size());
        for (const auto& [id, text] : texts_) found.push_back({id, text});
        return found;
    }

    /// Empty where there is none.
    std::string text(const std::string& id) const {
        const auto found = texts_.find(id);
        return found == texts_.end() ? std::string() : found->second;
    }

    bool has_held_any() const { return has_held_any_; }

private:
    std::map<std::string, std::string> texts_;
    bool has_held_any_ = false;
};

}  // namespace taskflux::memory
