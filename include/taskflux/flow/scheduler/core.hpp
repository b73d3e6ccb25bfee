#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/schedule.hpp>
#include <taskflux/detail/nursery.hpp>
#include <taskflux/flow/scheduler/book.hpp>
#include <taskflux/flow/scheduler/known.hpp>
#include <taskflux/flow/scheduler/local_jobs.hpp>
#include <taskflux/flow/scheduler/trouble_log.hpp>
#include <taskflux/flow/scheduler_options.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace taskflux::detail {

/// A scheduler while it runs: looks for schedules now and then, sleeps until the first is due, fires it. On one
/// strand; kept alive by its loop.
class scheduler_core final : public std::enable_shared_from_this<scheduler_core> {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    scheduler_core(schedule_book book, const scheduler_options& options, std::string host,
                   std::shared_ptr<const local_job_map> jobs, asio::any_io_executor cpu);

    const asio::any_io_executor& strand() const { return strand_; }

    /// Until `stop`, or until the broker is closed, which throws. Local jobs that still run are cancelled then, and
    /// waited for. `threads`, if it has any of its own, stay until then.
    awaitable<void> live(std::shared_ptr<asio::thread_pool> threads);

    /// Thread-safe; may come before `live`, and more than once.
    void stop();

    /// For a scheduler that goes away while it runs: no job is started any more.
    void abandon();

private:
    using known = known_schedule;
    using place = trouble_log::place;

    /// What the broker keeps.
    awaitable<void> fire_shared();

    /// The jobs of every process, which wait for no server.
    awaitable<void> fire_own();

    time_point next_due() const;

    /// One call, with which the broker's time comes: all that jobs of every process wait for. False when it failed.
    awaitable<bool> ask_the_time();

    /// Stores the local jobs that the broker has to know and does not yet.
    awaitable<void> put_jobs();

    /// False when there was nothing to be seen. One queue in trouble is no reason to look less often at the others.
    awaitable<bool> look();

    /// What a queue has now; what it does not have any more is forgotten.
    void learn(const std::string& queue, std::vector<schedule_entry> rows);

    /// A row may be left over from a time when its job was not for every process.
    bool is_shared_job(const std::string& row) const;
    bool is_for_us(const std::string& queue, const schedule_definition& one) const;

    awaitable<void> fire_all();

    /// False when another node was faster.
    awaitable<bool> fire(known& one, time_point now);

    /// For how long there has been no sleep but calls: a tick of that time has not been missed. Bounded, since the
    /// server's time may step.
    duration held_up(time_point now) const;

    void run(const schedule_entry& entry, const tick_plan& plan, bool is_asked_for = false);

    /// Cancels what a tick has followed. That it could not be is told of: the tick itself has fired.
    awaitable<void> cancel_task(const schedule_entry& of, std::string own_id);
    awaitable<void> cancel_live_task(std::string queue, std::string own_id);

    const schedule_book book_;
    const scheduler_options options_;
    const std::string host_;
    const std::shared_ptr<const local_job_map> jobs_;
    trouble_log trouble_;  // its `report` ends the loop for what ends it
    taskflux::clock& clock_;
    const asio::any_io_executor strand_;
    local_runs runs_;
    nursery loops_;
    nursery::child shared_;
    bool is_stopped_ = false;
    bool must_look_ = false;  // somebody was faster
    time_point awake_since_ = never;  // the end of the last sleep
    std::vector<std::string> jobs_to_put_;
    std::map<place, known> known_;
};

}  // namespace taskflux::detail
