#pragma once

// The bodies of Boost.Redis. Not for a program that has <boost/redis/src.hpp> in another source.
#include <boost/redis/src.hpp>
