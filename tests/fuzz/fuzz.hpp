#pragma once

#include <taskflux/core/error.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

namespace test {

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Ends the program, so that the fuzzer keeps its input.
inline void require(bool holds, std::string_view what) {
    if (holds) return;
    std::cerr << "not so: " << what << std::endl;
    std::abort();
}

/// An error's text is one line without control characters.
inline void require_readable(const taskflux::error& e) {
    for (const char* c = e.what(); *c; ++c) require(static_cast<unsigned char>(*c) >= 0x20 && *c != 0x7f, "an error is one line of text");
}

}  // namespace test
