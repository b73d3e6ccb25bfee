#pragma once

#include <taskflux/broker/memory.hpp>
#include <taskflux/core/error.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace taskflux {

/// Opens the broker that `url` names: "memory://", the embedded one, in this process. `executor` runs what
/// the broker has to do in the background. Errors: `invalid_argument`, `unsupported`.
inline broker_ptr connect(asio::any_io_executor executor, std::string_view url) {
    const auto end = url.find("://");
    if (end == std::string_view::npos) {
        throw error(errc::invalid_argument, "\"" + std::string(url) + "\" is not a broker URL; try \"memory://\"");
    }
    const auto scheme = url.substr(0, end);
    if (scheme != "memory") {
        throw error(errc::unsupported, "no broker for " + std::string(scheme) + ":// is built in; there is memory://");
    }
    if (url.size() > end + 3) {
        throw error(errc::invalid_argument, "memory:// takes nothing after it: it names this process's own memory");
    }
    return make_memory_broker(std::move(executor));
}

}  // namespace taskflux
