#pragma once

#include <taskflux/admin/events.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/detail/alarm.hpp>
#include <taskflux/detail/event.hpp>

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

events::events(broker_ptr broker, std::string queue, events_options options)
    : broker_(detail::checked_broker(std::move(broker), "a reader of events")), queue_(std::move(queue)), options_(std::move(options)) {
    detail::check_queue_name(queue_);
    const auto refuse = [&](const std::string& why) {
        throw error(errc::invalid_argument, "a reader of the events of queue " + queue_ + " can't be made: " + why);
    };
    // A lease must outlive some answers that are late.
    if (options_.poll() <= duration::zero() || options_.lease() <= duration::zero() || options_.poll() > options_.lease() / 3) {
        refuse("its poll is " + std::to_string(options_.poll().count()) + " ms and its lease " +
               std::to_string(options_.lease().count()) + " ms; both must be above zero, and the poll at most a third of the lease");
    }
    if (const auto& task = options_.of(); task && task->queue != queue_) refuse("task " + to_string(*task) + " is of another queue");
    if (!options_.from().empty()) done_ = read_ = parse(options_.from());
    if (!options_.observer()) return;
    try {
        options_.observer()->on_reader(queue_);
    } catch (...) {  // an observer's
    }
}

std::string events::text_of(const place& where) const {
    return queue_ + '@' + std::to_string(where.last.time_since_epoch().count()) + '@' + where.at.text();
}

events::place events::parse(const std::string& text) const {
    place made;
    const auto refuse = [&](const std::string& why) {
        throw error(errc::invalid_argument, "\"" + text + "\" is no cursor of the events of queue " + queue_ + why);
    };
    const auto name_end = text.find('@');
    if (name_end == text.npos) refuse(": take one that `events::cursor` has given");
    if (text.compare(0, name_end, queue_) != 0) refuse(": it is of another queue");
    std::int64_t ms = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + name_end + 1, end, ms);
    if (read.ec != std::errc() || read.ptr == end || *read.ptr != '@') refuse(": take one that `events::cursor` has given");
    made.last = time_point(duration(ms));
    made.at = event_cursor::parse(std::string_view(read.ptr + 1, static_cast<std::size_t>(end - read.ptr - 1)));
    return made;
}

asio::awaitable<event_item> events::next() {
    for (;;) {
        while (!ready_.empty()) {
            auto& first = ready_.front();
            bool is_given = true;
            if (auto* const event = std::get_if<queue_event>(&first.item)) is_given = co_await is_wanted(*event);
            auto item = std::move(first.item);
            done_ = std::move(first.behind);
            ready_.pop_front();
            if (is_given) co_return item;
        }
        co_await read();
        if (ready_.empty()) co_await rest();
    }
}

/// Waits until it is time to ask again, or the broker is closed.
asio::awaitable<void> events::rest() {
    const auto executor = co_await asio::this_coro::executor;
    const auto rings = std::make_shared<detail::event>();
    auto& clock = broker_->clock();
    const auto closing = broker_->on_close([rings] { rings->set(); });
    const detail::alarm at(clock, executor, rings, later(clock.now(), options_.poll()));
    co_await rings->wait();
}

/// Reads some entries, or nothing.
asio::awaitable<void> events::read() {
    event_query query;
    query.lease = options_.lease();
    const bool is_first = read_.at.id.empty();
    if (!is_first) query.cursor = read_.at.text();
    auto page = co_await broker_->events(queue_, query);
    if (is_first) {
        read_.at = std::move(page.end);
        read_.last = page.now;
        waiting begins;
        auto& begun = begins.item.emplace<queue_event>();
        begun.at = page.now;
        begins.behind = read_;
        ready_.push_back(std::move(begins));
        co_return;
    }
    for (auto& entry : page.entries) add(std::move(entry));
    if (!page.entries.empty()) co_return;
    place end;
    end.at = std::move(page.end);
    end.last = read_.last;
    if (end.at.number != read_.at.number) add_gap(std::move(end), page.now);  // what came behind the cursor is gone
    else read_ = std::move(end);
}

