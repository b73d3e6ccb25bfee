#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/schedule.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/detail/awaited.hpp>
#include <taskflux/detail/given_function.hpp>
#include <taskflux/detail/run_once.hpp>
#include <taskflux/flow/client/submission.hpp>
#include <taskflux/flow/scheduler/book.hpp>
#include <taskflux/flow/scheduler/declared.hpp>
#include <taskflux/flow/scheduler/local_job.hpp>
#include <taskflux/flow/scheduler_options.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskflux {

/// A stored schedule, and the queue that stores it.
struct schedule {
    std::string queue;
    schedule_definition definition;
    schedule_state state;
};

/// Submits tasks, and runs jobs of this process, at the times that cron expressions name.
///
/// Schedules are stored by the broker, each in the queue of its task. Every process that runs a scheduler fires any of them,
/// and each tick fires once over all processes. Times are the broker's. Call `local` and then `run` on one thread; the other
/// functions are for any thread, at any time. Errors of all calls: those of `broker`. Must not outlive the execution context of its broker.
class scheduler {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    explicit scheduler(broker_ptr broker, scheduler_options options = scheduler_options());
    scheduler(const scheduler&) = delete;
    scheduler& operator=(const scheduler&) = delete;

    /// Ends `run`, and starts no further local job. Waits for plain functions that run on threads of the scheduler's own,
    /// but neither for those on `scheduler_options::cpu` nor for coroutines: what they use must live until `run` has returned.
    ~scheduler();

    /// Submits a task with this payload at each time that the cron expression names in the time zone `in`. The schedule is
    /// stored: one with the same id and definition stays as it is, with its next tick; one with another definition is
    /// replaced, from now on; one in another queue, where the task was before, is moved, which is logged. Errors:
    /// `invalid_argument` for an invalid expression or an unknown zone, for a second schedule of a task without an id, and for
    /// an id that a schedule of another task has in this program.
    template <class R, class P, class Payload>
        requires(!std::is_void_v<P>)
    awaitable<void> every(std::string_view expression, std::string_view in, const detail::contract<R, P>& contract,
                          Payload&& payload, const schedule_options& options = schedule_options()) const {
        return put(expression, in, contract, detail::encode_keyed(contract, options.submit(), std::forward<Payload>(payload)), options);
    }

    /// Like `every` above, for a task without a payload.
    template <class R>
    awaitable<void> every(std::string_view expression, std::string_view in, const detail::contract<R, void>& contract,
                          const schedule_options& options = schedule_options()) const {
        return put(expression, in, contract, detail::encode_keyed(contract, options.submit()), options);
    }

    /// Calls a function of this process at each tick while `run` runs: a coroutine on the broker's executor, a plain
    /// function on the CPU pool; several jobs run side by side. An exception goes to the log. It runs in each process that
    /// calls this, or where `schedule_options::scope` says; a tick is lost when its process dies. Errors: `invalid_argument`;
    /// `wrong_state` once `run` has been called.
    template <class Function>
    scheduler& local(std::string_view id, std::string_view expression, Function function,
                     const schedule_options& options = schedule_options()) {
        static_assert(std::invocable<Function&>, "a local job takes no arguments");
        detail::require_given(function, "local job", id);
        if constexpr (std::invocable<Function&>) {
            using returned = std::invoke_result_t<Function&>;
            detail::local_job job;
            job.is_plain = !detail::is_awaitable<returned>;
            job.scope = options.scope();
            job.definition = options.define(row_of(id, options), expression, options.zone());
            job.start = [shared = std::make_shared<Function>(std::move(function))] { return detail::call_local(shared); };
            add(std::move(job));
        }
        return *this;
    }

    /// Fires schedules when they are due, until it is cancelled or `stop` is called; then cancels the local jobs that still
    /// run, and returns when they have ended. Retries with back-off while the broker can't be reached. Errors:
    /// `errc::shut_down` when the broker is closed, unless the scheduler was stopped before; `errc::wrong_state` when it has
    /// been called before.
    awaitable<void> run();

    /// Ends `run` as cancelling it does; a `run` that is called later ends at once.
    void stop();

    /// Removes a schedule, also one that can't be read. Tasks that it has submitted stay. Errors, also of the functions
    /// below: `not_found`.
    awaitable<void> remove(std::string id) const;

    /// Fires no tick until `resume`; the ticks between don't count as missed.
    awaitable<void> pause(std::string id) const;
    awaitable<void> resume(std::string id) const;

    /// Submits the schedule's task now, whatever its overlap policy is, also when it is paused. A local job runs at the next
    /// look (`scheduler_options::look_every`) of a process that may fire it; several requests before that run it once. The
    /// ticks stay as they are, and a task that is submitted here does not count for `overlap`.
    awaitable<void> run_now(std::string id) const;

    /// All schedules, by queue and id; those of local jobs are in the queue "taskflux/local". Schedules that can't be read
    /// are left out.
    awaitable<std::vector<schedule>> list() const;

    /// The times of a schedule's next `count` ticks that have not fired, without jitter.
    awaitable<std::vector<time_point>> next(std::string id, std::size_t count) const;

private:
    template <class R, class P>
    awaitable<void> put(std::string_view expression, std::string_view in, const detail::contract<R, P>& contract,
                        detail::encoded_payload payload, const schedule_options& options) const {
        const auto& id = options.id().empty() ? std::string(contract.name()) : options.id();
        auto made = options.define(id, expression, in);
        task_spec spec;
        spec.name = contract.name();
        spec.priority = options.submit().priority().value_or(contract.options().priority());
        spec.policy = options.submit().over(contract.options().policy());
        spec.headers = options.submit().headers();
        made.task = detail::as_scheduled(spec, std::move(payload.text), std::move(payload.key));
        const auto& queue = options.submit().queue();
        return put_in(queue ? *queue : std::string(contract.options().queue()), std::move(made), !options.id().empty());
    }

    awaitable<void> put_in(std::string queue, schedule_definition definition, bool has_own_id) const;

    /// The id under which a local job's schedule is stored.
    std::string row_of(std::string_view id, const schedule_options& options) const;
    void add(detail::local_job job);

    /// The executor of plain functions, if there are any.
    asio::any_io_executor cpu();

    detail::schedule_book book_;
    std::shared_ptr<detail::declared_schedules> declared_ = std::make_shared<detail::declared_schedules>();
    scheduler_options options_;
    std::string host_;
    std::shared_ptr<detail::local_job_map> jobs_;
    std::shared_ptr<asio::thread_pool> pool_;
    detail::run_once<detail::scheduler_core> life_;
};

}  // namespace taskflux
