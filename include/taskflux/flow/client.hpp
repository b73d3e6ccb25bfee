#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/calls/stream.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/codec/named.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/detail/required.hpp>
#include <taskflux/flow/client/await_end.hpp>
#include <taskflux/flow/client/submission.hpp>
#include <taskflux/flow/client/task_stream.hpp>
#include <taskflux/flow/job.hpp>
#include <taskflux/flow/tracer.hpp>
#include <taskflux/flow/workflow/results.hpp>
#include <taskflux/flow/workflow/spawning.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskflux {

namespace detail {

/// Submits a subtask of a task that runs elsewhere.
asio::awaitable<task_id> submit_subtask(broker_ptr broker, task_id parent, std::string queue, new_task task);

asio::awaitable<void> send_signal(broker_ptr broker, task_id id, std::string name, std::string value);

/// Cancels a task without waiting for it. Errors are dropped: then the task's own limits end it.
void cancel_in_background(const broker_ptr& broker, const task_id& id);

/// `id`: the printed form, or an own id in the queue. Errors: `not_found`.
asio::awaitable<task_id> find_task(broker_ptr broker, std::string queue, std::string id);

}  // namespace detail

/// Submits tasks and awaits their results. A value that shares its broker; copies and calls from several
/// threads are safe.
///
/// A payload is given as one value of the contract's type or as its fields. Errors of all calls: those of
/// `broker`; `encode_error` for a payload that JSON can't hold. Cancelling a call stops waiting for it: a task
/// that was sent may be stored all the same. Only `run` also cancels its task, if it has submitted it.
class client {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    explicit client(broker_ptr broker) : broker_(detail::checked_broker(std::move(broker), "a client")) {}

    /// `defaults`: limits and retentions for tasks whose contract and submission do not set them; its other members are
    /// ignored.
    client(broker_ptr broker, submit_options defaults)
        : broker_(detail::checked_broker(std::move(broker), "a client")),
          defaults_(std::make_shared<const submit_options>(std::move(defaults))) {}

    /// A client that makes a span for each request by which it submits tasks (`submit`, `run`, `submit_all`), and puts the tasks
    /// below it. Null: none, as at first.
    client traced_by(std::shared_ptr<tracer> by) const {
        auto made = *this;
        made.tracer_ = std::move(by);
        return made;
    }

    /// Stores a task for a worker to run, and returns a handle to it.
    template <class R, class P, class... Args>
        requires(!detail::starts_with_options<Args...>)
    awaitable<job<R>> submit(const detail::contract<R, P>& contract, Args&&... payload) const {
        return submit(contract, submit_options(), std::forward<Args>(payload)...);
    }

    /// Like `submit` above, with options for this submission.
    template <class R, class P, class... Args>
    awaitable<job<R>> submit(const detail::contract<R, P>& contract, const submit_options& options,
                             Args&&... payload) const {
        return send<R>(broker(), tracer_, detail::queue_of(contract, options), task_of(contract, options, std::forward<Args>(payload)...),
                       contract.faults());
    }

    /// Stores a task for each payload, 1000 in a round trip, and returns their handles in the same order. All are encoded
    /// first: with one that can't be, or is over 64 MiB, nothing is stored. Where a later round trip fails the error says how
    /// many tasks are stored. `payloads` may be lazy; a range that is passed by reference must live
    /// until this has returned.
    template <class R, class P, std::ranges::input_range Range>
    awaitable<std::vector<job<R>>> submit_all(const detail::contract<R, P>& contract, Range&& payloads) const {
        return submit_all(contract, submit_options(), std::forward<Range>(payloads));
    }

    /// Like `submit_all` above, with options for all of them. Errors: also `invalid_argument` for an own id or a unique key,
    /// which several tasks can't share.
    template <class R, class P, std::ranges::input_range Range>
    awaitable<std::vector<job<R>>> submit_all(const detail::contract<R, P>& contract, const submit_options& options,
                                              Range&& payloads) const {
        constexpr bool fits = std::same_as<std::ranges::range_value_t<Range>, P>;
        static_assert(fits, "submit_all takes a range of the task's payloads: compare its elements' type with the contract");
        if (!options.id().empty() || !options.unique_key().empty()) {
            throw error(errc::invalid_argument, "submit_all: several tasks can't share an id or a unique key: leave it out");
        }
        auto spec = spec_of(contract, options);
        auto pattern = detail::make_task(std::move(spec), options, {});
        if constexpr (fits) {
            return send_all<R, P>(broker(), tracer_, detail::queue_of(contract, options), std::move(pattern),
                                  detail::keys_of(contract, options), std::views::all(std::forward<Range>(payloads)), contract.faults());
        } else {
            return {};
        }
    }

