#pragma once

#include <taskflux/core/id.hpp>
#include <taskflux/flow/worker/monitor.hpp>
#include <taskflux/flow/worker_observer.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// The slots of a worker whose handlers wait for the results of tasks (`client::run`, `job::result`). A handler that waits so
/// keeps its slot: where all slots are kept, no task begins on this worker, not even those that they wait for. Thread-safe.
class held_slots {
public:
    /// `queues`: which the worker serves.
    held_slots(std::vector<std::string> queues, std::size_t slots, std::shared_ptr<const worker_monitor> monitor)
        : queues_(std::move(queues)), slots_(slots), monitor_(std::move(monitor)) {}

    /// One handler's wait.
    class hold {
    public:
        explicit hold(std::shared_ptr<held_slots> in) : in_(std::move(in)) {
            const std::lock_guard lock(in_->mutex_);
            ++in_->held_;
        }
        ~hold() {
            const std::lock_guard lock(in_->mutex_);
            --in_->held_;
            if (is_hopeless_) --in_->hopeless_;
        }
        hold(const hold&) = delete;
        hold& operator=(const hold&) = delete;

        /// Whether nobody but this worker could run the task that it waits for. True when the same goes for all slots: then none
        /// of their handlers can go on.
        bool is_deadlock(bool is_hopeless) {
            const std::lock_guard lock(in_->mutex_);
            if (is_hopeless != std::exchange(is_hopeless_, is_hopeless)) is_hopeless ? ++in_->hopeless_ : --in_->hopeless_;
            return in_->hopeless_ >= in_->slots_;
        }

    private:
        const std::shared_ptr<held_slots> in_;
        bool is_hopeless_ = false;  // guarded by its mutex
    };

    void slots(std::size_t count) { slots_ = count; }
    std::size_t slots() const { return slots_; }

    bool are_all_held() const {
        const std::lock_guard lock(mutex_);
        return held_ >= slots_;
    }

    bool serves(const std::string& queue) const { return std::ranges::find(queues_, queue) != queues_.end(); }

    /// Says that `who` waits for a task and that no slot is free; once for each name, but always where it is certain that nobody
    /// else runs the task.
    void tell(const running_handler& who, const task_id& awaited, bool is_certain) {
        {
            const std::lock_guard lock(mutex_);
            if (!told_.insert(who.name).second && !is_certain) return;
        }
        monitor_->starved(who, awaited, slots_, is_certain);
    }

private:
    const std::vector<std::string> queues_;
    std::atomic<std::size_t> slots_;
    const std::shared_ptr<const worker_monitor> monitor_;
    mutable std::mutex mutex_;  // guards all below
    std::size_t held_ = 0;
    std::size_t hopeless_ = 0;
    std::set<std::string> told_;  // names of tasks
};

}  // namespace taskflux::detail
