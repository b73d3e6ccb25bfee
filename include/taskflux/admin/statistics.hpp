#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/statistics.hpp>
#include <taskflux/core/time.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/describe/class.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace taskflux {

/// The statistics of the tasks of one name.
struct named_statistics {
    std::string name;  ///< empty: of all names beyond the first 100 of the queue
    task_statistics counts;
};
BOOST_DESCRIBE_STRUCT(named_statistics, (), (name, counts))

/// The statistics of a queue since its first task.
struct queue_statistics {
    time_point at{};
    duration oldest_waiting{};  ///< for how long the task that has waited longest has been due; zero: none waits
    task_statistics all;        ///< of tasks of all names
    std::vector<named_statistics> tasks;  ///< by name
};
BOOST_DESCRIBE_STRUCT(queue_statistics, (), (at, oldest_waiting, all, tasks))

/// What has happened in a span of time that ends now.
struct task_window {
    duration length{};  ///< of the span: a little longer than its name says, as it begins with a whole period
    std::uint64_t submitted = 0;
    ended_tasks ended;
    ended_attempts attempts;
};
BOOST_DESCRIBE_STRUCT(task_window, (), (length, submitted, ended, attempts))

struct throughput {
    task_window minute;
    task_window quarter;  ///< 15 minutes
    task_window hour;
    task_window day;
};
BOOST_DESCRIBE_STRUCT(throughput, (), (minute, quarter, hour, day))

/// A period of a queue's history.
struct history_point {
    time_point begin{};
    task_statistics counts;
};
BOOST_DESCRIBE_STRUCT(history_point, (), (begin, counts))

/// Reads what is counted of a queue's tasks, by all programs. docs/statistics.md says what is exact, and what a crash loses.
///
/// A value: copies share nothing but the broker. Thread-safe. Errors of all calls: those of `broker`. Cancellation: terminal.
class statistics {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    /// Errors: `invalid_argument` for an invalid queue name and a null pointer.
    statistics(broker_ptr broker, std::string queue);

    /// Totals, by name and of all. O(names + priorities).
    awaitable<queue_statistics> now() const;

    /// What was submitted and ended lately: of tasks of one name, or of all where `task` is empty. Reads up to 182 periods.
    awaitable<throughput> rates(std::string task = {}) const;

    /// The periods of a tier in which anything happened, oldest first; the last one may be under way. `task` as for `rates`: of one
    /// name the history has no times.
    awaitable<std::vector<history_point>> history(history_tier tier, std::string task = {}) const;

private:
    broker_ptr broker_;
    std::string queue_;
};

}  // namespace taskflux