    /// Submits a task and waits for its result; `submit_options::wait` limits how long. Errors: also those of `job::result`.
    /// Cancelling the caller cancels the task, unless it had been submitted before (own id, unique key), or replaces others of
    /// its key (`submit_options::on_duplicate`), as others may have replaced it: then it goes on, also after `timed_out` or
    /// `no_worker`.
    template <class R, class P, class... Args>
        requires(!detail::starts_with_options<Args...>)
    awaitable<R> run(const detail::contract<R, P>& contract, Args&&... payload) const {
        return run(contract, submit_options(), std::forward<Args>(payload)...);
    }

    /// Like `run` above, with options for this submission.
    template <class R, class P, class... Args>
    awaitable<R> run(const detail::contract<R, P>& contract, const submit_options& options, Args&&... payload) const {
        auto task = task_of(contract, options, std::forward<Args>(payload)...);
        task.is_awaited = true;
        auto submission = send<R>(broker(), tracer_, detail::queue_of(contract, options), std::move(task), contract.faults());
        const bool owns_task = options.on_duplicate() == duplicate::join;
        return result_of(std::move(submission), owns_task, broker(), options.wait(), contract.faults(), detail::calling_function());
    }

    /// Submits a task that emits values, and returns a stream that reads them while it runs. Destroying the stream before
    /// its end cancels the task. When this process dies the task goes on, and its values are dropped, as are those of a task
    /// that is submitted in another way. Errors: also `wrong_state` for a duplicate, whose values go to the first submitter, and
    /// `invalid_argument` for `on_duplicate` and `debounce`: a task has one reader.
    template <class T, class P, class... Args>
        requires(!detail::starts_with_options<Args...>)
    awaitable<stream<T>> run(const detail::stream_contract<T, P>& contract, Args&&... payload) const {
        return run(contract, submit_options(), std::forward<Args>(payload)...);
    }

    /// Like the `run` above, with options for this submission.
    template <class T, class P, class... Args>
    awaitable<stream<T>> run(const detail::stream_contract<T, P>& contract, const submit_options& options,
                             Args&&... payload) const {
        if (options.on_duplicate() != duplicate::join) {
            throw error(errc::invalid_argument, contract.subject() + " can't replace another, whose values have a reader: leave out "
                                                                     "on_duplicate() and debounce(), or submit() it, without a reader");
        }
        auto reader = detail::open_inlet(broker(), stream_window, contract.faults(), contract.name());
        auto mine = options;
        mine.header(std::string(detail::stream_header), detail::stream_header_for(*reader));
        auto task = task_of(contract, mine, std::forward<Args>(payload)...);
        task.is_awaited = true;
        auto submission = send<void>(broker(), tracer_, detail::queue_of(contract, options), std::move(task), contract.faults());
        return stream_of<T>(std::move(submission), std::move(reader));
    }

    /// A handle to a task that was submitted before, by any process: `id` is the printed form of its id, or the
    /// own id that it was submitted with (into the contract's queue). Errors: `not_found`.
    template <class R, class P>
    awaitable<job<R>> attach(const detail::contract<R, P>& contract, std::string id) const {
        return find<R>(broker(), std::string(contract.options().queue()), std::move(id), contract.faults());
    }

    /// A handle to the task with this id, which is not looked up: the handle's calls throw `not_found`.
    template <class R, class P>
    job<R> attach(const detail::contract<R, P>& contract, task_id id) const {
        return job<R>(broker(), std::move(id), false, contract.faults());
    }

    /// Submits a subtask of a task that has not ended, as if that task had spawned it: the parent ends only after the
    /// subtask, unless the parent's continuation runs already. Errors: `wrong_state` when the parent has ended; `not_found`;
    /// `invalid_argument` for an id that another task has. Cancellation ends it before its first call to the broker; from then on
    /// it submits all the same, so that the parent does not wait for what never comes.
    template <class R, class P, class... Args>
    awaitable<job<R>> submit_under(const task_id& parent, const detail::contract<R, P>& contract,
                                   const submit_options& options, Args&&... payload) const {
        return send_under<R>(broker(), parent, detail::queue_of(contract, options),
                             task_of(contract, options, std::forward<Args>(payload)...), contract.faults());
    }

    /// Sends a signal to a task that has not ended; its handler receives it by `context::wait_signal`. Signals are stored
    /// with the task; those of one name are received in order, each once. Errors: `wrong_state` when the task has ended,
    /// `not_found`, `too_large`.
    template <class T>
    awaitable<void> signal(const task_id& id, std::string name, const T& value) const {
        return detail::send_signal(broker(), id, std::move(name), encode(value));
    }

