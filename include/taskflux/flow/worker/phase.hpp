#pragma once

namespace taskflux::detail {

/// How far a worker's life has come. It only goes on, never back.
class worker_phase {
public:
    enum class step {
        working,     // it fetches tasks
        draining,    // it fetches none; its handlers have time to end
        cancelling,  // that time is over: its handlers are cancelled
        closing      // no handler is waited for any more: what is known of ends is told to the broker once more
    };

    /// Goes on to `to`, unless it is there already, or further.
    void advance(step to) {
        if (at_ < to) at_ = to;
    }

    bool fetches() const { return at_ == step::working; }
    bool lets_handlers_end() const { return at_ < step::cancelling; }
    bool is_closing() const { return at_ == step::closing; }

private:
    step at_ = step::working;
};

}  // namespace taskflux::detail
