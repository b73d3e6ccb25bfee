#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/redis/ask.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/broker/redis/fetch.hpp>
#include <taskflux/broker/redis/inspect.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/spawn.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// Awaits `call(place)` for those of the consumer's queues where the script is to be called alone, one after the other: what is
/// wrong with one queue does not stop the others, and is told once. Throws where all queues fail.
inline awaitable<void> call_alone(engine_ptr on, std::string consumer, const std::vector<std::string>& queues,
                                  std::vector<std::size_t> places, std::function<awaitable<void>(std::size_t)> call) {
    std::size_t failed = 0;
    for (const auto i : places) {
        auto calling = call(i);
        auto called = co_await detail::caught(std::move(calling));
        if (!called.failure()) {
            on->at(queues[i])->trouble_is_over(queue::trouble::with_lease);
            continue;
        }
        const auto why = detail::describe(called.failure());
        if (detail::code_of(why) != errc::protocol || ++failed == queues.size()) std::rethrow_exception(called.failure());
        on->consumers().failed(consumer, queues[i]);
        on->at(queues[i])->report_trouble(queue::trouble::with_lease, why.message);
    }
}

/// `broker::join`.
inline awaitable<void> join(engine_ptr on, std::string consumer, std::vector<std::string> queues, duration lease) {
    detail::check_consumer(consumer);
    arguments with;
    with.add(consumer).add(lease.count()).add(on->channel());
    const auto use = [&](std::size_t i, reader from) {
        on->consumers().joined(consumer, queues[i], lease);
        on->at(queues[i])->trouble_is_over(queue::trouble::with_lease);
        on->at(queues[i])->calls().hear_of_life(from.text());
    };
    auto alone = co_await on->call_pipelined(scripts::join, queues, {}, std::move(with), use);
    const auto join_alone = [&](std::size_t i) {
        on->consumers().joined(consumer, queues[i], lease);
        return join_one(on, consumer, queues[i], lease);
    };
    co_await call_alone(on, consumer, queues, std::move(alone), join_alone);
}

/// Reads what a renewal in the i-th queue has told.
inline void read_renewal(const engine_ptr& on, const std::string& consumer, const std::string& name, std::size_t i, reader from,
                         renewal& answer) {
    on->recovered(consumer, name);
    const auto bits = from.integer();
    const bool is_due = bits % 2 != 0;
    if (bits >= 2) answer.operating.push_back(i);
    for (auto left = from.list(); left >= 3; left -= 3) {
        cancel_request one;
        one.queue = i;
        one.key = read_key(from);
        one.token = static_cast<std::uint32_t>(from.integer());
        answer.cancels.push_back(one);
    }
    while (!from.done()) {
        unclaimed_task one;
        one.queue = i;
        one.name = from.text();
        one.sequence = static_cast<std::uint64_t>(from.integer());
        answer.unclaimed.push_back(std::move(one));
    }
    // Other queues' leases don't wait for it. Where it fails, the next call on that queue does it.
    if (is_due) detail::spawn_ignoring_errors(on->get_executor(), engine::maintain(on->at(name)));
}

inline awaitable<void> renew_one(engine_ptr on, const std::string& consumer, const std::string& name, std::size_t i,
                                 duration lease, renewal& answer) {
    arguments with;
    with.add(consumer).add(lease.count());
    const auto got = co_await on->call(name, scripts::renew, {}, std::move(with));
    if (!got.is_lost) {
        read_renewal(on, consumer, name, i, got.read(), answer);
    } else if (!on->consumers().has_failed(consumer, name)) {  // otherwise its next fetch joins again
        answer.lost = true;
    }
}

/// `broker::renew`.
inline awaitable<renewal> renew(engine_ptr on, std::string consumer, std::vector<std::string> queues, duration lease) {
    renewal answer;
    on->inbox().renewed(consumer);
    arguments with;
    with.add(consumer).add(lease.count());
    std::vector<std::size_t> special(1, 0);
    if (queues.size() != 1) special = co_await on->call_once(scripts::renew_all, queues, with);
    std::vector<std::string> some;
    for (std::size_t i = 0; i < queues.size(); ++i) {
        if (some.size() < special.size() && special[some.size()] == i) {
            some.push_back(queues[i]);
        } else {
            on->recovered(consumer, queues[i]);
        }
    }
    const auto use = [&](std::size_t n, reader from) { read_renewal(on, consumer, some[n], special[n], from, answer); };
    auto alone = co_await on->call_pipelined(scripts::renew, some, {}, std::move(with), use);
    for (auto& n : alone) n = special[n];
    const auto renew_alone = [&](std::size_t i) { return renew_one(on, consumer, queues[i], i, lease, answer); };
    co_await call_alone(on, consumer, queues, std::move(alone), renew_alone);
    co_return answer;
}

inline void has_left(const engine_ptr& on, const std::string& consumer, const std::string& name) {
    on->consumers().gone(consumer, name);
    on->at(name)->forget(consumer);
}

inline awaitable<void> leave_one(engine_ptr on, const std::string& consumer, const std::string& name) {
    for (bool is_more = true; is_more;) {
        arguments with;
        with.add(consumer).add(engine::careful_batch_size);
        const auto got = co_await on->call(name, scripts::leave, engine::set_of(consumer), std::move(with));
        is_more = got.read().integer() != 0;
    }
    has_left(on, consumer, name);
}

/// `broker::leave`.
inline awaitable<void> leave(engine_ptr on, std::string consumer, std::vector<std::string> queues) {
    for (auto& sleeper : on->inbox().retire_all(consumer)) {
        auto resigning = resign(on, std::move(sleeper));
        co_await detail::caught(std::move(resigning));  // where it fails, others wake by their own timers
    }
    arguments with;
    with.add(consumer).add(engine::careful_batch_size);
    std::vector<std::size_t> more;
    const auto use = [&](std::size_t i, reader from) {
        if (from.integer() != 0) return more.push_back(i);
        has_left(on, consumer, queues[i]);
    };
    auto own = engine::set_of(consumer);
    const auto alone = co_await on->call_pipelined(scripts::leave, queues, std::move(own), std::move(with), use);
    more.insert(more.end(), alone.begin(), alone.end());
    const auto leave_alone = [&](std::size_t i) { return leave_one(on, consumer, queues[i]); };
    co_await call_alone(on, consumer, queues, std::move(more), leave_alone);
}

}  // namespace taskflux::redis
