#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/detail/payload.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskflux::detail {

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
    task.on_duplicate = options.on_duplicate();
    task.at_most = options.at_most();
    task.key = options.key();
    task.delay = options.delay();
    task.at = options.at().value_or(time_point{});
    task.hold = options.hold();
    return task;
}

/// How the keys of several tasks are taken from their payloads; empty where the options name one, or the contract takes none.
template <class R, class P>
key_source keys_of(const contract<R, P>& contract, const submit_options& options) {
    return options.key().empty() ? contract.keys() : key_source();
}

/// The key that is taken from a payload as it is stored; empty: none. `subject`: for the error. Errors: those of `decode`.
template <class P>
std::string key_of_text(const key_source& take, std::string_view text, const auto& subject) {
    if constexpr (std::is_void_v<P>) {
        return decode<P>(text), std::string();
    } else {
        const P payload = decode<P>(text);
        return take ? taken_key(take, &payload, subject) : std::string();
    }
}

struct encoded_payload {
    encoded_payload() {}

    std::string text;
    std::string key;  ///< that of the options, or what the contract takes from the payload; empty: none
};

template <class R, class P, class... Args>
encoded_payload encode_keyed(const contract<R, P>& contract, const submit_options& options, Args&&... payload) {
    encoded_payload made;
    made.key = options.key();
    const auto take_key = [&](const auto& value) {
        const auto subject = [&] { return "the payload of " + contract.subject(); };
        if (const auto take = keys_of(contract, options)) made.key = taken_key(take, &value, subject);
    };
    made.text = encode_payload_seen<P>(contract, take_key, std::forward<Args>(payload)...);
    return made;
}

template <class R, class P, class... Args>
new_task task_of(const contract<R, P>& contract, const submit_options& options, Args&&... payload) {
    auto encoded = encode_keyed(contract, options, std::forward<Args>(payload)...);
    auto spec = spec_of(contract, options);
    auto made = make_task(std::move(spec), options, std::move(encoded.text));
    made.key = std::move(encoded.key);
    return made;
}

/// Throws `too_large` for a payload that no broker stores: before the first of many is stored.
void check_payload_sizes(const std::vector<std::string>& payloads);

/// Awaits the submission of some of `all` tasks, of which so many have been stored: its error says so.
asio::awaitable<std::vector<submitted>> after_others(asio::awaitable<std::vector<submitted>> submission, std::size_t stored,
                                                     std::size_t all);

}  // namespace taskflux::detail
