#pragma once

// What the code blocks about control take for granted.
#include "default.hpp"

#include <boost/describe/class.hpp>

#include <span>
