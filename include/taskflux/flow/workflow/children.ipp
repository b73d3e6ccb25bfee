#pragma once

#include <taskflux/broker/broker/background.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/flow/workflow/children.hpp>

#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// Throws `journal_mismatch` unless what an earlier attempt wrote is the same subtask.
inline void check_same(const std::string& name, const journal_entry& before, const child_place& there, const child_place& now,
                       bool is_spawned) {
    const auto is = [](const child_place& which, bool spawned) {
        return which.name + " in queue " + which.queue + (spawned ? ", spawned" : ", awaited");
    };
    const bool is_same_call = there.queue == now.queue && there.name == now.name && before.is_spawned == is_spawned;
    if (is_same_call && (there.digest.empty() || there.digest == now.digest)) return;
    const auto change = is_same_call ? "had another payload when this task ran before: a value that differs from run to run, the "
                                       "time for instance, must come from a step"
                                     : "was " + is(there, before.is_spawned) + ", when this task ran before, and is " +
                                           is(now, is_spawned) + ", now";
    throw error(errc::journal_mismatch,
                "subtask \"" + name + "\" " + change +
                    "; where the handler's calls have changed while the task was under way, tell its runs apart "
                    "(context::version), name the calls (call_as), or let such tasks end before the change");
}

asio::awaitable<task_outcome> end_of_child(broker_ptr broker, task_id parent, std::string key, task_id child) {
    constexpr auto interval = std::chrono::milliseconds(50);
    constexpr int patience = 200;
    for (int tries = 0;; ++tries) {
        std::exception_ptr failure;
        try {
            auto outcome = co_await broker->wait(child, (duration::max)());
            if (outcome) co_return std::move(*outcome);
        } catch (const boost::system::system_error& e) {
            if (e.code() != errc::not_found && e.code() != errc::no_worker) throw;
            if (e.code() == errc::not_found) failure = std::current_exception();  // else one may start: the parent waits on
        }
        journal_query query;
        query.keys.push_back(key);
        auto page = co_await broker->journal(parent, std::move(query));
        if (!page.entries.empty() && page.entries.front().outcome) co_return std::move(*page.entries.front().outcome);
        if (failure && tries == patience) std::rethrow_exception(failure);
        co_await sleep_for(broker->clock(), interval);
    }
}

/// Takes subtasks that were not stored out of a journal.
inline asio::awaitable<void> drop_from_journal(broker_ptr broker, task_id parent, journal_write write,
                                               std::vector<std::string> keys) {
    for (auto& key : keys) {
        write.items.emplace_back();
        write.items.back().key = std::move(key);
        write.items.back().how = journal_write::mode::drop;
    }
    co_await broker->write_journal(std::move(parent), std::move(write));
}

/// Whether a task is the subtask that its parent's journal calls `key`.
inline asio::awaitable<bool> is_child(broker_ptr broker, std::string queue, task_key which, std::string parent, std::string key) {
    task_id id;
    id.queue = std::move(queue);
    id.key = which;
    const auto known = co_await broker->get(std::move(id));
    co_return known && known->parent == parent && child_key(known->call) == key;
}

/// How many of a submission are stored although it has failed: the first ones.
inline std::size_t stored_before(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const backlog_full& e) {
        return e.stored();
    } catch (...) {
        return 0;
    }
}

/// Where a submission has failed for good, takes those of it out of the journal that are not stored: not the first `stored` ones,
/// nor those that were there before, as a call whose answer was lost may have stored them. `may_be_others`: whose ids another
/// task may have.
inline asio::awaitable<void> drop_unstored(broker_ptr broker, task_id parent, journal_write write, std::string queue,
                                           std::vector<std::string> keys, std::vector<std::string> own_ids, std::size_t stored,
                                           std::vector<bool> were_there, std::vector<bool> may_be_others) {
    std::vector<std::string> strange;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (i < stored && !may_be_others[i]) continue;
        bool is_there = i < stored || were_there[i];
        if (is_there) {
            const auto known = co_await broker->find(queue, own_ids[i]);
            is_there = known && co_await is_child(broker, queue, *known, to_string(parent), keys[i]);
        }
        if (!is_there) strange.push_back(std::move(keys[i]));
    }
    if (!strange.empty()) co_await drop_from_journal(broker, std::move(parent), std::move(write), std::move(strange));
}