    /// The outcomes of `count` subtasks that a task has spawned, from number `first` (0 is the first subtask) on. Subtasks
    /// that have not ended have a state that is not terminal. Errors: `not_found` once the parent's record is removed.
    template <class R, class P>
    awaitable<std::vector<job_outcome<R>>> results(const detail::contract<R, P>&, const spawned& which,
                                                   std::uint64_t first = 0, std::uint64_t count = 1000) const {
        return detail::results_of<R>(broker(), which, first, count);
    }

    /// `submit` with a completion token, for callers that are no coroutines: completes with
    /// `void(std::exception_ptr, job<R>)`. Leave out the payload where the contract has none.
    template <class R, class P, class Token>
    auto async_submit(const detail::contract<R, P>& contract, const submit_options& options,
                      const std::type_identity_t<P>& payload, Token&& token) const {
        return spawn([&] { return submit(contract, options, payload); }, std::forward<Token>(token));
    }
    template <class R, class P, class Token>
    auto async_submit(const detail::contract<R, P>& contract, const std::type_identity_t<P>& payload,
                      Token&& token) const {
        return spawn([&] { return submit(contract, payload); }, std::forward<Token>(token));
    }
    template <class R, class Token>
    auto async_submit(const detail::contract<R, void>& contract, const submit_options& options, Token&& token) const {
        return spawn([&] { return submit(contract, options); }, std::forward<Token>(token));
    }
    template <class R, class Token>
    auto async_submit(const detail::contract<R, void>& contract, Token&& token) const {
        return spawn([&] { return submit(contract); }, std::forward<Token>(token));
    }

    /// `run` with a completion token, for callers that are no coroutines: completes with
    /// `void(std::exception_ptr, R)`. Leave out the payload where the contract has none.
    template <class R, class P, class Token>
    auto async_run(const detail::contract<R, P>& contract, const submit_options& options,
                   const std::type_identity_t<P>& payload, Token&& token) const {
        return spawn([&] { return run(contract, options, payload); }, std::forward<Token>(token));
    }
    template <class R, class P, class Token>
    auto async_run(const detail::contract<R, P>& contract, const std::type_identity_t<P>& payload,
                   Token&& token) const {
        return spawn([&] { return run(contract, payload); }, std::forward<Token>(token));
    }
    template <class R, class Token>
    auto async_run(const detail::contract<R, void>& contract, const submit_options& options, Token&& token) const {
        return spawn([&] { return run(contract, options); }, std::forward<Token>(token));
    }
    template <class R, class Token>
    auto async_run(const detail::contract<R, void>& contract, Token&& token) const {
        return spawn([&] { return run(contract); }, std::forward<Token>(token));
    }

    const broker_ptr& get_broker() const { return broker_; }

private:
    const broker_ptr& broker() const { return detail::required(broker_, "client"); }

    static constexpr std::size_t batch_size = 1000;
    static constexpr std::size_t stream_window = 64;  // values

    std::shared_ptr<task_spec> spec_of(const auto& contract, const submit_options& options) const {
        auto spec = detail::spec_of(contract, options);
        if (defaults_) spec->policy = defaults_->under(spec->policy);
        return spec;
    }

    template <class R, class P, class... Args>
    new_task task_of(const detail::contract<R, P>& contract, const submit_options& options, Args&&... payload) const {
        auto encoded = detail::encode_keyed(contract, options, std::forward<Args>(payload)...);
        auto made = detail::make_task(spec_of(contract, options), options, std::move(encoded.text));
        made.key = std::move(encoded.key);
        return made;
    }

    /// An error that `call` throws before it returns an awaitable reaches the token, too.
    template <class Call, class Token>
    auto spawn(Call call, Token&& token) const {
        std::optional<std::invoke_result_t<Call&>> begun;
        try {
            begun.emplace(call());
        } catch (...) {
            begun.emplace(failed<typename std::invoke_result_t<Call&>::value_type>(std::current_exception()));
        }
        return asio::co_spawn(broker()->get_executor(), std::move(*begun), std::forward<Token>(token));
    }

    template <class T>
    static awaitable<T> failed(std::exception_ptr error) {
        co_await asio::this_coro::executor;
        std::rethrow_exception(error);
    }

    template <class R>
    static awaitable<job<R>> send(broker_ptr broker, std::shared_ptr<tracer> by, std::string queue, new_task task, fault_list faults) {
        std::vector<new_task> tasks;
        tasks.push_back(std::move(task));
        auto storing = detail::submit_traced(broker, std::move(by), queue, std::move(tasks));
        const auto stored = co_await std::move(storing);
        task_id id{std::move(queue), stored.front().key};
        co_return job<R>(std::move(broker), std::move(id), stored.front().duplicate, faults);
    }

