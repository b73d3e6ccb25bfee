#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/limit.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/core/uuid.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/flow/worker/declared_limits.hpp>

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

using consumer_ptr = std::shared_ptr<const std::string>;

/// The name under which a worker holds its lease: its node's, a random word (another process may have had the name before),
/// and an epoch that grows each time the lease is lost, so that the reports of an earlier lease are told apart. Thread-safe,
/// except for `join`, and what is said of former names.
class membership {
public:
    /// An empty `node` gets a UUID for a name.
    membership(broker_ptr broker, std::string node, std::vector<std::string> queues, queue_limit_map limits, duration lease,
               std::function<void(std::string)> complain)
        : broker_(std::move(broker)), life_(uuid_generator().text()), node_(node.empty() ? life_ : std::move(node)),
          queues_(std::move(queues)), limits_(std::move(limits)), lease_(lease),
          complain_(std::move(complain)) {}

    const std::string& node() const { return node_; }
    const std::vector<std::string>& queues() const { return queues_; }
    duration lease() const { return lease_; }

    /// The queues of which it declares limits, and which it does not serve.
    std::set<std::string> other_limited_queues() const {
        std::set<std::string> others;
        for (const auto& [of, value] : limits_) {
            if (!value.is_empty() && std::ranges::find(queues_, of.first) == queues_.end()) others.insert(of.first);
        }
        return others;
    }

    /// Starts the next epoch: limits first, as they may be gone, and hold from its first fetch. The former name is to leave, where
    /// its lease has not been lost in all queues. A queue that refuses its limit holds up no other: `complain` hears of it once.
    asio::awaitable<void> join() {
        joining_ = node_ + ':' + life_.substr(life_.size() - 12) + '.' + std::to_string(epoch_ + 1);
        for (const auto& [of, value] : limits_) {
            auto declaring = declare(of.first, of.second, value);
            const auto answer = co_await caught(std::move(declaring));
            if (answer.failure()) pass_over(of.first, of.second, answer.failure());
        }
        co_await broker_->join(joining_, queues_, lease_);
        ++epoch_;  // only now: a name that may have joined somewhere is tried again, rather than left behind
        std::shared_ptr<const held_name> next = std::make_shared<held_name>(std::exchange(joining_, {}));
        if (consumer_) former_.push_back({consumer_->text, consumer_->unused});
        const std::lock_guard lock(mutex_);
        consumer_.swap(next);
    }

    /// The current name; null before the first `join`.
    consumer_ptr consumer() const {
        const std::lock_guard lock(mutex_);
        return consumer_ ? consumer_ptr(consumer_, &consumer_->text) : nullptr;
    }

    asio::awaitable<renewal> renew(consumer_ptr who) {
        return broker_->renew(*who, queues_, lease_);
    }

    /// A name of an epoch that is over.
    struct former_name {
        std::string text;
        std::shared_ptr<event> unused;  ///< set when nobody holds it any more, as attempts and their reports do
    };

    /// The one before the current name; only after a second `join`.
    former_name latest_former() const { return former_.back(); }

    asio::awaitable<void> leave_as(former_name who) {
        co_await broker_->leave(who.text, queues_);
        std::erase_if(former_, [&](const former_name& one) { return one.text == who.text; });
    }

    /// Whether it may have joined under some name.
    bool has_names() const { return consumer_ || !joining_.empty(); }

    /// Leaves under all names under which it may have joined and has not left: the current one first, as there may be no time
    /// for all. Throws the first failure after it has tried all.
    asio::awaitable<void> leave() {
        std::vector<std::string> names;
        if (consumer_) names.push_back(consumer_->text);
        if (!joining_.empty()) names.push_back(joining_);
        for (const auto& one : former_) names.push_back(one.text);
        std::exception_ptr failure;
        for (const auto& name : names) {
            auto leaving = broker_->leave(name, queues_);
            const auto left = co_await caught(std::move(leaving));
            if (!failure) failure = left.failure();
        }
        if (failure) std::rethrow_exception(failure);
    }

private:
    struct held_name {
        explicit held_name(std::string name) : text(std::move(name)) {}
        held_name(const held_name&) = delete;
        held_name& operator=(const held_name&) = delete;
        ~held_name() { unused->set(); }

        const std::string text;
        const std::shared_ptr<event> unused = std::make_shared<event>();
    };

    /// Throws what may pass by itself, as for a server that can't be reached: then the next `join` declares it.
    asio::awaitable<void> declare(const std::string& queue, const std::optional<std::string>& key, const limit& value) const {
        const std::optional<limit> declared(value);
        if (key) return broker_->set_key_limit(queue, *key, limit_kind::declared, declared, std::string());
        return broker_->set_limit(queue, limit_kind::declared, declared, std::string());
    }

    void pass_over(const std::string& queue, const std::optional<std::string>& key, const std::exception_ptr& failure) {
        const auto why = describe(failure);
        const auto code = code_of(why);
        if (code != errc::protocol && code != errc::invalid_argument) std::rethrow_exception(failure);
        if (!refused_.emplace(queue, key).second) return;
        const std::string whose = !key ? "it" : key->empty() ? "each of its keys" : "its key " + *key;
        complain_("queue " + queue + " refuses the limit that is declared for " + whose + ", which may not hold: " + why.message +
                  "; it is declared again when the worker joins again");
    }

    const broker_ptr broker_;
    const std::string life_;
    const std::string node_;
    const std::vector<std::string> queues_;
    const queue_limit_map limits_;
    const duration lease_;
    const std::function<void(std::string)> complain_;
    std::set<std::pair<std::string, std::optional<std::string>>> refused_;  // limits, of which `complain_` has heard
    unsigned epoch_ = 0;
    std::string joining_;  // the name whose `join` has not returned, or has failed
    std::vector<former_name> former_;
    mutable std::mutex mutex_;
    std::shared_ptr<const held_name> consumer_;
};

}  // namespace taskflux::detail
