#pragma once

#include <taskflux/core/error.hpp>

#include <string>

namespace taskflux::detail {

/// What a public object refers to. Errors: `wrong_state` for a call on `what`, which refers to nothing.
template <class Pointer>
const Pointer& required(const Pointer& pointer, const char* what) {
    if (pointer) return pointer;
    throw error(errc::wrong_state, std::string("this ") + what + " is empty, and can't be called: it was default-constructed or moved "
                                                                 "from; assign another to it first");
}

}  // namespace taskflux::detail
