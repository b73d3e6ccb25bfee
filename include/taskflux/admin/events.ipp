#pragma once

#include <taskflux/admin/events.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/detail/nap.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace taskflux {

events::events(broker_ptr broker, std::string queue, events_options options)
    : broker_(detail::checked_broker(std::move(broker), "a reader of events")), queue_(std::move(queue)), options_(std::move(options)) {
    detail::check_queue_name(queue_);
    if (options_.poll() <= duration::zero() || options_.lease() <= duration::zero()) {
        throw error(errc::invalid_argument, "a reader of the events of queue " + queue_ + " can't be made: its poll is " +
                                                std::to_string(options_.poll().count()) + " ms and its lease " +
                                                std::to_string(options_.lease().count()) + " ms; both must be above zero");
    }
    if (!options_.from().empty()) done_ = read_ = event_cursor::parse(options_.from());
}

asio::awaitable<event_item> events::next() {
    for (;;) {
        while (!ready_.empty()) {
            auto& first = ready_.front();
            bool is_given = true;
            if (const auto* const event = std::get_if<queue_event>(&first.item)) is_given = co_await is_wanted(*event);
            auto item = std::move(first.item);
            done_ = first.behind;
            ready_.pop_front();
            if (is_given) co_return item;
        }
        co_await read();
        if (!ready_.empty()) continue;
        co_await detail::nap(broker_->clock(), options_.poll());
    }
}

/// Reads some entries, or nothing.
asio::awaitable<void> events::read() {
    event_query query;
    query.lease = options_.lease();
    if (!read_.id.empty()) query.cursor = read_.text();
    auto page = co_await broker_->events(queue_, query);
    if (read_.id.empty()) {
        read_ = page.end;
        last_ = page.now;
        queue_event begun;
        begun.at = page.now;
        ready_.push_back({begun, read_, page.now});
        co_return;
    }
    for (auto& entry : page.entries) add(std::move(entry));
    if (page.entries.empty() && page.newest != read_.number) {  // what came behind the cursor is gone
        if (page.newest == read_.number + 1) co_return;  // it begins just now: the next call reads it
        auto to = read_;
        to.number = page.newest;
        add_gap(to, to, page.now);
        read_ = to;
        has_told_ = true;
    } else if (page.entries.empty()) {
        read_.id = page.end.id;
    }
}

/// `behind`: where the reader is when it has taken the gap.
void events::add_gap(const event_cursor& to, event_cursor behind, time_point until) {
    event_gap gap;
    gap.from = read_.text();
    gap.to = to.text();
    gap.since = last_;
    gap.until = until;
    ready_.push_back({std::move(gap), std::move(behind), until});
}

void events::add(event_entry entry) {
    const auto at = entry.events.empty() ? last_ : entry.events.front().at;
    const bool begins = !entry.events.empty() && entry.events.front().kind == event_kind::begun;
    if (begins && !has_told_) {  // what happened before, nobody has heard
        add_gap(entry.at, entry.at, at);
    } else if (!begins && entry.at.number != read_.number + 1) {
        auto before = read_;
        before.number = entry.at.number - 1;
        add_gap(entry.at, std::move(before), at);
    }
    for (auto& event : entry.events) {
        if (event.kind == event_kind::begun) continue;
        const bool is_last = &event == &entry.events.back();
        ready_.push_back({std::move(event), is_last ? entry.at : read_, at});
    }
    read_ = std::move(entry.at);
    last_ = at;
    has_told_ = false;
}

asio::awaitable<bool> events::is_wanted(const queue_event& event) {
    const bool is_about_tasks = !event.numbers.empty();
    for (const auto& range : event.numbers) {
        if (options_.name().empty() || event.name.empty()) break;
        for (auto number = range.first; number <= range.last && names_.size() < 100'000; ++number) names_[number] = event.name;
    }
    if (!options_.kinds().empty() && !options_.kinds().contains(event.kind)) co_return event.kind == event_kind::begun;
    if (options_.of()) co_return event.kind == event_kind::begun || event.has(options_.of()->key.sequence);
    if (options_.name().empty() || !is_about_tasks) co_return true;
    if (!event.name.empty()) co_return event.name == options_.name();
    const auto numbers = event.numbers;
    for (const auto& range : numbers) {
        for (auto number = range.first; number <= range.last; ++number) {
            const auto name = co_await name_of(number);
            if (name.empty() || name == options_.name()) co_return true;
        }
    }
    co_return false;
}

/// Empty where its record is gone.
asio::awaitable<std::string> events::name_of(std::uint64_t number) {
    if (const auto found = names_.find(number); found != names_.end()) co_return found->second;
    list_query query;
    query.queue = queue_;
    query.limit = 1;
    if (number > 1) {
        task_id before;
        before.queue = queue_;
        before.key.sequence = number - 1;
        query.cursor = to_string(before);
    }
    const auto page = co_await broker_->list(std::move(query));
    if (page.tasks.empty() || page.tasks.front().id.key.sequence != number) co_return std::string();
    co_return page.tasks.front().name;
}

}  // namespace taskflux
