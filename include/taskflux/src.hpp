#pragma once

// For exactly one .cpp file of a program: the bodies of what taskflux uses from Boost.
#include <boost/json/src.hpp>
#include <boost/redis/src.hpp>