/// `to`: where the reader is behind the gap.
void events::add_gap(place to, time_point until) {
    tell_lost(to.at);
    waiting made;
    auto& gap = made.item.emplace<event_gap>();
    gap.from = text_of(read_);
    gap.to = text_of(to);
    gap.since = read_.last;
    gap.until = until;
    read_ = std::move(to);
    made.behind = read_;
    ready_.push_back(std::move(made));
}

void events::tell_lost(const event_cursor& to) const noexcept {
    if (!options_.observer()) return;
    const bool is_known = to.number > read_.at.number;
    try {
        options_.observer()->on_events_lost(queue_, is_known ? to.number - read_.at.number : 1);
    } catch (...) {  // an observer's
    }
}

void events::add(event_entry entry) {
    const auto at = entry.events.empty() ? read_.last : entry.events.front().at;
    const bool begins = !entry.events.empty() && entry.events.front().kind == event_kind::begun;
    place behind;
    behind.at = std::move(entry.at);
    behind.last = at;
    if (begins) return add_gap(std::move(behind), at);  // what happened before, nobody has heard
    if (behind.at.number != read_.at.number + 1) {
        auto before = read_;
        before.at.number = behind.at.number - 1;
        add_gap(std::move(before), at);
    }
    for (auto& event : entry.events) {
        const bool is_last = &event == &entry.events.back();
        waiting made;
        made.item = std::move(event);
        made.behind = is_last ? behind : read_;
        ready_.push_back(std::move(made));
    }
    read_ = std::move(behind);
}

/// Leaves of an event what the reader wants; false: nothing.
asio::awaitable<bool> events::is_wanted(queue_event& event) {
    if (event.kind == event_kind::begun) co_return true;
    if (!options_.name().empty() && !event.name.empty()) {
        for (const auto& range : event.numbers) {
            for (auto number = range.first; number <= range.last; ++number) know(number, event.name);
        }
    }
    if (!options_.kinds().empty() && !options_.kinds().contains(event.kind)) co_return false;
    if (const auto& task = options_.of()) {
        const auto number = task->key.sequence;
        if (!event.has(number)) co_return false;
        event.numbers.clear();
        event.numbers.push_back({number, number});
    }
    if (options_.name().empty() || event.numbers.empty()) co_return true;
    if (!event.name.empty()) co_return event.name == options_.name();
    std::vector<number_range> wanted;
    for (const auto& range : event.numbers) {
        for (auto number = range.first; number <= range.last; ++number) {
            const bool is_one = co_await has_name(number);
            if (!is_one) continue;
            if (!wanted.empty() && wanted.back().last + 1 == number) wanted.back().last = number;
            else wanted.push_back({number, number});
        }
    }
    event.numbers = std::move(wanted);
    co_return !event.numbers.empty();
}

void events::know(std::uint64_t number, std::string name) {
    constexpr std::size_t most = 100'000;
    names_[number] = std::move(name);
    if (names_.size() > most) names_.erase(names_.begin());
}

/// Whether a task has the wanted name, or its record is gone.
asio::awaitable<bool> events::has_name(std::uint64_t number) {
    if (const auto found = names_.find(number); found != names_.end()) {
        co_return found->second.empty() || found->second == options_.name();
    }
    list_query query;
    query.queue = queue_;
    query.limit = 1;
    if (number > 1) {
        task_id before;
        before.queue = queue_;
        before.key.sequence = number - 1;
        query.cursor = to_string(before);
    }
    auto page = co_await broker_->list(std::move(query));
    const bool is_there = !page.tasks.empty() && page.tasks.front().id.key.sequence == number;
    auto name = is_there ? std::move(page.tasks.front().name) : std::string();
    const bool has = name.empty() || name == options_.name();
    know(number, std::move(name));
    co_return has;
}

}  // namespace taskflux
