#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/flow/worker/batch_run.hpp>
#include <taskflux/flow/worker/handlers.hpp>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// More items that open batches have room for.
struct batch_wish {
    std::shared_ptr<const name_set> names;
    std::size_t space = 0;
    time_point until{};  ///< when the first of the batches runs
};

/// The batches of a worker that collect items: of each task one, or one for each key. Thread-safe.
class batch_collector {
public:
    using batch_ptr = boost::intrusive_ptr<batch_run>;

    explicit batch_collector(const handler_map& handlers) {
        for (const auto& [name, handler] : handlers) {
            auto* const made = dynamic_cast<batch_handler*>(handler.get());
            if (made) tasks_.push_back({made, std::make_shared<const name_set>(name_set{name})});
        }
        is_alone_ = tasks_.size() == 1 && handlers.size() == 1;
    }

    /// The handler, if it is one of batches.
    batch_handler* find(const task_handler& one) const {
        for (const auto& task : tasks_) {
            if (task.handler == &one) return task.handler;
        }
        return nullptr;
    }

    bool is_used() const { return !tasks_.empty(); }
    bool lingers() const {
        return std::ranges::any_of(tasks_, [](const auto& task) { return task.handler->limits().linger > duration::zero(); });
    }

    /// How many items a slot surely takes, whatever tasks are fetched.
    std::size_t items_per_slot() const {
        if (!is_alone_) return 1;
        const auto& only = *tasks_.front().handler;
        return only.has_keys() || only.limits().max_bytes > 0 ? 1 : only.limits().max;
    }

    /// Adds an item that has been read. `open(key)` makes a batch; `on_add(item)` is called when it is in one, before anybody
    /// else finds it. Gives the batches that are complete now, after `close` all.
    template <class Open, class OnAdd>
    std::vector<batch_ptr> add(const batch_handler& of, std::string key, boost::intrusive_ptr<batch_part> item, Open open,
                               OnAdd on_add) {
        std::vector<batch_ptr> complete;
        const std::lock_guard lock(mutex_);
        const auto is_same = [&](const batch_ptr& one) { return &one->handler() == &of && one->key() == key; };
        auto at = std::ranges::find_if(open_, is_same);
        if (at != open_.end() && !(*at)->fits(item->what().payload.size())) {
            complete.push_back(std::move(*at));
            open_.erase(at);
            at = open_.end();
        }
        if (at == open_.end()) at = open_.insert(at, open(std::move(key)));
        auto& added = *item;
        (*at)->add(std::move(item));
        on_add(added);
        if (is_closed_ || (*at)->space() == 0) {
            complete.push_back(std::move(*at));
            open_.erase(at);
        }
        return complete;
    }

    /// Those that are due at `now`.
    std::vector<batch_ptr> take_due(time_point now) {
        return take([&](const batch_ptr& one) { return one->due() <= now; });
    }
    std::vector<batch_ptr> take_all() {
        return take([](const batch_ptr&) { return true; });
    }

    /// All; from now on none stays open.
    std::vector<batch_ptr> close() {
        const std::lock_guard lock(mutex_);
        is_closed_ = true;
        return std::exchange(open_, {});
    }

    /// What there is room for, by tasks.
    std::vector<batch_wish> wishes() const {
        std::vector<batch_wish> all;
        const std::lock_guard lock(mutex_);
        for (const auto& task : tasks_) {
            std::size_t space = 0;
            for (const auto& one : open_) {
                if (&one->handler() == task.handler) space = (std::max)(space, one->space());
            }
            if (space > 0) all.push_back({task.name, space, time_point()});
        }
        return all;
    }

    /// The same in one, of batches that linger beyond `now`; nothing where none does.
    std::optional<batch_wish> lingering(time_point now) const {
        name_set names;
        batch_wish all;
        all.until = never;
        const std::lock_guard lock(mutex_);
        for (const auto& one : open_) {
            if (one->due() <= now) continue;
            for (const auto& task : tasks_) {
                if (task.handler == &one->handler()) names.insert(task.name->begin(), task.name->end());
            }
            all.space = all.space == 0 ? one->space() : (std::min)(all.space, one->space());
            all.until = (std::min)(all.until, one->due());
        }
        if (names.empty()) return std::nullopt;
        all.names = std::make_shared<const name_set>(std::move(names));
        return all;
    }

    /// When the next one is due; `never` where none is open.
    time_point next_due() const {
        time_point next = never;
        const std::lock_guard lock(mutex_);
        for (const auto& one : open_) next = (std::min)(next, one->due());
        return next;
    }

private:
    struct served {
        batch_handler* handler;
        std::shared_ptr<const name_set> name;
    };

    template <class Condition>
    std::vector<batch_ptr> take(Condition is_wanted) {
        std::vector<batch_ptr> taken, kept;
        const std::lock_guard lock(mutex_);
        for (auto& one : open_) (is_wanted(one) ? taken : kept).push_back(std::move(one));
        open_ = std::move(kept);
        return taken;
    }

    std::vector<served> tasks_;
    bool is_alone_ = false;  // one handler, of batches
    mutable std::mutex mutex_;  // guards the next
    std::vector<batch_ptr> open_;
    bool is_closed_ = false;
};

}  // namespace taskflux::detail
