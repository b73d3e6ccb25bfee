#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/detail/temporaries.hpp>
#include <taskflux/exec/executor/batch.hpp>
#include <taskflux/exec/executor/callable.hpp>
#include <taskflux/exec/executor/executor_state.hpp>
#include <taskflux/exec/executor/submission.hpp>
#include <taskflux/exec/executor_options.hpp>
#include <taskflux/exec/handle.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/deferred.hpp>

#include <cstddef>
#include <memory>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskflux {

/// Runs coroutines and plain functions on an Asio executor, at most `concurrency` of them at a time, in the
/// order of submission; repeats, times out and cancels them as its options say. No thread is ever blocked.
///
/// Each job runs on a strand of its own, so its coroutine may use several threads' executor as if it were
/// alone. Jobs are copies of function and arguments, owned until they end. An idle executor does not keep its
/// `io_context` running. The context and the clock must outlive it.
///
/// Thread-safe, but for being moved, assigned and destroyed. One that was moved from may only be assigned to or destroyed. The destructor cancels all jobs and does not wait:
/// callers that await results get `cancelled`.
class executor {
public:
    /// An executor on `ex`, which may be one of several threads.
    explicit executor(asio::any_io_executor ex, executor_options options = executor_options())
        : state_(std::make_shared<detail::executor_state>(std::move(ex), std::move(options))) {}

    executor(executor&&) noexcept = default;
    executor& operator=(executor&& other) noexcept {
        executor gone(std::move(*this));
        state_ = std::move(other.state_);
        return *this;
    }
    ~executor() {
        if (state_) state_->shut_down();
    }

    /// `co_await pool.submit(fn, args...)` runs `fn(args...)`, a coroutine function or a plain one, and
    /// returns its result on the awaiter's executor. Starts when awaited.
    ///
    /// Errors: what `fn` threw last; `timed_out`; `cancelled`; `queue_full`; `shut_down`; `invalid_argument`
    /// for retries of a function that can't be called twice with its arguments.
    /// Cancellation (every type that the awaiter lets through; `co_spawn`: terminal): the job is cancelled;
    /// a running handler is waited for, because its arguments may refer to what the awaiter owns. A result
    /// that is returned all the same counts.
    /// Thread-safe. Cost: one allocation, no `co_spawn`, no timer unless there is a limit or a retry.
    template <class Function, class... Args>
    requires(!std::same_as<std::remove_cvref_t<Function>, run_options>) auto submit(Function&& function,
                                                                                    Args&&... args) {
        check_temporaries<Function, Args...>();
        return operation(std::nullopt, std::forward<Function>(function), std::forward<Args>(args)...);
    }

    /// Like `submit` above, with options for this job.
    template <class Function, class... Args>
    auto submit(run_options options, Function&& function, Args&&... args) {
        check_temporaries<Function, Args...>();
        return operation(std::move(options), std::forward<Function>(function), std::forward<Args>(args)...);
    }

    /// Starts `fn(args...)` now and returns a handle, by which the job can be awaited and cancelled. Where it is not
    /// accepted (`shut_down`, `queue_full`), that is the job's error.
    template <class Function, class... Args>
    requires(!std::same_as<std::remove_cvref_t<Function>, run_options>) auto spawn(Function&& function,
                                                                                   Args&&... args) {
        return start(nullptr, std::forward<Function>(function), std::forward<Args>(args)...);
    }

    /// Like `spawn` above, with options for this job.
    template <class Function, class... Args>
    auto spawn(const run_options& options, Function&& function, Args&&... args) {
        return start(&options, std::forward<Function>(function), std::forward<Args>(args)...);
    }

    /// Runs `fn(item)` for each item, all of them queued under one lock; returns the results in the same
    /// order, as a vector (nothing for void). When all have ended, the first error in that order is thrown.
    /// Cancellation: as for `submit`, of all that have not ended.
    template <class Function, std::ranges::input_range Range>
    auto submit_all(Function&& function, Range&& items) {
        check_temporaries<Function>();
        return batch_operation<false>(function, std::forward<Range>(items));
    }

    /// Like `submit_all`, but returns a vector of `outcome<R>`, each a result or an error.
    template <class Function, std::ranges::input_range Range>
    auto try_submit_all(Function&& function, Range&& items) {
        check_temporaries<Function>();
        return batch_operation<true>(function, std::forward<Range>(items));
    }

    /// `co_await pool.drain()` returns when nothing is queued, running or waiting for a retry.
    /// Cancellation: stops waiting.
    auto drain() { return state_->async_drained(asio::deferred); }

    /// Accepts no more jobs (`shut_down`) and cancels all of them now; awaited, it returns when all have ended. May be
    /// called again. Cancellation: stops waiting.
    auto shutdown() {
        state_->shut_down();
        return state_->async_closed(asio::deferred);
    }

    /// Cancels all jobs that have not ended.
    void cancel_all() { state_->cancel_all(); }

    /// Changes how many jobs may run at a time; zero: no further job starts. Running jobs go on.
    void concurrency(std::size_t n) { state_->concurrency(n); }

    executor_counts counts() const { return state_->counts(); }

    const asio::any_io_executor& get_executor() const noexcept { return state_->get_executor(); }

private:
    template <class... Ts>
    static constexpr void check_temporaries() {
        static_assert(
            !(detail::dies_twice<Ts> || ...),
            "GCC 12 destroys a temporary closure or aggregate in a co_await expression twice: give it a "
            "name on the line above and pass that name (without std::move), or use spawn");
    }

    template <class Function, class... Args>
    auto operation(std::optional<run_options> options, Function&& function, Args&&... args) {
        using call = detail::bound<Function, Args...>;
        using result = typename call::result;
        detail::submission<call> made(
            state_, std::move(options),
            call(std::in_place, std::forward<Function>(function), std::forward<Args>(args)...));
        if constexpr (std::is_void_v<result> || std::default_initializable<result>) {
            return made;
        } else {
            return detail::unwrapped<result>(std::move(made));
        }
    }

    template <class Function, class... Args>
    auto start(const run_options* options, Function&& function, Args&&... args) {
        using call = detail::bound<Function, Args...>;
        using result = typename call::result;
        using job = detail::call_job<detail::spawned_result<result>, call>;
        boost::intrusive_ptr<detail::spawned_result<result>> made(
            new job(*state_,
                    call(std::in_place, std::forward<Function>(function), std::forward<Args>(args)...)),
            false);
        state_->launch(made, options, call::repeatable, false);
        return handle<result>(state_, std::move(made));
    }

    template <bool Each, class Function, class Range>
    auto batch_operation(const Function& function, Range&& items) {
        using item =
            std::conditional_t<std::is_lvalue_reference_v<Range>, std::ranges::range_reference_t<Range>,
                               std::ranges::range_rvalue_reference_t<Range>>;
        using call = detail::bound<Function, item>;
        std::vector<call> calls;
        if constexpr (std::ranges::sized_range<Range>) calls.reserve(std::ranges::size(items));
        for (auto&& one : items) calls.emplace_back(std::in_place, function, static_cast<item>(one));
        return detail::batch_submission<Each, call>(state_, std::move(calls));
    }

    std::shared_ptr<detail::executor_state> state_;
};

}  // namespace taskflux
