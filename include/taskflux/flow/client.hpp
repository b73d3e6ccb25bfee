#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/detail/temporaries.hpp>
#include <taskflux/flow/job.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <concepts>
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

/// Whether a payload `P` (void: none) can be made of these arguments: it is one of them, or they are its
/// fields. No arguments are a payload forgotten, not one of defaults.
template <class P, class... Args>
inline constexpr bool makes_payload = sizeof...(Args) > 0 && std::is_constructible_v<P, Args...>;
template <class... Args>
inline constexpr bool makes_payload<void, Args...> = sizeof...(Args) == 0;

template <class... Args>
inline constexpr bool starts_with_options = false;
template <class First, class... Rest>
inline constexpr bool starts_with_options<First, Rest...> = std::same_as<std::remove_cvref_t<First>, submit_options>;

template <class P, class... Args>
std::string encode_payload(Args&&... args) {
    static_assert(makes_payload<P, Args...>,
                  "these arguments are neither a payload of the task's type nor its fields: compare the contract "
                  "(a payload of defaults is written P{})");
    static_assert(!(dies_twice<Args> || ...),
                  "GCC 12 destroys this temporary twice in a co_await expression: name it first (auto payload = …; "
                  "co_await client.submit(task, payload)), or pass the payload's fields");
    if constexpr (std::is_void_v<P>) {
        return "null";
    } else if constexpr (sizeof...(Args) == 1 && (std::is_same_v<std::remove_cvref_t<Args>, P> && ...)) {
        return encode((args, ...));
    } else if constexpr (makes_payload<P, Args...>) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"  // fields that are left out have their defaults
        return encode(P(std::forward<Args>(args)...));
#pragma GCC diagnostic pop
    } else {
        return {};
    }
}

}  // namespace detail

/// Submits tasks and awaits their results. A value that shares its broker; copies and calls from several
/// threads are safe.
///
/// A payload is given as one value of the contract's type or as its fields. Errors of all calls: those of
/// `broker`; `encode_error` for a payload that JSON can't hold. Cancelling a call abandons it, and what was
/// sent may still be stored; only `run` also cancels its task.
class client {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    explicit client(broker_ptr broker) : broker_(std::move(broker)) {}

    /// Stores a task for a worker to run, and gives a handle to it.
    template <class R, class P, class... Args>
        requires(!detail::starts_with_options<Args...>)
    awaitable<job<R>> submit(const detail::contract<R, P>& contract, Args&&... payload) const {
        return submit(contract, submit_options(), std::forward<Args>(payload)...);
    }

    /// The same, with options for this submission.
    template <class R, class P, class... Args>
    awaitable<job<R>> submit(const detail::contract<R, P>& contract, const submit_options& options,
                             Args&&... payload) const {
        auto text = detail::encode_payload<P>(std::forward<Args>(payload)...);
        auto spec = spec_of(contract, options);
        return send<R>(broker_, queue_of(contract, options), make(std::move(spec), options, std::move(text)));
    }

    /// Stores a task for each payload, a thousand in a round trip. `payloads` may be lazy; a range that is
    /// passed by reference must live until this has returned. Handles come in the same order.
    template <class R, class P, std::ranges::input_range Range>
    awaitable<std::vector<job<R>>> submit_all(const detail::contract<R, P>& contract, Range&& payloads) const {
        return submit_all(contract, submit_options(), std::forward<Range>(payloads));
    }

    /// The same, with options for all of them. An own id or a unique key makes no sense here: `invalid_argument`.
    template <class R, class P, std::ranges::input_range Range>
    awaitable<std::vector<job<R>>> submit_all(const detail::contract<R, P>& contract, const submit_options& options,
                                              Range&& payloads) const {
        constexpr bool fits = std::same_as<std::ranges::range_value_t<Range>, P>;
        static_assert(fits, "submit_all takes a range of the task's payloads: compare its elements' type with the contract");
        if (!options.id().empty() || !options.unique_key().empty()) {
            throw error(errc::invalid_argument, "submit_all: an id or a unique key cannot be shared by several tasks");
        }
        auto spec = spec_of(contract, options);
        auto pattern = make(std::move(spec), options, {});
        if constexpr (fits) {
            return send_all<R>(broker_, queue_of(contract, options), std::move(pattern),
                               std::views::all(std::forward<Range>(payloads)));
        } else {
            return {};
        }
    }

    /// Submits a task and waits for its result; see `job::result` for what it throws. Cancelling the caller
    /// cancels the task.
    template <class R, class P, class... Args>
    awaitable<R> run(const detail::contract<R, P>& contract, Args&&... payload) const {
        return result_of(submit(contract, std::forward<Args>(payload)...), broker_);
    }

    /// A handle to a task that was submitted before, by whomever: `id` is the printed form of its id, or the
    /// own id that it was submitted with (into the contract's queue). Errors: `not_found`.
    template <class R, class P>
    awaitable<job<R>> attach(const detail::contract<R, P>& contract, std::string id) const {
        return find<R>(broker_, std::string(contract.options().queue()), std::move(id));
    }

