#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/clock.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>

namespace taskflux {

/// Limits of the embedded broker.
class memory_options {
public:
    memory_options() {}

    /// Unfinished tasks a queue takes before a submission is refused with `errc::queue_full`; 0 (the
    /// default): as many as memory holds.
    memory_options& max_pending(std::size_t count) { return max_pending_ = count, *this; }

    /// Ended tasks a queue keeps, the newest ones, for as long as their retention lasts; default a million,
    /// 0: no bound.
    memory_options& max_ended(std::size_t count) { return max_ended_ = count, *this; }

    std::size_t max_pending() const { return max_pending_; }
    std::size_t max_ended() const { return max_ended_; }

private:
    std::size_t max_pending_ = 0;
    std::size_t max_ended_ = 1'000'000;
};

/// Makes an embedded broker: its tasks live in this process, and end with it. `clock`: see `clock::shared`.
broker_ptr make_memory_broker(asio::any_io_executor executor, const memory_options& options = memory_options{},
                              taskflux::clock& clock = real_clock());

}  // namespace taskflux
