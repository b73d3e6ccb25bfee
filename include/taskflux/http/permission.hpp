#pragma once

#include <taskflux/fwd.hpp>

#include <boost/describe/enum.hpp>

namespace taskflux::http {

/// What somebody may do: each includes those before it. A route names the one that it asks for.
enum class permission {
    none,     ///< of a route: anybody may call it, without a login
    read,     ///< looks
    submit,   ///< submits tasks, and cancels those that it has submitted
    control,  ///< cancels, retries, pauses, limits, steers nodes
    admin     ///< all, also removing for good and what is about users
};
BOOST_DESCRIBE_ENUM(permission, none, read, submit, control, admin)

}  // namespace taskflux::http
