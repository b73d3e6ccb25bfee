#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/counting.hpp>
#include <taskflux/broker/broker/unserved.hpp>
#include <taskflux/broker/redis/batch_items.hpp>
#include <taskflux/broker/redis/batcher.hpp>
#include <taskflux/broker/redis/inbox.hpp>
#include <taskflux/broker/redis/queue_calls.hpp>
#include <taskflux/broker/redis/records.hpp>
#include <taskflux/broker/redis/segments.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// What settling an attempt has done.
struct settled_end {
    effect what = effect::done;
    detail::changed_end became;
};

/// One queue on the server: its calls, those of a kind that come at the same time made one. Thread-safe; lives
/// in a shared_ptr.
class queue : public std::enable_shared_from_this<queue> {
public:
    /// What the server knows of the ends of tasks.
    struct known_ends {
        struct end {
            bool is_found = false;
            std::optional<task_outcome> outcome;  ///< none: it has not ended, the inbox will hear
        };
        std::vector<end> answers;  ///< of the first tasks; of all unless their outcomes are large
        double next_change = -1;  ///< when, by the server's clock, time alone may end one of the queue's tasks; -1: never
        double now = 0;
        bool is_served = true;    ///< a worker or receiver has a lease
    };

    /// What a submission answers.
    struct stored {
        submitted task;
        bool is_awaited = false;  ///< the inbox will hear of its end
        bool is_plain = false;    ///< and time alone does not bring it, so that nothing need be asked meanwhile
    };

    /// `relay` as for `queue_calls`.
    queue(asio::any_io_executor executor, std::shared_ptr<connection> server, std::string name, std::string producer,
          std::function<void()> relay)
        : executor_(std::move(executor)), server_(std::move(server)), name_(std::move(name)),
          producer_(std::move(producer)), calls_(std::make_shared<queue_calls>(server_, name_, std::move(relay))) {}

    const std::string& name() const { return name_; }
    queue_calls& calls() { return *calls_; }

    /// The tasks as they are sent, with new nonces.
    std::vector<task_item> items_of(const std::vector<new_task>& tasks) {
        std::vector<task_item> items;
        items.reserve(tasks.size());
        for (const auto& task : tasks) items.emplace_back(task, new_nonce());
        return items;
    }

    /// Stores tasks, as many as `end_of_batch` allows.
    asio::awaitable<std::vector<stored>> submit(std::vector<task_item> items) {
        const auto self = shared_from_this();
        const auto batches = enqueueing();
        co_return co_await batches->run(std::move(items));
    }

    /// Ends attempts of one consumer, as many as `end_of_batch` allows.
    asio::awaitable<std::vector<settled_end>> settle(std::string consumer, std::vector<end_item> ends) {
        const auto self = shared_from_this();
        const auto batches = settling(consumer);
        co_return co_await batches->run(std::move(ends));
    }

    /// Asks for the ends of tasks, and that `inbox` be told of those to come.
    asio::awaitable<known_ends> ends_of(std::vector<task_key> keys, std::string inbox) {
        const auto self = shared_from_this();
        arguments with;
        with.reserve(2 * keys.size() + 1);
        with.add(std::move(inbox));
        for (const auto& key : keys) with.add(key.sequence).add(key.nonce);
        const auto got = co_await calls_->run(scripts::wait, {}, std::move(with), true);
        auto from = got.read();
        known_ends known;
        known.now = static_cast<double>(from.integer());
        known.next_change = static_cast<double>(from.integer());
        known.is_served = from.integer() > 0;
        known.answers.reserve(keys.size());
        while (!from.done()) {
            auto& one = known.answers.emplace_back();
            if (from.is_text()) {
                byte_reader bytes(from.text());
                one.is_found = true;
                one.outcome = read_outcome(bytes);
            } else {
                one.is_found = from.integer() == 0;
            }
        }
        if (known.answers.empty() || known.answers.size() > keys.size()) {
            throw error(errc::protocol, "the script wait answered for " + std::to_string(known.answers.size()) + " of " +
                                            std::to_string(keys.size()) + " tasks");
        }
        co_return known;
    }

