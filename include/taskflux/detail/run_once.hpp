#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace taskflux::detail {

/// The core of something that runs once. Any thread may stop it, before it runs as well. Thread-safe.
template <class Core>
class run_once {
public:
    /// Null before `begin`.
    std::shared_ptr<Core> core() const {
        const std::lock_guard lock(mutex_);
        return core_;
    }

    /// Makes the core known, and stops it if `stop` has come before.
    void begin(const std::shared_ptr<Core>& made) {
        bool is_stopped = false;
        {
            const std::lock_guard lock(mutex_);
            core_ = made;
            is_stopped = is_stopped_;
        }
        if (is_stopped) made->stop();
    }

    void stop() {
        std::shared_ptr<Core> alive;
        {
            const std::lock_guard lock(mutex_);
            is_stopped_ = true;
            alive = core_;
        }
        if (alive) alive->stop();
    }

    bool is_stopped() const {
        const std::lock_guard lock(mutex_);
        return is_stopped_;
    }

    /// Lets the core go, which may run on.
    void forget() {
        std::shared_ptr<Core> gone;  // destroyed without the lock
        const std::lock_guard lock(mutex_);
        gone.swap(core_);
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<Core> core_;  // guarded by mutex_, as the next
    bool is_stopped_ = false;
};

}  // namespace taskflux::detail
