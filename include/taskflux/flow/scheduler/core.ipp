#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/core/cron.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/zone.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/keep_trying.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/flow/scheduler/core.hpp>

#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <set>
#include <utility>

namespace taskflux::detail {

scheduler_core::scheduler_core(schedule_book book, const scheduler_options& options, std::string host,
                               std::shared_ptr<const local_job_map> jobs, std::shared_ptr<declared_schedules> declared,
                               asio::any_io_executor cpu)
    : book_(std::move(book)), options_(options), log_(options_.log().in_time_of(book_.broker()->clock())), host_(std::move(host)),
      jobs_(std::move(jobs)), declared_(std::move(declared)),
      trouble_(log_), clock_(book_.broker()->clock()), strand_(asio::make_strand(book_.broker()->get_executor())),
      runs_(book_.broker()->get_executor(), std::move(cpu), strand_, log_),
      loops_(strand_, [this] { shared_.stop(); }),
      life_(strand_, "its local jobs are cancelled, and its schedules left to other processes", [this](const std::string& text) {
          if (!book_.broker()->is_closed()) log_(log_level::error, "scheduler: " + text);
      }) {
    for (const auto& [id, job] : *jobs_) {
        if (job.scope != local_scope::every_process) jobs_to_put_.push_back(id);
    }
}

asio::awaitable<void> scheduler_core::live([[maybe_unused]] std::shared_ptr<asio::thread_pool> threads) {
    const auto self = shared_from_this();
    const lifetime::mark under_way(life_);
    if (under_way.is_too_late()) co_return;
    const auto closing = book_.broker()->on_close([weak = weak_from_this()] {
        const auto alive = weak.lock();
        if (alive) asio::post(alive->strand_, [alive] { alive->shared_.stop(); });
    });
    if (!life_.is_stopped()) loops_.start(shared_, fire_shared());
    co_await loops_.end_of(shared_);
    loops_.stop_all();
    co_await loops_.end_of_all();
    runs_.cancel_all();
    co_await runs_.end_of_all();
    if (life_.is_stopped()) co_return;
    loops_.check();
    throw broker_is_closed();
}

void scheduler_core::stop() {
    life_.stop();
    asio::post(strand_, [self = shared_from_this()] { self->shared_.stop(); });
}

void scheduler_core::abandon() {
    life_.abandon();
    runs_.close();
    stop();
}

asio::awaitable<void> scheduler_core::fire_shared() {
    const auto self = shared_from_this();
    const auto limit = start_limit(clock_, options_.start_timeout());
    const bool is_there = co_await ask_the_time();
    loops_.start(fire_own());
    unsigned failures = is_there ? 0 : 1;
    for (bool has_begun = false;;) {
        if (failures == 0) co_await put_jobs();
        const bool has_seen = co_await look();
        has_begun = has_begun || !unreachable_;
        if (!has_begun && clock_.now() >= limit) std::rethrow_exception(unreachable_);
        failures = has_seen ? 0 : failures + 1;
        auto look_again = later(clock_.now(), options_.look_every() * std::clamp(failures, 1U, 10U));
        if (!has_begun) look_again = (std::min)(look_again, limit);
        must_look_ = false;
        for (;;) {
            co_await fire_all();
            co_await asio::post(asio::deferred);  // lets other coroutines run, also where no call waits and everything is late
            if (must_look_ || clock_.now() >= look_again) break;
            const auto soonest = (std::min)(look_again, clock_.until_wall(next_due()));
            co_await sleep_until(clock_, (std::min)(soonest, later(clock_.now(), clock_.look_every())));
            awake_since_ = clock_.now();
        }
    }
}

time_point scheduler_core::next_due() const {
    auto soonest = never;
    for (const auto& [where, one] : known_) soonest = (std::min)(soonest, one.due());
    return soonest;
}

asio::awaitable<bool> scheduler_core::ask_the_time() {
    auto reading = book_.rows(local_queue);
    const auto read = co_await caught(std::move(reading));
    const place where(local_queue, "");
    if (read.failure()) trouble_.log_failure(where, std::string("the schedules of queue ") + local_queue, read.failure());
    co_return !read.failure();
}

// --- reading ------------------------------------------------------------------------------------------------

asio::awaitable<void> scheduler_core::put_jobs() {
    const auto some = std::exchange(jobs_to_put_, std::vector<std::string>());
    for (const auto& id : some) {
        const auto& what = jobs_->find(id)->second.definition;
        auto claim = declared_->declare(local_queue, what, true);
        auto putting = book_.put(local_queue, what);
        const auto put = co_await caught(std::move(putting));
        const place where("", id);
        if (!put.failure()) {
            claim.keep();
            continue;
        }
        jobs_to_put_.push_back(id);  // a row that can't be read is logged when it is read next
        if (!is_unreadable(put.failure())) trouble_.log_failure(where, "local job " + id, put.failure());
    }
}

asio::awaitable<bool> scheduler_core::look() {
    auto listing = book_.queues();
    auto listed = co_await caught(std::move(listing));
    const place nowhere;
    unreachable_ = listed.failure() && code_of(describe(listed.failure())) == errc::unavailable ? listed.failure() : nullptr;
    if (listed.failure()) {
        trouble_.log_failure(nowhere, "the schedules", listed.failure());
        co_return false;
    }
    trouble_.is_over(nowhere);
    const auto names = listed.take();
    std::set<std::string> queues(names.begin(), names.end());
    for (const auto& [name, life] : lives_) queues.insert(name);  // also a queue that is no longer there
    if (options_.queues().empty()) queues.merge(declared_->queues());  // also one that has gone before it was seen
    trouble_.keep_queues(queues);
    bool has_seen = false;
    for (const auto& name : queues) {
        auto reading = read(name);
        auto rows = co_await caught(std::move(reading));
        const place where(name, "");
        if (rows.failure()) {
            trouble_.log_failure(where, "the schedules of queue " + name, rows.failure());
            continue;
        }
        trouble_.is_over(where);
        learn(name, rows.take());
        has_seen = true;
    }
    co_return has_seen;
}

asio::awaitable<std::vector<schedule_row>> scheduler_core::read(std::string queue) {
    const auto first = declared_->begin_look();
    auto stored = co_await book_.rows(queue);
    const auto before = lives_.find(queue);
    const bool is_same_life = before != lives_.end() && before->second == stored.life;
    declared_->see(queue, stored.rows, is_same_life, first);
    if (!is_same_life && co_await restore(queue, stored.rows)) {
        const auto second = declared_->begin_look();
        stored = co_await book_.rows(queue);
        declared_->see(queue, stored.rows, is_same_life, second);
    }
    if (stored.life.empty()) lives_.erase(queue);
    else lives_.insert_or_assign(queue, stored.life);
    co_return std::move(stored.rows);
}

asio::awaitable<bool> scheduler_core::restore(std::string queue, std::vector<schedule_row> rows) {
    const auto lost = declared_->missing(queue, rows);
    std::size_t count = 0;
    for (const auto& one : lost) {
        const bool is_added = co_await book_.add(queue, one);
        if (is_added) ++count;
    }
    if (count > 0) {
        log_(log_level::warning, "queue " + queue + " was emptied on its server: " + std::to_string(count) +
                                     (count == 1 ? " schedule of this program is" : " schedules of this program are") + " stored again");
    }
    co_return !lost.empty();
}

void scheduler_core::learn(const std::string& queue, std::vector<schedule_row> rows) {
    if (queue == local_queue) std::erase_if(rows, [&](const auto& row) { return !is_shared_job(row.id); });
    for (auto& row : rows) {
        const place where(queue, row.id);
        const auto before = known_.find(where);
        if (before != known_.end() && before->second.entry.text == row.text) {
            before->second.is_stale = false;
            continue;
        }
        const bool is_new = before == known_.end();
        if (!is_new) known_.erase(before);
        try {
            schedule_entry entry{queue, row.id, std::move(row.text), {}};
            entry.what = read_schedule(entry.text);
            const auto& means = entry.what.definition;
            if (is_for_us(queue, means)) {
                const cron when(means.cron);
                const auto in = zone::named(means.zone);
                const auto added = known_.insert_or_assign(where, known{std::move(entry), when, in}).first;
                if (is_new) tell_known(added->second.entry);
            }
            trouble_.is_over(where);
        } catch (const error& e) {
            trouble_.log(where, "schedule " + row.id + " of queue " + queue + " is left as it is: " + e.what());
        }
    }
    trouble_.keep_rows(queue, [&](const std::string& row) { return row_in(rows, row) != nullptr; });
    std::erase_if(known_, [&](const auto& one) {
        return one.first.first == queue && !row_in(rows, one.first.second);
    });
}

bool scheduler_core::is_shared_job(const std::string& row) const {
    const auto found = jobs_->find(row);
    return found != jobs_->end() && found->second.scope != local_scope::every_process;
}

bool scheduler_core::is_for_us(const std::string& queue, const schedule_definition& one) const {
    if (!one.task && queue != local_queue) return false;
    return one.hosts.empty() || std::ranges::find(one.hosts, host_) != one.hosts.end();
}

// --- firing -------------------------------------------------------------------------------------------------

asio::awaitable<void> scheduler_core::fire_all() {
    std::vector<place> due;
    const auto now = book_.now();  // for all of them: none is late because of calls for the others
    awake_since_ = (std::min)(awake_since_, clock_.now());
    const auto waited = held_up();
    for (const auto& [where, one] : known_) {
        if (one.due() <= now) due.push_back(where);
    }
    for (const auto& where : due) {
        const auto found = known_.find(where);  // only `look` adds and removes entries
        auto one = found->second;  // a copy: changes count only once they are stored
        auto firing = fire(one, now, waited);
        auto fired = co_await caught(std::move(firing));
        if (fired.failure()) trouble_.log_failure(where, "schedule " + where.second, fired.failure());
        const bool is_ours = !fired.failure() && fired.take();
        must_look_ = must_look_ || (!is_ours && !fired.failure());
        if (is_ours) {
            known_.insert_or_assign(where, std::move(one));
            trouble_.is_over(where);
        } else {
            known_.find(where)->second.is_stale = true;
        }
    }
}

/// Whether the limit of a queue leaves no room for what was to be stored.
inline bool is_backlog_full(const std::exception_ptr& failure) {
    if (!failure) return false;
    try {
        std::rethrow_exception(failure);
    } catch (const backlog_full&) {
        return true;
    } catch (...) {
        return false;
    }
}

asio::awaitable<bool> scheduler_core::fire(known& one, time_point now, duration waited) {
    auto& what = one.entry.what;
    const auto& means = what.definition;
    tick_plan plan;
    plan.next = what.state.next;
    if (one.tick_due() <= now) plan = plan_ticks(means, one.when, one.in, *what.state.next, now, waited);
    const bool is_asked_for = std::exchange(what.state.run_at, std::nullopt).has_value();
    const bool must_be_alone = means.task && means.overlap != overlap_policy::allow && !plan.fire.empty();
    const auto before = must_be_alone ? what.state.last_task : std::string();
    if (means.overlap == overlap_policy::skip) {
        const auto previous = co_await book_.live_task(one.entry.queue, before);
        if (previous) plan.fire.clear();
    }
    const auto state = what.state;
    const bool has_missed = plan.has_missed;
    auto writing = write(one, plan);
    auto written = co_await caught(std::move(writing));
    if (plan.fire.size() > 1 && is_backlog_full(written.failure())) {  // one after the other: some may have room, and all in time
        what.state = state;
        plan.next = plan.fire[1];
        plan.fire.resize(1);
        auto writing_one = write(one, plan);
        written = co_await caught(std::move(writing_one));
    }
    const bool is_ours = written.take();
    if (is_ours && has_missed) tell_missed(one.entry, *state.next);
    if (is_ours && !means.task) run(one.entry, plan, is_asked_for);
    // Only the node that has taken the tick may cancel for it: a node whose write was refused has an older definition.
    if (is_ours && means.overlap == overlap_policy::cancel_previous) co_await cancel_task(one.entry, before);
    co_return is_ours;
}

asio::awaitable<bool> scheduler_core::write(known& one, const tick_plan& plan) {
    auto& what = one.entry.what;
    std::vector<new_task> tasks;
    what.state.next = plan.next;
    for (const auto tick : plan.fire) {
        what.state.last = tick;
        if (!what.definition.task) continue;
        what.state.last_task = tick_id(what.definition.id, tick);
        tasks.push_back(task_at(what.definition, tick, what.state.last_task));
    }
    co_return co_await book_.write(one.entry, std::move(tasks));
}

void scheduler_core::tell_known(const schedule_entry& what) const noexcept {
    if (!options_.observer()) return;
    try {
        options_.observer()->on_schedule(what.queue, what.what.definition.id);
    } catch (...) {  // an observer's
    }
}

void scheduler_core::tell_missed(const schedule_entry& of, time_point first) const noexcept {
    if (!options_.observer()) return;
    try {
        options_.observer()->on_missed(of.queue, of.what.definition.id, first);
    } catch (...) {  // an observer's
    }
}

duration scheduler_core::held_up() const {
    return std::clamp(clock_.now() - awake_since_, duration::zero(), duration(std::chrono::minutes(1)));
}

void scheduler_core::run(const schedule_entry& entry, const tick_plan& plan, bool is_asked_for) {
    const auto& job = jobs_->find(entry.row)->second;
    if (is_asked_for) runs_.start(job, overlap_policy::allow);
    for (std::size_t i = 0; i < plan.fire.size(); ++i) runs_.start(job, entry.what.definition.overlap);
}

asio::awaitable<void> scheduler_core::fire_own() {
    const auto self = shared_from_this();
    std::vector<known> own;
    for (const auto& [id, job] : *jobs_) {
        if (job.scope != local_scope::every_process || !is_for_us(local_queue, job.definition)) continue;
        schedule_entry entry;
        entry.row = id;
        entry.what.definition = job.definition;
        const cron when(job.definition.cron);
        const auto in = zone::named(job.definition.zone);
        entry.what.state.next = when.next(book_.now(), in);
        own.push_back(known{std::move(entry), when, in});
    }
    for (;;) {
        auto soonest = never;
        const auto now = book_.now();
        for (auto& one : own) {
            auto& next = one.entry.what.state.next;
            if (one.due() <= now) {
                const auto plan = plan_ticks(one.entry.what.definition, one.when, one.in, *next, now);
                next = plan.next;
                run(one.entry, plan);
            }
            soonest = (std::min)(soonest, one.due());
        }
        co_await asio::post(asio::deferred);
        // Not longer: the broker's clock may have been set meanwhile.
        const auto look = (std::min)(options_.look_every(), clock_.look_every());
        co_await sleep_until(clock_, (std::min)(clock_.until_wall(soonest), later(clock_.now(), look)));
    }
}

asio::awaitable<void> scheduler_core::cancel_task(const schedule_entry& of, std::string own_id) {
    auto cancelling = cancel_live_task(of.queue, own_id);
    const auto cancelled = co_await caught(std::move(cancelling));
    const place where(of.queue, of.row);
    if (cancelled.failure()) {
        trouble_.log_failure(where, "schedule " + of.row + ", cancelling " + own_id, cancelled.failure());
    }
}

asio::awaitable<void> scheduler_core::cancel_live_task(std::string queue, std::string own_id) {
    const auto found = co_await book_.live_task(queue, own_id);
    if (!found) co_return;
    std::vector<task_key> keys(1, *found);
    co_await book_.broker()->cancel(std::move(queue), std::move(keys));
}

}  // namespace taskflux::detail
