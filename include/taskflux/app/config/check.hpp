#pragma once

#include <taskflux/app/config.hpp>
#include <taskflux/core/error.hpp>

#include <string>
#include <string_view>

namespace taskflux::detail {

/// The URL without its passwords, for logs. Throws as `connect` does.
std::string shown_url(std::string_view url);

}  // namespace taskflux::detail