    /// A handle to the task with this id; whether it exists shows at the first call.
    template <class R, class P>
    job<R> attach(const detail::contract<R, P>&, task_id id) const {
        return job<R>(broker_, std::move(id));
    }

    /// `submit` for who does not write coroutines: completes as `void(std::exception_ptr, job<R>)`. The payload
    /// is left out where the contract has none.
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

    /// `run` for who does not write coroutines: completes as `void(std::exception_ptr, R)`.
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
    static constexpr std::size_t batch_size = 1000;

    /// What `call` throws at once reaches the token too.
    template <class Call, class Token>
    auto spawn(Call call, Token&& token) const {
        std::optional<std::invoke_result_t<Call&>> begun;
        try {
            begun.emplace(call());
        } catch (...) {
            begun.emplace(failed<typename std::invoke_result_t<Call&>::value_type>(std::current_exception()));
        }
        return asio::co_spawn(broker_->get_executor(), std::move(*begun), std::forward<Token>(token));
    }

    template <class T>
    static awaitable<T> failed(std::exception_ptr error) {
        co_await asio::this_coro::executor;
        std::rethrow_exception(error);
    }

    static std::string queue_of(const auto& contract, const submit_options& options) {
        return options.queue() ? *options.queue() : std::string(contract.options().queue());
    }

    static std::shared_ptr<const task_spec> spec_of(const auto& contract, const submit_options& options) {
        auto spec = std::make_shared<task_spec>();
        spec->name = contract.name();
        spec->priority = options.priority().value_or(contract.options().priority());
        spec->policy = options.over(contract.options().policy());
        spec->headers = options.headers();
        return spec;
    }

    static new_task make(std::shared_ptr<const task_spec> spec, const submit_options& options, std::string payload) {
        new_task task;
        task.spec = std::move(spec);
        task.payload = std::move(payload);
        task.own_id = options.id();
        task.unique_key = options.unique_key();
        task.unique_window = options.unique_window();
        task.delay = options.delay();
        task.at = options.at().value_or(time_point{});
        task.hold = options.hold();
        return task;
    }

    template <class R>
    static awaitable<job<R>> send(broker_ptr broker, std::string queue, new_task task) {
        std::vector<new_task> tasks;
        tasks.push_back(std::move(task));
        const auto stored = co_await broker->submit(queue, std::move(tasks));
        task_id id{std::move(queue), stored.front().key};
        co_return job<R>(std::move(broker), std::move(id), stored.front().duplicate);
    }

    template <class R, class Range>
    static awaitable<std::vector<job<R>>> send_all(broker_ptr broker, std::string queue, new_task pattern,
                                                   Range payloads) {
        std::vector<job<R>> jobs;
        if constexpr (std::ranges::sized_range<Range>) jobs.reserve(std::ranges::size(payloads));
        auto next = std::ranges::begin(payloads);
        while (next != std::ranges::end(payloads)) {
            std::vector<new_task> tasks;
            tasks.reserve(batch_size);
            for (; next != std::ranges::end(payloads) && tasks.size() < batch_size; ++next) {
                tasks.push_back(pattern);
                tasks.back().payload = encode(*next);
            }
            const auto stored = co_await broker->submit(queue, std::move(tasks));
            for (const auto& one : stored) jobs.push_back(job<R>(broker, task_id{queue, one.key}, one.duplicate));
        }
        co_return jobs;
    }

    template <class R>
    static awaitable<R> result_of(awaitable<job<R>> submission, broker_ptr broker) {
        const auto submitted = co_await std::move(submission);
        bool is_cancelled = false;
        try {
            if constexpr (std::is_void_v<R>) {
                co_await submitted.result();
                co_return;
            } else {
                co_return co_await submitted.result();
            }
        } catch (const boost::system::system_error& e) {
            is_cancelled = e.code() == asio::error::operation_aborted;
            if (!is_cancelled) throw;
        }
        // This coroutine can't await any more; the cancel has one of its own.
        asio::co_spawn(broker->get_executor(), cancel(broker, submitted.id()), asio::detached);
        throw boost::system::system_error(asio::error::operation_aborted, "client::run");
    }

    static awaitable<void> cancel(broker_ptr broker, task_id id) {
        try {
            std::vector<task_key> keys(1, id.key);
            co_await broker->cancel(id.queue, std::move(keys));
        } catch (const std::exception&) {  // nobody is left to tell; the task's own limits end it
        }
    }

    /// The id whose printed form this is, if it is one: an own id may look a little like it.
    static std::optional<task_id> read_printed(const std::string& id) {
        if (id.find(":~") == std::string::npos) return std::nullopt;
        try {
            return parse_task_id(id);
        } catch (const error&) {
            return std::nullopt;
        }
    }

    template <class R>
    static awaitable<job<R>> find(broker_ptr broker, std::string queue, std::string id) {
        auto printed = read_printed(id);
        if (printed) co_return job<R>(std::move(broker), std::move(*printed));
        const auto key = co_await broker->find(queue, id);
        if (!key) throw error(errc::not_found, "no task with the own id \"" + id + "\" in queue " + queue);
        task_id found{std::move(queue), *key};
        co_return job<R>(std::move(broker), std::move(found));
    }

    broker_ptr broker_;
};

}  // namespace taskflux
