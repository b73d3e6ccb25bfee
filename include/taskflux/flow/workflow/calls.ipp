#pragma once

#include <taskflux/detail/sleep.hpp>
#include <taskflux/flow/workflow/calls.hpp>
#include <taskflux/flow/workflow/child_waits.hpp>
#include <taskflux/flow/workflow/map_mark.hpp>

#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

asio::awaitable<open_child> await_child(notebook& book, std::string name, std::string queue, new_task task, is_ending ends) {
    std::vector<std::string> names(1, name);
    std::vector<new_task> tasks;
    tasks.push_back(std::move(task));
    const place at(name, call_kind::subtask);
    auto opened = co_await open_children(book, at, queue, std::move(names), std::move(tasks), false);
    auto child = std::move(opened.front());
    if (child.outcome && child.outcome->state == task_state::cancelled && book.is_in_group()) {
        // It may have been cancelled because another call of the group failed: that failure must come first again.
        const parking lent(book.sink());
        auto waiting = sleep_for(book.broker()->clock(), patience_for_winner);
        co_await guarded(book, std::move(waiting), false);
    }
    if (child.outcome) co_return child;
    const parking lent(book.sink());
    std::exception_ptr failure;
    try {
        co_await book.rest();
        auto outcome = co_await guarded(book, end_of_child(book.broker(), book.id(), child_key(name), child.id));
        child.outcome = std::move(outcome);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        if (!ends() && !book.departed()) abandon_children(book, queue, std::vector<task_key>(1, child.id.key));
        std::rethrow_exception(failure);
    }
    if (child.outcome->state == task_state::cancelled) co_await book.confirm();  // not by another attempt at the parent
    co_return child;
}

asio::awaitable<void> await_children(notebook& book, std::string name, std::string queue, new_task pattern,
                                     payload_source& payloads, const child_sink& on_end, std::size_t window,
                                     bool has_results, is_ending ends) {
    const auto executor = co_await asio::this_coro::executor;
    map_mark mark(book, name);
    std::size_t done = 0;
    if (!has_results) done = co_await mark.read();
    const place at(name, has_results ? call_kind::subtasks : call_kind::map);
    std::size_t index = 0;
    for (; index < done && payloads.has_next(); ++index) payloads.skip();

    child_waits waits(executor, book.broker(), book.id());
    std::exception_ptr failure;
    try {
        for (;;) {
            // Half a window at a time, so that a call submits many.
            const auto room = window - waits.size();
            if (payloads.has_next() && room >= window - window / 2) {
                std::vector<std::string> names;
                std::vector<new_task> tasks;
                while (tasks.size() < room && payloads.has_next()) {
                    names.push_back(name + '.' + std::to_string(index++));
                    tasks.push_back(pattern);
                    payloads.give_to(tasks.back());
                }
                auto keys = names;
                auto opened = co_await open_children(book, at, queue, std::move(names), std::move(tasks), false);
                for (std::size_t i = 0; i < opened.size(); ++i) waits.add(std::move(opened[i]), child_key(keys[i]));
            }
            if (waits.size() == 0) break;
            std::optional<parking> lent;
            if (!waits.is_next_there()) {
                lent.emplace(book.sink());
                co_await book.rest();
            }
            const auto child = co_await guarded(book, waits.next());
            lent.reset();
            if (child.outcome->state == task_state::cancelled) co_await book.confirm();
            on_end(child);
            if (!has_results) {
                ++done;
                co_await mark.move(done, false);
            }
        }
        if (!has_results) co_await mark.move(done, true);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        if (!ends() && !book.departed()) abandon_children(book, queue, waits.open());
        std::rethrow_exception(failure);
    }
}

asio::awaitable<std::size_t> spawn_children(notebook& book, std::string name, std::string queue, new_task pattern,
                                            payload_source& payloads, children_policy policy) {
    constexpr std::size_t batch = 500;
    const place at(name, call_kind::subtasks);
    std::size_t count = 0;
    do {
        std::vector<std::string> names;
        std::vector<new_task> tasks;
        while (tasks.size() < batch && payloads.has_next()) {
            names.push_back(name + '.' + std::to_string(count++));
            tasks.push_back(pattern);
            payloads.give_to(tasks.back());
        }
        co_await open_children(book, at, queue, std::move(names), std::move(tasks), true, policy);  // also none: the policy
    } while (payloads.has_next());
    co_await book.check();  // throws where it was cancelled meanwhile
    co_return count;
}

}  // namespace taskflux::detail
