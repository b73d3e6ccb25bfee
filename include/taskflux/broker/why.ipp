#pragma once

#include <taskflux/broker/why.hpp>
#include <taskflux/core/schedule.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace taskflux {

namespace detail {

inline std::string until_text(time_point until) { return until == never ? std::string() : " until " + to_text(until); }

inline std::string joined(const std::vector<std::string>& names) {
    std::string all;
    for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
    return all;
}

inline std::string tasks_text(std::uint64_t count, const char* one, const char* many) {
    return std::to_string(count) + (count == 1 ? one : many);
}

}  // namespace detail

std::string to_string(const task_reason& reason) {
    const auto names = detail::joined(reason.names);
    const auto some = names.empty() ? std::string() : ": " + names;
    const auto until = detail::until_text(reason.until);
    switch (reason.what) {
        case why_reason::running:
            return "it runs since " + to_text(reason.since) + " on worker " + names + ", attempt " + std::to_string(reason.count);
        case why_reason::ended: return "it ended at " + to_text(reason.since);
        case why_reason::held: return "it is held until somebody starts it";
        case why_reason::successor: return "it waits for the end of task " + names + ", which has its unique key";
        case why_reason::scheduled: return "it is due at " + to_text(reason.until);
        case why_reason::retry: return "attempt " + std::to_string(reason.count) + " is due at " + to_text(reason.until);
        case why_reason::sleeping: return "its handler sleeps" + until;
        case why_reason::signal: return "its handler waits for the signal " + names + until;
        case why_reason::subtasks:
            return "it waits for " + std::to_string(reason.count) + " of " + detail::tasks_text(reason.most, " subtask", " subtasks") + some;
        case why_reason::paused: return "its queue is paused";
        case why_reason::throttled: return "its queue is throttled" + until + ", as a handler was told to wait";
        case why_reason::limit:
            return "its queue lets " + std::to_string(reason.most) + " run, and " + std::to_string(reason.count) + " do" +
                   (names.empty() ? "" : ", on " + names);
        case why_reason::rate: return "the rate of its queue lets no task start" + until;
        case why_reason::key_limit:
            return "its key " + names + " lets " + std::to_string(reason.most) + " run, and " + std::to_string(reason.count) + " do";
        case why_reason::key_rate: return "the rate of its key " + names + " lets no task start" + until;
        case why_reason::no_worker: return "no live worker serves its queue";
        case why_reason::unclaimed: return "no worker that has looked has a handler for " + names;
        case why_reason::turn:
            if (reason.count == 0 && !reason.is_at_least) return "it is the next one of its " + (names.empty() ? "queue" : "key " + names);
            return std::string(reason.is_at_least ? "at least " : "") +
                   detail::tasks_text(reason.count, " task", " tasks") + (names.empty() ? "" : " of its key " + names) +
                   (reason.count == 1 ? " comes before it" : " come before it");
        case why_reason::damaged: break;
    }
    return "it is set aside, as it is damaged: " + reason.text;
}

std::string to_string(const task_situation& situation) {
    std::string all = "task " + situation.name + (situation.name.empty() ? "" : " ") + "(" + situation.id + ")";
    for (std::size_t i = 0; i < situation.reasons.size(); ++i) all += (i == 0 ? ": " : "; ") + to_string(situation.reasons[i]);
    return all;
}

}  // namespace taskflux
