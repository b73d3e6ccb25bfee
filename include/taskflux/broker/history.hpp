#pragma once

#include <taskflux/core/task.hpp>
#include <taskflux/core/time.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace taskflux {

/// How an attempt at a task ended. Append only: these numbers are stored on servers, and scripts get them from here.
enum class attempt_outcome : unsigned char {
    running,    ///< it has not
    succeeded,  ///< its handler has returned; where it has spawned subtasks, the task may wait for them yet
    failed,     ///< and no other attempt follows by itself
    retried,    ///< it failed, and another attempt was due later
    postponed,  ///< the handler asked for another time, which does not count as an attempt
    released,   ///< its worker gave the task back: it stopped, or had not begun
    lost,       ///< its worker's lease ran out: a crash
    cancelled,
    suspended,  ///< the handler paused: a sleep, a signal, or the broker was away
};
BOOST_DESCRIBE_ENUM(attempt_outcome, running, succeeded, failed, retried, postponed, released, lost, cancelled, suspended)

/// One time that a task was in the hands of a worker.
struct past_attempt {
    unsigned attempt = 1;      ///< as handlers count them: crashes, releases and pauses don't count
    std::uint32_t token = 0;   ///< of the delivery; grows with each
    std::string consumer;      ///< the worker's life that had it; empty where an older version ended it
    time_point started_at{};
    time_point ended_at{};     ///< 0 while it runs
    attempt_outcome outcome = attempt_outcome::running;
    std::string error;         ///< a `failure` as JSON; left out over 2 KiB, but for the one that the task has failed with
    std::size_t error_size = 0;  ///< in bytes
};
BOOST_DESCRIBE_STRUCT(past_attempt, (), (attempt, token, consumer, started_at, ended_at, outcome, error, error_size))

/// The newest attempts at a task, oldest first. Of 20 that did not end it at least 10 are failures where it has had so many.
struct attempt_list {
    std::vector<past_attempt> attempts;
    std::size_t left_out = 0;  ///< how many more there have been
};

/// Which lines of a task's log.
struct log_query {
    std::string cursor;       ///< of the page before; empty: from the first line that is kept
    std::size_t limit = 100;  ///< lines
};

struct log_page {
    std::vector<log_line> lines;  ///< oldest first, with `log_line::from`
    std::string cursor;           ///< behind the last of them, also where there is none
    std::size_t missed = 0;       ///< lines between the cursor and these that are kept no more; 0 without a cursor
    bool has_ended = false;       ///< the task has, and these are its last lines: no more will come, unless it is requeued
};

}  // namespace taskflux
