#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/codec/named.hpp>
#include <taskflux/core/fault.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/required.hpp>
#include <taskflux/flow/client/await_end.hpp>

#include <boost/asio/this_coro.hpp>

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace taskflux {

/// How a job ended, as a value: for code in which a failure is routine.
template <class R>
struct job_outcome {
    task_state state = task_state::succeeded;
    std::optional<std::conditional_t<std::is_void_v<R>, std::monostate, R>> value;  ///< when it succeeded
    std::optional<taskflux::failure> failure;                                       ///< when it failed
    unsigned attempts = 0;
};

namespace detail {

/// How errors name a task's result.
inline auto result_subject(const task_id& id) {
    return [&id] { return "the result of task " + to_string(id); };
}

/// `subject`: of its result, see `decode_of`.
template <class R>
job_outcome<R> typed(const task_outcome& ended, const auto& subject) {
    job_outcome<R> made;
    made.state = ended.state;
    made.attempts = ended.attempts;
    if (ended.state == task_state::failed) made.failure = read_failure(ended.error);
    if (ended.state == task_state::succeeded) {
        if constexpr (std::is_void_v<R>) {
            made.value.emplace();
        } else {
            made.value = decode_of<R>(subject, ended.result);
        }
    }
    return made;
}

/// Returns the result of a task that has succeeded, and throws for any other end. `faults`: of its contract.
template <class R>
R value_of(const task_outcome& ended, const task_id& id, fault_list faults) {
    if (ended.state == task_state::succeeded) {
        if constexpr (std::is_void_v<R>) {
            return;
        } else {
            return decode_of<R>(result_subject(id), ended.result);
        }
    }
    if (ended.state == task_state::cancelled) throw error(errc::cancelled, "task " + to_string(id) + " was cancelled");
    if (ended.state == task_state::expired) {
        throw error(errc::expired, "task " + to_string(id) + " has expired: no worker started it by its deadline");
    }
    if (ended.state == task_state::failed) {
        auto why = read_failure(ended.error);
        const auto code = code_of(why);
        faults.raise(task_failed(code, std::move(why), ended.attempts));
    }
    throw error(errc::protocol,
                "task " + to_string(id) +
                    " has no result: the broker says that it has ended, but its state is not terminal");
}

}  // namespace detail

/// A handle to a submitted task. A value: copy it, keep it, drop it; the task is not affected. Distinct
/// objects may be used from several threads. Errors of all calls: those of `broker`, `errc::not_found` once
/// the task's retention has ended. An empty one (default-constructed or moved from) has no task: all its calls but `id` and
/// `is_duplicate` throw `wrong_state`.
template <class R>
class job {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    /// Waits without a limit.
    static constexpr duration forever = (duration::max)();

    /// An empty one.
    job() = default;

    /// `faults`: of the task's contract.
    job(broker_ptr broker, task_id id, bool is_duplicate = false, fault_list faults = fault_list())
        : broker_(std::move(broker)), id_(std::move(id)), is_duplicate_(is_duplicate), faults_(faults) {}

    /// The task's id; `to_string(id())` can be stored, and given to `client::attach` in another process.
    const task_id& id() const { return id_; }

    /// Whether the submission stored nothing, because there was a task with its own id or unique key: this is a
    /// handle to that task.
    bool is_duplicate() const { return is_duplicate_; }

    /// The task's state now.
    awaitable<task_state> status() const { return status_of(broker(), id_); }

    /// Everything that is known about the task now.
    awaitable<task_record> record() const { return fetch_record(broker(), id_); }

    /// Waits for the result, for at most `wait`. Errors: `task_failed` with what the last attempt threw, also where that has
    /// a code which this call has as well, as a `fault_of` where it is a fault that the contract names; `errc::cancelled`,
    /// `errc::expired`; `errc::no_worker` where nobody can run it any more (docs/guarantees.md); `errc::timed_out` when `wait`
    /// has passed, as an `error` that is no `task_failed`. Then, and when this call is cancelled, the task goes on.
    awaitable<R> result(duration wait = forever) const { return result_of(broker(), id_, wait, faults_, detail::calling_function()); }

    /// Waits for the task's end, for at most `wait`; returns nothing when it has not ended by then. A failed task is
    /// a value here, not an exception.
    awaitable<std::optional<job_outcome<R>>> outcome(duration wait = forever) const {
        return outcome_of(broker(), id_, wait, detail::calling_function());
    }

    /// The last value that the handler has reported, if any.
    template <class T>
    awaitable<std::optional<T>> progress() const {
        return progress_of<T>(broker(), id_);
    }

    /// Cancels the task. Returns `done` when it had not started, `requested` when it runs (its handler is
    /// cancelled, and the task ends as cancelled when the handler returns), `wrong_state` when it has ended.
    awaitable<effect> cancel() const { return one(&taskflux::broker::cancel, broker(), id_); }

    /// Starts a held task: from now on it waits for a worker, or for its time.
    awaitable<effect> start() const { return one(&taskflux::broker::start, broker(), id_); }

    /// Makes a scheduled task due now.
    awaitable<effect> promote() const { return one(&taskflux::broker::promote, broker(), id_); }

    /// Runs a failed, cancelled or expired task again, with all its attempts.
    awaitable<effect> requeue() const { return one(&taskflux::broker::requeue, broker(), id_); }

    /// Removes the task's record; a running task is refused.
    awaitable<effect> remove() const { return one(&taskflux::broker::remove, broker(), id_); }

    /// Replaces the payload of a task that has not started.
    template <class P>
    awaitable<effect> update(const P& payload) const {
        return replace(broker(), id_, encode(payload));
    }

private:
    using batch_call = awaitable<std::vector<effect>> (taskflux::broker::*)(std::string, std::vector<task_key>);

    const broker_ptr& broker() const { return detail::required(broker_, "job"); }

    // Coroutines that own what they need, so that a handle may be gone before they are awaited.

    static awaitable<task_record> fetch_record(broker_ptr broker, task_id id) {
        auto known = co_await broker->get(id);
        if (!known) throw detail::no_such_task(id);
        co_return std::move(*known);
    }

    static awaitable<task_state> status_of(broker_ptr broker, task_id id) {
        const auto known = co_await fetch_record(std::move(broker), std::move(id));
        co_return known.state;
    }

    template <class T>
    static awaitable<std::optional<T>> progress_of(broker_ptr broker, task_id id) {
        const auto known = co_await fetch_record(std::move(broker), std::move(id));
        if (known.progress.empty()) co_return std::nullopt;
        const auto subject = [&] { return "the progress of task " + to_string(known.id); };
        co_return detail::decode_of<T>(subject, known.progress);
    }

    using caller = std::shared_ptr<const detail::plain_call>;

    static awaitable<R> result_of(broker_ptr broker, task_id id, duration wait, fault_list faults, caller by) {
        const auto here = co_await asio::this_coro::executor;
        auto waiting = detail::await_end(broker, id, wait, here, std::move(by));
        auto ended = co_await std::move(waiting);
        if (!ended) {
            throw error(errc::timed_out,
                        "task " + to_string(id) +
                            " has not ended within the wait, and goes on; wait longer, or ask again");
        }
        if constexpr (std::is_void_v<R>) {
            detail::value_of<R>(*ended, id, faults);
        } else {
            co_return detail::value_of<R>(*ended, id, faults);
        }
    }

    static awaitable<std::optional<job_outcome<R>>> outcome_of(broker_ptr broker, task_id id, duration wait, caller by) {
        const auto here = co_await asio::this_coro::executor;
        auto waiting = detail::await_end(std::move(broker), id, wait, here, std::move(by));
        auto ended = co_await std::move(waiting);
        if (!ended) co_return std::nullopt;
        co_return detail::typed<R>(*ended, detail::result_subject(id));
    }

    static awaitable<effect> one(batch_call call, broker_ptr broker, task_id id) {
        std::vector<task_key> keys(1, id.key);
        const auto effects = co_await (broker.get()->*call)(id.queue, std::move(keys));
        co_return effects.front();
    }

    static awaitable<effect> replace(broker_ptr broker, task_id id, std::string payload) {
        co_return co_await broker->update(std::move(id), std::move(payload));
    }

    broker_ptr broker_;
    task_id id_;
    bool is_duplicate_ = false;
    fault_list faults_;
};

}  // namespace taskflux
