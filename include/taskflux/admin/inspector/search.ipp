#pragma once

#include <taskflux/admin/inspector.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/broker/search_checks.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/caught.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace taskflux {

namespace detail {

/// Where a search goes on: a queue, and a number in it; 0: at the newest.
struct search_place {
    std::string queue;
    std::uint64_t number = 0;

    std::string text() const { return queue + ':' + std::to_string(number); }

    /// Errors: `invalid_argument`.
    static search_place parse(const std::string& text) {
        search_place made;
        if (text.empty()) return made;
        const auto colon = (std::min)(text.find(':'), text.size());
        made.queue = text.substr(0, colon);
        const auto* const end = text.data() + text.size();
        const auto read = std::from_chars(text.data() + (std::min)(colon + 1, text.size()), end, made.number);
        if (is_valid_name(made.queue) && read.ec == std::errc{} && read.ptr == end) return made;
        throw error(errc::invalid_argument, in_quotes(text) + " is no cursor of a search: take the one that the page before has");
    }
};

/// The next page goes on there.
inline void stop_at(search_page& page, const std::string& queue, std::uint64_t number, time_point back_to) {
    search_place place;
    place.queue = page.queue = queue;
    place.number = number;
    page.cursor = place.text();
    page.back_to = back_to;
}

/// Whether a queue can't be read by this version, though the others can; the page then says so.
inline bool is_unreadable(search_page& page, const std::string& queue, const std::exception_ptr& failure) {
    if (!failure || code_of(describe(failure)) != errc::protocol) return false;
    page.unreadable.push_back(queue);
    return true;
}

/// The queues that a filter is for, from that of a cursor on.
asio::awaitable<std::vector<std::string>> searched_queues(broker_ptr by, std::string queue, std::string first) {
    std::vector<std::string> names;
    if (queue.empty()) names = co_await by->queues();
    else names.push_back(std::move(queue));
    std::erase_if(names, [&](const auto& name) { return name < first; });
    co_return names;
}

/// The tasks of an id that a filter is for: one, or one of each queue where it is their submitters' own.
asio::awaitable<search_page> search_by_id(broker_ptr by, search_filter filter, search_place begin, std::size_t limit) {
    constexpr std::uint64_t most_queues = 50;  // that one page looks at
    search_page page;
    std::optional<task_record> found;
    if (looks_like_printed_id(filter.id)) {
        auto id = parse_task_id(filter.id);
        if (filter.queue.empty() || filter.queue == id.queue) found = co_await by->get(std::move(id));
        if (found && is_sought(filter, *found)) page.tasks.push_back(std::move(*found));
        page.looked_at = 1;
        co_return page;
    }
    const auto names = co_await searched_queues(by, filter.queue, begin.queue);
    for (const auto& name : names) {
        if (page.looked_at == most_queues || page.tasks.size() == limit) {
            stop_at(page, name, 0, {});
            co_return page;
        }
        ++page.looked_at;
        auto finding = by->find(name, filter.id);
        auto looked = co_await caught(std::move(finding));
        if (filter.queue.empty() && is_unreadable(page, name, looked.failure())) continue;
        const auto key = looked.take();
        if (!key) continue;
        task_id id;
        id.queue = name;
        id.key = *key;
        auto getting = by->get(std::move(id));
        auto got = co_await caught(std::move(getting));
        if (filter.queue.empty() && is_unreadable(page, name, got.failure())) continue;
        found = got.take();
        if (found && is_sought(filter, *found)) page.tasks.push_back(std::move(*found));
    }
    co_return page;
}

asio::awaitable<search_page> search_page_of(broker_ptr by, search_filter filter, std::string cursor, std::size_t limit) {
    // A page does so much work: steps that end because of their own bound, and others.
    constexpr unsigned most_work = 64, work_of_step = 16;
    limit = std::clamp(limit, std::size_t(1), most_searched::tasks);
    const auto begin = search_place::parse(cursor);
    if (!cursor.empty() && !filter.queue.empty() && filter.queue != begin.queue) {
        throw error(errc::invalid_argument, in_quotes(cursor) + " is no cursor of a search in queue " + filter.queue);
    }
    if (!filter.id.empty()) co_return co_await search_by_id(std::move(by), std::move(filter), begin, limit);
    const bool is_in_one = !filter.queue.empty();
    const auto names = co_await searched_queues(by, filter.queue, begin.queue);

    search_page page;
    unsigned work = 0;
    for (const auto& name : names) {
        search_query query;
        query.queue = name;
        query.filter = filter;
        query.from = name == begin.queue ? begin.number : 0;
        do {
            if (work >= most_work || page.tasks.size() == limit) {
                stop_at(page, name, query.from, page.queue == name ? page.back_to : time_point{});
                co_return page;
            }
            query.limit = asks_for_texts(filter) ? most_searched::tasks : limit - page.tasks.size();
            auto searching = by->search(query);
            auto searched = co_await caught(std::move(searching));
            if (!is_in_one && is_unreadable(page, name, searched.failure())) {
                ++work;
                break;
            }
            auto step = searched.take();
            check_progress(query, step);
            constexpr std::uint64_t many = 200;  // it has looked at
            work += step.next != 0 || step.looked_at > many ? work_of_step : 1;
            for (auto& task : step.tasks) {
                if (!has_texts(filter, task)) continue;
                if (page.tasks.size() == limit) {
                    const auto number = task.id.key.sequence;
                    page.looked_at += step.from > number ? step.from - number : 0;
                    stop_at(page, name, number, task.submitted_at);
                    co_return page;
                }
                page.tasks.push_back(std::move(task));
            }
            page.looked_at += step.looked_at;
            page.queue = name;
            page.back_to = step.back_to;
            query.from = step.next;
        } while (query.from != 0);
    }
    page.queue.clear();
    page.back_to = {};
    co_return page;
}

asio::awaitable<search_page> search_text(broker_ptr by, std::string filter, std::string cursor, std::size_t limit) {
    auto parsed = parse_search(filter, by->clock().now());
    co_return co_await search_page_of(std::move(by), std::move(parsed), std::move(cursor), limit);
}

}  // namespace detail

asio::awaitable<search_page> inspector::search(search_filter filter, std::string cursor, std::size_t limit) const {
    return detail::search_page_of(broker(), std::move(filter), std::move(cursor), limit);
}

asio::awaitable<search_page> inspector::search(std::string filter, std::string cursor, std::size_t limit) const {
    return detail::search_text(broker(), std::move(filter), std::move(cursor), limit);
}

}  // namespace taskflux
