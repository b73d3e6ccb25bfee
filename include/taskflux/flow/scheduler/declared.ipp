#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/flow/scheduler/book.hpp>
#include <taskflux/flow/scheduler/declared.hpp>

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

const schedule_row* row_in(const std::vector<schedule_row>& rows, const std::string& id) {
    const auto found = std::ranges::lower_bound(rows, id, {}, &schedule_row::id);
    return found != rows.end() && found->id == id ? &*found : nullptr;
}

/// Whether a row is another schedule. One that can't be read may be the same.
inline bool is_another(const std::string& text, const schedule_definition& what) {
    try {
        return read_schedule(text).definition != what;
    } catch (const error&) {
        return false;
    }
}

declared_schedules::claim::~claim() { of_.end(name_, is_kept_ ? &what_ : nullptr); }

declared_schedules::claim declared_schedules::declare(const std::string& queue, const schedule_definition& what, bool has_own_id) {
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

void declared_schedules::forget(const std::string& id) {
    const std::lock_guard lock(mutex_);
    for (auto next = declared_.begin(); next != declared_.end();) {
        const auto at = next++;
        const auto& [is_local, own] = at->first;
        if (own == id || (is_local && own.starts_with(id + '@'))) drop(at);
    }
}

std::uint64_t declared_schedules::begin_look() {
    const std::lock_guard lock(mutex_);
    return ++look_;
}

void declared_schedules::see(const std::string& queue, const std::vector<schedule_row>& rows, bool is_same_life, std::uint64_t look) {
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

std::vector<schedule_definition> declared_schedules::missing(const std::string& queue, const std::vector<schedule_row>& rows) const {
    const std::lock_guard lock(mutex_);
    std::vector<schedule_definition> found;
    for (const auto& [called, one] : declared_) {
        if (one.kept && one.kept->queue == queue && !row_in(rows, called.second)) found.push_back(one.kept->what);
    }
    return found;
}

std::set<std::string> declared_schedules::queues() const {
    const std::lock_guard lock(mutex_);
    std::set<std::string> names;
    for (const auto& [called, one] : declared_) {
        if (one.kept) names.insert(one.kept->queue);
    }
    return names;
}

bool declared_schedules::has_looked() const {
    const std::lock_guard lock(mutex_);
    return places_.has_value();
}

void declared_schedules::look(std::map<std::string, std::set<std::string>> places) {
    const std::lock_guard lock(mutex_);
    if (!places_) places_ = std::move(places);
}

std::vector<std::string> declared_schedules::elsewhere(const std::string& queue, const std::string& id) const {
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

void declared_schedules::move(const std::string& id, stored_schedule taken) {
    const std::lock_guard lock(mutex_);
    moving_.insert_or_assign(id, std::move(taken));
}

std::optional<stored_schedule> declared_schedules::moving(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = moving_.find(id);
    return found == moving_.end() ? std::nullopt : std::optional(found->second);
}

void declared_schedules::end(const name& called, const stored* what) {
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

void declared_schedules::drop(std::map<name, declared>::iterator at) {
    at->second.kept.reset();
    if (at->second.claims == 0) declared_.erase(at);
}

}  // namespace taskflux::detail
