#pragma once

#include <taskflux/fwd.hpp>

#include <boost/describe/enum.hpp>

namespace taskflux::http {

/// How requests are logged, one line for each.
enum class access_form {
    none,
    common,  ///< the Common Log Format of web servers, with the time that the request took, and its id
    json     ///< an object
};
BOOST_DESCRIBE_ENUM(access_form, none, common, json)

}  // namespace taskflux::http
