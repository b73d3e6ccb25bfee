#pragma once

#include <taskflux/broker/memory.hpp>
#include <taskflux/broker/redis.hpp>
#include <taskflux/core/error.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

/// Opens the broker that `url` names: "memory://", the embedded one, in this process, or a Redis server (see
/// `make_redis_broker`): "redis://…", "rediss://…", "redis+unix://…", "redis+sentinel://…". `executor` runs what
/// the broker has to do in the background. Errors: `invalid_argument`, `unsupported`.
inline broker_ptr connect(asio::any_io_executor executor, std::string_view url) {
    const auto end = url.find("://");
    if (end == std::string_view::npos) {
        throw error(errc::invalid_argument, "\"" + std::string(url.substr(0, 20)) +
                                                "\" is not a broker URL; try \"memory://\" or \"redis://127.0.0.1\"");
    }
    const auto scheme = url.substr(0, end);
    if (scheme == "memory") {
        if (url.size() > end + 3) {
            throw error(errc::invalid_argument, "memory:// takes nothing after it: it names this process's own memory");
        }
        return make_memory_broker(std::move(executor));
    }
    if (scheme.starts_with("redis") || scheme == "unix") return make_redis_broker(std::move(executor), url);
    throw error(errc::unsupported, "no broker for " + std::string(scheme) +
                                       ":// is built in; there are memory://, redis://, rediss://, redis+unix:// and "
                                       "redis+sentinel://");
}

}  // namespace taskflux
