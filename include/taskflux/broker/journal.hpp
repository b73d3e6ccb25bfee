#pragma once

#include <taskflux/core/children.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/task.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taskflux {

// A task's journal is what it must not forget when it is run again: its subtasks and how they ended, the results of its
// steps, and signals. It lives as long as the task's record.

/// In whose journal, and under which key, the end of a subtask is written.
struct parent_link {
    task_id id;
    std::string key;
};

/// What the keys of a journal begin with.
struct journal_letter {
    static constexpr char subtask = 'c', step = 's', signal = 'g';
};

/// One thing in a journal; the key's first letter says what.
struct journal_entry {
    std::string key;
    std::string text;        ///< of a subtask: its `child_place`; else JSON
    unsigned epoch = 0;      ///< of a subtask: how many attempts at its parent had failed when it was written
    bool is_spawned = false; ///< a subtask that its parent, when it has returned, waits for
    std::optional<task_outcome> outcome;  ///< of a subtask that has ended
};

/// Where a subtask is, and what it is.
struct child_place {
    std::string queue;
    std::string name;    ///< the task's
    std::string own_id;
    std::string digest = {};  ///< of its payload, 16 digits; empty where an older version wrote it

    std::string text() const {
        return queue + '\n' + name + '\n' + (digest.empty() ? std::string() : '#' + digest + '\n') + own_id;
    }

    static child_place parse(std::string_view text) {
        constexpr std::size_t digest_line = 17;  // with the '#'
        child_place made;
        const auto first = text.find('\n');
        const auto second = text.find('\n', first + 1);
        if (first == std::string_view::npos || second == std::string_view::npos) return made;
        made.queue = text.substr(0, first);
        made.name = text.substr(first + 1, second - first - 1);
        auto rest = text.substr(second + 1);
        if (rest.starts_with('#') && rest.find('\n') == digest_line) {
            made.digest = rest.substr(1, digest_line - 1);
            rest.remove_prefix(digest_line + 1);
        }
        made.own_id = rest;
        return made;
    }
};

/// The keys of a journal's entries.
inline std::string child_key(std::string_view name) { return journal_letter::subtask + std::string(name); }
inline std::string step_key(std::string_view name) { return journal_letter::step + std::string(name); }
/// Of the `number`-th signal of that name, from 1.
inline std::string signal_key(std::string_view name, std::size_t number) {
    return journal_letter::signal + std::string(name) + '#' + std::to_string(number);
}
/// The name of the signal that has such a key.
inline std::string signal_name(std::string_view key) {
    const auto end = (std::min)(key.rfind('#'), key.size());
    return std::string(key.substr((std::min)(std::size_t(1), end), end - (std::min)(std::size_t(1), end)));
}
/// In the place of the key of a signal: no signal ends the suspension, but time alone.
inline constexpr std::string_view sleep_mark = "~";
/// Of the task that is started when a parent's other subtasks have ended well.
inline constexpr std::string_view continuation_key = "c~then";

/// A write to a journal.
struct journal_write {
    enum class mode {
        add,   ///< unless the key is there; a subtask of an older epoch that did not succeed gives way
        set,   ///< in any case; not for subtasks
        drop,  ///< out with a subtask
        look,  ///< changes nothing
    };
    struct item {
        std::string key;
        std::string text;
        mode how = mode::add;
        bool is_spawned = false;
    };

    std::string consumer;     ///< runs the task, under this token; empty: from outside
    std::uint32_t token = 0;
    std::optional<children_policy> policy;
    std::vector<item> items;
};

/// What a journal held, before a write, under the keys to be written; nothing where it held none.
struct journal_written {
    unsigned epoch = 0;
    std::vector<std::optional<journal_entry>> before;
};

struct journal_query {
    std::vector<std::string> keys;  ///< empty: a page of all
    std::size_t limit = 1000;       ///< about so many in a page
    std::string cursor;             ///< of the page before
};

struct journal_page {
    std::vector<journal_entry> entries;  ///< those of the keys that are there; or in no particular order
    children_counts counts;              ///< of spawned subtasks
    std::string cursor;                  ///< for the next page; empty: there is none
};

/// How much text a journal's steps and signals may hold together, in bytes.
inline constexpr std::size_t max_journal_size = 1 << 20;

}  // namespace taskflux
