#pragma once

// Declarations of our own after opentelemetry-cpp's documented interface, of what <taskflux/otel/tracing.hpp> uses and no more: so that
// it is compiled and tested where that library is not installed. Classes stand where the library has classes of its own, so that nothing
// is relied upon which those don't have. See docs/tracing.md.

#include <opentelemetry/nostd/string_view.h>

#include <cstdint>
#include <variant>

namespace opentelemetry::common {

using AttributeValue = std::variant<bool, std::int32_t, std::int64_t, std::uint32_t, double, const char*, nostd::string_view, std::uint64_t>;

}  // namespace opentelemetry::common
