#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/journal.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/failure.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/state.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What every broker allows and refuses, and in which words: each rule and each sentence stands here once.

namespace taskflux::detail {

// --- refusals: what a call throws ---------------------------------------------------------------------

inline error broker_is_closed() {
    return {errc::shut_down, "the broker has been closed: make another one to go on"};
}

inline error no_such_task(const task_id& id) {
    return {errc::not_found, "task " + to_string(id) + " is not there: it was removed, or its retention has ended; "
                                                       "a longer task_options::retention keeps it"};
}

inline error task_has_ended(const task_id& id) {
    return {errc::wrong_state, "task " + to_string(id) + " has ended, and can't be changed; requeue it to run it again"};
}

/// An attempt that is not the current one has written something.
inline error attempt_is_over(const task_id& id) {
    return {errc::lease_lost, "task " + to_string(id) + ": nothing is written for this attempt, because its lease has run "
                                                        "out or the task was taken back; the next attempt goes on"};
}

/// A consumer has not joined that queue, or not renewed its lease in time.
inline error consumer_is_gone(const std::string& consumer, const std::string& queue) {
    return {errc::lease_lost, "consumer " + consumer + " has no lease on queue " + queue +
                                  ": it never joined, or did not renew in time; join under a new name"};
}

inline error journal_is_full(std::size_t bytes) {
    return {errc::too_large, "a task's steps and signals would need " + std::to_string(bytes) + " bytes in its journal; at most " +
                                 std::to_string(max_journal_size) + " are kept: journal less, or references to it"};
}

inline error not_a_journal_cursor(const std::string& cursor) {
    return {errc::invalid_argument, "not a cursor of a journal: " + in_quotes(cursor) + "; use that of the page before"};
}

/// How much of something brokers keep.
struct most_kept {
    static constexpr std::size_t log_lines = 100;    ///< of a task: the last ones
    static constexpr std::size_t log_bytes = 262'144;  ///< of these lines; one alone may have more
    static constexpr std::uint64_t log_numbers = 1'000'000'000'000;  ///< a stored line with a larger one is damaged
    static constexpr std::size_t attempts = 20;      ///< of a task that did not end it
    static constexpr std::size_t attempt_error = 2048;  ///< bytes of what such an attempt failed with, or it is left out
    static constexpr std::size_t unclaimed_names = 20;  ///< of a queue: that a renewal tells of
    static constexpr std::int64_t unheard_ms = 60'000;  ///< a task without retention that a caller waits for and has not heard of
};

/// `queue_full`: a submission is larger than the room that the queue's limit leaves.
class backlog_full : public error {
public:
    backlog_full(std::string queue, std::uint64_t fresh, std::uint64_t there, std::uint64_t most)
        : backlog_full(std::move(queue), fresh, there, most, 0, 0) {}

    /// Of a submission of `all` tasks, where `before` ones had been stored before this was thrown.
    backlog_full after(std::size_t before, std::size_t all) const { return {queue_, fresh_, there_, most_, before + stored_, all}; }

    /// For one of the callers whose submissions were sent together, with `fresh` new tasks; `before`: those of others that have room.
    backlog_full for_caller(std::uint64_t fresh, std::uint64_t before) const { return {queue_, fresh, there_ + before, most_}; }

    std::uint64_t fresh() const { return fresh_; }
    /// How many new tasks there would be room for.
    std::uint64_t room() const { return most_ - (std::min)(there_, most_); }

    /// How many of the submission are stored all the same: the first ones.
    std::size_t stored() const { return stored_; }

private:
    backlog_full(std::string queue, std::uint64_t fresh, std::uint64_t there, std::uint64_t most, std::size_t stored, std::size_t all)
        : error(errc::queue_full, "queue " + queue + " has no room for " + std::to_string(fresh) + " more task" + (fresh == 1 ? "" : "s") +
                                      ": it has " + std::to_string(there) + " that wait, are scheduled or held, and its limit is "
                                      "max_waiting(" + std::to_string(most) + "); " + rest(fresh, most, stored, all)),
          queue_(std::move(queue)), fresh_(fresh), there_(there), most_(most), stored_(stored) {}

    static std::string rest(std::uint64_t fresh, std::uint64_t most, std::size_t stored, std::size_t all) {
        const std::string what = stored == 0 ? "nothing of this submission is stored: submit it"
                                             : "of the " + std::to_string(all) + " tasks the first " + std::to_string(stored) +
                                                   " are stored: submit the others";
        return what + (fresh > most ? " in smaller parts" : " later") + ", or raise the limit";
    }

