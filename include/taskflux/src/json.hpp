#pragma once

// The bodies of Boost.JSON. Not for a program that has <boost/json/src.hpp> in another source.
#include <boost/json/src.hpp>
