#pragma once

#include <taskflux/app/config.hpp>
#include <taskflux/core/error.hpp>

#include <string>
#include <string_view>

namespace taskflux::detail {

/// The URL without its passwords, for logs. Throws as `connect` does.
std::string shown_url(std::string_view url);

/// The node's name: that of the config, or the host's.
std::string node_of(const app_config& config);

}  // namespace taskflux::detail
