#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/codec/named.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/flow/client/submission.hpp>
#include <taskflux/flow/consumer/claimer.hpp>
#include <taskflux/flow/job.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskflux {

/// How a `consumer` takes tasks. Setters may be chained; the same name without an argument reads.
class consumer_options {
public:
    consumer_options() {}

    /// How many tasks one `take` gives at most; default 1, at most 100.
    consumer_options& max(std::size_t tasks);

    /// Within which time a taken task is replied to; default 30 s, at least 1 ms. Later it is handed out again, here or elsewhere.
    consumer_options& promise(duration within);

    /// Its name in records, of the characters of a queue's name; default: a random name.
    consumer_options& name(std::string_view text);

    /// In which queue it looks; default: the contract's.
    consumer_options& queue(std::string_view name);

    std::size_t max() const { return max_; }
    duration promise() const { return promise_; }
    const std::string& name() const { return name_; }
    const std::string& queue() const { return queue_; }

private:
    std::size_t max_ = 1;
    duration promise_ = std::chrono::seconds(30);
    std::string name_;
    std::string queue_;
};

/// A task that a `consumer` has taken. One that is destroyed before it was replied to is handed out again at once; one that is
/// neither, when its promise is over. Move-only; one thread at a time.
///
/// `reply`, `fail` and `give_back` settle it, once. They return `lease_lost` when the promise is over. Errors: those of `broker`,
/// after which it can be settled again; `wrong_state` when it has been settled.
template <class R, class P>
class accepted_task {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    explicit accepted_task(std::shared_ptr<detail::claimed_item> held) : held_(std::move(held)) {}

    const task_id& id() const { return held().id(); }
    const std::string& own_id() const { return held().what().own_id; }  ///< the user's, or empty
    const header_map& headers() const { return held().what().spec->headers; }
    unsigned deliveries() const { return held().what().token; }  ///< 1 for the first
    time_point submitted_at() const { return held().what().submitted_at; }
    time_point promised_until() const { return held().until(); }  ///< by the broker's clock

    /// Errors: those of `decode`, as `bad_payload`.
    P payload() const
        requires(!std::is_void_v<P>)
    {
        const auto subject = [this] { return "the payload of task " + to_string(id()); };
        return detail::decode_of<P>(subject, held().payload());
    }

    /// Ends the task with its result.
    template <class... Args>
    awaitable<effect> reply(Args&&... result) {
        return detail::claimed_item::complete(held_, encoded(std::forward<Args>(result)...));
    }

    /// Ends the task with its result, which becomes the payload of a task of another queue, with this one's own id: in one step here,
    /// and at least once there; not where this one was cancelled meanwhile. Errors: also `invalid_argument` where this task has no own
    /// id, or `next` has the same queue.
    template <class N, class Q, class... Args>
        requires(std::is_same_v<Q, R>)
    awaitable<effect> reply_to(const task<N(Q)>& next, Args&&... result) {
        auto options = submit_options();
        options.id(own_id());
        std::string key;
        const auto take_key = [&](const auto& value) {
            const auto subject = [&] { return "the payload of " + next.subject(); };
            if (const auto take = next.keys()) key = detail::taken_key(take, &value, subject);
        };
        auto text = encoded_seen(take_key, std::forward<Args>(result)...);
        auto made = detail::make_task(detail::spec_of(next, options), options, text);
        made.key = std::move(key);
        return detail::claimed_item::forward(held_, std::move(text), detail::queue_of(next, options), std::move(made));
    }

    /// Fails the task for good: a dead letter with the reason `why`.
    awaitable<effect> fail(std::string why) { return detail::claimed_item::fail(held_, std::move(why)); }

    /// Hands it out again: at the head of its queue, or after `delay`. Does not count as an attempt.
    awaitable<effect> give_back(duration delay = duration::zero()) { return detail::claimed_item::give_back(held_, delay); }

private:
    const detail::claimed_item& held() const { return *detail::required(held_, "accepted_task"); }

    template <class... Args>
    std::string encoded(Args&&... result) const {
        return encoded_seen([](const auto&) {}, std::forward<Args>(result)...);
    }

    /// `look` is called with the result before it is encoded, if there is one.
    template <class... Args>
    std::string encoded_seen(const auto& look, Args&&... result) const {
        const auto subject = [this] { return "the result of task " + to_string(id()); };
        if constexpr (std::is_void_v<R>) {
            static_assert(sizeof...(Args) == 0, "this task has no result: reply() takes no argument");
            return "null";
        } else {
            static_assert(!(detail::dies_twice<Args> || ...),
                          "GCC 12 destroys this temporary twice in a co_await expression: name it first (auto result = …; "
                          "co_await item.reply(result))");
            static_assert(std::is_constructible_v<R, Args...> && sizeof...(Args) > 0,
                          "these arguments are no result of the task: compare the contract");
            const R made(std::forward<Args>(result)...);
            look(made);
            return detail::encode_of(subject, made);
        }
    }

    std::shared_ptr<detail::claimed_item> held_;  // null: moved from
};

/// Takes waiting tasks of one contract that it likes the look of, and replies to them by itself: for programs that choose their
/// work, where a `worker` takes what comes. What it does not want stays for others, and holds up nothing.
///
///     taskflux::consumer gpu{broker, render, taskflux::consumer_options{}.max(8)};
///     gpu.accept([](const taskflux::offer& one) { return one.size() < 1'000'000; });
///     for (auto& item : co_await gpu.take()) co_await item.reply(draw(item.payload()));
///
/// One `take` at a time. The retry policy, timeout and deadline of tasks are for workers: here a task fails when `fail` says so, or
/// when its promise was missed as often as its `crash_limit` (3) says.
template <class R, class P>
class consumer {
public:
    template <class T>
    using awaitable = asio::awaitable<T>;

    /// Waits without a limit.
    static constexpr duration forever = (duration::max)();

    /// Errors: `invalid_argument`.
    consumer(broker_ptr broker, const task<R(P)>& contract, const consumer_options& options = consumer_options())
        : claimer_(detail::make_claimer(
              std::move(broker), options.queue().empty() ? std::string(contract.options().queue()) : options.queue(),
              std::string(contract.name()), options.name(), options.max(), options.promise())) {}

    /// Which tasks it wants; default: all. Called on the executor of `take`, for each waiting task that has come since, and 30 s after
    /// it has come to the end again for all. What it throws `take` throws.
    void accept(std::function<bool(const offer&)> wants) { detail::accept(*claimer_, std::move(wants)); }

    /// Takes up to `max` tasks; waits for the first up to `wait`, and gives none when none was found by then: where more than 1,000
    /// wait, the next call goes on behind those that this one has looked at. Errors: those of `broker`.
    /// Cancellation (terminal): throws `operation_aborted`; what was taken just then is handed out again when its promise is over.
    awaitable<std::vector<accepted_task<R, P>>> take(duration wait = forever) { return wrapped(claimer_, wait); }

private:
    static awaitable<std::vector<accepted_task<R, P>>> wrapped(std::shared_ptr<detail::claimer> by, duration wait) {
        auto found = co_await detail::take(std::move(by), wait);
        std::vector<accepted_task<R, P>> items;
        items.reserve(found.size());
        for (auto& one : found) items.emplace_back(std::move(one));
        co_return items;
    }

    std::shared_ptr<detail::claimer> claimer_;
};

template <class R, class P>
consumer(broker_ptr, const task<R(P)>&) -> consumer<R, P>;
template <class R, class P>
consumer(broker_ptr, const task<R(P)>&, const consumer_options&) -> consumer<R, P>;

}  // namespace taskflux
