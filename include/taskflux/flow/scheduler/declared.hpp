#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/schedule.hpp>

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// The schedules that one scheduler has stored and nobody has removed since, and the queues in which it has found others of
/// their ids. Thread-safe.
class declared_schedules {
public:
    /// Errors: `invalid_argument` for another schedule under the name of its task, which would take the first one's place.
    void check(const std::string& queue, const schedule_definition& what, bool has_own_id) const {
        if (has_own_id) return;
        const std::lock_guard lock(mutex_);
        const auto found = declared_.find(what.id);
        if (found == declared_.end() || (found->second.queue == queue && found->second.what == what)) return;
        throw error(errc::invalid_argument, "a second schedule of task " + what.id + " is not stored: it would take the place of "
                                            "the first, \"" + found->second.what.cron + "\" in queue " + found->second.queue +
                                            "; give it an id of its own by schedule_options::id, or both one to replace it");
    }

    /// It is stored, and nowhere else.
    void add(const std::string& queue, const schedule_definition& what) {
        const std::lock_guard lock(mutex_);
        declared_.insert_or_assign(what.id, declared{queue, what});
        if (places_) (*places_)[what.id] = {queue};
        moving_.erase(what.id);
    }

    /// A queue was read: what has been in it and is not any more has been removed.
    void keep(const std::string& queue, const std::set<std::string>& there) {
        const std::lock_guard lock(mutex_);
        for (auto next = declared_.begin(); next != declared_.end();) {
            const auto at = next++;
            auto& one = at->second;
            if (one.queue != queue) continue;
            const bool was_there = std::exchange(one.was_there, there.contains(at->first));
            if (was_there && !one.was_there) declared_.erase(at);
        }
    }

    /// The schedules of a queue that are not there.
    std::vector<schedule_definition> missing(const std::string& queue, const std::set<std::string>& there) const {
        const std::lock_guard lock(mutex_);
        std::vector<schedule_definition> found;
        for (const auto& [id, one] : declared_) {
            if (one.queue == queue && !there.contains(id)) found.push_back(one.what);
        }
        return found;
    }

    bool has_looked() const {
        const std::lock_guard lock(mutex_);
        return places_.has_value();
    }

    /// `places`: the queues of each id that is stored.
    void look(std::map<std::string, std::set<std::string>> places) {
        const std::lock_guard lock(mutex_);
        if (!places_) places_ = std::move(places);
    }

    /// The queues other than `queue` that had a schedule of that id when it looked, until `add`.
    std::vector<std::string> elsewhere(const std::string& queue, const std::string& id) const {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> others;
        if (!places_) return others;
        const auto found = places_->find(id);
        if (found == places_->end()) return others;
        for (const auto& one : found->second) {
            if (one != queue) others.push_back(one);
        }
        return others;
    }

    /// Keeps what was taken from another queue until it is stored again: storing it may fail, and is tried again then.
    void move(const std::string& id, stored_schedule taken) {
        const std::lock_guard lock(mutex_);
        moving_.insert_or_assign(id, std::move(taken));
    }

    std::optional<stored_schedule> moving(const std::string& id) const {
        const std::lock_guard lock(mutex_);
        const auto found = moving_.find(id);
        return found == moving_.end() ? std::nullopt : std::optional(found->second);
    }

private:
    struct declared {
        std::string queue;
        schedule_definition what;
        bool was_there = false;  // when the queue was read last
    };

    mutable std::mutex mutex_;
    std::map<std::string, declared> declared_;
    std::optional<std::map<std::string, std::set<std::string>>> places_;
    std::map<std::string, stored_schedule> moving_;
};

}  // namespace taskflux::detail
