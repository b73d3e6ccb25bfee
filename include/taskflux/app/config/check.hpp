#pragma once

#include <taskflux/app/config.hpp>
#include <taskflux/core/error.hpp>

#include <string>
#include <string_view>

namespace taskflux::detail {

/// The URL as it may be shown: without its passwords. Throws as `connect` does.
std::string shown_url(std::string_view url);

/// What was wrong, without the code behind it.
std::string reason_of(const error& e);

}  // namespace taskflux::detail
