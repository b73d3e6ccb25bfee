#pragma once

#include <taskflux/broker/events.hpp>
#include <taskflux/core/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace taskflux::memory {

/// What has happened in one queue, as long as somebody wants to hear of it: a ring of entries. Not thread-safe.
class event_log {
public:
    /// Until somebody says otherwise.
    static constexpr std::size_t usual = 10'000;

    /// `seed` makes the ids of entries, so that cursors of another process' log are known as such.
    explicit event_log(std::uint64_t seed) : life_((seed >> 2) | (std::uint64_t(1) << 62)) {}

    bool is_on(time_point now) const { return is_kept_ || now < leased_until_; }

    /// Something has happened to a task, or to the queue where `number` is 0.
    void tell(event_kind kind, std::uint64_t number, unsigned attempt, const std::string& name, const std::string& about, time_point now) {
        if (!is_on(now)) return forget(now);
        auto& events = entry_at(now).events;
        const auto [place, is_new] = in_newest_.try_emplace(std::tuple(kind, attempt, name, about), events.size());
        if (is_new) {
            auto& made = events.emplace_back();
            made.kind = kind;
            made.at = now;
            made.attempt = attempt;
            made.name = name;
            (kind == event_kind::schedule_fired ? made.schedule : made.consumer) = about;
        }
        if (number > 0) add(number, events[place->second].numbers);
    }

    /// Drops what was told when nobody has listened for an hour; O(1) where nothing is kept.
    void forget(time_point now) {
        if (!entries_.empty() && now - leased_until_ > stays) entries_.clear();
    }

    /// A call is over: what the next one does is another entry.
    void seal() { is_sealed_ = true; }

    /// `ahead`: of the wall clock.
    event_page read(const event_query& query, time_point now, duration ahead) {
        const auto asked = query.cursor.empty() ? event_cursor() : event_cursor::parse(query.cursor);
        seal();
        if (query.lease > duration::zero()) lease(query.lease, now);
        event_page made;
        made.now = shifted(now, ahead);
        made.end = cursor_of(last_);
        if (query.cursor.empty()) return made;
        drop_old(now);
        const auto first = last_ - entries_.size() + 1;
        auto next = (std::max)(asked.number + 1, first);
        if (!is_ours(asked)) next = asked.number + 1 == first && !begins(first) ? first + 1 : first;  // the reader sees a gap
        const auto most = (std::max)(query.limit, std::size_t(1));
        for (; next <= last_ && made.entries.size() < most; ++next) {
            made.entries.push_back(entries_[static_cast<std::size_t>(next - first)]);
            for (auto& one : made.entries.back().events) one.at = shifted(one.at, ahead);
            made.end = made.entries.back().at;
        }
        return made;
    }

    /// Zero: only while somebody reads.
    void keep(std::size_t most, duration age, time_point now) {
        age_ = age;
        most_ = most > 0 ? most : usual;
        const bool was_on = is_on(now);
        if (is_kept_) leased_until_ = (std::max)(leased_until_, now);  // they stay for a while from now on
        is_kept_ = most > 0;
        if (is_kept_ && !was_on) begin(now);
    }

private:
    /// For how long entries stay when nobody listens any more.
    static constexpr duration stays = std::chrono::hours(1);

    void lease(duration time, time_point now) {
        const bool was_on = is_on(now);
        leased_until_ = (std::max)(leased_until_, later(now, time));
        if (!was_on) begin(now);
    }

    void begin(time_point now) {
        seal();
        tell(event_kind::begun, 0, 0, {}, {}, now);
        seal();
    }

    /// Numbers stand in their order, whatever the order in which a call comes to its tasks.
    static void add(std::uint64_t number, std::vector<number_range>& numbers) {
        const auto behind = std::ranges::upper_bound(numbers, number, {}, &number_range::first);
        const auto before = behind == numbers.begin() ? numbers.end() : std::prev(behind);
        const bool follows = before != numbers.end() && before->last + 1 == number;
        const bool precedes = behind != numbers.end() && number + 1 == behind->first;
        if (follows) before->last = precedes ? behind->last : number;
        if (follows && precedes) numbers.erase(behind);
        if (!follows && precedes) behind->first = number;
        if (!follows && !precedes) numbers.insert(behind, {number, number});
    }

    event_cursor cursor_of(std::uint64_t number) const {
        event_cursor made;
        made.number = number;
        made.id = std::to_string(life_) + '-' + std::to_string(number);
        return made;
    }
    bool is_ours(const event_cursor& asked) const { return asked.number <= last_ && asked.id == cursor_of(asked.number).id; }

    bool begins(std::uint64_t number) const {
        if (entries_.empty() || number != last_ - entries_.size() + 1) return false;
        const auto& events = entries_.front().events;
        return !events.empty() && events.front().kind == event_kind::begun;
    }

    event_entry& entry_at(time_point now) {
        if (!is_sealed_ && !entries_.empty()) return entries_.back();
        is_sealed_ = false;
        in_newest_.clear();
        entries_.emplace_back().at = cursor_of(++last_);
        while (entries_.size() > most_) entries_.pop_front();
        drop_old(now);
        return entries_.back();
    }

    void drop_old(time_point now) {
        if (age_ <= duration::zero()) return;
        while (!entries_.empty() && is_old(entries_.front(), now)) entries_.pop_front();
    }
    bool is_old(const event_entry& entry, time_point now) const {
        return !entry.events.empty() && now - entry.events.front().at > age_;
    }

    const std::uint64_t life_;
    std::deque<event_entry> entries_;
    std::map<std::tuple<event_kind, unsigned, std::string, std::string>, std::size_t> in_newest_;  // places of its events
    std::uint64_t last_ = 0;  // the number of the newest
    std::size_t most_ = usual;
    duration age_{};          // zero: any
    time_point leased_until_{};
    bool is_kept_ = false;
    bool is_sealed_ = true;   // nothing is added to the newest any more
};

}  // namespace taskflux::memory
