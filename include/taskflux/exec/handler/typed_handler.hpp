#pragma once

#include <taskflux/core/codec.hpp>
#include <taskflux/core/codec/coded.hpp>
#include <taskflux/core/retry.hpp>
#include <taskflux/core/schema.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/awaited.hpp>
#include <taskflux/exec/slots/slot_job.hpp>

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace taskflux::detail {

/// A handler without its types: payload text in, result text out. `Context` is what it may take beside the payload; errors name
/// its `subject()`.
template <class Context>
class basic_handler {
public:
    basic_handler(slot_job::kind kind, retry_policy::predicate test, bool emits) : kind_(kind), retry_if_(test), emits_(emits) {}
    basic_handler(const basic_handler&) = delete;
    basic_handler& operator=(const basic_handler&) = delete;
    virtual ~basic_handler() = default;

    slot_job::kind kind() const { return kind_; }
    retry_policy::predicate retry_if() const { return retry_if_; }
    bool emits() const { return emits_; }

    /// For a coroutine. The arguments must live until it has ended.
    virtual asio::awaitable<void> run(Context& ctx, std::string_view payload, std::string& result) = 0;
    /// For a plain function.
    virtual void call(Context& ctx, std::string_view payload, std::string& result) = 0;

private:
    slot_job::kind kind_;
    retry_policy::predicate retry_if_;
    bool emits_;
};

/// How a function is called with what a contract provides: with or without a context.
template <class Function, class P, class Context>
struct handler_call {
    static constexpr bool with_context = std::invocable<Function&, Context&, P>;
    static constexpr bool is_valid = with_context || std::invocable<Function&, P>;

    static decltype(auto) apply(Function& function, Context& ctx, P&& payload) {
        if constexpr (with_context) {
            return std::invoke(function, ctx, std::move(payload));
        } else {
            return std::invoke(function, std::move(payload));
        }
    }
};

template <class Function, class Context>
struct handler_call<Function, void, Context> {
    static constexpr bool with_context = std::invocable<Function&, Context&>;
    static constexpr bool is_valid = with_context || std::invocable<Function&>;

    static decltype(auto) apply(Function& function, Context& ctx) {
        if constexpr (with_context) {
            return std::invoke(function, ctx);
        } else {
            return std::invoke(function);
        }
    }
};

template <class P>
P read_payload(const auto& ctx, std::string_view text) {
    refuse_coded([&] { return "the payload of " + ctx.subject(); }, text);
    try {
        return decode<P>(text);
    } catch (const payload_error& e) {
        throw bad_payload(e, "the payload of " + ctx.subject() + " can't be read", schema_text<P>());
    }
}

template <class R>
void write_result(const auto& ctx, const R& value, std::string& out) {
    try {
        encode(value, out);
    } catch (const payload_error& e) {
        throw bad_payload(e, "the result of " + ctx.subject() + " can't be written", "");
    }
}

/// What a function returns when it is called with what a contract provides.
template <class Function, class P, class Context>
class handler_signature {
    using call_type = handler_call<Function, P, Context>;

    template <class F>
    static auto probe() {
        if constexpr (std::is_void_v<P>) {
            return std::type_identity<decltype(call_type::apply(std::declval<F&>(), std::declval<Context&>()))>();
        } else {
            return std::type_identity<decltype(call_type::apply(std::declval<F&>(), std::declval<Context&>(),
                                                                std::declval<P&&>()))>();
        }
    }

    using returned = std::remove_cvref_t<typename decltype(probe<Function>())::type>;

public:
    static constexpr bool is_coroutine = is_awaitable<returned>;
    using result = typename awaited<returned>::type;
};

/// Whether what a handler returns can be the contract's result.
template <class Given, class R>
concept result_for = (std::is_void_v<R> && std::is_void_v<Given>) || (!std::is_void_v<R> && std::convertible_to<Given, R>);

template <class R, class P, class Function, class Context>
class typed_handler final : public basic_handler<Context> {
    using call_type = handler_call<Function, P, Context>;
    static constexpr bool is_coroutine = handler_signature<Function, P, Context>::is_coroutine;

public:
    explicit typed_handler(Function function, retry_policy::predicate test = nullptr, bool emits = false)
        : basic_handler<Context>(is_coroutine ? slot_job::kind::coroutine : slot_job::kind::plain, test, emits),
          function_(std::move(function)) {}

    asio::awaitable<void> run(Context& ctx, std::string_view payload, std::string& out) override {
        if constexpr (!is_coroutine) {
            call(ctx, payload, out);
            co_return;
        } else if constexpr (std::is_void_v<P>) {
            if constexpr (std::is_void_v<R>) {
                co_await call_type::apply(function_, ctx);
                out = "null";
            } else {
                const R value = co_await call_type::apply(function_, ctx);
                write_result<R>(ctx, value, out);
            }
        } else {
            auto value_in = read_payload<P>(ctx, payload);
            if constexpr (std::is_void_v<R>) {
                co_await call_type::apply(function_, ctx, std::move(value_in));
                out = "null";
            } else {
                const R value = co_await call_type::apply(function_, ctx, std::move(value_in));
                write_result<R>(ctx, value, out);
            }
        }
    }

    void call(Context& ctx, std::string_view payload, std::string& out) override {
        if constexpr (!is_coroutine) {
            const auto apply = [&]() -> decltype(auto) {
                if constexpr (std::is_void_v<P>) {
                    return call_type::apply(function_, ctx);
                } else {
                    return call_type::apply(function_, ctx, read_payload<P>(ctx, payload));
                }
            };
            if constexpr (std::is_void_v<R>) {
                apply();
                out = "null";
            } else {
                write_result<R>(ctx, apply(), out);
            }
        }
    }

private:
    Function function_;
};

/// A handler of `function` for a contract's payload and result. A function that does not fit is refused by a sentence of the
/// compiler, and by that alone: the rest is not instantiated.
template <class R, class P, class Context, class Function>
std::unique_ptr<basic_handler<Context>> make_handler(Function function, retry_policy::predicate test = nullptr) {
    constexpr bool takes_payload = handler_call<Function, P, Context>::is_valid;
    static_assert(takes_payload,
                  "this handler cannot be called with the contract's payload: it must take (Payload) or (Context&, Payload), "
                  "with taskflux::context for a task and taskflux::call_context for a method");
    if constexpr (takes_payload) {
        constexpr bool gives_result = result_for<typename handler_signature<Function, P, Context>::result, R>;
        static_assert(gives_result, "this handler does not return the contract's result: it must return the Result that the "
                                    "contract names, or an asio::awaitable of it");
        if constexpr (!is_payload<P>) {
            require_payload<P>();
        } else if constexpr (!is_payload<R>) {
            require_payload<R>();
        } else if constexpr (gives_result) {
            return std::make_unique<typed_handler<R, P, Function, Context>>(std::move(function), test);
        }
    }
    return nullptr;
}

}  // namespace taskflux::detail
