#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/cron.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/schedule.hpp>
#include <taskflux/core/zone.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/flow/scheduler/book.hpp>
#include <taskflux/flow/scheduler/known.hpp>
#include <taskflux/flow/scheduler/local_jobs.hpp>
#include <taskflux/flow/scheduler/trouble_log.hpp>
#include <taskflux/flow/scheduler_options.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// A scheduler while it runs: looks for schedules now and then, sleeps until the first is due, fires it. On one
/// strand; kept alive by its loop.
class scheduler_core final : public std::enable_shared_from_this<scheduler_core> {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    scheduler_core(schedule_book book, const scheduler_options& options, std::string host,
                   std::shared_ptr<const local_job_map> jobs, asio::any_io_executor cpu)
        : book_(std::move(book)), options_(options), host_(std::move(host)), jobs_(std::move(jobs)),
          trouble_(options_.log()), clock_(book_.broker()->clock()), strand_(asio::make_strand(book_.broker()->get_executor())),
          changed_(std::make_shared<event>()),
          runs_(book_.broker()->get_executor(), std::move(cpu), strand_,
                [sink = options_.log()](const std::string& line) { if (sink) sink(line); }, changed_) {
        for (const auto& [id, job] : *jobs_) {
            if (job.scope != local_scope::every_process) jobs_to_put_.push_back(id);
        }
    }

    const asio::any_io_executor& strand() const { return strand_; }

    /// Until `stop`, or until the broker is closed, which throws. Local jobs that still run are cancelled then, and
    /// waited for. `threads`, if it has any of its own, stay until then.
    awaitable<void> live([[maybe_unused]] std::shared_ptr<asio::thread_pool> threads) {
        const auto self = shared_from_this();
        if (!is_stopped_) start(shared_, fire_shared());
        while (!shared_.is_over) co_await changed_->wait();
        own_.stop.emit(asio::cancellation_type::terminal);
        while (!own_.is_over) co_await changed_->wait();
        runs_.cancel_all();
        while (!runs_.empty()) co_await changed_->wait();
        if (failure_ && !is_stopped_) std::rethrow_exception(failure_);
    }

    /// Thread-safe; may come before `live`, and more than once.
    void stop() {
        asio::post(strand_, [self = shared_from_this()] {
            self->is_stopped_ = true;
            self->shared_.stop.emit(asio::cancellation_type::terminal);
        });
    }

    /// For a scheduler that goes away while it runs: no job is started any more.
    void abandon() {
        runs_.close();
        stop();
    }

private:
    using known = known_schedule;
    using place = trouble_log::place;

    /// A coroutine of this scheduler's, and its end.
    struct part {
        asio::cancellation_signal stop;
        bool is_over = true;
    };

    void start(part& which, awaitable<void> body) {
        which.is_over = false;
        auto on_end = [this, &which](std::exception_ptr error) {
            which.is_over = true;
            if (!failure_) failure_ = error;
            changed_->set();
        };
        asio::co_spawn(strand_, std::move(body), asio::bind_cancellation_slot(which.stop.slot(), std::move(on_end)));
    }

    /// What the broker keeps.
    awaitable<void> fire_shared() {
        const auto self = shared_from_this();
        const bool is_there = co_await ask_the_time();
        start(own_, fire_own());
        unsigned failures = is_there ? 0 : 1;
        for (;;) {
            if (failures == 0) co_await put_jobs();
            const bool has_seen = co_await look();
            failures = has_seen ? 0 : failures + 1;
            const auto look_again = later(clock_.now(), options_.look_every() * std::clamp(failures, 1U, 10U));
            must_look_ = false;
            for (;;) {
                co_await fire_all();
                co_await asio::post(asio::deferred);  // others have their turn, also where no call waits and all is late
                if (must_look_ || clock_.now() >= look_again) break;
                co_await sleep_until(clock_, (std::min)(look_again, next_due()));
                awake_since_ = clock_.now();
            }
        }
    }

    time_point next_due() const {
        auto soonest = never;
        for (const auto& [where, one] : known_) soonest = (std::min)(soonest, one.due());
        return soonest;
    }

    /// One call, with which the broker's time comes: all that jobs of every process wait for. False when it failed.
    awaitable<bool> ask_the_time() {
        std::exception_ptr failure;
        try {
            co_await book_.read(local_queue);
        } catch (...) {
            failure = std::current_exception();
        }
        const place where(local_queue, "");
        if (failure) trouble_.report(where, std::string("the schedules of queue ") + local_queue, failure);
        co_return !failure;
    }

