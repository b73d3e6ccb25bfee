#pragma once

#include <taskflux/core/error.hpp>

namespace taskflux::detail {

/// The broker's server does nothing for this program now, whatever is asked of it: it has no room, or refuses the connection. That
/// passes, and is no mistake of who calls, though the code is that of one.
class server_trouble : public error {
public:
    using error::error;
    explicit server_trouble(const error& why) : error(why) {}
};

}  // namespace taskflux::detail
