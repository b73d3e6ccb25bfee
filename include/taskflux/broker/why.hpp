#pragma once

#include <taskflux/core/id.hpp>
#include <taskflux/core/state.hpp>
#include <taskflux/core/time.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace taskflux {

/// What keeps a task from running, or that nothing has to.
enum class why_reason {
    running,    ///< it runs: `since`, `names`: on which worker, `count`: the attempt
    ended,      ///< `since`
    held,       ///< until somebody starts it
    successor,  ///< `names`: the id of the task that has its unique key, and whose end it waits for
    scheduled,  ///< `until`: it has not begun, and is due then
    retry,      ///< `until`: its next attempt is due, `count`: which one
    sleeping,   ///< `until`: its handler sleeps
    signal,     ///< `names`: its handler waits for that signal; `until`: at most so long
    subtasks,   ///< `count` of `most` subtasks are open; `names`: some of them, as its calls are named
    paused,     ///< its queue is paused
    throttled,  ///< `until`: a handler of its queue has thrown `throttled`
    limit,      ///< `count` tasks of its queue run, and `most` may; `names`: some workers that hold them
    rate,       ///< `until`: its queue's rate lets no other task start
    key_limit,  ///< `count` tasks of its key run, and `most` may; `names`: the key
    key_rate,   ///< `until`: the rate of its key lets no other task start; `names`: the key
    no_worker,  ///< no live worker or receiver serves its queue
    unclaimed,  ///< `names`: no worker that has looked has a handler for tasks of that name
    turn,       ///< `count` tasks come before it (`is_at_least`: or more); of its key, where it has one: `names`
    damaged     ///< it is set aside, and not handed out; `text`: what is wrong with it
};
BOOST_DESCRIBE_ENUM(why_reason, running, ended, held, successor, scheduled, retry, sleeping, signal, subtasks, paused, throttled, limit,
                    rate, key_limit, key_rate, no_worker, unclaimed, turn, damaged)

/// One thing that keeps a task from running. What has no meaning for `what` is zero or empty.
struct task_reason {
    why_reason what = why_reason::turn;
    time_point since{};
    time_point until{};  ///< `never` where nothing ends it by itself
    std::uint64_t count = 0;
    std::uint64_t most = 0;
    bool is_at_least = false;
    std::vector<std::string> names;
    std::string text;
};
BOOST_DESCRIBE_STRUCT(task_reason, (), (what, since, until, count, most, is_at_least, names, text))

/// Why a task is not running. More than one thing may be in its way: that which comes first, first.
struct task_situation {
    std::string id;
    std::string name;  ///< the task's; empty where it can't be read
    task_state state = task_state::waiting;
    std::vector<task_reason> reasons;
};
BOOST_DESCRIBE_STRUCT(task_situation, (), (id, name, state, reasons))

/// As a sentence without its full stop, in English, with times in UTC: "its queue is paused".
std::string to_string(const task_reason& reason);

/// All of it as one sentence: "task send (mail:~7.1): its queue is paused; 3 tasks come before it".
std::string to_string(const task_situation& situation);

}  // namespace taskflux
