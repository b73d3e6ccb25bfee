#pragma once

// What the code blocks of docs/consumers.md take for granted.
#include "default.hpp"

#include <boost/describe/class.hpp>
