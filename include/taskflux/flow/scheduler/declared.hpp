#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/schedule.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// Whether rows, by id, have that one.
inline bool has_row(const std::vector<schedule_row>& rows, const std::string& id) {
    return std::ranges::binary_search(rows, id, {}, &schedule_row::id);
}

/// The schedules that one scheduler has stored and nobody has removed since, and the queues in which it has found others of
/// their ids. Thread-safe.
class declared_schedules {
    struct declared {
        std::string queue;
        schedule_definition what;
        bool was_there = false;  // when the queue was read last

        bool is_same_as(const declared& other) const { return queue == other.queue && what == other.what; }
    };

public:
    /// A schedule that is being stored, which counts as declared until this is destroyed, and from `keep` on for good.
    class claim {
    public:
        claim(const claim&) = delete;
        claim& operator=(const claim&) = delete;
        ~claim() {
            if (!is_kept_) of_.give_up(id_, what_, std::move(before_));
        }

        /// It is stored, and nowhere else.
        void keep() {
            is_kept_ = true;
            of_.settle(id_);
        }

    private:
        friend class declared_schedules;
        claim(declared_schedules& of, std::string id, declared what, std::optional<declared> before)
            : of_(of), id_(std::move(id)), what_(std::move(what)), before_(std::move(before)) {}

        declared_schedules& of_;
        const std::string id_;
        const declared what_;
        std::optional<declared> before_;
        bool is_kept_ = false;
    };

    /// Errors: `invalid_argument` for another schedule under the name of its task, which would take the first one's place.
    claim declare(const std::string& queue, const schedule_definition& what, bool has_own_id) {
        const std::lock_guard lock(mutex_);
        const auto found = declared_.find(what.id);
        const declared mine{queue, what};
        std::optional<declared> before;
        if (found != declared_.end()) before = found->second;
        if (before && !has_own_id && !before->is_same_as(mine)) {
            throw error(errc::invalid_argument, "a second schedule of task " + what.id + " is not stored: it would take the place of "
                                                "the first, \"" + before->what.cron + "\" in queue " + before->queue +
                                                "; give it an id of its own by schedule_options::id, or both one to replace it");
        }
        declared_.insert_or_assign(what.id, mine);
        return claim(*this, what.id, mine, std::move(before));
    }

    /// A queue was read: what has been in it and is not any more has been removed.
    void keep(const std::string& queue, const std::vector<schedule_row>& rows) {
        const std::lock_guard lock(mutex_);
        for (auto next = declared_.begin(); next != declared_.end();) {
            const auto at = next++;
            auto& one = at->second;
            if (one.queue != queue) continue;
            const bool was_there = std::exchange(one.was_there, has_row(rows, at->first));
            if (was_there && !one.was_there) declared_.erase(at);
        }
    }

    /// The schedules of a queue that are not there.
    std::vector<schedule_definition> missing(const std::string& queue, const std::vector<schedule_row>& rows) const {
        const std::lock_guard lock(mutex_);
        std::vector<schedule_definition> found;
        for (const auto& [id, one] : declared_) {
            if (one.queue == queue && !has_row(rows, id)) found.push_back(one.what);
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
    void settle(const std::string& id) {
        const std::lock_guard lock(mutex_);
        const auto found = declared_.find(id);
        if (places_ && found != declared_.end()) (*places_)[id] = {found->second.queue};
        moving_.erase(id);
    }

    void give_up(const std::string& id, const declared& what, std::optional<declared> before) {
        const std::lock_guard lock(mutex_);
        const auto found = declared_.find(id);
        if (found == declared_.end() || !found->second.is_same_as(what)) return;  // of another claim by now
        if (before) found->second = std::move(*before);
        else declared_.erase(found);
    }

    mutable std::mutex mutex_;
    std::map<std::string, declared> declared_;
    std::optional<std::map<std::string, std::set<std::string>>> places_;
    std::map<std::string, stored_schedule> moving_;
};

}  // namespace taskflux::detail
