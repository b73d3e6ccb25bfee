#pragma once

#include <taskflux/core/codec/named.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/awaited.hpp>
#include <taskflux/detail/coroutine_chain.hpp>
#include <taskflux/flow/workflow/notebook.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace taskflux::detail {

template <class Function>
using step_result = typename awaited<std::invoke_result_t<Function&>>::type;

/// While a chain of coroutines awaits a step's function.
class inside_step {
public:
    inside_step(notebook& book, const void* chain) : book_(book), chain_(chain) { book_.enter_step(chain_); }
    inside_step(const inside_step&) = delete;
    inside_step& operator=(const inside_step&) = delete;
    ~inside_step() { book_.leave_step(chain_); }

private:
    notebook& book_;
    const void* const chain_;
};

/// Calls a step's function, and awaits what it returns.
template <class Function>
asio::awaitable<step_result<Function>> call_step(notebook& book, Function& function) {
    const auto* const chain = co_await own_chain();
    const inside_step here(book, chain);
    if constexpr (is_awaitable<std::invoke_result_t<Function&>>) co_return co_await guarded(book, function(), false);
    else co_return function();
}

/// What a step's result has become that was of another type: see `context::step`.
error step_mismatch(const std::string& name, const std::string& why);

template <class R>
R read_step(const std::string& name, const std::string& text) {
    try {
        return decode<R>(text);
    } catch (const payload_error& e) {
        throw step_mismatch(name, e.what());
    }
}

/// Runs `function` unless the journal has its result.
template <class Function>
asio::awaitable<step_result<Function>> run_step(notebook& book, std::string name, Function function) {
    using R = step_result<Function>;
    co_await book.check();
    if (book.may_have_entries()) {
        const auto known = co_await book.find_step(name);
        if (known) {
            if constexpr (std::is_void_v<R>) co_return;
            else co_return read_step<R>(name, *known);
        }
    }
    std::string text = "null";
    if constexpr (std::is_void_v<R>) {
        co_await call_step(book, function);
        co_await book.keep(step_key(name), std::move(text));
    } else {
        R value = co_await call_step(book, function);
        text = encode(value);
        co_await book.keep(step_key(name), std::move(text));
        co_return value;
    }
}

/// The number that this change of the handler has for its task: see `context::version`.
asio::awaitable<unsigned> version_of(notebook& book, std::string name, unsigned newest);

/// Waits until the time that the first attempt at this call was given as `when`.
asio::awaitable<void> wait_until(notebook& book, std::string name, time_point when);

/// The next signal of this name as JSON, or nothing when none has come within `limit` of the first attempt's wait. `wait`:
/// its own name.
asio::awaitable<std::optional<std::string>> next_signal(notebook& book, std::string wait, std::string name, duration limit);

/// How errors name a signal's value.
inline auto signal_subject(const notebook& book, const std::string& name) {
    return [&book, &name] { return "signal " + in_quotes(name) + " of task " + to_string(book.id()); };
}

template <class T>
asio::awaitable<std::optional<T>> take_signal(notebook& book, std::string wait, std::string name, duration limit) {
    const auto value = co_await next_signal(book, std::move(wait), name, limit);
    if (!value) co_return std::nullopt;
    co_return decode_of<T>(signal_subject(book, name), *value);
}

template <class T>
asio::awaitable<T> take_signal(notebook& book, std::string wait, std::string name) {
    const auto value = co_await next_signal(book, std::move(wait), name, (duration::max)());
    co_return decode_of<T>(signal_subject(book, name), *value);
}

}  // namespace taskflux::detail