    /// Asks for tasks: see fetch.lua.
    asio::awaitable<answer> fetch(const std::string& consumer, arguments with) {
        const auto self = shared_from_this();
        std::vector<std::string> own;
        own.push_back(named(own_key::held, consumer));
        std::vector<fast_script*> fast;
        fast.push_back(&fetch_plain_);
        if (has_keyed_) fast.push_back(&fetch_keyed_);
        co_return co_await calls_->run(std::move(fast), scripts::fetch, std::move(own), std::move(with), false);
    }

    /// A task has been handed out. As long as none has a key, the scripts for these are not tried.
    void see_record(std::string_view record) {
        if (record.size() > record_layout::version && record[record_layout::version] == char(stored_version::keyed_record)) has_keyed_ = true;
    }

    /// Tells once of data that can't be used: `what` it is called on the server, and why.
    void report_damage(const std::string& what, const std::string& why) {
        {
            const std::lock_guard lock(mutex_);
            if (std::exchange(damaged_in_, calls_->life()) != calls_->life()) damaged_.clear();
            if (!damaged_.insert(what).second) return;
        }
        server_->log("queue " + name_ + ": " + what + " is set aside: " + why);
    }

    /// A caller that waits for a result has learned whether anybody serves the queue.
    void note_service(bool is_served, duration waited) {
        if (is_served) return is_unserved_.store(false);
        if (waited < detail::unserved_after || is_unserved_.exchange(true)) return;
        server_->log(detail::unserved_text(name_, waited));
        detail::tell_unserved(server_->observer(), name_, waited);
    }

    enum class trouble : unsigned char { with_lease, with_fetch, with_list, with_schedules };

    /// Calls of this kind fail here: told once, until they work again. To be served, a queue needs both its leases and its
    /// fetches: those are told of as one.
    void report_trouble(trouble calls, const std::string& why) {
        const bool is_service = calls == trouble::with_lease || calls == trouble::with_fetch;
        {
            const std::lock_guard lock(mutex_);
            const bool is_served = !troubled_.contains(trouble::with_lease) && !troubled_.contains(trouble::with_fetch);
            const bool is_first = troubled_.insert(calls).second;
            if (!(is_service ? is_served : is_first)) return;
        }
        const bool is_key = why.find("WRONGTYPE") != std::string::npos;
        const char* const remedy = is_key ? "; a key of another type must be removed" : "";
        const char* const hope = is_key && is_service ? ", then it is served again within 7 s" : "";
        const auto what = is_service                    ? "queue " + name_ + " is not served, others are: "
                          : calls == trouble::with_list ? "the tasks of queue " + name_ + " can't be listed: "
                                                        : "the schedules of queue " + name_ + " can't be read: ";
        server_->log(what + why + remedy + hope);
    }
    void trouble_is_over(trouble calls) {
        const std::lock_guard lock(mutex_);
        troubled_.erase(calls);
    }

    /// The consumer is gone: nothing of its will be settled together any more.
    void forget(const std::string& consumer) {
        const std::lock_guard lock(mutex_);
        settling_.erase(consumer);
    }

    static effect effect_of(std::int64_t number) {
        if (number < 0 || number > std::int64_t(effect::not_found)) {
            throw error(errc::protocol, "a script answered the unknown effect " + std::to_string(number));
        }
        return static_cast<effect>(number);
    }

private:
    static settled_end settled_end_of(std::int64_t number) {
        settled_end made;
        const auto state = number / more_effects::became - 1;
        if (state < std::int64_t(task_state_count)) {
            if (state >= 0) made.became = static_cast<task_state>(state);
            number %= more_effects::became;
        }
        made.what = effect_of(number);
        return made;
    }

