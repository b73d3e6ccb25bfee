#pragma once

#include <taskflux/app/config.hpp>
#include <taskflux/app/config/nearest.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/error/quoted.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/core/limit.hpp>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <vector>

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
    if (from.per) set("per", [&] { limit().rate(1, *from.per); });
    if (from.burst) set("burst", [&] { limit().rate(1, duration(1), *from.burst); });
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

/// Refuses limits of a queue of which the program has no task: nobody would notice that its name is misspelt. `known`: the queues of
/// the config, and of all tasks, those included that run elsewhere. Errors: `config_error`.
inline void check_limited_queues(const app_config& config, const std::vector<std::string>& known) {
    const auto check = [&](const char* member, const auto& limits) {
        for (const auto& [queue, value] : limits) {
            if (std::ranges::find(known, queue) != known.end()) continue;
            const std::string why = known.empty() ? "this program has no task, whose worker would declare limits: set them by queue_control"
                                                  : "no task of this program is in queue " + in_quotes(queue) + allowed_instead(queue, known);
            throw config_error(path(path(path(), member), queue).pointer(), why);
        }
    };
    check("limits", config.limits);
    check("key_limits", config.key_limits);
}

/// Declares the limits of the queues that are `served` here by `to`, a worker that may be null if none is. Gives the other queues: a
/// config may be shared with programs that serve these.
inline std::set<std::string> declare_limits(const app_config& config, const std::vector<std::string>& served, auto* to) {
    std::set<std::string> others;
    const auto is_served = [&](const std::string& queue) {
        const bool found = to && std::ranges::find(served, queue) != served.end();
        if (!found) others.insert(queue);
        return found;
    };
    for_each_limit(
        config,
        [&](const std::string& queue, const path&, const limit& value) {
            if (is_served(queue)) to->limit(queue, value);
        },
        [&](const std::string& queue, const path&, const std::string& key, const limit& value) {
            if (!is_served(queue)) return;
            if (key.empty()) to->key_limit(queue, value);
            else to->key_limit(queue, key, value);
        });
    return others;
}

}  // namespace taskflux::detail
