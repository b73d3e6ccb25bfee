#pragma once

#include <taskflux/broker/broker.hpp>
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

/// One queue on the server: its calls, those of a kind that come at the same time made one. Thread-safe; lives
/// in a shared_ptr.
class queue : public std::enable_shared_from_this<queue> {
public:
    /// What a `wait` answers: nothing (it has not ended, the inbox will hear), an outcome, or that there is no
    /// such task.
    struct wait_answer {
        bool is_found = false;
        std::optional<task_outcome> outcome;
        double next_change = -1;  ///< when, by the server's clock, time alone may end it; -1: never
        double now = 0;
    };

    /// What a submission answers.
    struct stored {
        submitted task;
        bool is_awaited = false;  ///< the inbox will hear of its end
    };

    /// `relay` as for `queue_calls`.
    queue(asio::any_io_executor executor, std::shared_ptr<connection> server, std::string name, std::string producer,
          std::function<void()> relay)
        : executor_(std::move(executor)), server_(std::move(server)), name_(std::move(name)),
          producer_(std::move(producer)), calls_(std::make_shared<queue_calls>(server_, name_, std::move(relay))) {}

    const std::string& name() const { return name_; }
    queue_calls& calls() { return *calls_; }

    /// A record and how it begins, for each task: see enqueue.lua.
    std::vector<std::string> words_of(const std::vector<new_task>& tasks) {
        std::vector<std::string> words;
        words.reserve(2 * tasks.size());
        for (const auto& task : tasks) {
            words.push_back(record_of(task, new_nonce()));
            auto& how = words.emplace_back();
            if (!task.hold && task.delay <= duration::zero() && task.at <= time_point{}) {
                if (task.is_awaited) how = awaited;
                continue;
            }
            put(how, std::uint8_t(task.hold));
            put(how, to_number(task.delay));
            put(how, to_number(task.at));
        }
        return words;
    }

    /// Stores up to `batcher_limits::max_items` tasks.
    asio::awaitable<std::vector<stored>> submit(std::vector<new_task> tasks) {
        const auto self = shared_from_this();
        auto words = words_of(tasks);
        const auto batches = enqueueing();
        co_return co_await batches->run(std::move(words), tasks.size());
    }

    /// Ends as many attempts.
    asio::awaitable<std::vector<effect>> settle(std::string consumer, std::vector<std::string> words,
                                                std::size_t items) {
        const auto self = shared_from_this();
        const auto batches = settling(consumer);
        co_return co_await batches->run(std::move(words), items);
    }

    /// Asks for a task's end, and to be told of it by `inbox`, unless that is empty.
    asio::awaitable<wait_answer> wait(task_key key, const std::string& inbox) {
        const auto self = shared_from_this();
        std::vector<std::string> words{std::to_string(key.sequence), std::to_string(key.nonce)};
        const auto batches = waiting(inbox);
        auto answers = co_await batches->run(std::move(words), 1);
        co_return std::move(answers.front());
    }

    /// Asks for tasks: see fetch.lua.
    asio::awaitable<answer> fetch(const std::string& consumer, arguments with) {
        const auto self = shared_from_this();
        std::vector<std::string> own;
        own.push_back("a:" + consumer);
        std::vector<fast_script*> fast(1, &fetch_plain_);
        co_return co_await calls_->run(std::move(fast), scripts::fetch, std::move(own), std::move(with), false);
    }

