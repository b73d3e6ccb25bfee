#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/counting.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/core/statistics.hpp>
#include <taskflux/detail/spawn.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// What this process has counted and not sent to the server yet, by queue and task name. Thread-safe.
class tally {
public:
    using counts = std::map<std::string, detail::counted_values, std::less<>>;

    /// Attempts whose settlement was answered: `effects` are those from the place `from` on.
    void add(const std::string& queue, const std::vector<settlement>& ends, std::size_t from, const std::vector<settled_end>& effects) {
        using detail::counted;
        const std::lock_guard lock(mutex_);
        auto& of = queues_[queue].names;
        detail::counted_values* into = nullptr;
        const std::string* name = nullptr;
        for (std::size_t i = 0; i < effects.size(); ++i) {
            const auto& mark = ends[from + i].mark;
            const auto& [done, became] = effects[i];
            if (!mark.spec || done != effect::done) continue;
            const auto what = detail::counted_as(ends[from + i], became);
            const bool has_waited = detail::has_waited(ends[from + i]);
            if (!what && !has_waited) continue;
            if (!name || *name != mark.spec->name) {
                name = &mark.spec->name;
                into = &(of.size() < most_names || of.contains(*name) ? of[*name] : of[std::string()]);
            }
            if (has_waited) into->add_time(counted::wait, *mark.waited);
            if (!what) continue;
            ++(*into)[*what];
            if (*what == counted::attempt_succeeded && !became) ++(*into)[counted::succeeded];
            if (mark.ran) into->add_time(counted::run, *mark.ran);
        }
    }

    /// What is to be sent now: at most once a second, and nothing where nothing was counted.
    counts take_due(const std::string& queue, time_point now) {
        const std::lock_guard lock(mutex_);
        auto& of = queues_[queue];
        if (of.names.empty() || now < later(of.sent_at, std::chrono::seconds(1))) return {};
        of.sent_at = now;
        return std::exchange(of.names, {});
    }

    counts take_all(const std::string& queue) {
        const std::lock_guard lock(mutex_);
        return std::exchange(queues_[queue].names, {});
    }

    /// Whether a process that only submits should have the server take over what it has counted: once in 10 s.
    bool is_turn(const std::string& queue, time_point now) {
        const std::lock_guard lock(mutex_);
        auto& of = queues_[queue];
        if (of.turn_at == time_point{}) of.turn_at = now;  // many submit once, and end
        const auto last = (std::max)(of.turn_at, of.sent_at);
        if (now < later(last, period_of(history_tier::ten_seconds))) return false;
        of.turn_at = now;
        return true;
    }

private:
    static constexpr std::size_t most_names = 300;  // in a second; those beyond share one, as they do on the server

    struct one_queue {
        counts names;
        time_point sent_at{}, turn_at{};
    };

    std::mutex mutex_;
    std::map<std::string, one_queue, std::less<>> queues_;
};

using tally_ptr = std::shared_ptr<tally>;

/// Sends counts, once: a call that fails may have been carried out, and rather too few are counted than some twice.
inline awaitable<void> send_counts(engine_ptr on, std::string queue, tally::counts counts) {
    arguments with;
    for (const auto& [name, values] : counts) with.add(name).add(detail::text_of(values));
    auto& calls = on->at(queue)->calls();
    co_await calls.run(scripts::count_attempts, {}, std::move(with), false);
}

inline void send_due_counts(const engine_ptr& on, const tally_ptr& from, const std::string& queue) {
    auto counts = from->take_due(queue, on->base().now());
    if (counts.empty()) return;
    detail::spawn_ignoring_errors(on->get_executor(), send_counts(on, queue, std::move(counts)));
}

/// `broker::statistics`.
inline awaitable<stored_statistics> statistics(engine_ptr on, std::string queue) {
    const auto got = co_await on->call(std::move(queue), scripts::statistics, {}, {});
    auto from = got.read();
    stored_statistics made;
    const auto now = from.integer();
    made.at = time_point(duration(now));
    if (const auto since = from.integer(); since > 0) made.oldest_waiting = duration(now - since);
    std::map<std::string, detail::counted_values> names;
    while (!from.done()) {
        const std::string name(from.text());
        const std::string text(from.text());
        detail::add_text(names[name], text);
        detail::add_text(made.all, text);
    }
    for (auto& [name, values] : names) made.names.push_back({name, values});
    co_return made;
}

/// `broker::history`.
inline awaitable<std::vector<stored_period>> history(engine_ptr on, std::string queue, std::string name, history_tier tier,
                                                     std::size_t periods) {
    if (!name.empty()) detail::check_name(detail::limits::task, name);
    periods = (std::min)(periods, periods_of(tier));
    arguments with;
    with.add(static_cast<int>(tier) + 1).add(periods).add(name);
    const auto got = co_await on->call(std::move(queue), scripts::statistics_history, {}, std::move(with));
    auto from = got.read();
    const duration length(from.integer());
    from.integer();
    std::map<std::int64_t, detail::counted_values> found;
    while (!from.done()) {
        const auto number = from.integer();
        const std::string text(from.text());
        detail::add_text(found[number], text);
    }
    std::vector<stored_period> made;
    for (auto& [number, values] : found) {
        if (!name.empty()) std::fill(values.all().begin() + detail::counted_events, values.all().end(), 0);
        made.push_back({time_point(number * length), values});
    }
    co_return made;
}

}  // namespace taskflux::redis
