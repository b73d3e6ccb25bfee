#pragma once

#include <taskflux/broker/broker/background.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/broker/server_trouble.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/uuid.hpp>
#include <taskflux/detail/uninterrupted.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/workflow/children.hpp>

#include <boost/system/system_error.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// Writes a subtask into its parent's journal, and submits it.
inline asio::awaitable<void> place_subtask(broker_ptr broker, journal_write write, std::string queue, std::vector<new_task> tasks,
                                           task_key& made) {
    co_await broker->write_journal(tasks.front().parent->id, std::move(write));
    journal_write from_outside;
    std::vector<bool> were_there(1, true);  // its own id may have been submitted before
    const auto keys = co_await submit_journalled(std::move(broker), std::move(queue), std::move(tasks), std::move(from_outside),
                                                 std::move(were_there));
    made = keys.front();
}

asio::awaitable<task_id> submit_subtask(broker_ptr broker, task_id parent, std::string queue, new_task task) {
    if (task.own_id.empty()) task.own_id = to_string(parent) + '/' + uuid_generator().text();
    const auto key = child_key("~" + task.own_id);  // a handler can't give such a name
    child_place place;
    place.queue = queue;
    place.name = task.spec->name;
    place.own_id = task.own_id;
    journal_write write;
    auto& item = write.items.emplace_back();
    item.key = key;
    item.is_spawned = true;
    item.text = place.text();
    parent_link link;
    link.id = std::move(parent);
    link.key = key;
    task.parent = std::move(link);
    task_id id;
    id.queue = queue;
    std::vector<new_task> tasks;
    tasks.push_back(std::move(task));
    auto placing = place_subtask(std::move(broker), std::move(write), std::move(queue), std::move(tasks), id.key);
    co_await uninterrupted(std::move(placing));
    co_return id;
}

asio::awaitable<void> send_signal(broker_ptr broker, task_id id, std::string name, std::string value) {
    const auto done = co_await broker->signal(id, std::move(name), std::move(value));
    if (done == effect::not_found) throw detail::no_such_task(id);
    if (done != effect::done) throw detail::task_has_ended(id);
}

void check_payload_sizes(const std::vector<std::string>& payloads) {
    for (const auto& one : payloads) check_payload_size(one);
}

inline std::string count_of(std::size_t stored, std::size_t all) {
    return "of the " + std::to_string(all) + " tasks the first " + std::to_string(stored) + " are stored";
}

inline error with_count(const error& e, std::size_t stored, std::size_t all) {
    return error(static_cast<errc>(e.code().value()), std::string(e.what()) + "; " + count_of(stored, all));
}

asio::awaitable<std::vector<submitted>> after_others(asio::awaitable<std::vector<submitted>> submission, std::size_t stored,
                                                     std::size_t all) {
    try {
        co_return co_await std::move(submission);
    } catch (const backlog_full& e) {
        throw e.after(stored, all);
    } catch (const server_trouble& e) {
        if (stored == 0) throw;
        throw server_trouble(with_count(e, stored, all));
    } catch (const error& e) {
        if (stored == 0) throw;
        throw with_count(e, stored, all);
    } catch (const boost::system::system_error& e) {  // it was cancelled
        if (stored == 0) throw;
        throw boost::system::system_error(e.code(), count_of(stored, all));
    }
}

void cancel_in_background(const broker_ptr& broker, const task_id& id) {
    constexpr auto cancel = [](broker_ptr of, task_id which) -> asio::awaitable<void> {
        std::vector<task_key> keys(1, which.key);
        co_await of->cancel(std::move(which.queue), std::move(keys));
    };
    spawn_in_background(broker, cancel(broker, id));
}

/// The id whose printed form this is, if it is one: an own id may look a little like it.
inline std::optional<task_id> read_printed(const std::string& id) {
    if (id.find(":~") == std::string::npos) return std::nullopt;
    try {
        return parse_task_id(id);
    } catch (const error&) {
        return std::nullopt;
    }
}

asio::awaitable<task_id> find_task(broker_ptr broker, std::string queue, std::string id) {
    auto printed = read_printed(id);
    if (printed) co_return std::move(*printed);
    const auto key = co_await broker->find(queue, id);
    if (!key) {
        throw error(errc::not_found, "queue " + queue + " has no task with the own id " + in_quotes(id, 256) +
                                         ": it was not submitted, or its retention has ended");
    }
    task_id found{std::move(queue), *key};
    co_return found;
}

}  // namespace taskflux::detail
