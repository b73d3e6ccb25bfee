#pragma once

#include <taskflux/broker/redis/reply.hpp>
#include <taskflux/broker/redis/verdict.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/fwd.hpp>

#include <boost/redis/adapter/any_adapter.hpp>
#include <boost/redis/resp3/node.hpp>
#include <boost/system/error_code.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::redis::wire {

/// Collects what arrives on a subscribed connection. While Boost.Redis parses, nobody is called.
class messages : public std::enable_shared_from_this<messages> {
public:
    boost::redis::any_adapter adapter() {
        using boost::redis::any_adapter;
        return any_adapter(
            any_adapter::impl_t([self = shared_from_this()](any_adapter::parse_event event,
                                                            const boost::redis::resp3::node_view& from,
                                                            boost::system::error_code&) {
                switch (event) {
                    case any_adapter::parse_event::init: self->current_ = {}; return;
                    case any_adapter::parse_event::node: self->current_.add(from); return;
                    case any_adapter::parse_event::done: self->sort(); return;
                }
            }));
    }

    /// Called on each new connection, with the reply to what was sent after the subscription: throws unless
    /// it has subscribed. A refusal comes in that reply's place, as SUBSCRIBE has no reply that is waited
    /// for.
    void check(const reply& following) {
        if (!following.error().empty()) throw to_error(following.error());
        if (!std::exchange(subscribed_, false))
            throw error(errc::protocol, "the Redis server did not confirm the subscription to this process' channel");
    }

    void deliver(const std::function<void(std::string_view)>& listener) {
        const auto complete = std::exchange(complete_, {});
        if (!listener) return;
        for (const auto& each : complete) listener(each);
    }

private:
    void sort() {
        const auto& nodes = current_.nodes();
        if (nodes.size() != 4) return;
        const auto kind = current_.bytes(nodes[1]);
        if (kind == "message") {
            complete_.emplace_back(current_.bytes(nodes[3]));
        } else if (kind == "subscribe") {
            subscribed_ = true;
        }
    }

    reply current_;
    std::vector<std::string> complete_;
    bool subscribed_ = false;
};

}  // namespace taskflux::redis::wire