    std::string queue_;
    std::uint64_t fresh_, there_, most_;
    std::size_t stored_;
};

// --- validation ---------------------------------------------------------------------------------------

// All throw `invalid_argument` for what the table of limits (core/id/limits.hpp) does not allow.

inline void check_queue_name(std::string_view name) { checked_name(name, "queue"); }
inline void check_board_name(std::string_view name) { check_name(limits::board, name); }
inline void check_consumer(std::string_view name) { check_name(limits::consumer, name); }
inline void check_reason(std::string_view text) { check_name(limits::reason, text, true); }

inline void check_key_limit(const std::optional<limit>& value) {
    if (!value || !value->max_waiting()) return;
    throw error(errc::invalid_argument, "a limit of keys can't bound what waits: give max_waiting to the queue, by set_limit or "
                                        "declare_limit");
}

inline void check_spec(const task_spec& spec) {
    check_name(limits::task, spec.name);
    checked_priority(spec.priority);
    not_negative(spec.policy.deadline, "deadline");
    not_negative(spec.policy.expires_in, "expires_in");
    not_negative(spec.policy.retention, "retention");
    not_negative(spec.policy.failed_retention, "failed_retention");
    for (const auto& [name, value] : spec.headers) check_header(name, value);
}

/// How large what brokers store of a task may be, in bytes, as it is stored.
struct most_stored {
    static constexpr std::size_t payload = 64 << 20;
    static constexpr std::size_t result = 64 << 20;  ///< or failure
    static constexpr std::size_t progress = 1 << 20;
};

inline std::string refused_size(const std::string& what, std::size_t bytes, std::size_t most, const std::string& remedy) {
    return what + " of " + std::to_string(bytes) + " bytes is not stored: at most " + std::to_string(most) + " are; " + remedy;
}

/// Errors: `too_large`.
inline void check_payload_size(const std::string& payload) {
    if (payload.size() <= most_stored::payload) return;
    throw error(errc::too_large, refused_size("a payload", payload.size(), most_stored::payload, "submit a reference to it"));
}

/// Errors: `too_large`.
inline void check_result_size(const std::string& result) {
    if (result.size() <= most_stored::result) return;
    throw error(errc::too_large, refused_size("a result", result.size(), most_stored::result, "return a reference to it"));
}

/// Errors: `too_large`.
inline void check_progress_size(const std::string& progress) {
    if (progress.size() <= most_stored::progress) return;
    throw error(errc::too_large, refused_size("a progress", progress.size(), most_stored::progress, "report less"));
}

/// Errors: `too_large`, before any of them is stored.
inline void check_reports(const std::vector<attempt_report>& reports) {
    for (const auto& news : reports) {
        if (news.progress) check_progress_size(*news.progress);
    }
}

/// Nothing where all results and failures can be stored. Else the ends with those that can't replaced by failures that say so:
/// each ends its own task, and none keeps the others of its batch from being stored.
inline std::optional<std::vector<settlement>> with_storable_ends(const std::vector<settlement>& ends) {
    const auto fits = [](const settlement& end) { return end.data.size() <= most_stored::result; };
    if (std::ranges::all_of(ends, fits)) return std::nullopt;
    std::vector<settlement> mended;
    mended.reserve(ends.size());
    for (const auto& end : ends) {
        if (fits(end)) {
            mended.push_back(end);
            continue;
        }
        const bool is_result = end.how == settlement::kind::complete;
        failure told;
        told.code = "too_large";
        told.message = refused_size(is_result ? "a result" : "a failure", end.data.size(), most_stored::result,
                                    is_result ? "return a reference to it" : "throw less");
        auto& made = mended.emplace_back();
        made.key = end.key;
        made.token = end.token;
        made.how = is_result ? settlement::kind::fail : end.how;
        made.delay = end.delay;
        made.counts = end.counts;
        made.mark = end.mark;
        made.data = encode(told);
    }
    return mended;
}

inline void check_on_duplicate(const new_task& task) {
    not_negative(task.at_most, "at_most");
    if (task.on_duplicate == duplicate::join) return;
    const char* const why = task.unique_key.empty() ? "say which key others share: unique(key)"
                            : task.hold             ? "its due time says when it starts: leave out hold()"
                            : task.parent           ? "a subtask belongs to one call: leave out on_duplicate() and debounce()"
                            : task.at_most > duration::zero() && task.at > time_point{}
                                ? "debounce says when it is due: leave out at()"
                                : nullptr;
    if (why) throw error(errc::invalid_argument, std::string("a task that replaces others of its key can't be submitted so: ") + why);
}

/// What is to be stored. Errors: also `too_large`.
inline void check_tasks(const std::vector<new_task>& tasks) {
    const task_spec* checked = nullptr;
    for (const auto& task : tasks) {
        if (!task.spec) throw error(errc::invalid_argument, "a task to submit has no specification: set new_task::spec");
        if (task.spec.get() != checked) check_spec(*task.spec);
        checked = task.spec.get();
        check_name(limits::own_id, task.own_id, true);
        check_name(limits::unique_key, task.unique_key, true);
        check_name(limits::key, task.key, true);
        not_negative(task.unique_window, "the window of a unique key");
        check_on_duplicate(task);
        if (task.parent) {
            check_queue_name(task.parent->id.queue);
            check_name(limits::journal_key, task.parent->key);
        }
        check_payload_size(task.payload);
    }
}

inline void check_writes(const journal_write& what) {
    check_name(limits::consumer, what.consumer, true);
    for (const auto& item : what.items) {
        check_name(limits::journal_key, item.key);
        if (item.key.starts_with('#')) {  // what a server counts begins with it
            throw error(errc::invalid_argument, "key in a journal " + in_quotes(item.key) + " is not allowed: it begins with '#'");
        }
        const bool can_be = item.how != journal_write::mode::drop || item.key.starts_with(journal_letter::subtask);
        if (can_be) continue;
        throw error(errc::invalid_argument, "key in a journal " + in_quotes(item.key) + " is not taken out: only subtasks are, whose "
                                            "keys begin with 'c'");
    }
}

/// The lines of a log are kept as JSON: what could not be written there is replaced (bytes that are not UTF-8, a time before the
/// year 0 or after 9999, a level that is none) by what is next to it, and the others stay as they are.
inline void make_valid(std::vector<attempt_report>& reports) {
    const auto mend = [](std::string& text) {
        if (!is_utf8(text)) text = as_utf8(text);
    };
    constexpr time_point first = std::chrono::sys_days(std::chrono::year(0) / 1 / 1);
    constexpr time_point last = std::chrono::sys_days(std::chrono::year(10'000) / 1 / 1) - duration(1);
    for (auto& news : reports) {
        for (auto& line : news.log) {
            line.at = std::clamp(line.at, first, last);
            line.level = std::clamp(line.level, log_level::trace, log_level::error);
            mend(line.text);
            header_map fields;
            for (auto& [name, value] : line.fields) {
                mend(value);
                fields[is_utf8(name) ? name : as_utf8(name)] = std::move(value);
            }
            line.fields = std::move(fields);
        }
    }
}

inline void check_journal_size(std::size_t bytes) {
    if (bytes > max_journal_size) throw journal_is_full(bytes);
}

// --- pages of a list ----------------------------------------------------------------------------------

/// Whether a task is one of those that the query asks for.
inline bool matches(const list_query& query, task_state state, std::string_view name, time_point submitted_at) {
    return (!query.state || state == *query.state) && (query.name.empty() || name == query.name) &&
           submitted_at >= query.since && submitted_at < query.until;
}

/// The task after which a page begins: one of `queue`, or of no number for all of them.
struct list_position {
    std::string queue;
    std::uint64_t sequence = 0;
};

/// Errors: `invalid_argument` for a cursor that is none.
inline list_position start_of(const list_query& query) {
    if (query.cursor.empty()) return {query.queue, 0};
    auto last = parse_task_id(query.cursor);
    return {std::move(last.queue), last.key.sequence};
}

/// Fills a page of a list, up to what the query wants, or so many bytes.
class page_filler {
public:
    explicit page_filler(const list_query& query) : limit_(query.limit) {}

    /// Whether the page is full. Call it when there is another task: the cursor is set then.
    bool is_full() {
        if (page_.tasks.size() < limit_ && bytes_ < most_bytes) return false;
        page_.cursor = to_string(page_.tasks.back().id);
        return true;
    }

    void add(task_record record) {
        bytes_ += record.payload.size() + record.result.size() + record.error.size() + record.progress.size();
        page_.tasks.push_back(std::move(record));
    }

    task_page take() { return std::move(page_); }

private:
    static constexpr std::size_t most_bytes = 16 * 1024 * 1024;

    const std::size_t limit_;
    std::size_t bytes_ = 0;
    task_page page_;
};

}  // namespace taskflux::detail
