#pragma once

#include <cstdint>
#include <string_view>

namespace taskflux::detail {

/// FNV-1a of 64 bits (Fowler, Noll, Vo): the same in every process. `mixed`: of what came before.
constexpr std::uint64_t fnv1a(std::string_view bytes, std::uint64_t mixed = 14695981039346656037U) {
    for (const char c : bytes) mixed = (mixed ^ static_cast<unsigned char>(c)) * 1099511628211U;
    return mixed;
}

}  // namespace taskflux::detail
