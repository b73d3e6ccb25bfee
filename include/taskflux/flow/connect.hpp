#pragma once

#include <taskflux/broker/memory.hpp>
#include <taskflux/broker/redis.hpp>
#include <taskflux/core/error.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

namespace detail {

/// True for the embedded broker, false for a Redis server. Throws as `connect` does for any other URL.
inline bool names_memory(std::string_view url) {
    const auto end = url.find("://");
    if (end == std::string_view::npos) {
        throw error(errc::invalid_argument, "not a broker URL: it has no scheme; use \"memory://\" or \"redis://127.0.0.1\"");
    }
    const auto scheme = url.substr(0, end);
    if (scheme.starts_with("redis") || scheme == "unix") return false;
    if (scheme != "memory") {
        // Not quoted: with a password in the wrong place, that would be it.
        throw error(errc::unsupported, "not a broker URL: its scheme is not known; use memory://, redis://, rediss://, "
                                       "redis+unix:// or redis+sentinel://, in small letters");
    }
    if (url.size() > end + 3) {
        throw error(errc::invalid_argument, "memory:// takes nothing after it: it is this process's own memory");
    }
    return true;
}

}  // namespace detail

/// Opens the broker that `url` names: "memory://", the embedded one, in this process, or a Redis server (see
/// `make_redis_broker`): "redis://…", "rediss://…", "redis+unix://…", "redis+sentinel://…". `executor` runs the
/// broker's background work; of `options` the embedded one takes log and observer. Errors: `invalid_argument`, `unsupported`.
inline broker_ptr connect(asio::any_io_executor executor, std::string_view url,
                          const redis_options& options = redis_options()) {
    if (detail::names_memory(url)) {
        const auto own = memory_options().log(options.log()).observer(options.observer());
        return make_memory_broker(std::move(executor), own);
    }
    return make_redis_broker(std::move(executor), url, options);
}

}  // namespace taskflux
