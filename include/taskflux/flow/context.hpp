#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/core/trace_context.hpp>
#include <taskflux/exec/slots/slot_job.hpp>
#include <taskflux/exec/when_all.hpp>
#include <taskflux/flow/client/submission.hpp>
#include <taskflux/flow/running_task.hpp>
#include <taskflux/flow/workflow/calls.hpp>
#include <taskflux/flow/workflow/groups.hpp>
#include <taskflux/flow/workflow/notebook.hpp>
#include <taskflux/flow/workflow/results.hpp>
#include <taskflux/flow/workflow/spawning.hpp>
#include <taskflux/flow/workflow/steps.hpp>

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace taskflux {

/// The task that a handler works on: its data, its progress and log, its subtasks, steps, sleeps and signals.
/// Valid until the handler returns or pauses (`sleep_until`, `wait_signal`): coroutines that it has spawned and that use it
/// must have ended before. Thread-safe.
///
/// Cancellation reaches a coroutine through its own cancellation slot, as anywhere in Asio; a plain function
/// asks `cancelled()`.
class context : public running_task {
public:
    /// Made by the worker.
    context(const delivery& what, const task_id& id, const detail::slot_job& job, taskflux::clock& clock, time_point ends,
            detail::context_sink& sink)
        : running_task(what, id, job, clock, ends, sink), book_(sink, id, what.token) {}
    context(const context&) = delete;
    context& operator=(const context&) = delete;

    // --- subtasks ------------------------------------------------------------------------------------------
    //
    // A handler's calls, steps, sleeps and signals are written into its task's journal. When the task is run again, after a
    // crash of its worker, a pause or a failed attempt, the handler finds them there: subtasks that have succeeded or are
    // open are not submitted again, nor are those that have failed in the same attempt. So a handler must make the same
    // calls in the same order each time, with the same payloads; if it does not, `errc::journal_mismatch` is thrown (change a
    // handler with `version`). Subtasks inherit priority, headers and the remaining time, unless their options set them. When
    // the task ends, its open subtasks are cancelled. While a handler waits for subtasks, its slot in the worker is lent to
    // other tasks.
    //
    // A handler pauses where it waits for long (`sleep_until`, `wait_signal`): its coroutines are destroyed there, their locals
    // with them, nothing is thrown, and the task is run again from the beginning when its time has come. It ends in the same
    // way, and is run again soon, where the broker can't be reached, its lease is lost or its worker stops. `catch (...)` does
    // not see that. Destructors do: what they do must be right for a handler that goes on later. A handler does not pause
    // while it waits for several things (`any`, `all`, `||`, coroutines that it has spawned): it stays in memory.

    /// Submits a subtask and waits for its result. Errors: those of `job::result`. Cancelling the call cancels the subtask.
    template <class R, class P, class... Args>
        requires(!detail::starts_with_options<Args...>)
    asio::awaitable<R> call(const detail::contract<R, P>& task, Args&&... payload) {
        return call(task, submit_options(), std::forward<Args>(payload)...);
    }

    /// Like `call` above, with options for the subtask.
    template <class R, class P, class... Args>
    asio::awaitable<R> call(const detail::contract<R, P>& task, const submit_options& options, Args&&... payload) {
        return begin_call(book_.next_name(), task, options, std::forward<Args>(payload)...);
    }

    /// Like `call` above, under a name in the journal instead of the call's position: for handlers whose calls change order.
    template <class R, class P, class... Args>
    asio::awaitable<R> call_as(std::string name, const detail::contract<R, P>& task, const submit_options& options,
                               Args&&... payload) {
        claim_call(name);
        return begin_call(std::move(name), task, options, std::forward<Args>(payload)...);
    }

    /// Submits a subtask for each payload, at most `open` of them at a time, and returns their results in order (nothing for
    /// void). The first failure is thrown, and the open subtasks are cancelled. `payloads` may be lazy and long: it is read
    /// as subtasks end. A range that is passed by reference must live until this has returned.
    template <class R, class P, std::ranges::input_range Range>
    auto map(const detail::contract<R, P>& task, Range&& payloads, window open = window(32)) {
        return map(task, submit_options(), std::forward<Range>(payloads), open);
    }
    template <class R, class P, std::ranges::input_range Range>
    auto map(const detail::contract<R, P>& task, const submit_options& options, Range&& payloads, window open = window(32)) {
        return begin_map(book_.next_name(), task, options, std::forward<Range>(payloads), open);
    }

    /// Awaits calls side by side; see `when_all`. Meanwhile the handler stays in memory: `sleep_until` and `wait_signal`
    /// among the calls lend its slot but do not pause it, and a signal is noticed within a second. Coroutines of your own
    /// among the calls must make at most one call each, and at once, unless their calls have names (`call_as`); beside or within
    /// an `any` among the calls they need names.
    template <class... Ts>
    asio::awaitable<std::tuple<detail::stored<Ts>...>> all(asio::awaitable<Ts>... calls) {
        return detail::all_of(book_, std::move(calls)...);
    }

    /// Awaits calls until one has succeeded, and cancels the others; see `when_any` and `all`. The journal keeps which one it
    /// was, for the task's next run.
    template <class... Ts>
    asio::awaitable<std::variant<detail::stored<Ts>...>> any(asio::awaitable<Ts>... calls) {
        return detail::first_of(book_, book_.next_name(), std::move(calls)...);
    }

    /// Submits subtasks that the handler does not await: when it has returned, its task waits for them without a slot, and
    /// ends, with the handler's result, when `options.policy()` decides so.
    template <class R, class P, std::ranges::input_range Range>
        requires(std::same_as<std::ranges::range_value_t<Range>, P>)
    asio::awaitable<spawned> spawn(const detail::contract<R, P>& task, Range&& payloads,
                                   const spawn_options& options = spawn_options()) {
        check_shared(options.each());
        return begin_spawn(book_.next_name(), queue_for(task, options.each()), pattern_of(task, options.each()),
                           std::views::all(std::forward<Range>(payloads)), detail::keys_of(task, options.each()), options);
    }

    /// Like `spawn`, for one subtask, which may have an own id.
    template <class R, class P, class... Args>
    asio::awaitable<job<R>> spawn_one(const detail::contract<R, P>& task, const submit_options& options, Args&&... payload) {
        auto made = keyed(task, options, std::forward<Args>(payload)...);
        return begin_spawn_one<R>(book_.next_name(), queue_for(task, options), std::move(made), task.faults());
    }

    /// The outcomes of `count` subtasks, from number `first` (0 is the first subtask) on. Subtasks that have not ended have a
    /// state that is not terminal.
    template <class R, class P>
    asio::awaitable<std::vector<job_outcome<R>>> results(const detail::contract<R, P>&, const spawned& which,
                                                         std::uint64_t first = 0, std::uint64_t count = 1000) {
        return detail::guarded(book_, detail::results_of<R>(sink_.broker(), which, first, count));
    }

    // --- steps, sleeps, signals ----------------------------------------------------------------------------

    /// Calls `function`, a coroutine or a plain function, and writes its result into the journal: another run of the task
    /// reads the result there and does not call it again. It is called at least once: again when the worker dies before the
    /// result is written. The result needs a codec. `function` makes no calls of its context by position (`call`, `map`,
    /// `sleep_for`, …): another run would not find them. Errors: `invalid_argument` for that, and for a name that this task has
    /// used already, `too_large` when the journal would hold more than `max_journal_size`.
    template <class Function>
    asio::awaitable<detail::step_result<std::decay_t<Function>>> step(std::string name, Function&& function) {
        static_assert(!detail::dies_twice<Function>,
                      "GCC 12 destroys this closure twice in a co_await expression: name it first "
                      "(auto charge = [&] { … }; co_await ctx.step(\"charge\", charge))");
        book_.claim("step", name);
        auto contest = detail::contest_of_step(name);
        auto call = detail::run_step(book_, std::move(name), std::decay_t<Function>(std::forward<Function>(function)));
        return detail::contested(book_, std::move(contest), std::move(call), true);
    }

    /// Waits until `when`, or for `by`. In a wait of a second or more the handler pauses: see above.
    template <class Duration>
    asio::awaitable<void> sleep_until(std::chrono::sys_time<Duration> when) {
        return sleep(clock_.until_wall(rounded_up(when)));
    }
    asio::awaitable<void> sleep_for(duration by) { return sleep(later(clock_.now(), by)); }

    /// Waits for the next signal of this name (`client::signal`), without a limit of time; the handler pauses until it has come.
    /// With a limit: returns nothing when no signal came in time. A wait that loses against another call (`any`, `||`) takes no
    /// signal: the next wait has it.
    template <class T>
    asio::awaitable<T> wait_signal(std::string name) {
        auto wait = book_.next_name();
        auto call = detail::take_signal<T>(book_, wait, std::move(name));
        return detail::contested(book_, std::move(wait), std::move(call));
    }
    template <class T>
    asio::awaitable<std::optional<T>> wait_signal(std::string name, duration limit) {
        auto wait = book_.next_name();
        auto call = detail::take_signal<T>(book_, wait, std::move(name), limit);
        return detail::contested(book_, std::move(wait), std::move(call));
    }

    /// Which version of a change of its handler this task runs: `newest`, or 0 where the task had passed this place already
    /// when the handler had no such question. The task keeps the answer. Change a handler whose tasks are under way by
    /// `if (co_await ctx.version("two reminders", 1) == 0)` the old calls, else the new ones; another change at that place is
    /// version 2. Errors: `journal_mismatch` where the task runs a version above `newest`.
    asio::awaitable<unsigned> version(std::string name, unsigned newest) {
        return detail::version_of(book_, std::move(name), newest);
    }

    /// For the library: why the attempt has ended before its handler did, if so.
    std::optional<detail::departure> departed() const { return book_.departed(); }

    /// For the library: where a handler that emits sends its values; null when nobody reads them.
    std::shared_ptr<detail::outlet> open_outlet() const;

private:
    void inherit_trace(header_map& headers) const;

    asio::awaitable<void> sleep(time_point when) {
        auto name = book_.next_name();
        auto call = detail::wait_until(book_, name, when);
        return detail::contested(book_, std::move(name), std::move(call), true);
    }

    detail::is_ending ends() const {
        return [this] { return cancelled(); };
    }

    void claim_call(const std::string& name);
    static void check_shared(const submit_options& options);

    template <class R, class P>
    static std::string queue_for(const detail::contract<R, P>& task, const submit_options& options) {
        return detail::queue_of(task, options);
    }

    template <class R, class P>
    new_task inherited(const detail::contract<R, P>& task, const submit_options& options, std::string payload) const {
        return inherit(detail::spec_of(task, options), task.options().priority(), options, std::move(payload));
    }
    new_task inherit(std::shared_ptr<task_spec> spec, int contract_priority, const submit_options& options,
                     std::string payload) const;

    template <class R, class P, class... Args>
    new_task keyed(const detail::contract<R, P>& task, const submit_options& options, Args&&... payload) const {
        auto encoded = detail::encode_keyed(task, options, std::forward<Args>(payload)...);
        auto made = inherited(task, options, std::move(encoded.text));
        made.key = std::move(encoded.key);
        return made;
    }

    template <class R, class P>
    new_task pattern_of(const detail::contract<R, P>& task, const submit_options& options) const {
        return inherited(task, options, {});
    }

    template <class R, class P, class... Args>
    asio::awaitable<R> begin_call(std::string name, const detail::contract<R, P>& task, const submit_options& options,
                                  Args&&... payload) {
        auto made = keyed(task, options, std::forward<Args>(payload)...);
        auto call = detail::call_child<R>(book_, name, queue_for(task, options), std::move(made), ends(), task.faults());
        return detail::contested(book_, std::move(name), std::move(call));
    }

    template <class R, class P, class Range>
    auto begin_map(std::string name, const detail::contract<R, P>& task, const submit_options& options, Range&& payloads,
                   window open) {
        constexpr bool fits = std::same_as<std::ranges::range_value_t<Range>, P>;
        static_assert(fits, "map takes a range of the task's payloads: compare its elements' type with the contract");
        check_shared(options);
        auto call = detail::map_children<R>(book_, name, queue_for(task, options), pattern_of(task, options),
                                            std::views::all(std::forward<Range>(payloads)), detail::keys_of(task, options), open.size,
                                            ends(), task.faults());
        return detail::contested(book_, std::move(name), std::move(call));
    }

    template <class Range>
    asio::awaitable<spawned> begin_spawn(std::string name, std::string queue, new_task pattern, Range payloads,
                                         detail::key_source keys, spawn_options options) {
        auto call = spawn_and_prepare(name, std::move(queue), std::move(pattern), std::move(payloads), std::move(keys),
                                      std::move(options));
        return detail::contested(book_, std::move(name), std::move(call), true);
    }

    template <class Range>
    asio::awaitable<spawned> spawn_and_prepare(std::string name, std::string queue, new_task pattern, Range payloads,
                                               detail::key_source keys, spawn_options options) {
        spawned made;
        made.parent = to_string(id_);
        made.name = name;
        made.count = co_await detail::spawn_all(book_, std::move(name), std::move(queue), std::move(pattern),
                                                     std::move(payloads), std::move(keys), options.policy());
        if (!options.then_name().empty()) co_await prepare(made, options);
        co_return made;
    }

    /// Submits the continuation, held.
    asio::awaitable<void> prepare(const spawned& after, const spawn_options& options);

    template <class R>
    asio::awaitable<job<R>> begin_spawn_one(std::string name, std::string queue, new_task task, fault_list faults) {
        auto call = submit_one(name, std::move(queue), std::move(task));
        auto id = co_await detail::contested(book_, std::move(name), std::move(call), true);
        co_return job<R>(sink_.broker(), std::move(id), false, faults);
    }
    asio::awaitable<task_id> submit_one(std::string name, std::string queue, new_task task);

    detail::notebook book_;
};

}  // namespace taskflux
