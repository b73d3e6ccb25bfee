#pragma once

#include <taskflux/core/error.hpp>

#include <atomic>
#include <string>

namespace taskflux::detail {

/// What one coroutine at a time may do: a second one is refused, and would wait for ever instead. Thread-safe.
class sole_use {
public:
    /// To be held by the coroutine.
    class mark {
    public:
        /// Errors: `wrong_state`, with `what` and `remedy`, while another mark lives.
        mark(sole_use& of, const char* what, const std::string& whose, const char* remedy) : of_(of) {
            if (of_.is_taken_.exchange(true)) throw error(errc::wrong_state, what + whose + remedy);
        }
        ~mark() { of_.is_taken_ = false; }
        mark(const mark&) = delete;
        mark& operator=(const mark&) = delete;

    private:
        sole_use& of_;
    };

private:
    std::atomic<bool> is_taken_ = false;
};

}  // namespace taskflux::detail
