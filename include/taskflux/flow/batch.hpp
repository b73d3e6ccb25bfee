#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/flow/running_task.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace taskflux {

namespace detail {

/// Batches are of tasks as they come.
struct no_key {};

/// When a batch is complete.
struct batch_limits {
    std::size_t max = 32;
    std::size_t max_bytes = 0;
    duration linger{};
};

}  // namespace detail

/// How a worker makes batches of a task: see `worker::on_batch`. Setters may be chained.
///
///     taskflux::batch_options{}.max(100).linger(200ms).by(&order::customer)
template <class Key = detail::no_key>
class batch_options {
public:
    batch_options() {}

    /// How many items a batch has at most; default 32, at least 1.
    batch_options& max(std::size_t items) {
        if (items == 0) throw error(errc::invalid_argument, "batch_options: max must be at least 1");
        constexpr std::size_t countable = std::size_t(1) << 30;  // sums and products of some do not overflow
        return limits_.max = (std::min)(items, countable), *this;
    }

    /// How long a batch waits for more items, from its first one on; default zero: it takes those that are there. It ends at
    /// once when the batch is full, and when the worker stops or pauses; after a third of the worker's lease; and when half of an
    /// item's time until its deadline is over.
    batch_options& linger(duration limit) { return limits_.linger = detail::not_negative(limit, "linger"), *this; }

    /// How many bytes the encoded payloads of a batch have at most; default zero: no limit. An item that is larger comes alone.
    batch_options& max_bytes(std::size_t bytes) { return limits_.max_bytes = bytes, *this; }

    /// All items of a batch have one key: the text or integer that `key` (a function, or a pointer to a member) gives for a payload. Items
    /// of other keys that were fetched with them form batches of their own, which wait for slots of the worker. What `key` throws
    /// fails its item. Payloads are decoded, and `key` is called, on the worker's executor, one at a time: it should be quick.
    template <class Function>
    batch_options<Function> by(Function key) const {
        return batch_options<Function>(limits_, std::move(key));
    }

    /// For the library.
    const detail::batch_limits& limits() const { return limits_; }
    Key& key() { return key_; }
    batch_options(const detail::batch_limits& limits, Key key) : limits_(limits), key_(std::move(key)) {}

private:
    detail::batch_limits limits_;
    Key key_{};
};

/// A task in a batch: its payload, its data, progress and log, and its own failure. A handle, valid until the handler returns.
/// Thread-safe but for `payload`, `fail` and `has_failed`: of one item, those are for one thread at a time.
template <class P>
class batch_item : public running_task {
public:
    /// Made by the worker.
    batch_item(const running_task& task, P* payload, std::exception_ptr& failure)
        : running_task(task), payload_(payload), failure_(&failure) {}

    /// What it was submitted with; may be moved away.
    std::add_lvalue_reference_t<P> payload() const
        requires(!std::is_void_v<P>)
    {
        return *payload_;
    }

    /// Fails this item alone, as a handler for single tasks does by throwing `why`: its retry policy decides what follows, and
    /// `retry_after`, `throttled` and `discard` override that. What the handler returns for it is not used. Takes effect when the handler
    /// has ended. Errors: `errc::invalid_argument` for a null pointer.
    void fail(std::exception_ptr why) const {
        if (!why) throw error(errc::invalid_argument, "batch_item::fail: the exception is a null pointer; give std::current_exception()");
        *failure_ = std::move(why);
    }
    template <std::derived_from<std::exception> E>
    void fail(E why) const {
        fail(std::make_exception_ptr(std::move(why)));
    }
    void fail(std::string_view why) const { fail(std::runtime_error(std::string(why))); }

    bool has_failed() const { return *failure_ != nullptr; }

private:
    P* payload_;
    std::exception_ptr* failure_;
};

}  // namespace taskflux
