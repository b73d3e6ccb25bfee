#pragma once

#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// Tells what may outlive an execution context of that context's end, so that it lets go of timers in time. Called while all
/// of the context is still there; it must not post, nor wake anything. Keeps what must not end before the context.
class context_end final : public asio::execution_context::service {
public:
    using key_type = context_end;
    static inline asio::execution_context::id id;

    explicit context_end(asio::execution_context& of) : service(of) {}

    /// Calls `listener` at the end of the context that `executor` belongs to, if `owner` is still there.
    static void listen(const asio::any_io_executor& executor, std::weak_ptr<void> owner, std::function<void()> listener) {
        asio::use_service<context_end>(asio::query(executor, asio::execution::context)).add(std::move(owner), std::move(listener));
    }

    /// Keeps something until the context that `executor` belongs to has destroyed all that was suspended on it.
    static void keep(const asio::any_io_executor& executor, std::shared_ptr<void> what) {
        auto& here = asio::use_service<context_end>(asio::query(executor, asio::execution::context));
        const std::lock_guard lock(here.mutex_);
        if (std::ranges::find(here.kept_, what) == here.kept_.end()) here.kept_.push_back(std::move(what));
    }

private:
    using entry = std::pair<std::weak_ptr<void>, std::function<void()>>;

    void add(std::weak_ptr<void> owner, std::function<void()> listener) {
        const std::lock_guard lock(mutex_);
        std::erase_if(listeners_, [](const entry& one) { return one.first.expired(); });
        listeners_.emplace_back(std::move(owner), std::move(listener));
    }

    void shutdown() override {
        const auto all = std::exchange(listeners_, {});
        for (const auto& [owner, listener] : all) {
            if (const auto alive = owner.lock()) listener();
        }
    }

    std::mutex mutex_;
    std::vector<entry> listeners_;              // guarded by mutex_
    std::vector<std::shared_ptr<void>> kept_;  // guarded by mutex_
};

}  // namespace taskflux::detail
