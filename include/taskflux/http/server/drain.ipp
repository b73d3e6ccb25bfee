#pragma once

#include <taskflux/http/server/drain.hpp>

#include <utility>

namespace taskflux::detail {

void drain::begin() {
    const std::lock_guard lock(mutex_);
    if (std::exchange(has_begun_, true)) return;
    for (const auto& hears : listeners_) hears();
}

std::optional<drain::listener> drain::listen(std::function<void()> hears) {
    const std::lock_guard lock(mutex_);
    if (has_begun_) return std::nullopt;
    return listeners_.insert(listeners_.end(), std::move(hears));
}

void drain::forget(listener which) {
    const std::lock_guard lock(mutex_);
    listeners_.erase(which);
}

}  // namespace taskflux::detail
