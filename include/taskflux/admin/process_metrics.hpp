#pragma once

#include <taskflux/admin/events_observer.hpp>
#include <taskflux/broker/broker_observer.hpp>
#include <taskflux/calls/call_observer.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/flow/scheduler_observer.hpp>
#include <taskflux/flow/worker_observer.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace taskflux {

namespace detail {

/// How long calls took, in buckets from 0.5 ms to 10 s.
struct call_times {
    static constexpr std::array<std::int64_t, 14> bounds_us{500,     1'000,   2'500,   5'000,     10'000,    25'000,    50'000,
                                                            100'000, 250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000};

    std::array<std::uint64_t, bounds_us.size() + 1> counts{};
    std::uint64_t sum_us = 0;

    void add(std::chrono::microseconds took);
};

/// Values by their labels, of which only so many are told apart: further ones count as `other`. Those that are announced, and of
/// which nothing has happened yet, take no place of these.
template <class Value>
class labelled {
public:
    using key = std::vector<std::string>;

    /// `free`: how many of the labels, from the first on, may have any values.
    explicit labelled(std::size_t free = 1) : free_(free) {}

    /// Zero, until something happens; nothing where many others are announced.
    void announce(key labels) {
        const auto group = first(labels, free_);
        if (!happened_.contains(group) && !takes(announced_, group)) return;
        values_[std::move(labels)];
    }

    Value& at(key labels) {
        const auto group = first(labels, free_);
        const bool was_announced = announced_.erase(group) > 0;
        if (!takes(happened_, group)) {
            if (was_announced) forget(group);  // it is zero no more, and counts among the others
            for (auto n = free_; n-- > 0;) {   // only the last ones, if that tells few apart
                labels[n] = "other";
                if (n == 0 || takes(shortened_, first(labels, n))) break;
            }
        }
        return values_[std::move(labels)];
    }

    const std::map<key, Value>& all() const { return values_; }

private:
    static constexpr std::size_t most = 100;

    static key first(const key& labels, std::size_t many) {
        return key(labels.begin(), labels.begin() + static_cast<std::ptrdiff_t>(many));
    }
    static bool takes(std::set<key>& into, const key& one) {
        return into.contains(one) || (into.size() < most && into.insert(one).second);
    }
    void forget(const key& group) {
        auto from = values_.lower_bound(group);
        while (from != values_.end() && first(from->first, free_) == group) from = values_.erase(from);
    }

    std::size_t free_;
    std::set<key> announced_, happened_;
    std::set<key> shortened_;  // what is told of those that are not told apart
    std::map<key, Value> values_;
};

}  // namespace detail

/// Counts what this process sees: calls to the broker's server, calls of methods, missed ticks and events, and what holds its workers
/// up. It is the observer of what it is given to: of brokers (`redis_options::observer`), workers, schedulers, services, `rpc`, readers
/// of events; of those that it is not given to it says nothing, and they cost nothing. `read_metrics` takes it, too. Thread-safe; one
/// for a program. Of queues, of methods and of schedules with which something has happened it tells 100 apart, and counts the others as
/// `other`: of the other schedules of a queue, methods of a service, and of the other queues and services.
class process_metrics final : public broker_call_observer,
                              public worker_observer,
                              public scheduler_observer,
                              public call_observer,
                              public events_observer {
public:
    /// `by` tells when something was last; default: real time. Errors: `invalid_argument` for null.
    explicit process_metrics(std::shared_ptr<const clock> by = std::make_shared<system_clock>());

    /// The text of what was counted, as `metrics_text`. What has labels has samples from when it is known, which are zero until it
    /// happens: of the queues of workers and readers, of the schedules that schedulers fire, of the methods of services with the codes
    /// `ok` and `task_failed`, of 100 of each; other codes, calls to the server and methods of others have some once they have happened.
    std::string text() const;

    void on_call(std::string_view call, std::chrono::microseconds took, bool failed) override;
    void on_reconnect() override;
    void on_queue(const std::string& queue) override;
    void on_throttled(const std::string& queue, duration time) override;
    void on_blocked(const std::vector<running_handler>& among, duration time) override;
    void on_schedule(const std::string& queue, const std::string& schedule) override;
    void on_missed(const std::string& queue, const std::string& schedule, time_point first) override;
    void on_method(const std::string& service, const std::string& method) override;
    void on_called(const ended_call& what) override;
    void on_served(const ended_call& what) override;
    void on_reader(const std::string& queue) override;
    void on_events_lost(const std::string& queue, std::uint64_t entries) override;

private:
    struct misses {
        std::uint64_t count = 0;
        std::optional<time_point> last;
    };
    struct counts {
        std::map<std::string, detail::call_times, std::less<>> calls;
        std::map<std::string, std::uint64_t, std::less<>> errors;
        std::uint64_t reconnects = 0, blocked = 0;
        detail::labelled<std::uint64_t> throttled, lost;
        detail::labelled<misses> missed{2};
        detail::labelled<detail::call_times> called{2}, served{2};
    };

    const std::shared_ptr<const clock> clock_;
    mutable std::mutex mutex_;  // guards the counts; held for no longer than they are changed or copied
    counts counts_;
};

}  // namespace taskflux
