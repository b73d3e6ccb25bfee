#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/detail/temporaries.hpp>

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace taskflux::detail {

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

std::string queue_of(const auto& contract, const submit_options& options) {
    return options.queue() ? *options.queue() : std::string(contract.options().queue());
}

std::shared_ptr<task_spec> spec_of(const auto& contract, const submit_options& options) {
    auto spec = std::make_shared<task_spec>();
    spec->name = contract.name();
    spec->priority = options.priority().value_or(contract.options().priority());
    spec->policy = options.over(contract.options().policy());
    spec->headers = options.headers();
    return spec;
}

inline new_task make_task(std::shared_ptr<const task_spec> spec, const submit_options& options, std::string payload) {
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

template <class R, class P, class... Args>
new_task task_of(const contract<R, P>& contract, const submit_options& options, Args&&... payload) {
    auto text = encode_payload<P>(std::forward<Args>(payload)...);
    auto spec = spec_of(contract, options);
    return make_task(std::move(spec), options, std::move(text));
}

}  // namespace taskflux::detail