    // --- looking ----------------------------------------------------------------------------------------

    /// Stores the local jobs that the broker has to know and does not yet.
    awaitable<void> put_jobs() {
        const auto some = std::exchange(jobs_to_put_, std::vector<std::string>());
        for (const auto& id : some) {
            std::exception_ptr failure;
            try {
                co_await book_.put(local_queue, jobs_->find(id)->second.definition);
            } catch (...) {
                failure = std::current_exception();
            }
            const place where("", id);
            if (!failure) {
                trouble_.is_over(where);
                continue;
            }
            jobs_to_put_.push_back(id);  // where its row can't be read, that is told of on looking
            if (!is_unreadable(failure)) trouble_.report(where, "local job " + id, failure);
        }
    }

    /// False when there was nothing to be seen. One queue in trouble is no reason to look less often at the others.
    awaitable<bool> look() {
        std::vector<std::string> names;
        std::exception_ptr failure;
        try {
            names = co_await book_.queues();
        } catch (...) {
            failure = std::current_exception();
        }
        const place nowhere;
        if (failure) {
            trouble_.report(nowhere, "the schedules", failure);
            co_return false;
        }
        trouble_.is_over(nowhere);
        std::set<std::string> queues(names.begin(), names.end());
        for (const auto& [where, one] : known_) queues.insert(where.first);  // also where it has just gone
        trouble_.keep_queues(queues);
        bool has_seen = false;
        for (const auto& name : queues) {
            std::vector<schedule_entry> rows;
            failure = nullptr;
            try {
                rows = co_await book_.read(name);
            } catch (...) {
                failure = std::current_exception();
            }
            const place where(name, "");
            if (failure) {
                trouble_.report(where, "the schedules of queue " + name, failure);
                continue;
            }
            trouble_.is_over(where);
            learn(name, std::move(rows));
            has_seen = true;
        }
        co_return has_seen;
    }

    /// What a queue has now; what it does not have any more is forgotten.
    void learn(const std::string& queue, std::vector<schedule_entry> rows) {
        std::set<std::string> there;
        for (auto& row : rows) {
            if (queue == local_queue && !is_shared_job(row.row)) continue;
            there.insert(row.row);
            const place where(queue, row.row);
            const auto before = known_.find(where);
            if (before != known_.end() && before->second.entry.text == row.text) {
                before->second.is_stale = false;
                continue;
            }
            if (before != known_.end()) known_.erase(before);
            try {
                row.what = read_schedule(row.text);
                const auto& means = row.what.definition;
                if (is_for_us(queue, means)) {
                    const cron when(means.cron);
                    const auto in = zone::named(means.zone);
                    known_.insert_or_assign(where, known{std::move(row), when, in});
                }
                trouble_.is_over(where);
            } catch (const error& e) {
                trouble_.tell(where, "schedule " + row.row + " of queue " + queue + " is left as it is: " + e.what());
            }
        }
        trouble_.keep_rows(queue, [&](const std::string& row) { return there.contains(row); });
        std::erase_if(known_, [&](const auto& one) {
            return one.first.first == queue && !there.contains(one.first.second);
        });
    }

    /// A row may be left over from a time when its job was not for every process.
    bool is_shared_job(const std::string& row) const {
        const auto found = jobs_->find(row);
        return found != jobs_->end() && found->second.scope != local_scope::every_process;
    }

    bool is_for_us(const std::string& queue, const schedule_definition& one) const {
        if (!one.task && queue != local_queue) return false;
        return one.hosts.empty() || std::ranges::find(one.hosts, host_) != one.hosts.end();
    }

    // --- firing -----------------------------------------------------------------------------------------

    awaitable<void> fire_all() {
        std::vector<place> due;
        const auto now = clock_.now();  // for all of them: none is late because of the others' calls
        awake_since_ = (std::min)(awake_since_, now);
        for (const auto& [where, one] : known_) {
            if (one.due() <= now) due.push_back(where);
        }
        for (const auto& where : due) {
            const auto found = known_.find(where);  // only `look` changes which there are
            auto one = found->second;  // a copy: what it says holds only once it is stored
            std::exception_ptr failure;
            bool is_ours = false;
            try {
                is_ours = co_await fire(one, now);
            } catch (...) {
                failure = std::current_exception();
            }
            if (failure) trouble_.report(where, "schedule " + where.second, failure);
            must_look_ = must_look_ || (!is_ours && !failure);
            if (is_ours) {
                known_.insert_or_assign(where, std::move(one));
                trouble_.is_over(where);
            } else {
                known_.find(where)->second.is_stale = true;
            }
        }
    }