asio::awaitable<std::vector<task_key>> submit_journalled(broker_ptr broker, std::string queue, std::vector<new_task> tasks,
                                                         journal_write write, std::vector<bool> were_there) {
    const auto parent = tasks.front().parent->id;
    std::vector<std::string> keys, own_ids;
    std::vector<bool> may_be_others;  // an id that another call may have
    for (const auto& task : tasks) {
        keys.push_back(task.parent->key);
        own_ids.push_back(task.own_id);
        may_be_others.push_back(!task.unique_key.empty() || !task.own_id.starts_with(to_string(parent) + '/'));
    }
    std::exception_ptr failure;
    std::vector<submitted> stored;
    try {
        stored = co_await broker->submit(queue, std::move(tasks));
    } catch (const error&) {
        failure = std::current_exception();
    }
    const bool may_be_stored = failure && errc_of(failure) == errc::unavailable && !write.consumer.empty();
    if (may_be_stored) std::rethrow_exception(failure);  // the attempt departs, and another one submits them again
    if (failure) {
        co_await drop_unstored(broker, parent, std::move(write), queue, std::move(keys), std::move(own_ids), stored_before(failure),
                               std::move(were_there), std::move(may_be_others));
        std::rethrow_exception(failure);
    }
    std::vector<task_key> made;
    for (std::size_t i = 0; i < stored.size(); ++i) {
        made.push_back(stored[i].key);
        if (!stored[i].duplicate || !may_be_others[i]) continue;
        task_id there;
        there.queue = queue;
        there.key = stored[i].key;
        if (co_await is_child(broker, queue, there.key, to_string(parent), keys[i])) continue;
        std::vector<std::string> strange(1, keys[i]);
        co_await drop_from_journal(broker, parent, write, std::move(strange));
        throw error(errc::invalid_argument, "subtask \"" + keys[i].substr(1) + "\" is not submitted: task " + to_string(there) +
                                                ", which another call made, has its id or unique key; use one of its own");
    }
    co_return made;
}

/// Subtasks that were written and submitted, and what the handler's call has still to do.
struct opening {
    opening() = default;

    std::vector<open_child> children;
    std::vector<std::pair<std::size_t, new_task>> older;  // open since a failed attempt, whose end may still cancel them
    traces_found found;
    unsigned epoch = 0;
};

/// Those of some subtasks that are to be submitted, with their places among them.
struct fresh_children {
    fresh_children() = default;

    std::vector<new_task> tasks;
    std::vector<std::size_t> places;
};

/// What is to be submitted of subtasks whose places in the journal were `before` as they are there. Throws `journal_mismatch`.
inline fresh_children compared(const std::vector<std::string>& names, std::vector<new_task> tasks,
                               const std::vector<child_place>& now, std::vector<std::optional<journal_entry>>& before,
                               bool are_spawned, opening& made) {
    fresh_children fresh;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        auto& child = made.children.emplace_back();
        child.id.queue = now[i].queue;
        child.own_id = now[i].own_id;
        if (auto& entry = before[i]) {
            auto there = child_place::parse(entry->text);
            check_same(names[i], *entry, there, now[i], are_spawned);
            child.own_id = there.own_id;
            if (entry->outcome) {
                child.outcome = std::move(entry->outcome);
                continue;
            }
            if (entry->epoch < made.epoch) made.older.emplace_back(i, tasks[i]);
            tasks[i].own_id = std::move(there.own_id);
        }
        fresh.tasks.push_back(std::move(tasks[i]));
        fresh.places.push_back(i);
    }
    return fresh;
}

