#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/uuid.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

using consumer_ptr = std::shared_ptr<const std::string>;

/// The name under which a worker holds its lease: its node's, a random word (another process may have had the name before),
/// and an epoch that grows each time the lease is lost, so that the reports of an earlier lease are told apart. Thread-safe,
/// except for `join`.
class membership {
public:
    /// An empty `node` gets a UUID for a name.
    membership(broker_ptr broker, std::string node, std::vector<std::string> queues, duration lease)
        : broker_(std::move(broker)), life_(uuid_generator().text()), node_(node.empty() ? life_ : std::move(node)),
          queues_(std::move(queues)), lease_(lease) {}

    const std::string& node() const { return node_; }
    const std::vector<std::string>& queues() const { return queues_; }
    duration lease() const { return lease_; }

    /// Starts the next epoch.
    asio::awaitable<void> join() {
        auto name = std::make_shared<const std::string>(node_ + ':' + life_.substr(life_.size() - 12) + '.' +
                                                              std::to_string(++epoch_));
        co_await broker_->join(*name, queues_, lease_);
        const std::lock_guard lock(mutex_);
        consumer_ = std::move(name);
    }

    /// The current name; null before the first `join`.
    consumer_ptr consumer() const {
        const std::lock_guard lock(mutex_);
        return consumer_;
    }

    asio::awaitable<renewal> renew(consumer_ptr who) {
        return broker_->renew(*who, queues_, lease_);
    }

    asio::awaitable<void> leave() { return broker_->leave(*consumer(), queues_); }

private:
    const broker_ptr broker_;
    const std::string life_;
    const std::string node_;
    const std::vector<std::string> queues_;
    const duration lease_;
    unsigned epoch_ = 0;
    mutable std::mutex mutex_;
    consumer_ptr consumer_;
};

}  // namespace taskflux::detail
