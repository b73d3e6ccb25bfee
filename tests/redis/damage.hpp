#pragma once

#include <support/observer.hpp>
#include <support/redis_client.hpp>
#include <support/redis_server.hpp>
#include <taskflux/broker/redis.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace taskflux;

/// A queue whose data tests damage by hand, and what the broker says of it.
struct damage_fixture {
    template <class T>
    T run(asio::awaitable<T> call) {
        return on.run(std::move(call));
    }

    /// Submits tasks alone, so that each has a record of its own; gives the first one's number.
    std::uint64_t add(std::size_t count) {
        std::uint64_t first = 0;
        for (std::size_t i = 0; i < count; ++i) {
            std::vector<new_task> one;
            one.push_back(plain_task());
            const auto stored = run(broker->submit("q", std::move(one)));
            if (i == 0) first = stored.front().key.sequence;
        }
        return first;
    }

    /// Submits tasks in one batch, so that they share a segment.
    std::uint64_t add_together(std::size_t count) {
        std::vector<new_task> all;
        const auto spec = plain_task().spec;
        for (std::size_t i = 0; i < count; ++i) {
            auto one = plain_task();
            one.spec = spec;
            all.push_back(std::move(one));
        }
        return run(broker->submit("q", std::move(all))).front().key.sequence;
    }

    /// What a fetch of up to `max` gives.
    std::vector<delivery> fetch(std::size_t max) {
        if (!has_joined) run(broker->join("w", queue_names, 1h));
        has_joined = true;
        return on.fetch("w", "q", max);
    }

    queue_counts counts() { return on.counts("q"); }
    std::string field(std::uint64_t number) const { return std::to_string(number); }
    bool has_said(std::string_view text) const { return said.find(text) != std::string::npos; }

    redis_server server;
    std::string said;
    observer on{server.url(), patient().log([this](std::string_view text) {
        said += text;
        said += '\n';
    })};
    const broker_ptr broker = on.broker;
    const std::vector<std::string> queue_names{"q"};
    bool has_joined = false;
};

}  // namespace test