/// Writes subtasks that have own ids and parents into the journal, and submits those that have not ended. The journal keeps
/// none that is spawned and not submitted, for which the parent would wait.
inline asio::awaitable<void> write_and_submit(notebook& book, place at, const std::string& queue,
                                              const std::vector<std::string>& names, std::vector<new_task> tasks, bool are_spawned,
                                              std::optional<children_policy> policy, opening& made) {
    auto write = book.new_write();
    write.policy = policy;
    std::vector<child_place> places_now;
    for (const auto& task : tasks) {
        auto& place = places_now.emplace_back();
        place.queue = queue;
        place.name = task.spec->name;
        place.own_id = task.own_id;
        place.digest = digest_of(task.payload);
        auto item = notebook::item_of(task.parent->key, place.text(), journal_write::mode::add);
        item.is_spawned = are_spawned;
        write.items.push_back(std::move(item));
    }
    auto known = co_await book.send(std::move(write), at, made.found);
    made.epoch = known.epoch;
    fresh_children fresh;
    std::exception_ptr mismatch;
    try {
        book.check_kind(at, made.found, made.epoch);
        fresh = compared(names, std::move(tasks), places_now, known.before, are_spawned, made);
    } catch (const error&) {
        mismatch = std::current_exception();
    }
    auto by = book.new_write();
    if (mismatch) {
        std::vector<std::string> written;
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (!known.before[i]) written.push_back(child_key(names[i]));
        }
        if (!written.empty()) co_await drop_from_journal(book.broker(), book.id(), std::move(by), std::move(written));
        std::rethrow_exception(mismatch);
    }
    const bool loses = !are_spawned && notebook::has_lost_in(made.epoch, made.found.lost_mark);
    if (loses || fresh.tasks.empty()) co_return;
    std::vector<bool> were_there;
    for (const auto at_place : fresh.places) were_there.push_back(known.before[at_place].has_value());
    const auto keys = co_await submit_journalled(book.broker(), queue, std::move(fresh.tasks), std::move(by), std::move(were_there));
    for (std::size_t i = 0; i < keys.size(); ++i) made.children[fresh.places[i]].id.key = keys[i];
}

asio::awaitable<std::vector<open_child>> open_children(notebook& book, place at, std::string queue, std::vector<std::string> names,
                                                       std::vector<new_task> tasks, bool are_spawned,
                                                       std::optional<children_policy> policy) {
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        if (tasks[i].own_id.empty()) tasks[i].own_id = book.child_id(names[i]);
        parent_link parent;
        parent.id = book.id();
        parent.key = child_key(names[i]);
        tasks[i].parent = std::move(parent);
    }
    opening made;
    auto work = write_and_submit(book, at, queue, names, std::move(tasks), are_spawned, policy, made);
    co_await book.unparted(std::move(work));
    if (made.found.lost_mark) co_await book.lose_again(made.found.lost_mark, made.epoch);

    for (auto& [i, task] : made.older) {
        auto& child = made.children[i];
        const parking lent(book.sink());
        co_await book.rest();
        auto outcome = co_await guarded(book, end_of_child(book.broker(), book.id(), child_key(names[i]), child.id));
        if (outcome.state == task_state::succeeded) {
            child.outcome = std::move(outcome);
            continue;
        }
        std::vector<std::string> name(1, names[i]);
        std::vector<new_task> again;
        again.push_back(std::move(task));
        auto opened = co_await open_children(book, at, queue, std::move(name), std::move(again), are_spawned);
        child = std::move(opened.front());
    }
    co_return std::move(made.children);
}

void abandon_children(const notebook& book, const std::string& queue, std::vector<task_key> keys) {
    if (keys.empty()) return;
    constexpr auto cancel = [](broker_ptr of, task_id parent, journal_write proof, std::string in,
                               std::vector<task_key> which) -> asio::awaitable<void> {
        co_await of->write_journal(std::move(parent), std::move(proof));  // throws where another attempt has the parent
        co_await of->cancel(std::move(in), std::move(which));
    };
    auto work = cancel(book.broker(), book.id(), book.new_write(), queue, std::move(keys));
    spawn_in_background(book.broker(), std::move(work));
}

}  // namespace taskflux::detail
