#pragma once

#include <taskflux/core/error.hpp>

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

namespace taskflux::detail {

/// Refuses a null pointer and a `std::function` that holds nothing, with `invalid_argument`, before anything calls it. `kind`
/// and `name`: what it is the function of, as in "task render".
template <class Function>
void require_given(const Function& function, std::string_view kind, std::string_view name) {
    if constexpr (std::constructible_from<Function, std::nullptr_t> && requires { function == nullptr; }) {
        if (function != nullptr) return;
        throw error(errc::invalid_argument, "the function of " + std::string(kind) + (name.empty() ? "" : " ") + std::string(name) +
                                                " is empty: give one that can be called, no null pointer and no std::function "
                                                "that holds nothing");
    }
}

}  // namespace taskflux::detail
