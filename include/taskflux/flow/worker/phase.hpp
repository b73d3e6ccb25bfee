#pragma once

namespace taskflux::detail {

/// The phase of a running worker. It only goes forward.
class worker_phase {
public:
    enum class step {
        working,     // it fetches tasks
        draining,    // it fetches none; its handlers may finish
        cancelling,  // their time is over: they are cancelled
        closing      // it waits for no handler any more, and sends the pending reports once more
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
