#pragma once

#include <taskflux/broker/redis/awaited_ends.hpp>
#include <taskflux/broker/redis/consumers.hpp>
#include <taskflux/broker/redis/lookout.hpp>
#include <taskflux/broker/redis/records.hpp>
#include <taskflux/detail/event.hpp>

#include <algorithm>
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
#include <vector>

namespace taskflux::redis {

/// A task that the server has handed to a sleeping fetch by a message.
struct handed_task {
    std::string queue;
    std::string consumer;
    std::uint64_t sequence = 0;
    std::string record;
    std::string state;
};

/// The coroutines of this process that wait for messages from the server: fetches that sleep until there are tasks,
/// consumers that watch for cancels, and callers waiting for a task's end. Thread-safe.
class inbox {
public:
    /// A sleeper that looks no more, while its name is reserved.
    struct retired_sleeper {
        std::string name;
        std::shared_ptr<lookout> looks;
    };

    /// One waiting coroutine, which keeps its place alive; the inbox only knows where it is.
    struct place {
        detail::event wake;
        std::string sleeper;              // what it is called on the server: a number, a colon, its consumer
        std::string queue;                // where it awaits a call, or:
        std::shared_ptr<lookout> looks;   // where a fetch looks for tasks
        std::uint64_t fetch = 0;          // which fetch of that lookout it is
        std::vector<retired_sleeper> replaced;  // others of its consumer, of other queues or names of tasks
        // Guarded by the inbox:
        bool is_called = false;           // there was a message for it
        std::vector<handed_task> handed;  // to a sleeper
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
            close();
        }

        /// The event that wakes the coroutine; keeps its place alive.
        std::shared_ptr<detail::event> wake() { return {who_, &who_->wake}; }

        bool is_called() {
            const std::lock_guard lock(in_.mutex_);
            return who_->is_called;
        }

        std::vector<handed_task> take_handed() {
            const std::lock_guard lock(in_.mutex_);
            return std::exchange(who_->handed, {});
        }

        /// Like `take_handed`; nothing comes to this place any more.
        std::vector<handed_task> close() {
            const std::lock_guard lock(in_.mutex_);
            if (const auto leave = std::exchange(leave_, nullptr)) leave(in_);
            return std::exchange(who_->handed, {});
        }

    private:
        inbox& in_;
        place_ptr who_;
        std::function<void(inbox&)> leave_;
    };

    /// Names are used again, so that the server does not collect them, and with each what is known of its queues; not while
    /// they are reserved. `names`: the signature of the names of tasks that are wanted.
    ticket sleep(const std::string& consumer, const std::vector<std::string>& queues, const std::string& names, place_ptr who) {
        const std::lock_guard lock(mutex_);
        enter("", consumer, *who);
        auto known = lookouts_.find(who->sleeper);
        for (; known != lookouts_.end() && !known->second->is_for(queues, names); known = lookouts_.find(who->sleeper)) {
            who->replaced.push_back(retire(known));
            enter("", consumer, *who);
        }
        if (known == lookouts_.end()) known = lookouts_.emplace(who->sleeper, std::make_shared<lookout>(queues, names)).first;
        who->looks = known->second;
        who->fetch = who->looks->begin();
        return here(std::move(who));
    }

    /// What a sleeper knows is forgotten, and its name reserved until `release`, unless another fetch goes on with it: then nothing.
    std::optional<retired_sleeper> retire(const place& who) {
        const std::lock_guard lock(mutex_);
        const auto known = lookouts_.find(who.sleeper);
        if (known == lookouts_.end() || known->second != who.looks || !who.looks->is_last(who.fetch)) return std::nullopt;
        return retire(known);
    }

    /// Like `retire`, for all sleepers of a consumer.
    std::vector<retired_sleeper> retire_all(const std::string& consumer) {
        const std::lock_guard lock(mutex_);
        std::vector<retired_sleeper> all;
        for (auto next = lookouts_.begin(); next != lookouts_.end();) {
            const auto known = next++;
            if (known->first.substr(known->first.find(':') + 1) == consumer) all.push_back(retire(known));
        }
        return all;
    }

    /// Awaits a message that it has asked for, and is handed nothing.
    ticket await_call(const std::string& consumer, std::string queue, place_ptr who) {
        const std::lock_guard lock(mutex_);
        enter("call ", consumer, *who);
        who->queue = std::move(queue);
        return here(std::move(who));
    }

    /// After `retire`: others may sleep under that name.
    void release(const std::string& name) {
        const std::lock_guard lock(mutex_);
        reserved_.erase(reserved_.find(name));
    }

    ticket watch(const std::string& consumer, place_ptr who) {
        const std::lock_guard lock(mutex_);
        const auto at = watchers_.emplace(consumer, who);
        return ticket(*this, std::move(who), [at](inbox& in) { in.watchers_.erase(at); });
    }

