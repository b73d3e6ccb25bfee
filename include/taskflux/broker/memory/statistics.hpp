#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/counting.hpp>
#include <taskflux/core/statistics.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::memory {

/// The last periods of a tier in which something was counted: `Size` numbers each, in 32 bits, as they are of some minutes.
template <std::size_t Size>
class period_ring {
public:
    explicit period_ring(history_tier tier) : tier_(tier) {}

    void add(time_point now, const detail::counted_values& values) {
        const auto number = number_of(now);
        if (all_.empty() || all_.back().number < number) all_.push_back({number, {}});
        auto& into = all_.back().values;
        for (std::size_t i = 0; i < Size; ++i) {
            into[i] = static_cast<std::uint32_t>((std::min)(into[i] + values.all()[i], std::int64_t(0xffffffff)));
        }
        forget(number);
    }

    std::vector<stored_period> last(time_point now, std::size_t periods) const {
        std::vector<stored_period> found;
        const auto end = number_of(now);
        for (const auto& one : all_) {
            if (one.number + static_cast<std::int64_t>((std::min)(periods, periods_of(tier_))) <= end) continue;
            auto& made = found.emplace_back();
            made.begin = time_point(one.number * period_of(tier_));
            std::ranges::copy(one.values, made.values.all().begin());
        }
        return found;
    }

private:
    struct period {
        std::int64_t number;
        std::array<std::uint32_t, Size> values;
    };

    std::int64_t number_of(time_point when) const { return when.time_since_epoch() / period_of(tier_); }

    void forget(std::int64_t now) {
        while (all_.front().number + static_cast<std::int64_t>(periods_of(tier_)) <= now) all_.pop_front();
    }

    history_tier tier_;
    std::deque<period> all_;
};

template <std::size_t Size>
class counted_history {
public:
    void add(time_point now, const detail::counted_values& values) {
        for (auto* const tier : {&ten_seconds_, &minute_, &quarter_}) tier->add(now, values);
    }
    const period_ring<Size>& operator[](history_tier tier) const {
        if (tier == history_tier::ten_seconds) return ten_seconds_;
        return tier == history_tier::minute ? minute_ : quarter_;
    }

private:
    period_ring<Size> ten_seconds_{history_tier::ten_seconds}, minute_{history_tier::minute}, quarter_{history_tier::quarter};
};

/// Counts what happens to a queue's tasks, by name. What is counted goes into the history when the next 10 s begin: until then a
/// count is one addition. Not thread-safe.
class statistics_book {
public:
    /// Names that are counted apart; those beyond share one.
    static constexpr std::size_t most_names = 100;

    void count(const task_spec& of, detail::counted what, time_point now) { ++at(of.name, now)[what]; }

    void count_time(const task_spec& of, detail::counted histogram, duration time, time_point now) {
        at(of.name, now).add_time(histogram, time);
    }

    /// An attempt that has been settled.
    void count_attempt(const settlement& end, const detail::changed_end& became, time_point now) {
        using detail::counted;
        if (!end.mark.spec) return;
        if (detail::has_waited(end)) count_time(*end.mark.spec, counted::wait, *end.mark.waited, now);
        const auto what = detail::counted_as(end, became);
        if (!what) return;
        count(*end.mark.spec, *what, now);
        if (end.mark.ran) count_time(*end.mark.spec, counted::run, *end.mark.ran, now);
    }

    stored_statistics read(time_point now) {
        pass(now);
        stored_statistics made;
        made.at = now;
        for (const auto& [name, one] : names_) {
            named_counts named{name, one.total};
            named.values += one.pending;
            made.all += named.values;
            made.names.push_back(std::move(named));
        }
        return made;
    }

    std::vector<stored_period> history(const std::string& name, history_tier tier, std::size_t periods, time_point now) {
        fold();
        pass(now);
        if (name.empty()) return all_[tier].last(now, periods);
        const auto found = names_.find(name);
        return found == names_.end() ? std::vector<stored_period>() : found->second.history[tier].last(now, periods);
    }

private:
    struct one_name {
        detail::counted_values total, pending;
        counted_history<detail::counted_events> history;
        bool is_pending = false;
    };

    detail::counted_values& at(const std::string& name, time_point now) {
        pass(now);
        if (!last_ || last_->first != name) last_ = &*find(name);
        last_->second.is_pending = true;
        return last_->second.pending;
    }

    std::map<std::string, one_name>::iterator find(const std::string& name) {
        const auto known = names_.find(name);
        if (known != names_.end()) return known;
        return names_.try_emplace(names_.size() < most_names ? name : std::string()).first;
    }

    /// The counts of the 10 s that are over go into the history.
    void pass(time_point now) {
        if (now < ends_) return;
        fold();
        const auto period = period_of(history_tier::ten_seconds);
        begin_ = time_point(now.time_since_epoch() / period * period);
        ends_ = begin_ + period;
    }

    void fold() {
        detail::counted_values sum;
        bool is_any = false;
        for (auto& [name, one] : names_) {
            if (!std::exchange(one.is_pending, false)) continue;
            is_any = true;
            sum += one.pending;
            one.total += one.pending;
            one.history.add(begin_, one.pending);
            one.pending = {};
        }
        if (is_any) all_.add(begin_, sum);
    }

    std::map<std::string, one_name> names_;
    std::map<std::string, one_name>::value_type* last_ = nullptr;  // what was counted last, as tasks of a name come together
    counted_history<detail::counted_values::size> all_;
    time_point begin_{}, ends_{};
};

}  // namespace taskflux::memory