    /// Tells once of data that can't be used: `what` it is called on the server, and why.
    void report_damage(const std::string& what, const std::string& why) {
        {
            const std::lock_guard lock(mutex_);
            if (!damaged_.insert(what).second) return;
        }
        server_->log("queue " + name_ + ": " + what + " is set aside: " + why);
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
    std::uint32_t new_nonce() {
        const std::lock_guard lock(mutex_);
        return static_cast<std::uint32_t>(random_());
    }

    // The second word of a task that is to run at once and whose end is awaited, until `send_tasks` has read it: the server
    // gets an empty one, as for others that are to run at once. It can't be mistaken: where a task is put takes 17 bytes.
    static constexpr const char* awaited = "awaited";

    std::shared_ptr<batcher<stored>> enqueueing() {
        const std::lock_guard lock(mutex_);
        if (!enqueueing_) {
            enqueueing_ = std::make_shared<batcher<stored>>(
                executor_, [self = weak_from_this()](std::vector<std::string> words) { return send_tasks(self.lock(), std::move(words)); });
        }
        return enqueueing_;
    }

    std::shared_ptr<batcher<effect>> settling(const std::string& consumer) {
        const std::lock_guard lock(mutex_);
        auto& made = settling_[consumer];
        if (!made) {
            made = std::make_shared<batcher<effect>>(executor_, [self = weak_from_this(), consumer](std::vector<std::string> words) {
                return send_ends(self.lock(), consumer, std::move(words));
            });
        }
        return made;
    }

    std::shared_ptr<batcher<wait_answer>> waiting(const std::string& inbox) {
        const std::lock_guard lock(mutex_);
        auto& made = waiting_[inbox];
        if (!made) {
            made = std::make_shared<batcher<wait_answer>>(executor_, [self = weak_from_this(), inbox](std::vector<std::string> words) {
                return send_waits(self.lock(), inbox, std::move(words));
            });
        }
        return made;
    }

    static asio::awaitable<std::vector<stored>> send_tasks(std::shared_ptr<queue> self, std::vector<std::string> words) {
        std::vector<std::uint32_t> nonces;
        nonces.reserve(words.size() / 2);
        std::string heard_of;  // places, of those whose ends the inbox is to hear of
        bool all_plain = true;
        for (std::size_t i = 0; i < words.size(); i += 2) {
            const record_head head(words[i]);
            if (words[i + 1] == awaited) {
                words[i + 1].clear();
                put(heard_of, static_cast<std::uint16_t>(nonces.size()));
            }
            nonces.push_back(head.nonce());
            all_plain = all_plain && words[i + 1].empty() && head.is_plain();
        }
        const auto batch = ++self->batches_;
        const auto channel = heard_of.empty() ? std::string() : self->server_->inbox();
        answer got;
        got.is_slow = true;
        if (all_plain && nonces.size() == 1) {
            arguments with;
            with.add(self->producer_).add(batch).add_run_id().add(channel).add(words.front());
            auto own = self->calls_->known_sets();
            own.push_back("p:" + self->producer_);
            got = co_await self->calls_->run_if_fast(self->hand_over_, std::move(own), std::move(with), true, true);
        }
        if (got.is_slow) {
            arguments with;
            with.reserve(words.size() + 5);
            with.add(self->producer_).add(batch).add_run_id();
            if (all_plain) {
                with.add(channel).add(heard_of);
                add_segments(words, with);
            } else {
                heard_of.clear();
                for (auto& word : words) with.add(std::move(word));
            }
            std::vector<std::string> own;
            own.push_back("p:" + self->producer_);
            const auto& script = all_plain ? scripts::enqueue_plain : scripts::enqueue;
            got = co_await self->calls_->run(script, std::move(own), std::move(with), true, true);
        }
        co_return read_stored(got, nonces, heard_of);
    }

    /// The answer to tasks with those nonces: the first new one's number, and of those that were there already their
    /// places among the others and their keys.
    static std::vector<stored> read_stored(const answer& got, const std::vector<std::uint32_t>& nonces,
                                           const std::string& heard_of) {
        auto from = got.read();
        auto next = static_cast<std::uint64_t>(from.integer());
        constexpr auto none = static_cast<std::size_t>(-1);
        const auto next_duplicate = [&] { return from.done() ? none : static_cast<std::size_t>(from.integer()); };
        std::vector<stored> answers(nonces.size());
        auto duplicate = next_duplicate();
        for (std::size_t i = 0; i < answers.size(); ++i) {
            if (i == duplicate) {
                const auto sequence = static_cast<std::uint64_t>(from.integer());
                answers[i].task = {{sequence, static_cast<std::uint32_t>(from.integer())}, true};
                duplicate = next_duplicate();
            } else {
                answers[i].task = {{next++, nonces[i]}, false};
            }
        }
        byte_reader places(heard_of);
        for (std::size_t i = 0; i < heard_of.size(); i += 2) answers[places.number<std::uint16_t>()].is_awaited = true;
        return answers;
    }

    static asio::awaitable<std::vector<effect>> send_ends(std::shared_ptr<queue> self, std::string consumer,
                                                          std::vector<std::string> words) {
        const auto items = words.size();
        arguments with;
        with.reserve(items + 1);
        with.add(consumer);
        for (auto& word : words) with.add(std::move(word));
        std::vector<std::string> own;
        own.push_back("a:" + consumer);
        std::vector<fast_script*> fast;
        if (items == 1) fast.push_back(&self->settle_one_);
        fast.push_back(&self->settle_plain_);
        const auto got = co_await self->calls_->run(std::move(fast), scripts::settle, std::move(own), std::move(with), true);
        auto from = got.read();
        std::vector<effect> effects;
        if (from.done()) effects.assign(items, effect::done);
        while (!from.done()) effects.push_back(effect_of(from.integer()));
        co_return effects;
    }

    static asio::awaitable<std::vector<wait_answer>> send_waits(std::shared_ptr<queue> self, std::string inbox,
                                                                std::vector<std::string> words) {
        arguments with;
        with.add(inbox);
        for (auto& word : words) with.add(std::move(word));
        const auto got = co_await self->calls_->run(scripts::wait, {}, std::move(with), true);
        auto from = got.read();
        const auto now = static_cast<double>(from.integer());
        const auto next_change = static_cast<double>(from.integer());
        std::vector<wait_answer> answers;
        while (!from.done()) {
            auto& one = answers.emplace_back();
            one.now = now;
            one.next_change = next_change;
            if (from.is_text()) {
                byte_reader bytes(from.text());
                one.is_found = true;
                one.outcome = read_outcome(bytes);
            } else {
                one.is_found = from.integer() == 0;
            }
        }
        co_return answers;
    }

    const asio::any_io_executor executor_;
    const std::shared_ptr<connection> server_;
    const std::string name_;
    const std::string producer_;
    const std::shared_ptr<queue_calls> calls_;
    std::atomic<std::uint64_t> batches_ = 0;
    fast_script hand_over_{scripts::hand_over};
    fast_script settle_one_{scripts::settle_one};
    fast_script settle_plain_{scripts::settle_plain};
    fast_script fetch_plain_{scripts::fetch_plain};

    std::mutex mutex_;  // guards all below
    std::mt19937_64 random_{std::random_device()()};
    std::shared_ptr<batcher<stored>> enqueueing_;
    std::set<std::string> damaged_;
    std::map<std::string, std::shared_ptr<batcher<effect>>> settling_;
    std::map<std::string, std::shared_ptr<batcher<wait_answer>>> waiting_;
};

}  // namespace taskflux::redis
