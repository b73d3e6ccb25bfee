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
    /// `queues`: which the worker serves. `threads`: how many its plain functions have; 0: not known.
    held_slots(std::vector<std::string> queues, std::size_t slots, std::size_t threads, std::shared_ptr<const worker_monitor> monitor)
        : queues_(std::move(queues)), slots_(slots), threads_(threads), monitor_(std::move(monitor)) {}

    /// One handler's wait.
    class hold {
    public:
        hold(std::shared_ptr<held_slots> in, task_id awaited) : in_(std::move(in)), awaited_(std::move(awaited)) {
            const std::lock_guard lock(in_->mutex_);
            ++in_->held_;
        }
        ~hold() {
            const std::lock_guard lock(in_->mutex_);
            --in_->held_;
            in_->hopeless_.erase(this);
        }
        hold(const hold&) = delete;
        hold& operator=(const hold&) = delete;

        /// Whether nobody but this worker could run the task that it waits for, and no limit ends the wait, as just seen.
        void set_hopeless(bool is_hopeless) {
            const std::lock_guard lock(in_->mutex_);
            if (is_hopeless) in_->hopeless_.insert(this);
            else in_->hopeless_.erase(this);
        }

        /// Ends this wait where all slots' waits are hopeless: false when it is another one's turn, or they are no longer.
        bool give_up() {
            const std::lock_guard lock(in_->mutex_);
            return in_->hopeless_.size() >= in_->slots_ && in_->hopeless_.erase(this) > 0;
        }

    private:
        friend held_slots;
        const std::shared_ptr<held_slots> in_;
        const task_id awaited_;
    };

    /// One plain function, which blocks its thread, too.
    class thread_hold {
    public:
        explicit thread_hold(std::shared_ptr<held_slots> in) : in_(std::move(in)) {
            const std::lock_guard lock(in_->mutex_);
            ++in_->held_, ++in_->blocked_;
        }
        ~thread_hold() {
            const std::lock_guard lock(in_->mutex_);
            --in_->held_, --in_->blocked_;
        }
        thread_hold(const thread_hold&) = delete;
        thread_hold& operator=(const thread_hold&) = delete;

    private:
        const std::shared_ptr<held_slots> in_;
    };

    /// What the handlers wait for, when all slots' waits were hopeless as each was last seen, some seconds ago; else nothing.
    std::vector<task_id> deadlock() const {
        const std::lock_guard lock(mutex_);
        std::vector<task_id> awaited;
        if (hopeless_.size() < slots_) return awaited;
        for (const auto* one : hopeless_) awaited.push_back(one->awaited_);
        return awaited;
    }

    /// The waits for this task are not hopeless any more.
    void doubt(const task_id& awaited) {
        const std::lock_guard lock(mutex_);
        std::erase_if(hopeless_, [&](const hold* one) { return one->awaited_ == awaited; });
    }

    void slots(std::size_t count) { slots_ = count; }
    std::size_t slots() const { return slots_; }

    bool are_all_held() const {
        const std::lock_guard lock(mutex_);
        return held_ >= slots_;
    }
    /// Whether plain functions that wait so block all threads of such functions.
    bool are_threads_blocked() const {
        const std::lock_guard lock(mutex_);
        return threads_ > 0 && blocked_ >= threads_;
    }

    bool serves(const std::string& queue) const { return std::ranges::find(queues_, queue) != queues_.end(); }

    /// Says that `who` waits for a task and that no slot is free; once for each name, but always where it is certain that nobody
    /// else runs the task.
    void tell(const running_handler& who, const task_id& awaited, bool is_certain) {
        {
            const std::lock_guard lock(mutex_);
            if (!told_.insert(who.name).second && !is_certain) return;
        }
        const bool is_slot = are_all_held();
        const auto kept = is_slot ? kept_for_wait::slot : kept_for_wait::thread;
        monitor_->starved(who, awaited, kept, is_slot ? slots() : threads_, is_certain);
    }

private:
    const std::vector<std::string> queues_;
    std::atomic<std::size_t> slots_;
    const std::size_t threads_;
    const std::shared_ptr<const worker_monitor> monitor_;
    mutable std::mutex mutex_;  // guards all below
    std::size_t held_ = 0;
    std::size_t blocked_ = 0;  // of those, by plain functions
    std::set<const hold*> hopeless_;
    std::set<std::string> told_;  // names of tasks
};

}  // namespace taskflux::detail