    template <class R>
    static awaitable<job<R>> send_under(broker_ptr broker, task_id parent, std::string queue, new_task task,
                                        fault_list faults) {
        auto id = co_await detail::submit_subtask(broker, std::move(parent), std::move(queue), std::move(task));
        co_return job<R>(std::move(broker), std::move(id), false, faults);
    }

    template <class R, class P, class Range>
    static awaitable<std::vector<job<R>>> send_all(broker_ptr broker, std::shared_ptr<tracer> by, std::string queue,
                                                   new_task pattern, detail::key_source take_key, Range payloads, fault_list faults) {
        std::vector<std::string> texts, keys;  // all of them before the first is stored
        if constexpr (std::ranges::sized_range<Range>) texts.reserve(std::ranges::size(payloads));
        const auto subject = [&] { return "payload [" + std::to_string(texts.size()) + "] of task " + pattern.spec->name; };
        for (auto next = std::ranges::begin(payloads); next != std::ranges::end(payloads); ++next) {
            const P& payload = *next;
            if (take_key) keys.push_back(detail::taken_key(take_key, &payload, subject));
            texts.push_back(detail::encode_of(subject, payload));
        }
        detail::check_payload_sizes(texts);
        std::vector<job<R>> jobs;
        jobs.reserve(texts.size());
        for (std::size_t from = 0; from < texts.size(); from += batch_size) {
            std::vector<new_task> tasks;
            tasks.reserve(batch_size);
            for (auto i = from; i < texts.size() && i < from + batch_size; ++i) {
                tasks.push_back(pattern);
                tasks.back().payload = std::move(texts[i]);
                if (take_key) tasks.back().key = std::move(keys[i]);
            }
            auto submission = detail::submit_traced(broker, by, queue, std::move(tasks));
            const auto stored = co_await detail::after_others(std::move(submission), jobs.size(), texts.size());
            for (const auto& one : stored) jobs.push_back(job<R>(broker, task_id{queue, one.key}, one.duplicate, faults));
        }
        co_return jobs;
    }

    /// `owns_task`: it is this caller's to cancel, unless it had been submitted before.
    template <class R>
    static awaitable<R> result_of(awaitable<job<R>> submission, bool owns_task, broker_ptr broker, duration wait, fault_list faults,
                                  std::shared_ptr<const detail::plain_call> by) {
        const auto submitted = co_await std::move(submission);
        const auto here = co_await asio::this_coro::executor;
        auto waiting = detail::await_end(broker, submitted.id(), wait, here, std::move(by));
        std::optional<task_outcome> ended;
        bool is_cancelled = false;
        owns_task = owns_task && !submitted.is_duplicate();
        const auto give_up = [&] {  // once cancelled, a coroutine can't await any more
            if (owns_task) detail::cancel_in_background(broker, submitted.id());
        };
        try {
            ended = co_await std::move(waiting);
        } catch (const boost::system::system_error& e) {
            is_cancelled = e.code() == asio::error::operation_aborted;
            if (e.code() == errc::no_worker) give_up();
            if (!is_cancelled) throw;
        }
        if (!ended) {
            give_up();
            if (is_cancelled) throw boost::system::system_error(asio::error::operation_aborted, "client::run");
            throw error(errc::timed_out, "task " + to_string(submitted.id()) + " has not ended within the wait of client::run, and " +
                                             (owns_task                  ? "is cancelled"
                                              : submitted.is_duplicate() ? "goes on, as it had been submitted before"
                                                                         : "goes on, as others may have replaced it"));
        }
        if constexpr (std::is_void_v<R>) {
            detail::value_of<R>(*ended, submitted.id(), faults);
        } else {
            co_return detail::value_of<R>(*ended, submitted.id(), faults);
        }
    }

    template <class T>
    static awaitable<stream<T>> stream_of(awaitable<job<void>> submission, std::shared_ptr<detail::inlet> reader) {
        const auto submitted = co_await std::move(submission);
        if (submitted.is_duplicate()) {
            throw error(errc::wrong_state,
                        "task " + to_string(submitted.id()) + " can't be read as a stream: it was submitted before, and "
                        "its values go to the first submitter; attach() to it to await its end");
        }
        detail::follow_task(submitted.id(), *reader);
        co_return stream<T>(detail::reading(std::move(reader)), "task " + to_string(submitted.id()));
    }

    template <class R>
    static awaitable<job<R>> find(broker_ptr broker, std::string queue, std::string id, fault_list faults) {
        auto found = co_await detail::find_task(broker, std::move(queue), std::move(id));
        co_return job<R>(std::move(broker), std::move(found), false, faults);
    }

    broker_ptr broker_;
    std::shared_ptr<const submit_options> defaults_;  // null: none
    std::shared_ptr<tracer> tracer_;                  // the same
};

}  // namespace taskflux
