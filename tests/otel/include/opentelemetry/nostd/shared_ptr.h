#pragma once

// Declarations of our own after opentelemetry-cpp's documented interface, of what <taskflux/otel/tracing.hpp> uses and no more: so that
// it is compiled and tested where that library is not installed. Classes stand where the library has classes of its own, so that nothing
// is relied upon which those don't have. See docs/tracing.md.

#include <memory>

namespace opentelemetry::nostd {

template <class T>
using shared_ptr = std::shared_ptr<T>;

}  // namespace opentelemetry::nostd