    /// False when another node was faster.
    awaitable<bool> fire(known& one, time_point now) {
        auto& what = one.entry.what;
        const auto& means = what.definition;
        tick_plan plan;
        plan.next = what.state.next;
        if (one.tick_due() <= now) plan = plan_ticks(means, one.when, one.in, *what.state.next, now, held_up(now));
        const bool is_asked_for = std::exchange(what.state.run_at, std::nullopt).has_value();
        const bool must_be_alone = means.task && means.overlap != overlap_policy::allow && !plan.fire.empty();
        const auto before = must_be_alone ? what.state.last_task : std::string();
        if (means.overlap == overlap_policy::skip) {
            const auto previous = co_await book_.live_task(one.entry.queue, before);
            if (previous) plan.fire.clear();
        }
        std::vector<new_task> tasks;
        what.state.next = plan.next;
        for (const auto tick : plan.fire) {
            what.state.last = tick;
            if (!means.task) continue;
            what.state.last_task = tick_id(means.id, tick);
            tasks.push_back(task_at(means, tick, what.state.last_task));
        }
        const bool is_ours = co_await book_.write(one.entry, std::move(tasks));
        if (is_ours && !means.task) run(one.entry, plan, is_asked_for);
        // Only who has the tick may cancel for it: whose write is refused knows an older definition.
        if (is_ours && means.overlap == overlap_policy::cancel_previous) co_await cancel_task(one.entry, before);
        co_return is_ours;
    }

    /// For how long there has been no sleep but calls: a tick of that time has not been missed. Bounded, since the
    /// server's time may step.
    duration held_up(time_point now) const {
        return std::clamp(now - awake_since_, duration::zero(), duration(std::chrono::minutes(1)));
    }

    void run(const schedule_entry& entry, const tick_plan& plan, bool is_asked_for = false) {
        const auto& job = jobs_->find(entry.row)->second;
        if (is_asked_for) runs_.start(job, overlap_policy::allow);
        for (std::size_t i = 0; i < plan.fire.size(); ++i) runs_.start(job, entry.what.definition.overlap);
    }

    /// The jobs of every process, which wait for no server.
    awaitable<void> fire_own() {
        const auto self = shared_from_this();
        std::vector<known> own;
        for (const auto& [id, job] : *jobs_) {
            if (job.scope != local_scope::every_process || !is_for_us(local_queue, job.definition)) continue;
            schedule_entry entry;
            entry.row = id;
            entry.what.definition = job.definition;
            const cron when(job.definition.cron);
            const auto in = zone::named(job.definition.zone);
            entry.what.state.next = when.next(clock_.now(), in);
            own.push_back(known{std::move(entry), when, in});
        }
        for (;;) {
            auto soonest = never;
            const auto now = clock_.now();
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
            // Not for longer: what is known of the broker's time may have changed.
            co_await sleep_until(clock_, (std::min)(soonest, later(clock_.now(), options_.look_every())));
        }
    }

    /// Cancels what a tick has followed. That it could not be is told of: the tick itself has fired.
    awaitable<void> cancel_task(const schedule_entry& of, std::string own_id) {
        std::exception_ptr failure;
        try {
            const auto previous = co_await book_.live_task(of.queue, own_id);
            if (previous) {
                std::vector<task_key> keys(1, *previous);
                co_await book_.broker()->cancel(of.queue, std::move(keys));
            }
        } catch (...) {
            failure = std::current_exception();
        }
        const place where(of.queue, of.row);
        if (failure) trouble_.report(where, "schedule " + of.row + ", cancelling " + own_id, failure);
    }

    const schedule_book book_;
    const scheduler_options options_;
    const std::string host_;
    const std::shared_ptr<const local_job_map> jobs_;
    trouble_log trouble_;  // its `report` ends the loop for what ends it
    taskflux::clock& clock_;
    const asio::any_io_executor strand_;
    const std::shared_ptr<event> changed_;
    local_runs runs_;
    part shared_, own_;
    std::exception_ptr failure_;  // the first
    bool is_stopped_ = false;
    bool must_look_ = false;  // somebody was faster
    time_point awake_since_ = never;  // the end of the last sleep
    std::vector<std::string> jobs_to_put_;
    std::map<place, known> known_;
};

}  // namespace taskflux::detail
