#pragma once

#include <taskflux/broker/redis/records.hpp>
#include <taskflux/detail/event.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::redis {

/// Who waits in this process for messages from the server: fetches that sleep until there are tasks, consumers
/// that watch for cancels, and those who await a task's end. Thread-safe.
class inbox {
public:
    /// One who waits. Its coroutine keeps it alive; the inbox only knows where it is.
    struct place {
        explicit place(const asio::any_io_executor& executor) : wake(executor) {}

        detail::event wake;
        std::optional<task_outcome> outcome;  // of an end; guarded by the inbox
    };
    using place_ptr = std::shared_ptr<place>;

    /// Leaves the inbox when it is destroyed.
    class ticket {
    public:
        ticket(inbox& in, place_ptr who, std::function<void(inbox&)> leave)
            : in_(in), who_(std::move(who)), leave_(std::move(leave)) {}
        ticket(const ticket&) = delete;
        ticket& operator=(const ticket&) = delete;
        ~ticket() {
            const std::lock_guard lock(in_.mutex_);
            leave_(in_);
        }

        detail::event& wake() { return who_->wake; }

        std::optional<task_outcome> take_outcome() {
            const std::lock_guard lock(in_.mutex_);
            return std::exchange(who_->outcome, std::nullopt);
        }

    private:
        inbox& in_;
        place_ptr who_;
        std::function<void(inbox&)> leave_;
    };

    std::uint64_t new_sleeper() {
        const std::lock_guard lock(mutex_);
        return ++sleepers_seen_;
    }

    ticket sleep(std::uint64_t sleeper, place_ptr who) {
        const std::lock_guard lock(mutex_);
        sleepers_[sleeper] = who;
        return ticket(*this, std::move(who), [sleeper](inbox& in) { in.sleepers_.erase(sleeper); });
    }

    ticket watch(const std::string& consumer, place_ptr who) {
        const std::lock_guard lock(mutex_);
        const auto at = watchers_.emplace(consumer, who);
        return ticket(*this, std::move(who), [at](inbox& in) { in.watchers_.erase(at); });
    }

    ticket await_end(const task_id& id, place_ptr who) {
        const std::lock_guard lock(mutex_);
        const auto at = ends_.emplace(id, who);
        return ticket(*this, std::move(who), [at](inbox& in) { in.ends_.erase(at); });
    }

    /// Whether there is something to cancel that `renewed` has not been told.
    bool has_news(const std::string& consumer) {
        const std::lock_guard lock(mutex_);
        return news_.contains(consumer);
    }

    void renewed(const std::string& consumer) {
        const std::lock_guard lock(mutex_);
        news_.erase(consumer);
    }

    /// Passes a message on. Comes back with a queue, when it was for a sleeper that has gone: somebody else must
    /// be woken there. Throws `errc::protocol`.
    std::optional<std::string> deliver(std::string_view message) {
        byte_reader from(message);
        const auto kind = from.take(1)[0];
        std::string queue(from.text());
        const std::lock_guard lock(mutex_);
        switch (kind) {
            case 'W': {
                const auto found = sleepers_.find(std::stoull(std::string(from.text())));
                if (found == sleepers_.end()) return queue;
                found->second->wake.set();
                break;
            }
            case 'C': {
                const std::string consumer(from.text());
                news_.insert(consumer);
                const auto [begin, end] = watchers_.equal_range(consumer);
                for (auto at = begin; at != end; ++at) at->second->wake.set();
                break;
            }
            case 'E': {
                const auto sequence = static_cast<std::uint64_t>(from.real());
                const auto nonce = from.number<std::uint32_t>();
                const auto outcome = read_outcome(from);
                const auto [begin, end] = ends_.equal_range({std::move(queue), {sequence, nonce}});
                for (auto at = begin; at != end; ++at) {
                    at->second->outcome = outcome;
                    at->second->wake.set();
                }
                break;
            }
            default: throw error(errc::protocol, "a message of an unknown kind");
        }
        return std::nullopt;
    }

    /// Has everybody look again: messages may have been lost, or there will be no more.
    void wake_all() {
        const std::lock_guard lock(mutex_);
        for (const auto& [sleeper, who] : sleepers_) who->wake.set();
        for (const auto& [consumer, who] : watchers_) who->wake.set();
        for (const auto& [id, who] : ends_) who->wake.set();
    }

private:
    std::mutex mutex_;
    std::uint64_t sleepers_seen_ = 0;
    std::map<std::uint64_t, place_ptr> sleepers_;
    std::multimap<std::string, place_ptr> watchers_;
    std::multimap<task_id, place_ptr> ends_;
    std::set<std::string> news_;  // consumers
};

}  // namespace taskflux::redis
