#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace taskflux::detail {

/// The core of something that runs once. Any thread may stop or abandon it, before it runs as well. Thread-safe.
template <class Core>
class run_once {
public:
    /// Null before `begin`.
    std::shared_ptr<Core> core() const {
        const std::lock_guard lock(mutex_);
        return core_;
    }

    /// Makes the core known, and does with it what has come before.
    void begin(const std::shared_ptr<Core>& made) {
        ending before{};
        {
            const std::lock_guard lock(mutex_);
            core_ = made;
            before = before_;
        }
        if (before) (*made.*before)();
    }

    void stop() { end_by(&Core::stop); }

    /// The object that runs is destroyed.
    void abandon() { end_by(&Core::abandon); }

    /// Lets the core go, which may run on.
    void forget() {
        std::shared_ptr<Core> gone;  // destroyed without the lock
        const std::lock_guard lock(mutex_);
        gone.swap(core_);
    }

private:
    using ending = void (Core::*)();

    void end_by(ending how) {
        std::shared_ptr<Core> alive;
        {
            const std::lock_guard lock(mutex_);
            if (!before_) before_ = how;
            alive = core_;
        }
        if (alive) (*alive.*how)();
    }

    mutable std::mutex mutex_;
    std::shared_ptr<Core> core_;  // guarded by mutex_, as the next
    ending before_ = nullptr;  // the first
};

}  // namespace taskflux::detail
