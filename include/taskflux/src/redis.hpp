#pragma once

// The Redis broker; needs <taskflux/src/redis_client.hpp> beside it.
#include <taskflux/broker/redis.ipp>
