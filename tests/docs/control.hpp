#pragma once

// What the code blocks of docs/control.md take for granted.
#include "default.hpp"

#include <boost/describe/class.hpp>

#include <span>

inline constexpr taskflux::task<void(int)> rebuild_index{"rebuild_index"};

extern taskflux::client client;
extern int customer;
