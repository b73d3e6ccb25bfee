#pragma once

#include <taskflux/broker/broker/unserved.hpp>
#include <taskflux/core/time.hpp>

#include <optional>
#include <utility>

namespace taskflux::memory {

/// Whether somebody serves a queue, and who is still to be told that nobody does. Not thread-safe.
class attendance {
public:
    void join() { *this = attendance(); }

    /// The lease of a consumer has run out: it may join again.
    void lose() { has_lost_ = true; }

    /// The last consumer has gone.
    void end(time_point now) {
        if (!deserted_) deserted_ = detail::desertion{now, !has_lost_};
    }

    /// Since when nobody serves the queue, where somebody has.
    const std::optional<detail::desertion>& deserted() const { return deserted_; }

    /// Whether callers that wait are still to be told of that; then they are.
    bool notes_deserted() { return deserted_ && !std::exchange(is_told_deserted_, true); }

    /// Whether it is still to be said that nobody serves it; then it is.
    bool notes_unserved() { return !std::exchange(is_told_unserved_, true); }

private:
    std::optional<detail::desertion> deserted_;
    bool has_lost_ = false;  // a consumer, since the last has joined
    bool is_told_deserted_ = false;
    bool is_told_unserved_ = false;
};

}  // namespace taskflux::memory
