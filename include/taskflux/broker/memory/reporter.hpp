#pragma once

#include <taskflux/broker/broker/dead_letter.hpp>
#include <taskflux/broker/broker/unserved.hpp>
#include <taskflux/broker/memory.hpp>
#include <taskflux/broker/memory/queue.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/log.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include <memory>
#include <string>
#include <utility>

namespace taskflux::memory {

/// Says what goes wrong in an embedded broker: to its log, and to its observer. Lives in a shared_ptr.
class reporter : public std::enable_shared_from_this<reporter> {
public:
    reporter(asio::any_io_executor executor, std::shared_ptr<taskflux::clock> clock, const memory_options& options)
        : executor_(std::move(executor)), clock_(std::move(clock)), log_(options.log().in_time_of(*clock_)),
          observer_(options.observer()) {}

    /// Without the broker's lock.
    void unserved(const std::string& queue, duration waited) const {
        log_(log_level::warning, detail::unserved_text(queue, waited));
        detail::tell_unserved(observer_, queue, waited);
    }

    /// The tasks of a queue that have failed while no worker ran them. With the lock: it is said later, without.
    void failed(task_queue& queue) const {
        auto dead = queue.take_dead();
        if (dead.empty()) return;
        for (auto& one : dead) one.task.queue = queue.listed.name;
        asio::post(executor_, [self = shared_from_this(), dead = std::move(dead)] {
            for (const auto& one : dead) detail::tell_dead_letter(self->log_, self->observer_, one);
        });
    }

private:
    const asio::any_io_executor executor_;
    const std::shared_ptr<taskflux::clock> clock_;  // of the lines, some of which may come when the broker is gone
    const log_sink log_;
    const std::shared_ptr<broker_observer> observer_;
};

}  // namespace taskflux::memory
