#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/memory/entry.hpp>
#include <taskflux/broker/memory/keyed.hpp>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace taskflux::memory {

/// The waiting tasks of a queue: a FIFO lane per priority, and aside from them, by name, the tasks that a
/// worker without a handler for them has passed over.
class ready_tasks {
public:
    /// `urgent`: before the others of its priority; it has waited its turn before.
    void add(entry& item, bool urgent = false) {
        if (item.has_key()) return keyed_.add(item);
        auto& lane = lanes_[item.spec->priority];
        urgent ? lane.push_front(item) : lane.push_back(item);
    }

    void remove(entry& item) {
        if (!std::exchange(item.unclaimed, false)) return item.has_key() ? keyed_.remove(item) : item.home->remove(item);
        --unclaimed_size_;
        if (item.has_key()) return keyed_.remove_passed(item);
        const auto aside = unclaimed_.find(item.spec->name);
        change(aside->second, [&] { item.home->remove(item); });
        if (!front(aside->second)) unclaimed_.erase(aside);
    }

    /// The task that a worker which knows `names` (null: all) gets next, or null when there is none for it.
    /// Tasks it does not know are set aside on the way; `budget` bounds how many, and is counted down.
    entry* next(const name_set* names, std::size_t& budget) {
        for (;;) {
            auto* found = front(lanes_);
            if (unclaimed_size_ > 0) {
                found = best(found, claimable(names));
                if (auto* const passed = keyed_.next_passed(names, found)) found = passed;
            }
            if (auto* const keyed = keyed_.next(found != nullptr, names)) found = keyed;
            if (!found || !names || names->contains(found->spec->name)) return found;
            if (budget == 0) return nullptr;
            --budget;
            remove(*found);
            set_aside(*found);
        }
    }

    /// Whether the limit of its key lets a waiting task start. One that others have passed over goes back to its key for that.
    bool may_start(entry& item) {
        if (!item.has_key()) return true;
        if (item.unclaimed) {
            remove(item);
            keyed_.add(item);
        }
        return keyed_.may_start(item);
    }

    /// Whether a worker that knows `names` (null: all) has something to look at. O(1) for one that knows all: it is asked after
    /// each change of a queue.
    bool has_work(const name_set* names) const {
        if (front(lanes_) || keyed_.has_work()) return true;
        return unclaimed_size_ > 0 && (claimable(names) || keyed_.next_passed(names, nullptr));
    }

    /// The specification of the next task, or null.
    const task_spec* front_spec() const {
        const auto* next = front(lanes_);
        if (const auto* const keyed = keyed_.next(next != nullptr, nullptr)) next = keyed;
        return next ? next->spec.get() : nullptr;
    }

    keyed_tasks& keyed() { return keyed_; }
    const keyed_tasks& keyed() const { return keyed_; }
    /// How many tasks of its lane and of higher priorities come before one that nobody has passed over; and whether these are all,
    /// where no more than `most` are counted.
    std::pair<std::size_t, bool> before(const entry& task, std::size_t most) const {
        std::size_t count = 0;
        for (const auto& [priority, lane] : lanes_) {
            if (priority < task.spec->priority) break;
            for (const auto* one = lane.front(); one && one != &task; one = one->next) {
                if (count == most) return {count, false};
                ++count;
            }
        }
        return {count, true};
    }

    std::size_t unclaimed_size() const { return unclaimed_size_; }

    /// `visit(name, task)` for up to `most` names of tasks that were passed over: the task of each that is next.
    template <class Visitor>
    void visit_unclaimed(std::size_t most, Visitor visit) const {
        for (const auto& [name, aside] : unclaimed_) {
            if (most-- == 0) return;
            visit(name, *front(aside));
        }
        keyed_.visit_passed(most, visit);
    }

    /// `visit(task)` for the first of each lane, and of those passed over the first of each name and priority.
    template <class Visitor>
    void visit_first(Visitor visit) const {
        const auto visit_all = [&](const lanes& from) {
            for (const auto& [priority, lane] : from) {
                if (!lane.empty()) visit(*lane.front());
            }
        };
        visit_all(lanes_);
        for (const auto& [name, aside] : unclaimed_) visit_all(aside);
        keyed_.visit_passed(unclaimed_size_, [&](const std::string&, const entry& task) { visit(task); });
    }

private:
    using lanes = std::map<int, entry_list, std::greater<>>;  // an emptied lane stays: it will be used again

    static entry* front(const lanes& from) {
        for (const auto& [priority, lane] : from) {
            if (!lane.empty()) return lane.front();
        }
        return nullptr;
    }

    static entry* best(entry* a, entry* b) {
        if (!a || !b) return a ? a : b;
        return runs_before()(b, a) ? b : a;
    }

    /// The first of those set aside that a worker which knows `names` (null: all) can run: O(log n) where it knows all, and
    /// otherwise a search for each name that it knows or that there is, whichever are fewer.
    entry* claimable(const name_set* names) const {
        if (!names) return fronts_.empty() ? nullptr : *fronts_.begin();
        entry* found = nullptr;
        if (names->size() < unclaimed_.size()) {
            for (const auto& name : *names) {
                const auto aside = unclaimed_.find(name);
                if (aside != unclaimed_.end()) found = best(found, front(aside->second));
            }
        } else {
            for (const auto& [name, aside] : unclaimed_) {
                if (names->contains(name)) found = best(found, front(aside));
            }
        }
        return found;
    }

    void set_aside(entry& item) {
        item.unclaimed = true;
        ++unclaimed_size_;
        if (item.has_key()) return keyed_.pass_over(item);
        auto& aside = unclaimed_[item.spec->name];
        change(aside, [&] { aside[item.spec->priority].push_back(item); });
    }

    /// Changes the lanes of one name, and what is first in them.
    template <class Action>
    void change(const lanes& aside, Action action) {
        auto* const before = front(aside);
        action();
        auto* const after = front(aside);
        if (before == after) return;
        if (before) fronts_.erase(before);
        if (after) fronts_.insert(after);
    }

    lanes lanes_;
    keyed_tasks keyed_;
    std::map<std::string, lanes, std::less<>> unclaimed_;
    std::set<entry*, runs_before> fronts_;  // the first of each name set aside
    std::size_t unclaimed_size_ = 0;
};

}  // namespace taskflux::memory
