#pragma once

#include <taskflux/app/config.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/core/limit.hpp>

#include <chrono>
#include <string>

namespace taskflux::detail {

/// The limit that a config means. `at`: its place. Errors: `config_error`.
inline limit limit_of(const limit_config& from, const path& at) {
    limit made;
    const auto set = [&](const char* member, auto&& use) {
        try {
            use();
        } catch (const error& e) {
            throw config_error(path(at, member).pointer(), e.what());
        }
    };
    const auto refuse_without_rate = [&](const char* member, bool is_set) {
        if (is_set && !from.rate) throw config_error(path(at, member).pointer(), "this belongs to \"rate\", which is missing: add it");
    };
    refuse_without_rate("per", from.per.has_value());
    refuse_without_rate("burst", from.burst.has_value());
    if (from.burst && *from.burst == 0) throw config_error(path(at, "burst").pointer(), "expected at least 1, or no burst for what is usual");
    if (from.running) set("running", [&] { made.running(*from.running); });
    if (from.rate) {
        const duration per = from.per ? from.per->value() : std::chrono::seconds(1);
        set("rate", [&] { made.rate(*from.rate, per, from.burst.value_or(0)); });
    }
    if (from.max_waiting) set("max_waiting", [&] { made.max_waiting(*from.max_waiting); });
    return made;
}

/// Like `limit_of`, of keys.
inline limit key_limit_of(const limit_config& from, const path& at) {
    if (from.max_waiting) {
        throw config_error(path(at, "max_waiting").pointer(), "a limit of keys can't bound what waits: give it to the queue, in /limits");
    }
    return limit_of(from, at);
}

/// Calls `queue` with the name, place and limit of each queue, and `key` with name, place, key (empty: each) and limit of each key.
inline void for_each_limit(const app_config& config, auto&& queue, auto&& key) {
    const path root, limits(root, "limits"), key_limits(root, "key_limits");
    for (const auto& [name, from] : config.limits) {
        const path here(limits, name);
        queue(name, here, limit_of(from, here));
    }
    for (const auto& [name, from] : config.key_limits) {
        const path here(key_limits, name), each(here, "each"), keys(here, "keys");
        if (from.each) key(name, each, std::string(), key_limit_of(*from.each, each));
        for (const auto& [text, value] : from.keys) {
            const path one(keys, text);
            if (!allows(detail::limits::key, text)) {
                throw config_error(one.pointer(), "expected a key of 1 to 256 bytes of UTF-8 without control characters; the limit of each "
                                                  "key is \"each\"");
            }
            key(name, one, text, key_limit_of(value, one));
        }
    }
}

/// Where a program runs no task, and so no worker declares limits.
inline void refuse_limits(const app_config& config) {
    const auto refuse = [](const char* pointer) {
        throw config_error(pointer, "limits are declared by the worker of a program, and this one runs no task: leave them out, or set "
                                    "them by queue_control");
    };
    if (!config.limits.empty()) refuse("/limits");
    if (!config.key_limits.empty()) refuse("/key_limits");
}

/// `to`: a worker.
inline void declare_limits(const app_config& config, auto& to) {
    for_each_limit(
        config, [&](const std::string& queue, const path&, const limit& value) { to.limit(queue, value); },
        [&](const std::string& queue, const path&, const std::string& key, const limit& value) {
            if (key.empty()) to.key_limit(queue, value);
            else to.key_limit(queue, key, value);
        });
}

}  // namespace taskflux::detail
