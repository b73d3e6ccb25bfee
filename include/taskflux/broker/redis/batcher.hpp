#pragma once

#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/detail/spawn.hpp>
#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::redis {

struct batcher_limits {
    /// No more items than this travel together: the arguments of a script are bounded.
    static constexpr std::size_t max_items = 200;
    /// Nor more bytes, but for a single item: so that others get their turn, and a request its answer in time.
    static constexpr std::size_t max_bytes = 1 << 20;
};

/// How many bytes an item of a batch has, about.
template <class Item>
std::size_t bytes_of(const Item&) {
    return 0;
}

/// Where a batch ends that begins at `from`, and takes as many items as may travel together.
template <class Item>
std::size_t end_of_batch(const std::vector<Item>& items, std::size_t from) {
    auto at = from;
    for (std::size_t bytes = 0; at < items.size() && at - from < batcher_limits::max_items; ++at) {
        bytes += bytes_of(items[at]);
        if (bytes > batcher_limits::max_bytes && at > from) break;
    }
    return at;
}

/// Makes one request of what several callers want at about the same time: one is under way, and what comes
/// meanwhile is the next. Nothing is delayed when nothing is under way. Thread-safe; lives in a shared_ptr.
/// A cancelled caller is not waited for; what it wanted is still sent.
template <class Item, class Result>
class batcher : public std::enable_shared_from_this<batcher<Item, Result>> {
public:
    /// Sends some items and gives a result for each. Where these are too many for the queue (`backlog_full`) and `are_several`
    /// callers', it leaves them as they are: they are sent again, without those of callers that have no room.
    using sender = std::function<asio::awaitable<std::vector<Result>>(std::vector<Item>& items, bool are_several)>;

    batcher(asio::any_io_executor executor, sender send) : executor_(std::move(executor)), send_(std::move(send)) {}

    /// The results for `items`, at most as many as `end_of_batch` allows. Throws what sending threw.
    asio::awaitable<std::vector<Result>> run(std::vector<Item> items) {
        const auto self = this->shared_from_this();
        const auto mine = std::make_shared<entry>(std::move(items));
        if (join(mine)) detail::spawn_ignoring_errors(executor_, pump(self));  // it throws nothing
        co_await mine->done.wait();
        if (mine->error) std::rethrow_exception(mine->error);
        co_return std::move(mine->results);
    }

private:
    struct entry {
        explicit entry(std::vector<Item> given) : items(std::move(given)), size(items.size()) {
            for (const auto& item : items) bytes += bytes_of(item);
        }

        std::vector<Item> items;  // until they are sent
        const std::size_t size;
        std::size_t bytes = 0;
        bool goes_alone = false;  // those of several callers were too many
        std::vector<Result> results;
        std::exception_ptr error;
        detail::event done;
    };
    using batch = std::vector<std::shared_ptr<entry>>;

    /// Whether nobody is sending, so that the caller must.
    bool join(std::shared_ptr<entry> mine) {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(mine));
        return !std::exchange(is_sending_, true);
    }

    batch take() {
        const std::lock_guard lock(mutex_);
        batch taken;
        for (std::size_t size = 0, bytes = 0; !waiting_.empty(); waiting_.pop_front()) {
            size += waiting_.front()->size;
            bytes += waiting_.front()->bytes;
            const bool is_too_much = size > batcher_limits::max_items || bytes > batcher_limits::max_bytes;
            if (!taken.empty() && (is_too_much || taken.front()->goes_alone || waiting_.front()->goes_alone)) break;
            taken.push_back(std::move(waiting_.front()));
        }
        if (taken.empty()) is_sending_ = false;
        return taken;
    }

    /// To be sent first. Where each item is a new one, callers that have no room after those before them are refused, and the others
    /// go together; or else each goes alone, as it may need none.
    void put_back(const batch& taken, std::vector<Item>& items, const detail::backlog_full& why) {
        const bool are_all_new = why.fresh() == items.size();
        std::size_t kept = 0;
        batch again;
        auto next = items.begin();
        for (const auto& one : taken) {
            const auto end = next + static_cast<std::ptrdiff_t>(one->size);
            if (are_all_new && kept + one->size > why.room()) {
                one->error = std::make_exception_ptr(why.for_caller(one->size, kept));
                one->done.set();
            } else {
                one->items.assign(std::move_iterator(next), std::move_iterator(end));
                one->goes_alone = !are_all_new;
                kept += one->size;
                again.push_back(one);
            }
            next = end;
        }
        const std::lock_guard lock(mutex_);
        waiting_.insert(waiting_.begin(), again.begin(), again.end());
    }

    static void check_count(std::size_t answers, std::size_t items) {
        if (answers == items) return;
        throw error(errc::protocol, "a script answered for " + std::to_string(answers) + " of " + std::to_string(items) + " items");
    }

    static asio::awaitable<void> pump(std::shared_ptr<batcher> self) {
        for (auto taken = self->take(); !taken.empty(); taken = self->take()) {
            std::vector<Item> items;
            for (const auto& one : taken) {
                items.insert(items.end(), std::move_iterator(one->items.begin()), std::move_iterator(one->items.end()));
            }
            std::vector<Result> results;
            std::exception_ptr error;
            try {
                const auto count = items.size();
                results = co_await self->send_(items, taken.size() > 1);
                check_count(results.size(), count);
            } catch (const detail::backlog_full& e) {
                error = std::current_exception();
                if (taken.size() > 1) {
                    self->put_back(taken, items, e);
                    continue;
                }
            } catch (...) {
                error = std::current_exception();
            }
            auto next = results.begin();
            for (const auto& one : taken) {
                one->error = error;
                if (!error) {
                    const auto end = next + static_cast<std::ptrdiff_t>(one->size);
                    one->results.assign(std::move_iterator(next), std::move_iterator(end));
                    next = end;
                }
                one->done.set();
            }
        }
    }

    const asio::any_io_executor executor_;
    const sender send_;
    std::mutex mutex_;
    std::deque<std::shared_ptr<entry>> waiting_;
    bool is_sending_ = false;
};

}  // namespace taskflux::redis
