#pragma once

#include <taskflux/core/codec/text.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/live.hpp>
#include <taskflux/flow/worker/monitor.hpp>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

void worker_monitor::log(log_level level, std::string text, const task_id* task) const noexcept {
    try {
        log_line line;
        line.at = clock_.wall();
        line.level = level;
        line.text = as_utf8("worker " + node_ + ": " + std::move(text));
        log_(line, task);
    } catch (...) {  // no memory for a line
    }
}

void worker_monitor::serves(const std::string& queue) const noexcept {
    try {
        if (observer_) observer_->on_queue(queue);
    } catch (...) {  // an observer's
    }
}

/// "30 s"; what is short in ms.
inline std::string delay_text(duration time) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(time).count();
    return seconds < 10 ? std::to_string(time.count()) + " ms" : std::to_string(seconds) + " s";
}

void worker_monitor::attempt_ends(const attempt& of, const settlement& end) const noexcept {
    if (end.how == settlement::kind::throttle) return throttled(of, end.delay);
    const bool retries = end.how == settlement::kind::retry;
    if (!retries && end.how != settlement::kind::fail) return;
    try {
        attempt_failure what;
        what.task = of.id();
        what.name = of.what().spec->name;
        what.attempt = of.what().attempt;
        what.why = read_failure(end.data);
        std::string text = "task " + what.name + ": attempt " + std::to_string(what.attempt);
        if (retries && !end.counts) {
            text += " was put off by its handler";
        } else {
            text += " failed: " + (what.why.message.empty() ? what.why.type : what.why.message);
        }
        text += retries ? "; the next is in " + delay_text(end.delay) : "; no other follows";
        log(!retries ? log_level::error : end.counts ? log_level::warning : log_level::info, std::move(text), &what.task);
        if (!observer_) return;
        if (!retries) observer_->on_failed(what);
        else if (end.counts) observer_->on_retry(what, end.delay);
    } catch (...) {  // an observer's
    }
}

void worker_monitor::throttled(const attempt& of, duration time) const noexcept {
    try {
        const auto id = of.id();
        log(log_level::info, "task " + of.what().spec->name + ": its handler was told to wait; queue " + id.queue +
                                 " starts nothing for " + delay_text(time), &id);
        if (observer_) observer_->on_throttled(id.queue, time);
    } catch (...) {  // an observer's
    }
}

void worker_monitor::blocked(const std::vector<running_handler>& among, duration time) const noexcept {
    try {
        constexpr std::size_t most = 5;
        std::string names;
        for (std::size_t i = 0; i < among.size() && i < most; ++i) names += (i > 0 ? ", " : "") + among[i].name;
        if (among.size() > most) names += " or another";
        using std::chrono::milliseconds;
        log(log_level::warning,
            "the I/O thread has run nothing for " + std::to_string(std::chrono::floor<milliseconds>(time).count()) +
                " ms: a handler, or other code on this thread, blocks it; a handler that takes long should be a plain function, which "
                "runs on the CPU pool. Running: " + names,
            among.size() == 1 ? &among.front().task : nullptr);
        if (observer_) observer_->on_blocked(among, time);
    } catch (...) {  // an observer's
    }
}

void worker_monitor::unclaimed(const std::string& queue, const std::string& name, duration waited) const noexcept {
    try {
        log(log_level::warning, "task " + name + " has waited in queue " + queue + " for " +
                                    std::to_string(std::chrono::floor<std::chrono::seconds>(waited).count()) +
                                    " s or longer: this worker has no handler for it, and the workers that have one are busy, or there "
                                    "is none; register one with on(), start a worker that has one, or cancel the tasks");
        if (observer_) observer_->on_unclaimed(queue, name);
    } catch (...) {  // an observer's
    }
}

void worker_monitor::starved(const running_handler& who, const task_id& awaited, kept_for_wait what, std::size_t count,
                             bool is_certain) const noexcept {
    try {
        const bool is_slot = what == kept_for_wait::slot;
        const std::string kept = is_slot ? " and keeps its slot, as do all handlers here ("
                                         : " and keeps its thread, as do all plain functions here (";
        const std::string then = is_certain ? "and no other worker serves that queue: none of them can go on, so this wait ends in an error"
                                 : is_slot  ? "so that another worker must run it"
                                            : "so that it can't begin as long as they wait";
        log(is_certain ? log_level::error : log_level::warning,
            "task " + who.name + ": its handler waits for task " + to_string(awaited) + kept + std::to_string(count) + "), " + then +
                "; await it by context::call in a coroutine, which lends the slot, or raise worker_options::" +
                (is_slot ? "concurrency" : "cpu_threads"),
            &who.task);
        if (observer_) observer_->on_starved(who, awaited, is_certain);
    } catch (...) {  // an observer's
    }
}

void worker_monitor::abandoned(std::string text) const noexcept {
    try {
        log(log_level::error, std::move(text));
        if (observer_) observer_->on_abandoned();
    } catch (...) {  // an observer's
    }
}

}  // namespace taskflux::detail
