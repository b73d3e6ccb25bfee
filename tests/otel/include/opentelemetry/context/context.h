#pragma once

// Declarations of our own after opentelemetry-cpp's documented interface, of what <taskflux/otel/tracing.hpp> uses and no more: so that
// it is compiled and tested where that library is not installed. Classes stand where the library has classes of its own, so that nothing
// is relied upon which those don't have. See docs/tracing.md.

#include <opentelemetry/nostd/string_view.h>

#include <map>
#include <string>

namespace opentelemetry::context {

class Context {
public:
    Context() = default;

    Context SetValue(nostd::string_view key, bool value) const {
        auto made = *this;
        made.values_[std::string(key)] = value;
        return made;
    }
    bool HasKey(nostd::string_view key) const { return values_.contains(std::string(key)); }

private:
    std::map<std::string, bool> values_;
};

}  // namespace opentelemetry::context
