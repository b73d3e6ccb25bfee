#pragma once

#include <taskflux/admin/inspector.hpp>
#include <taskflux/admin/inspector/child_of.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/caught.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

namespace detail {

/// In the order of the calls: digits count as numbers, so that 2.10 comes after 2.9.
inline bool is_before_by_number(std::string_view a, std::string_view b) {
    const auto digits = [](std::string_view text) {
        return text.substr(0, (std::min)(text.find_first_not_of("0123456789"), text.size()));
    };
    while (!a.empty() && !b.empty()) {
        const auto x = digits(a), y = digits(b);
        if (!x.empty() && !y.empty()) {
            if (x != y) return x.size() != y.size() ? x.size() < y.size() : x < y;
            a.remove_prefix(x.size());
            b.remove_prefix(y.size());
        } else {
            if (a.front() != b.front()) return a.front() < b.front();
            a.remove_prefix(1);
            b.remove_prefix(1);
        }
    }
    return a.size() < b.size();
}

asio::awaitable<std::optional<task_record>> record_of(broker_ptr broker, std::string queue, std::string own_id) {
    const auto key = co_await broker->find(queue, std::move(own_id));
    if (!key) co_return std::nullopt;
    task_id id;
    id.queue = std::move(queue);
    id.key = *key;
    co_return co_await broker->get(std::move(id));
}

asio::awaitable<task_node> child_of(broker_ptr broker, const journal_entry& entry) {
    const auto place = child_place::parse(entry.text);
    task_node made;
    made.name = entry.key.substr(1);
    auto finding = record_of(broker, place.queue, place.own_id);
    auto found = co_await caught(std::move(finding));
    // Where its queue can't be read, its parent's journal tells what it knows.
    const bool is_damaged = found.failure() && code_of(describe(found.failure())) == errc::protocol;
    if (!is_damaged) {
        auto record = found.take();
        if (record) {
            made.task = std::move(*record);
            co_return made;
        }
    }
    made.task.id.queue = place.queue;
    made.task.own_id = place.own_id;
    made.task.name = place.name;
    if (entry.outcome) {
        made.task.state = entry.outcome->state;
        made.task.result = entry.outcome->result;
        made.task.error = entry.outcome->error;
        made.task.attempts = entry.outcome->attempts;
    }
    co_return made;
}

asio::awaitable<void> grow_tree(broker_ptr broker, task_node& node, std::size_t& room) {
    journal_query query;
    do {
        journal_page page;
        try {
            page = co_await broker->journal(node.task.id, query);
        } catch (const error& e) {
            if (e.code() != errc::not_found) throw;
            co_return;
        }
        node.spawned = page.counts;
        query.cursor = page.cursor;
        for (const auto& entry : page.entries) {
            if (!entry.key.starts_with(journal_letter::subtask)) continue;
            node.is_cut = room == 0;
            if (node.is_cut) break;
            --room;
            auto child = co_await child_of(broker, entry);
            node.children.push_back(std::move(child));
        }
    } while (!query.cursor.empty() && !node.is_cut);
    std::ranges::sort(node.children, [](const task_node& a, const task_node& b) { return is_before_by_number(a.name, b.name); });
    for (auto& child : node.children) co_await grow_tree(broker, child, room);
}

asio::awaitable<task_tree> look_around(broker_ptr broker, task_id id, std::size_t most) {
    auto found = co_await broker->get(id);
    if (!found) throw detail::no_such_task(id);
    task_tree tree;
    auto above = found->parent;
    std::set<std::string> seen;  // in damaged records a task may be below itself
    while (!above.empty() && seen.insert(above).second) {
        auto parent = co_await broker->get(parse_task_id(above));
        if (!parent) break;
        above = parent->parent;
        tree.ancestors.insert(tree.ancestors.begin(), std::move(*parent));
    }
    tree.node.task = std::move(*found);
    co_await grow_tree(broker, tree.node, most);
    co_return tree;
}

asio::awaitable<children_counts> count_children(broker_ptr broker, task_id id) {
    journal_query query;
    query.limit = 1;
    const auto page = co_await broker->journal(std::move(id), std::move(query));
    co_return page.counts;
}

asio::awaitable<task_situation> why_of(broker_ptr broker, task_id id) {
    auto found = co_await broker->why(id);
    if (!found) throw detail::no_such_task(id);
    co_return std::move(*found);
}

}  // namespace detail

asio::awaitable<task_tree> inspector::tree(task_id id, std::size_t most) const {
    return detail::look_around(broker(), std::move(id), most);
}

asio::awaitable<task_situation> inspector::why(task_id id) const { return detail::why_of(broker(), std::move(id)); }

asio::awaitable<children_counts> inspector::progress(task_id id) const {
    return detail::count_children(broker(), std::move(id));
}

asio::awaitable<std::vector<error_group>> inspector::errors(std::string queue) const {
    auto found = co_await broker()->errors(std::move(queue));
    std::ranges::sort(found, [](const error_group& a, const error_group& b) {
        return a.last != b.last ? a.last > b.last : a.id < b.id;
    });
    co_return found;
}

asio::awaitable<group_result> inspector::act(broker_ptr by, group_verb what, std::string queue, std::string group,
                                             std::uint64_t behind) {
    constexpr std::size_t most = 1000;
    group_result result;
    result.next = behind;
    do {
        const auto some = co_await by->act_on_group(queue, group, what, result.next);
        result.done += some.done;
        result.next = some.next;
    } while (result.next != 0 && result.done < most);
    co_return result;
}

asio::awaitable<group_result> inspector::retry_group(std::string queue, std::string group, std::uint64_t behind) const {
    return act(broker(), group_verb::retry, std::move(queue), std::move(group), behind);
}
asio::awaitable<group_result> inspector::cancel_group(std::string queue, std::string group, std::uint64_t behind) const {
    return act(broker(), group_verb::cancel, std::move(queue), std::move(group), behind);
}
asio::awaitable<group_result> inspector::remove_group(std::string queue, std::string group, std::uint64_t behind) const {
    return act(broker(), group_verb::remove, std::move(queue), std::move(group), behind);
}

}  // namespace taskflux
