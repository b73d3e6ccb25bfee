#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/schedule.hpp>
#include <taskflux/flow/scheduler/book.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// The row of that id; nullptr where there is none.
inline const schedule_row* row_in(const std::vector<schedule_row>& rows, const std::string& id) {
    const auto found = std::ranges::lower_bound(rows, id, {}, &schedule_row::id);
    return found != rows.end() && found->id == id ? &*found : nullptr;
}

/// The schedules that one scheduler has stored, those of its local jobs too, and that nobody has removed or replaced since; and
/// the queues in which it has found others of their ids. Thread-safe.
class declared_schedules {
    struct stored {
        std::string queue;
        schedule_definition what;

        bool operator==(const stored&) const = default;
    };
    struct declared {
        stored wanted;              // by the latest claim, or as it is stored
        std::optional<stored> kept;  // nothing while none of the claims has stored it
        unsigned claims = 0;        // those that are storing it
        std::uint64_t since = 0;    // the look before it was stored
        std::string seen;           // its row's text, when the queue was read last; empty: it was not there
    };
    using name = std::pair<bool, std::string>;  // whether it is a local job's; its id

public:
    /// A schedule that is being stored, which counts as declared until this is destroyed, and from `keep` on for good.
    class claim {
    public:
        claim(const claim&) = delete;
        claim& operator=(const claim&) = delete;
        ~claim() { of_.end(name_, is_kept_ ? &what_ : nullptr); }

        /// It is stored, and nowhere else.
        void keep() { is_kept_ = true; }

    private:
        friend class declared_schedules;
        claim(declared_schedules& of, name called, stored what) : of_(of), name_(std::move(called)), what_(std::move(what)) {}

        declared_schedules& of_;
        const name name_;
        const stored what_;
        bool is_kept_ = false;
    };

    /// Errors: `invalid_argument` for another schedule under the name of its task, or one of another task under any id, which
    /// would take the first one's place.
    claim declare(const std::string& queue, const schedule_definition& what, bool has_own_id) {
        const std::lock_guard lock(mutex_);
        const name called(queue == local_queue, what.id);
        const stored mine{queue, what};
        const auto found = declared_.find(called);
        if (found != declared_.end() && what.task && found->second.wanted.what.task->name != what.task->name) {
            throw error(errc::invalid_argument, "schedule " + in_quotes(what.id) + " of task " + what.task->name +
                                                " is not stored: it would take the place of this program's schedule of task " +
                                                found->second.wanted.what.task->name + ", which has that id; give it an id of its "
                                                "own by schedule_options::id, or remove that one");
        }
        if (found != declared_.end() && !has_own_id && found->second.wanted != mine) {
            const auto& before = found->second.wanted;
            throw error(errc::invalid_argument, "a second schedule of task " + what.id + " is not stored: it would take the place of "
                                                "the first, \"" + before.what.cron + "\" in queue " + before.queue +
                                                "; give it an id of its own by schedule_options::id, or both one to replace it");
        }
        auto& one = declared_[called];
        one.wanted = mine;
        ++one.claims;
        return claim(*this, called, mine);
    }

    /// This program has removed what is called so: a task's schedule, and the rows of a local job.
    void forget(const std::string& id) {
        const std::lock_guard lock(mutex_);
        for (auto next = declared_.begin(); next != declared_.end();) {
            const auto at = next++;
            const auto& [is_local, own] = at->first;
            if (own == id || (is_local && own.starts_with(id + '@'))) drop(at);
        }
    }

    /// A look at a queue begins: what is stored from now on may be missing in what it finds.
    std::uint64_t begin_look() {
        const std::lock_guard lock(mutex_);
        return ++look_;
    }

    /// The rows of a queue. What is another schedule by now has been replaced; and what has been there and is not any more has
    /// been removed, unless the queue may have been emptied: `is_same_life` is false.
    void see(const std::string& queue, const std::vector<schedule_row>& rows, bool is_same_life, std::uint64_t look) {
        const std::lock_guard lock(mutex_);
        for (auto next = declared_.begin(); next != declared_.end();) {
            const auto at = next++;
            auto& one = at->second;
            if (!one.kept || one.kept->queue != queue || one.since >= look) continue;
            const auto* const row = row_in(rows, at->first.second);
            const bool is_removed = !row && !one.seen.empty() && is_same_life;
            if (is_removed || (row && row->text != one.seen && is_another(row->text, one.kept->what))) drop(at);
            else if (row) one.seen = row->text;
        }
    }

    /// The schedules that were stored in a queue, and are not there.
    std::vector<schedule_definition> missing(const std::string& queue, const std::vector<schedule_row>& rows) const {
        const std::lock_guard lock(mutex_);
        std::vector<schedule_definition> found;
        for (const auto& [called, one] : declared_) {
            if (one.kept && one.kept->queue == queue && !row_in(rows, called.second)) found.push_back(one.kept->what);
        }
        return found;
    }

    /// Where they are stored.
    std::set<std::string> queues() const {
        const std::lock_guard lock(mutex_);
        std::set<std::string> names;
        for (const auto& [called, one] : declared_) {
            if (one.kept) names.insert(one.kept->queue);
        }
        return names;
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
    /// Whether a row is another schedule. One that can't be read may be the same.
    static bool is_another(const std::string& text, const schedule_definition& what) {
        try {
            return read_schedule(text).definition != what;
        } catch (const error&) {
            return false;
        }
    }

    /// A claim has ended: with what is stored by now, or nullptr.
    void end(const name& called, const stored* what) {
        const std::lock_guard lock(mutex_);
        const auto found = declared_.find(called);
        auto& one = found->second;
        --one.claims;
        if (what) {
            one.kept = *what;
            one.since = look_;
            one.seen.clear();
            if (places_ && !called.first) (*places_)[called.second] = {what->queue};
            moving_.erase(called.second);
        }
        if (one.claims > 0) return;
        if (one.kept) one.wanted = *one.kept;
        else declared_.erase(found);
    }

    /// It is not stored any more.
    void drop(std::map<name, declared>::iterator at) {
        at->second.kept.reset();
        if (at->second.claims == 0) declared_.erase(at);
    }

    mutable std::mutex mutex_;
    std::map<name, declared> declared_;  // with a claim, or kept
    std::uint64_t look_ = 0;
    std::optional<std::map<std::string, std::set<std::string>>> places_;
    std::map<std::string, stored_schedule> moving_;
};

}  // namespace taskflux::detail