    std::uint32_t new_nonce() {
        const std::lock_guard lock(mutex_);
        return static_cast<std::uint32_t>(random_());
    }

    using task_batcher = batcher<task_item, stored>;
    using end_batcher = batcher<end_item, settled_end>;

    std::shared_ptr<task_batcher> enqueueing() {
        const std::lock_guard lock(mutex_);
        if (!enqueueing_) {
            enqueueing_ = std::make_shared<task_batcher>(
                executor_, [self = weak_from_this()](std::vector<task_item>& items, bool are_several) {
                    return send_tasks(self.lock(), items, are_several);
                });
        }
        return enqueueing_;
    }

    std::shared_ptr<end_batcher> settling(const std::string& consumer) {
        const std::lock_guard lock(mutex_);
        auto& made = settling_[consumer];
        if (!made) {
            made = std::make_shared<end_batcher>(executor_, [self = weak_from_this(), consumer](std::vector<end_item>& ends, bool) {
                return send_ends(self.lock(), consumer, std::move(ends));
            });
        }
        return made;
    }

    /// Does what a request to store tasks might be sent back for.
    asio::awaitable<void> get_ready(bool all_plain) {
        const auto run = server_->run_id() + ':' + std::to_string(calls_->life());
        if (all_plain && run == ready_for()) co_return;
        if (all_plain) co_await calls_->maintain_some();  // which knows the server; the rest is done beside fetches
        else co_await calls_->maintain();
        const std::lock_guard lock(mutex_);
        ready_for_ = run;
    }

    std::string ready_for() {
        const std::lock_guard lock(mutex_);
        return ready_for_;
    }

    static asio::awaitable<std::vector<stored>> send_tasks(std::shared_ptr<queue> self, std::vector<task_item>& items,
                                                          bool may_be_sent_again) {
        std::string heard_of;  // places, of those whose ends the inbox is to hear of
        bool all_plain = true, all_keyed = true;
        for (std::size_t i = 0; i < items.size(); ++i) {
            if (items[i].is_awaited) put(heard_of, static_cast<std::uint16_t>(i));
            const record_head head(items[i].record);
            all_plain = all_plain && items[i].place.empty() && head.is_plain();
            all_keyed = all_keyed && items[i].place.empty() && head.is_only_keyed();
        }
        const auto batch = ++self->batches_;
        const auto channel = heard_of.empty() ? std::string() : self->server_->inbox();
        answer got;
        got.is_slow = true;
        std::size_t bytes = 0;
        for (const auto& item : items) bytes += bytes_of(item);
        const bool is_large = bytes > most_handed::bytes;
        std::set<std::string> lanes;
        if (is_large) {  // it is sent once: what it would be sent back for comes before it
            co_await self->get_ready(all_plain);
            for (const auto& item : items) lanes.insert(record_head(item.record).lane());
        }
        if (all_plain && items.size() == 1 && !is_large) {
            arguments with;
            with.add(self->producer_).add(batch).add_run_id().add(channel).add(items.front().record);
            auto own = self->calls_->known_sets();
            own.push_back(named(own_key::producer, self->producer_));
            got = co_await self->calls_->run_if_fast(self->hand_over_, std::move(own), std::move(with), true, true);
        }
        if (got.is_slow) {
            arguments with;
            with.reserve(2 * items.size() + 5);
            with.add(self->producer_).add(batch).add_run_id().add(channel).add(heard_of);
            if (all_plain) {
                add_segments(items, with);
            } else {
                for (auto& item : items) {
                    with.add(may_be_sent_again ? item.record : std::move(item.record));
                    with.add(may_be_sent_again ? item.place : std::move(item.place));
                }
            }
            std::vector<std::string> own;
            own.push_back(named(own_key::producer, self->producer_));
            own.insert(own.end(), lanes.begin(), lanes.end());
            std::vector<fast_script*> fast;
            if (all_keyed) {
                self->has_keyed_ = true;
                fast.push_back(&self->enqueue_keyed_);
            }
            const auto& script = all_plain ? scripts::enqueue_plain : scripts::enqueue;
            got = co_await self->calls_->run(std::move(fast), script, std::move(own), std::move(with), true, true);
        }
        co_return read_stored(got, items, all_plain);
    }

