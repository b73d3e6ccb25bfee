#pragma once

#include <cstddef>

namespace taskflux::memory {

/// Why no more tasks of a queue may start now.
enum class obstacle {
    none,   ///< as many may start as were asked for
    paused  ///< the queue is paused
};

/// How many tasks may start now, and why not more.
struct allowance {
    std::size_t count = 0;
    obstacle why_not_more = obstacle::none;
};

/// Decides how many tasks of one queue may start. All code that hands out tasks, or wakes a fetch that would, asks
/// here and nowhere else: what limits a queue is a rule of this class.
class admission {
public:
    void pause(bool on) { is_paused_ = on; }
    bool is_paused() const { return is_paused_; }

    /// How many of `wanted` tasks may start now.
    allowance admit(std::size_t wanted) const {
        if (is_paused_) return {0, obstacle::paused};
        return {wanted, obstacle::none};
    }

private:
    bool is_paused_ = false;
};

}  // namespace taskflux::memory
