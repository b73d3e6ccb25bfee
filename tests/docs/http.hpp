#pragma once

// What the code blocks of docs/http.md take for granted.
#include "default.hpp"

#include <taskflux/http.hpp>

#include <boost/describe/class.hpp>

#include <optional>

extern taskflux::broker_ptr broker;
inline constexpr taskflux::task<double(double)> circle_area{"circle_area"};
