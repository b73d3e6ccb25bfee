#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker_observer.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/log.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace taskflux {

/// Options of the embedded broker.
class memory_options {
public:
    memory_options() {}

    /// Unfinished tasks a queue takes before a submission is refused with `errc::queue_full`; 0 (the
    /// default): as many as memory holds.
    memory_options& max_pending(std::size_t count) { return max_pending_ = count, *this; }

    /// Ended tasks a queue keeps, the newest ones, for as long as their retention lasts; default a million,
    /// 0: no bound.
    memory_options& max_ended(std::size_t count) { return max_ended_ = count, *this; }

    /// Receives a line when callers wait for tasks of a queue that no worker serves; default: it goes to standard error.
    memory_options& log(log_sink sink) { return log_ = std::move(sink), *this; }

    /// Is told of the same; default: none.
    memory_options& observer(std::shared_ptr<broker_observer> to) { return observer_ = std::move(to), *this; }

    std::size_t max_pending() const { return max_pending_; }
    std::size_t max_ended() const { return max_ended_; }
    const log_sink& log() const { return log_; }
    const std::shared_ptr<broker_observer>& observer() const { return observer_; }

private:
    std::size_t max_pending_ = 0;
    std::size_t max_ended_ = 1'000'000;
    log_sink log_;
    std::shared_ptr<broker_observer> observer_;
};

/// Makes an embedded broker: its tasks live in this process, and end with it. `clock`: see `clock::shared`.
broker_ptr make_memory_broker(asio::any_io_executor executor, const memory_options& options = memory_options{},
                              taskflux::clock& clock = real_clock());

}  // namespace taskflux
