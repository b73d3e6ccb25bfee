#pragma once

#include <taskflux/detail/awaited.hpp>
#include <taskflux/detail/temporaries.hpp>
#include <taskflux/exec/executor/executor_state.hpp>
#include <taskflux/exec/slots/slot_job.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace taskflux::detail {

/// A function and its arguments, owned, so that both live as long as the job does.
template <class Function, class... Args>
class bound_call {
    template <class F, class... As>
    static auto probe() {
        if constexpr (std::invocable<F, As...>) {
            return std::type_identity<std::invoke_result_t<F, As...>>();
        } else {
            static_assert(std::invocable<F&, Args&...>,
                          "the function cannot be called with these arguments: compare its parameters");
            return std::type_identity<std::invoke_result_t<F&, Args&...>>();
        }
    }

public:
    /// Whether the call leaves its arguments usable for another call.
    static constexpr bool repeatable = std::invocable<Function&, Args&...>;
    static constexpr bool consumable = std::invocable<Function&, Args...>;
    using returned = typename decltype(probe<Function&, Args...>())::type;
    using result = typename awaited<returned>::type;
    static constexpr auto kind = is_awaitable<returned> ? slot_job::kind::coroutine : slot_job::kind::plain;
    static_assert(!std::is_reference_v<result>,
                  "the function returns a reference: return a value, or a pointer");

    template <class F, class... As>
    explicit bound_call(std::in_place_t, F&& function, As&&... args)
        : function_(std::forward<F>(function)), args_(std::forward<As>(args)...) {}

    returned operator()(bool keep) {
        if constexpr (!consumable) {
            return std::apply(function_, args_);
        } else if constexpr (!repeatable) {
            return std::apply(function_, std::move(args_));
        } else {
            if (keep) return std::apply(function_, args_);
            return std::apply(function_, std::move(args_));
        }
    }

private:
    Function function_;
    std::tuple<Args...> args_;
};

template <class Function, class... Args>
using bound = bound_call<std::decay_t<Function>, std::decay_t<Args>...>;

template <class Function, class... Args>
using result_of = typename bound<Function, Args...>::result;

/// Runs a `bound_call` as a job. `Delivery` derives from `executor_job`, keeps `result` and passes it on.
template <class Delivery, class Call>
class call_job final : public Delivery {
public:
    template <class... As>
    explicit call_job(executor_state& owner, Call call, As&&... args)
        : Delivery(Call::kind, owner, std::forward<As>(args)...), call_(std::move(call)) {}

private:
    asio::awaitable<void> run() override {
        if constexpr (Call::kind == slot_job::kind::coroutine) {
            this->begin();
            if constexpr (std::is_void_v<typename Call::result>) {
                this->result.emplace();
                return call_(this->may_repeat());
            } else {
                return keep(*this);
            }
        } else {
            return {};
        }
    }

    void call() override {
        if constexpr (Call::kind == slot_job::kind::plain) {
            this->begin();
            if constexpr (std::is_void_v<typename Call::result>) {
                call_(this->may_repeat());
                this->result.emplace();
            } else {
                this->result.emplace(call_(this->may_repeat()));
            }
        }
    }

    static asio::awaitable<void> keep(call_job& self) {
        self.result.emplace(co_await self.call_(self.may_repeat()));
    }

    Call call_;
};

}  // namespace taskflux::detail
