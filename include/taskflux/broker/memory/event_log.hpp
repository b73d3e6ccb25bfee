#pragma once

#include <taskflux/broker/events.hpp>
#include <taskflux/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

namespace taskflux::memory {

/// What has happened in one queue, as long as somebody wants to hear of it: a ring of entries. Not thread-safe.
class event_log {
public:
    /// Until somebody says otherwise.
    static constexpr std::size_t usual = 10'000;

    bool is_on(time_point now) const { return now < until_; }

    /// Something has happened to a task, or to the queue where `number` is 0.
    void tell(event_kind kind, std::uint64_t number, unsigned attempt, const std::string& name, const std::string& about, time_point now) {
        if (!is_on(now)) return;
        auto& events = entry_at(now).events;
        const auto who = kind == event_kind::schedule_fired ? &queue_event::schedule : &queue_event::consumer;
        const auto is_same = [&](const queue_event& known) {
            return known.kind == kind && known.attempt == attempt && known.name == name && known.*who == about;
        };
        if (events.empty() || !is_same(events.back())) {
            auto& made = events.emplace_back();
            made.kind = kind;
            made.at = now;
            made.attempt = attempt;
            made.name = name;
            made.*who = about;
        }
        auto& numbers = events.back().numbers;
        if (number == 0) return;
        if (!numbers.empty() && numbers.back().last + 1 == number) numbers.back().last = number;
        else numbers.push_back({number, number});
    }

    /// A call is over: what the next one does is another entry.
    void seal() { is_sealed_ = true; }

    /// `ahead`: of the wall clock.
    event_page read(const event_query& query, time_point now, duration ahead) {
        const auto asked = query.cursor.empty() ? event_cursor() : event_cursor::parse(query.cursor);
        seal();
        event_page made;
        made.end = asked;
        const auto first = last_ - entries_.size() + 1;
        if (!query.cursor.empty()) {
            const auto most = (std::max)(query.limit, std::size_t(1));
            for (auto next = (std::max)(asked.number + 1, first); next <= last_ && made.entries.size() < most; ++next) {
                made.entries.push_back(entries_[next - first]);
                for (auto& one : made.entries.back().events) one.at = shifted(one.at, ahead);
                made.end = made.entries.back().at;
            }
        }
        if (query.lease > duration::zero()) listen(later(now, query.lease), now);
        made.newest = last_;
        if (query.cursor.empty()) made.end = cursor_of(last_);
        made.now = shifted(now, ahead);
        return made;
    }

    /// Zero: only while somebody reads.
    void keep(std::size_t most, duration age, time_point now) {
        age_ = age;
        most_ = most > 0 ? most : usual;
        if (most > 0) listen(never, now);
        else if (until_ == never) until_ = later(now, std::chrono::minutes(1));  // who reads says so again
    }

private:
    void listen(time_point until, time_point now) {
        const bool was_on = is_on(now);
        until_ = (std::max)(until_, until);
        if (was_on) return;
        seal();
        tell(event_kind::begun, 0, 0, {}, {}, now);
        seal();
    }

    static event_cursor cursor_of(std::uint64_t number) {
        event_cursor made;
        made.number = number;
        made.id = "0-" + std::to_string(number);
        return made;
    }

    event_entry& entry_at(time_point now) {
        if (!is_sealed_ && !entries_.empty()) return entries_.back();
        is_sealed_ = false;
        entries_.emplace_back().at = cursor_of(++last_);
        while (entries_.size() > most_ || (age_ > duration::zero() && entries_.size() > 1 && is_old(entries_.front(), now))) {
            entries_.pop_front();
        }
        return entries_.back();
    }

    bool is_old(const event_entry& entry, time_point now) const {
        return !entry.events.empty() && now - entry.events.front().at > age_;
    }

    std::deque<event_entry> entries_;
    std::uint64_t last_ = 0;  // the number of the newest
    std::size_t most_ = usual;
    duration age_{};          // zero: any
    time_point until_{};
    bool is_sealed_ = true;   // nothing is added to the newest any more
};

}  // namespace taskflux::memory
