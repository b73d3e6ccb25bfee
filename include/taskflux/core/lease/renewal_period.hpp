#pragma once

#include <taskflux/core/time.hpp>

namespace taskflux {

/// How long after a lease was taken or renewed its holder renews it: a third of it, so that two renewals can fail before
/// it runs out.
constexpr duration renewal_period(duration lease) { return lease / 3; }

}  // namespace taskflux
