#include <taskflux/src.hpp>
