#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <cstdint>
#include <forward_list>
#include <iterator>
#include <utility>

namespace taskflux::detail {

/// Completion handlers of operations that wait for one event. Each is posted to its own executor, which is kept
/// busy meanwhile. Not thread-safe: its owner locks, and calls `complete` for the handlers from `take` unlocked.
class waiters {
public:
    using signature = void(boost::system::error_code);

    struct waiter {
        std::uint64_t id;
        asio::any_completion_handler<signature> handler;
        asio::any_io_executor executor;
    };
    using list = std::forward_list<waiter>;

    /// A list of one, to be handed to `add` under the lock; `fallback` is for handlers without an executor.
    template <class Handler>
    static list make(Handler handler, const asio::any_io_executor& fallback) {
        const asio::any_io_executor executor = asio::get_associated_executor(handler, fallback);
        list one;
        one.push_front(
            {0, std::move(handler), asio::prefer(executor, asio::execution::outstanding_work.tracked)});
        return one;
    }

    /// Adds a list of one under the given id.
    void add(list& one, std::uint64_t id) noexcept {
        one.front().id = id;
        waiting_.splice_after(waiting_.before_begin(), one);
    }

    bool empty() const noexcept { return waiting_.empty(); }
    /// Takes all, in the order in which they were added.
    list take() noexcept {
        waiting_.reverse();
        return std::exchange(waiting_, {});
    }

    /// Takes the waiter with this id, if it is still here.
    list take(std::uint64_t id) noexcept {
        list found;
        for (auto before = waiting_.before_begin(); std::next(before) != waiting_.end(); ++before) {
            if (std::next(before)->id != id) continue;
            found.splice_after(found.before_begin(), waiting_, before);
            break;
        }
        return found;
    }

    static void complete(list&& all, boost::system::error_code ec = {}) {
        for (auto& one : all) {
            asio::post(one.executor,
                       [handler = std::move(one.handler), ec]() mutable { std::move(handler)(ec); });
        }
    }

private:
    list waiting_;
};

}  // namespace taskflux::detail
