#pragma once

#include <utility>

namespace taskflux::detail {

/// For destructors: does what a lease, a limit or the next look makes up for where it fails, for want of memory for instance.
template <class Function>
void as_courtesy(Function&& function) noexcept {
    try {
        std::forward<Function>(function)();
    } catch (...) {  // see above
    }
}

}  // namespace taskflux::detail
