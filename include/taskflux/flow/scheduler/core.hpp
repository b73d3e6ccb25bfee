#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/schedule.hpp>
#include <taskflux/detail/lifetime.hpp>
#include <taskflux/detail/nursery.hpp>
#include <taskflux/flow/scheduler/book.hpp>
#include <taskflux/flow/scheduler/declared.hpp>
#include <taskflux/flow/scheduler/known.hpp>
#include <taskflux/flow/scheduler/local_jobs.hpp>
#include <taskflux/flow/scheduler/trouble_log.hpp>
#include <taskflux/flow/scheduler_options.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <exception>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace taskflux::detail {

/// A scheduler while it runs: reads the schedules now and then, sleeps until the first is due, and fires it. On one strand;
/// kept alive by its loop.
class scheduler_core final : public std::enable_shared_from_this<scheduler_core> {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    scheduler_core(schedule_book book, const scheduler_options& options, std::string host,
                   std::shared_ptr<const local_job_map> jobs, std::shared_ptr<declared_schedules> declared,
                   asio::any_io_executor cpu);

    const asio::any_io_executor& strand() const { return strand_; }

    /// Runs until `stop`, or until the broker is closed, which throws unless it has been stopped; then cancels the local jobs that still run, and waits
    /// for them. The scheduler's own `threads`, if any, live until then.
    awaitable<void> live(std::shared_ptr<asio::thread_pool> threads);

    /// Thread-safe; may come before `live`, and more than once.
    void stop();

    /// For a scheduler that is destroyed while it runs: starts no further job.
    void abandon();

private:
    using known = known_schedule;
    using place = trouble_log::place;

    /// The loop over the schedules that the broker stores.
    awaitable<void> fire_shared();

    /// The loop over the local jobs of scope `every_process`, which need no server.
    awaitable<void> fire_own();

    time_point next_due() const;

    /// A first call, which sets the broker's clock; jobs of scope `every_process` wait for no other. False when it failed.
    awaitable<bool> ask_the_time();

    /// Stores the schedules of local jobs that the broker does not have yet.
    awaitable<void> put_jobs();

    /// Reads all queues; false when none could be read. One that can't be read does not delay the others.
    awaitable<bool> look();

    /// The rows that a queue has now. Where its server may have been emptied, since the last look or before the first one, what
    /// this program has declared is stored again first.
    awaitable<std::vector<schedule_row>> read(std::string queue);

    /// Stores what is missing; false where nothing was.
    awaitable<bool> restore(std::string queue, std::vector<schedule_row> rows);

    /// Takes over the rows that a queue has now, and forgets those that it no longer has.
    void learn(const std::string& queue, std::vector<schedule_row> rows);

    /// Whether this process fires the row. A row may be left over from a time when its job had another scope.
    bool is_shared_job(const std::string& row) const;
    bool is_for_us(const std::string& queue, const schedule_definition& one) const;

    awaitable<void> fire_all();

    /// False when another node has changed the row before.
    awaitable<bool> fire(known& one, time_point now, duration waited);

    /// Stores that these ticks have fired, with their tasks; false where somebody else has changed the schedule.
    awaitable<bool> write(known& one, const tick_plan& plan);

    /// These tell the observer, if there is one.
    void tell_known(const schedule_entry& what) const noexcept;
    void tell_missed(const schedule_entry& of, time_point first) const noexcept;

    /// How long the loop has waited for calls since its last sleep: a tick of that time is not missed. Bounded, since the
    /// server's clock may step.
    duration held_up() const;

    void run(const schedule_entry& entry, const tick_plan& plan, bool is_asked_for = false);

    /// Cancels the task of the tick before. A failure is logged only: the tick itself has fired.
    awaitable<void> cancel_task(const schedule_entry& of, std::string own_id);
    awaitable<void> cancel_live_task(std::string queue, std::string own_id);

    const schedule_book book_;
    const scheduler_options options_;
    const log_sink log_;
    const std::string host_;
    const std::shared_ptr<const local_job_map> jobs_;
    const std::shared_ptr<declared_schedules> declared_;
    trouble_log trouble_;  // `log_failure` throws what ends the loop
    taskflux::clock& clock_;
    const asio::any_io_executor strand_;
    local_runs runs_;
    nursery loops_;
    nursery::child shared_;
    lifetime life_;
    std::exception_ptr unreachable_;  // why the latest look has not reached the broker
    bool must_look_ = false;  // another node has changed a row
    time_point awake_since_ = never;  // the end of the last sleep
    std::vector<std::string> jobs_to_put_;
    std::map<place, known> known_;
    std::map<std::string, std::string> lives_;  // of the queues, when they were read last
};

}  // namespace taskflux::detail
