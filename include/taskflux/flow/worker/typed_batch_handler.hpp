#pragma once

#include <taskflux/core/codec.hpp>
#include <taskflux/core/task/key.hpp>
#include <taskflux/detail/awaited.hpp>
#include <taskflux/exec/handler/typed_handler.hpp>
#include <taskflux/flow/batch.hpp>
#include <taskflux/flow/worker/batch_run.hpp>

#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// What a function returns that takes the items of a batch.
template <class Function, class P>
using batch_returned = std::remove_cvref_t<std::invoke_result_t<Function&, std::span<batch_item<P>>>>;

/// The results of a batch.
template <class R>
struct batch_results {
    using type = std::vector<R>;
};
template <>
struct batch_results<void> {
    using type = void;
};

template <class Key, class P>
inline constexpr bool is_batch_key = std::is_same_v<Key, no_key>;
template <class Key, class P>
    requires(!std::is_void_v<P> && std::invocable<Key&, const P&>)
inline constexpr bool is_batch_key<Key, P> = std::convertible_to<std::invoke_result_t<Key&, const P&>, std::string_view> ||
                                             key_value<std::invoke_result_t<Key&, const P&>>;

template <class R, class P, class Function, class Key>
class typed_batch_handler final : public batch_handler {
    using item = batch_item<P>;
    static constexpr bool is_coroutine = is_awaitable<batch_returned<Function, P>>;
    static constexpr bool has_key = !std::is_same_v<Key, no_key>;

    struct part final : batch_part {
        using batch_part::batch_part;
        std::optional<stored<P>> payload;
    };

public:
    typed_batch_handler(Function function, batch_options<Key> options, retry_policy::predicate test)
        : batch_handler(is_coroutine ? slot_job::kind::coroutine : slot_job::kind::plain, test, options.limits(), has_key),
          function_(std::move(function)), key_(std::move(options.key())) {}

    boost::intrusive_ptr<batch_part> make_part(executor_state& pool, std::shared_ptr<attempt_owner> owner, taskflux::clock& clock,
                                               duration timeout, std::string queue, std::shared_ptr<const std::string> consumer,
                                               delivery what) override {
        return {new part(pool, std::move(owner), *this, clock, timeout, std::move(queue), std::move(consumer), std::move(what)), false};
    }

    std::string read(batch_part& one) override {
        if (one.what().unreadable) std::rethrow_exception(one.what().unreadable);
        if constexpr (!std::is_void_v<P>) {
            auto& payload = static_cast<part&>(one).payload;
            payload.emplace(read_payload<P>(one.as_task(), one.what().payload));
            if constexpr (has_key) return taken_text(key_, std::as_const(*payload));
        }
        return {};
    }

    asio::awaitable<void> run_batch(const batch_parts& parts) override {
        if constexpr (is_coroutine) {
            auto items = items_of(parts);
            const std::span<item> all(items);
            if constexpr (std::is_void_v<R>) {
                co_await std::invoke(function_, all);
                keep(parts);
            } else {
                const std::vector<R> results = co_await std::invoke(function_, all);
                keep(parts, results);
            }
        }
        co_return;
    }

    void call_batch(const batch_parts& parts) override {
        if constexpr (!is_coroutine) {
            auto items = items_of(parts);
            const std::span<item> all(items);
            if constexpr (std::is_void_v<R>) {
                std::invoke(function_, all);
                keep(parts);
            } else {
                const std::vector<R> results = std::invoke(function_, all);
                keep(parts, results);
            }
        }
    }

private:
    static std::vector<item> items_of(const batch_parts& parts) {
        std::vector<item> items;
        items.reserve(parts.size());
        for (auto* one : parts) {
            if constexpr (std::is_void_v<P>) {
                items.emplace_back(one->as_task(), nullptr, one->failure);
            } else {
                items.emplace_back(one->as_task(), &*static_cast<part*>(one)->payload, one->failure);
            }
        }
        return items;
    }

    static void keep(const batch_parts& parts) {
        for (auto* one : parts) one->set_result("null");
    }

    template <class Results>
    static void keep(const batch_parts& parts, const Results& results) {
        if (results.size() != parts.size()) {
            throw std::length_error("the batch handler of " + parts.front()->as_task().subject() + " returned " +
                                    std::to_string(results.size()) + " results for " + std::to_string(parts.size()) +
                                    " items: it must return one for each, in their order, also for those that it fails");
        }
        for (std::size_t i = 0; i < parts.size(); ++i) {
            auto& one = *parts[i];
            if (one.failure) continue;
            try {
                std::string text;
                write_result<R>(one.as_task(), results[i], text);
                one.set_result(std::move(text));
            } catch (...) {
                one.failure = std::current_exception();
            }
        }
    }

    Function function_;
    Key key_;
};

/// A handler of `function` for batches of a contract's tasks. A function that does not fit is refused by a sentence of the
/// compiler, and by that alone.
template <class R, class P, class Function, class Key>
std::unique_ptr<task_handler> make_batch_handler(Function function, batch_options<Key> options, retry_policy::predicate test) {
    constexpr bool takes_items = std::invocable<Function&, std::span<batch_item<P>>>;
    static_assert(takes_items, "this batch handler cannot be called with the contract's items: it must take "
                               "(std::span<taskflux::batch_item<Payload>>), with Payload as the contract names it");
    static_assert(!takes_items || is_batch_key<Key, P>,
                  "the function given to batch_options::by does not give a key: it must take (const Payload&), and return a text or an "
                  "integer");
    if constexpr (takes_items && is_batch_key<Key, P>) {
        using given = typename awaited<batch_returned<Function, P>>::type;
        using wanted = typename batch_results<R>::type;
        constexpr bool gives_results = result_for<given, wanted>;
        static_assert(gives_results, "this batch handler does not return the contract's results: it must return "
                                     "std::vector<Result>, one for each item, or an asio::awaitable of it; nothing for a Result of void");
        if constexpr (!is_payload<P>) {
            require_payload<P>();
        } else if constexpr (!is_payload<R>) {
            require_payload<R>();
        } else if constexpr (gives_results) {
            return std::make_unique<typed_batch_handler<R, P, Function, Key>>(std::move(function), std::move(options), test);
        }
    }
    return nullptr;
}

}  // namespace taskflux::detail
