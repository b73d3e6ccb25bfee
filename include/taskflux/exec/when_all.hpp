#pragma once

#include <taskflux/detail/awaited.hpp>
#include <taskflux/detail/live.hpp>
#include <taskflux/detail/nursery.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace taskflux {

namespace detail {

/// Several calls side by side, on a strand of their own, so that they may run where several threads run the caller's
/// executor.
template <class... Ts>
class call_group : public std::enable_shared_from_this<call_group<Ts...>> {
    using indices = std::index_sequence_for<Ts...>;

public:
    /// What cancels the calls that still run.
    enum class until { one_has_failed, one_has_succeeded };

    call_group(asio::any_io_executor strand, until ends, asio::awaitable<Ts>... calls)
        : strand_(std::move(strand)), ends_(ends), calls_(std::move(calls)...), all_(strand_) {}

    const asio::any_io_executor& strand() const { return strand_; }

    /// Returns when all calls have ended.
    asio::awaitable<void> live([[maybe_unused]] std::shared_ptr<asio::thread_pool> threads) {
        const auto self = this->shared_from_this();
        start(indices());
        has_started_ = true;
        if (is_decided_) all_.stop_all();
        co_await all_.end_of_all();
    }

    /// Cancels all calls. Thread-safe.
    void stop() {
        asio::post(strand_, [self = this->shared_from_this()] { self->all_.stop_all(); });
    }

    /// After `live`: the results of all. Throws the first failure.
    std::tuple<stored<Ts>...> take_all() {
        for (const auto which : order_) {
            if (errors_[which]) std::rethrow_exception(errors_[which]);
        }
        check_all_ran();
        return take_all(indices());
    }

    /// After `live`: the first result. Throws the last failure where there is none.
    std::variant<stored<Ts>...> take_first() {
        for (const auto which : order_) {
            if (!errors_[which]) return take_one(which, indices());
        }
        check_all_ran();
        std::rethrow_exception(errors_[order_.back()]);
    }

private:
    template <std::size_t... Is>
    void start(std::index_sequence<Is...>) {
        (all_.start(call<Is>()), ...);
    }

    template <std::size_t I>
    asio::awaitable<void> call() {
        const auto self = this->shared_from_this();
        using result = std::tuple_element_t<I, std::tuple<Ts...>>;
        try {
            if constexpr (std::is_void_v<result>) {
                co_await std::move(std::get<I>(calls_));
                std::get<I>(values_).emplace();
            } else {
                auto made = co_await std::move(std::get<I>(calls_));
                std::get<I>(values_).emplace(std::move(made));
            }
        } catch (...) {
            errors_[I] = std::current_exception();
        }
        order_.push_back(I);
        is_decided_ = is_decided_ || (ends_ == until::one_has_failed) == bool(errors_[I]);
        if (is_decided_ && has_started_) all_.stop_all();
    }

    /// Where a call was cancelled before it had begun, it has no result.
    void check_all_ran() const {
        if (order_.size() < sizeof...(Ts)) throw boost::system::system_error(asio::error::operation_aborted);
    }

    template <std::size_t... Is>
    std::tuple<stored<Ts>...> take_all(std::index_sequence<Is...>) {
        return std::tuple<stored<Ts>...>(std::move(*std::get<Is>(values_))...);
    }

    template <std::size_t... Is>
    std::variant<stored<Ts>...> take_one(std::size_t which, std::index_sequence<Is...>) {
        using any_value = std::variant<stored<Ts>...>;
        using taker = any_value (*)(call_group&);
        constexpr taker takers[] = {[](call_group& from) {
            return any_value(std::in_place_index<Is>, std::move(*std::get<Is>(from.values_)));
        }...};
        return takers[which](*this);
    }

    const asio::any_io_executor strand_;
    const until ends_;
    std::tuple<asio::awaitable<Ts>...> calls_;
    std::tuple<std::optional<stored<Ts>>...> values_;
    std::array<std::exception_ptr, sizeof...(Ts)> errors_;
    std::vector<std::size_t> order_;  // of their ends
    bool has_started_ = false;        // all of them
    bool is_decided_ = false;
    nursery all_;
};

}  // namespace detail

/// Awaits all calls side by side, on a strand on the caller's executor, and returns their results, `std::monostate` for void.
/// One of them runs at a time, also where several threads run that executor. The first one that fails cancels the others, and
/// its error is thrown when all have ended. Cancellation reaches all calls.
template <class... Ts>
asio::awaitable<std::tuple<detail::stored<Ts>...>> when_all(asio::awaitable<Ts>... calls) {
    using group = detail::call_group<Ts...>;
    const auto executor = co_await asio::this_coro::executor;
    const auto together = std::make_shared<group>(asio::make_strand(executor), group::until::one_has_failed, std::move(calls)...);
    co_await detail::live(together, nullptr);
    co_return together->take_all();
}

/// Awaits calls side by side, as `when_all` does, until one has succeeded, and cancels the others; returns its result, whose
/// index says which call it was. When all fail, the error of the last one is thrown. Cancellation reaches all calls.
template <class... Ts>
asio::awaitable<std::variant<detail::stored<Ts>...>> when_any(asio::awaitable<Ts>... calls) {
    using group = detail::call_group<Ts...>;
    const auto executor = co_await asio::this_coro::executor;
    const auto together =
        std::make_shared<group>(asio::make_strand(executor), group::until::one_has_succeeded, std::move(calls)...);
    co_await detail::live(together, nullptr);
    co_return together->take_first();
}

}  // namespace taskflux