    /// Awaits word that a queue has new tasks to be seen, as do others.
    ticket peek(const std::string& queue, place_ptr who) {
        const std::lock_guard lock(mutex_);
        const auto at = peeking_.emplace(queue, who);
        return ticket(*this, std::move(who), [at](inbox& in) { in.peeking_.erase(at); });
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

    /// Passes a message on; what it hands over is noted with `of`. Comes back with what was for a sleeper that has
    /// gone: the task goes back, or, without a consumer, somebody else must be woken in that queue. Throws
    /// `errc::protocol`.
    std::optional<handed_task> deliver(std::string_view message, consumers& of) {
        byte_reader from(message);
        const auto kind = from.take(1)[0];
        std::string queue(from.text());
        const std::lock_guard lock(mutex_);
        switch (kind) {
            case message_letter::look:
            case message_letter::task: {
                const std::string name(from.text());
                if (name == "peek") {
                    const auto [begin, end] = peeking_.equal_range(queue);
                    for (auto at = begin; at != end; ++at) at->second->wake.set();
                    break;
                }
                const auto found = sleepers_.find(name);
                const auto known = lookouts_.find(name);
                const bool to_look = kind == message_letter::look && found != sleepers_.end();
                const bool is_served = known != lookouts_.end() && known->second->call(queue, to_look);
                const bool is_here = found != sleepers_.end() &&
                                     (found->second->looks ? is_served : found->second->queue == queue);
                handed_task task;
                task.queue = std::move(queue);
                if (kind == message_letter::task) {
                    task.consumer = name.substr(name.find(':') + 1);
                    task.sequence = static_cast<std::uint64_t>(from.whole());
                    task.record = from.text();
                    task.state = from.rest();
                    of.took(task.consumer, task.queue, {task.sequence});
                }
                if (!is_here) return task;
                if (kind == message_letter::task) found->second->handed.push_back(std::move(task));
                found->second->is_called = true;
                found->second->wake.set();
                break;
            }
            case message_letter::renew: {
                const std::string consumer(from.text());
                news_.insert(consumer);
                const auto [begin, end] = watchers_.equal_range(consumer);
                for (auto at = begin; at != end; ++at) at->second->wake.set();
                break;
            }
            case message_letter::ended: {
                const auto sequence = static_cast<std::uint64_t>(from.whole());
                const auto nonce = from.number<std::uint32_t>();
                const auto outcome = read_outcome(from);
                ends_.deliver({std::move(queue), {sequence, nonce}}, outcome);
                break;
            }
            default: throw error(errc::protocol, std::string("a message from the server is of the unknown kind '") + kind + "'");
        }
        return std::nullopt;
    }

    awaited_ends& ends() { return ends_; }

    /// Messages may have been lost: everybody looks again.
    void lost_messages() {
        ends_.lost_messages();
        wake_fetches();
    }

    /// There will be no more.
    void wake_all() {
        ends_.wake_all();
        wake_fetches();
    }

private:
    void wake_fetches() {
        const std::lock_guard lock(mutex_);
        for (const auto& [sleeper, looks] : lookouts_) looks->forget_all();
        for (const auto& [sleeper, who] : sleepers_) who->wake.set();
        for (const auto& [consumer, who] : watchers_) who->wake.set();
        for (const auto& [queue, who] : peeking_) who->wake.set();
    }

    using lookouts = std::map<std::string, std::shared_ptr<lookout>>;

    retired_sleeper retire(lookouts::iterator known) {
        retired_sleeper who{known->first, known->second};
        lookouts_.erase(known);
        reserved_.insert(who.name);
        return who;
    }

    void enter(const std::string& kind, const std::string& consumer, place& who) {
        const auto is_taken = [this](const std::string& name) { return sleepers_.contains(name) || reserved_.contains(name); };
        for (int number = 1; who.sleeper.empty() || is_taken(who.sleeper); ++number) {
            who.sleeper = kind + std::to_string(number) + ':' + consumer;
        }
    }

    ticket here(place_ptr who) {
        sleepers_[who->sleeper] = who;
        return ticket(*this, who, [name = who->sleeper](inbox& in) { in.sleepers_.erase(name); });
    }

    awaited_ends ends_;
    std::mutex mutex_;  // guards all below
    std::map<std::string, place_ptr> sleepers_;  // by name
    lookouts lookouts_;  // by name of the sleeper, from its first fetch on
    std::multiset<std::string> reserved_;
    std::multimap<std::string, place_ptr> watchers_;
    std::multimap<std::string, place_ptr> peeking_;  // by queue
    std::set<std::string> news_;  // consumers
};

}  // namespace taskflux::redis
