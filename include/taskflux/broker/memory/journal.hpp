#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/journal.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/task.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::memory {

/// A task's journal as the memory broker keeps it.
class journal {
public:
    struct entry {
        std::string text;
        unsigned epoch = 0;
        bool is_spawned = false;
        std::optional<task_outcome> outcome;
    };

    unsigned epoch = 0;   ///< attempts that have failed since the task was submitted
    std::string awaited;  ///< the key of the signal that ends the suspension; or `sleep_mark`
    children_policy policy;
    bool is_continued = false;  ///< the continuation has been started

    const children_counts& counts() const { return counts_; }
    bool has_open_children() const { return open_ > 0; }
    /// Whether the policy decides how the task ends, and not its handler's return alone.
    bool is_judged() const {
        const bool needs_some = policy.judge(children_counts()) == children_policy::verdict::fail;
        return needs_some || counts_.total > 0 || has(continuation_key);
    }
    bool has(std::string_view key) const { return entries_.contains(key); }

    /// Throws `too_large`, and has changed nothing then. Sets `has_grown` where something is there that was not.
    journal_written write(journal_write& what, bool& has_grown) {
        auto size = size_;
        for (const auto& item : what.items) {
            if (item.key[0] == 's' && item.how == journal_write::mode::add && !entries_.contains(item.key)) {
                size += item.key.size() + item.text.size();
            }
        }
        detail::check_journal_size(size);
        size_ = size;
        if (what.policy) policy = *what.policy;
        journal_written answer;
        answer.epoch = epoch;
        for (auto& item : what.items) answer.before.push_back(write(item, has_grown));
        return answer;
    }

    /// The next signal of that name.
    std::string add_signal(const std::string& name, std::string value) {
        detail::check_journal_size(size_ + value.size());
        size_ += value.size();
        auto key = signal_key(name, ++signals_[name]);
        entries_[key].text = std::move(value);
        return key;
    }

    /// Whether an open subtask has ended by that: another may have taken the place of one that ends again.
    bool end_child(const std::string& key, const std::string& own_id, const task_outcome& outcome) {
        const auto found = entries_.find(key);
        if (found == entries_.end() || found->second.outcome) return false;
        if (child_place::parse(found->second.text).own_id != own_id) return false;
        found->second.outcome = outcome;
        --open_;
        if (!found->second.is_spawned) return true;
        ++counts_.done;
        if (outcome.state != task_state::succeeded) {
            if (counts_.failed++ == 0) why_ = reason(key, outcome);
        }
        return true;
    }

    /// What the task fails with when its policy says so.
    std::string failure() const {
        if (!why_.empty()) return why_;
        return encode(taskflux::failure{"task_failed", "", "it has fewer subtasks than must succeed", "", ""});
    }

    /// Where the subtasks are that have not ended.
    std::vector<child_place> open_children() const {
        std::vector<child_place> open;
        for (auto at = entries_.lower_bound(child_key("")); at != entries_.end() && at->first[0] == journal_letter::subtask; ++at) {
            if (!at->second.outcome) open.push_back(child_place::parse(at->second.text));
        }
        return open;
    }

    /// How its calls name some of those.
    std::vector<std::string> some_open(std::size_t most) const {
        std::vector<std::string> open;
        for (auto at = entries_.lower_bound(child_key("")); at != entries_.end() && at->first[0] == journal_letter::subtask; ++at) {
            if (open.size() == most) break;
            if (!at->second.outcome) open.push_back(at->first.substr(1));
        }
        return open;
    }

    /// Throws `invalid_argument` for what no page has had as its cursor.
    static void check_cursor(const std::string& cursor) {
        if (!cursor.empty() && !is_key(cursor)) throw detail::not_a_journal_cursor(cursor);
    }

    /// The cursor has been checked.
    journal_page read(const journal_query& query) const {
        journal_page page;
        page.counts = counts_;
        if (!query.keys.empty()) {
            for (const auto& key : query.keys) {
                const auto found = entries_.find(key);
                if (found != entries_.end()) page.entries.push_back(seen(*found));
            }
            return page;
        }
        auto at = entries_.upper_bound(query.cursor);
        const auto most = (std::max)(query.limit, std::size_t(1));
        for (; at != entries_.end() && page.entries.size() < most; ++at) page.entries.push_back(seen(*at));
        if (at != entries_.end() && at != entries_.begin()) page.cursor = std::prev(at)->first;
        return page;
    }

    child_place place_of(const std::string& key) const { return child_place::parse(entries_.at(key).text); }
    const std::optional<task_outcome>& outcome_of(const std::string& key) const { return entries_.at(key).outcome; }

    /// What a task fails with whose subtask ended like that: what a script writes too.
    static std::string reason(const std::string& key, const task_outcome& outcome) {
        std::string message = "subtask \"" + key.substr(1) + "\" ";
        message += outcome.state == task_state::cancelled ? "was cancelled" : outcome.state == task_state::expired ? "expired" : "failed";
        taskflux::failure why{"task_failed", "", std::move(message), "", ""};
        if (outcome.state == task_state::failed) {
            try {
                why.message += ": " + decode<taskflux::failure>(outcome.error).message;
            } catch (const error&) {  // that it failed must be enough
            }
        }
        return encode(why);
    }

private:
    static bool is_key(std::string_view text) {
        return text[0] == journal_letter::subtask || text[0] == journal_letter::step || text[0] == journal_letter::signal;
    }

    static journal_entry seen(const std::pair<const std::string, entry>& one) {
        return {one.first, one.second.text, one.second.epoch, one.second.is_spawned, one.second.outcome};
    }

    std::optional<journal_entry> write(journal_write::item& item, bool& has_grown) {
        using mode = journal_write::mode;
        const auto found = entries_.find(item.key);
        if (item.how == mode::look) return found == entries_.end() ? std::nullopt : std::optional(seen(*found));
        if (item.how == mode::drop) {
            if (found != entries_.end()) drop(found->second), entries_.erase(found);
            return std::nullopt;
        }
        if (found != entries_.end() && item.how == mode::add && !gives_way(found->second)) return seen(*found);
        const bool is_child = item.key[0] == journal_letter::subtask;
        has_grown = has_grown || is_child || found == entries_.end() || found->second.text != item.text;
        if (is_child && found != entries_.end()) drop(found->second);
        auto& made = entries_[item.key];
        made = {std::move(item.text), epoch, item.is_spawned, std::nullopt};
        if (is_child) ++open_;
        if (item.is_spawned) ++counts_.total;
        return std::nullopt;
    }

    void drop(const entry& child) {
        if (!child.outcome) --open_;
        if (!child.is_spawned) return;
        --counts_.total;
        if (!child.outcome) return;
        --counts_.done;
        if (child.outcome->state != task_state::succeeded) --counts_.failed;
    }

    bool gives_way(const entry& old) const {
        return old.outcome && old.outcome->state != task_state::succeeded && old.epoch < epoch;
    }

    std::map<std::string, entry, std::less<>> entries_;
    std::map<std::string, std::size_t> signals_;
    std::string why_;  // a `failure`: that of the first spawned subtask that did not succeed
    children_counts counts_;
    std::size_t open_ = 0;  // subtasks, spawned or not
    std::size_t size_ = 0;
};

}  // namespace taskflux::memory