    /// The answer to `items`: the first new one's number, and of those that were there already their places among the
    /// others and their keys.
    static std::vector<stored> read_stored(const answer& got, const std::vector<task_item>& items, bool all_plain) {
        auto from = got.read();
        auto next = static_cast<std::uint64_t>(from.integer());
        constexpr auto none = static_cast<std::size_t>(-1);
        const auto next_duplicate = [&] { return from.done() ? none : static_cast<std::size_t>(from.integer()); };
        std::vector<stored> answers(items.size());
        auto duplicate = next_duplicate();
        for (std::size_t i = 0; i < answers.size(); ++i) {
            if (i == duplicate) {
                const auto sequence = static_cast<std::uint64_t>(from.integer());
                answers[i].task = {{sequence, static_cast<std::uint32_t>(from.integer())}, true};
                duplicate = next_duplicate();
            } else {
                answers[i].task = {{next++, items[i].nonce}, false};
            }
            answers[i].is_awaited = items[i].is_awaited;
            answers[i].is_plain = all_plain;
        }
        return answers;
    }

    static asio::awaitable<std::vector<settled_end>> send_ends(std::shared_ptr<queue> self, std::string consumer,
                                                               std::vector<end_item> ends) {
        const auto items = ends.size();
        arguments with;
        with.reserve(items + 1);
        with.add(consumer);
        std::size_t bytes = 0;
        for (auto& one : ends) {
            bytes += bytes_of(one);
            with.add(std::move(one.ending));
        }
        std::vector<std::string> own;
        own.push_back(named(own_key::held, consumer));
        std::vector<fast_script*> fast;
        constexpr std::size_t usual = 1024;  // bytes of an end
        if (bytes <= (std::max)(most_handed::bytes, items * usual)) {  // what is large is sent once
            if (items == 1) fast.push_back(&self->settle_one_);
            fast.push_back(&self->settle_plain_);
            if (self->has_keyed_) fast.push_back(&self->settle_keyed_);
        }
        const auto got = co_await self->calls_->run(std::move(fast), scripts::settle, std::move(own), std::move(with), true);
        auto from = got.read();
        std::vector<settled_end> effects;
        if (from.done()) effects.resize(items);
        while (!from.done()) effects.push_back(settled_end_of(from.integer()));
        co_return effects;
    }

    const asio::any_io_executor executor_;
    const std::shared_ptr<connection> server_;
    const std::string name_;
    const std::string producer_;
    const std::shared_ptr<queue_calls> calls_;
    std::atomic<std::uint64_t> batches_ = 0;
    std::atomic<bool> has_keyed_ = false;    // this process knows of tasks that have a key
    std::atomic<bool> is_unserved_ = false;  // and it has been said
    fast_script hand_over_{scripts::hand_over};
    fast_script settle_one_{scripts::settle_one};
    fast_script settle_plain_{scripts::settle_plain};
    fast_script fetch_plain_{scripts::fetch_plain};
    fast_script enqueue_keyed_{scripts::enqueue_keyed};
    fast_script settle_keyed_{scripts::settle_keyed};
    fast_script fetch_keyed_{scripts::fetch_keyed};

    std::mutex mutex_;  // guards all below
    std::mt19937_64 random_{std::random_device()()};
    std::shared_ptr<task_batcher> enqueueing_;
    std::set<std::string> damaged_;
    unsigned damaged_in_ = 0;  // which life of the queue
    std::set<trouble> troubled_;
    std::string ready_for_;    // the run of a server that has been told to this queue, and the queue's life
    std::map<std::string, std::shared_ptr<end_batcher>> settling_;
};

}  // namespace taskflux::redis
