#pragma once

#include <taskflux/detail/live.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/prefer.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

namespace taskflux::detail {

/// What `live_on` awaits, begun.
struct begin_life {
    template <class Handler>
    void operator()(Handler handler, asio::any_io_executor strand, asio::awaitable<void> life, std::function<void()> stop) const {
        if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
            slot.assign([stop = std::move(stop)](asio::cancellation_type) { stop(); });
        }
        auto back = asio::get_associated_executor(handler, strand);
        // A lambda, which hides the handler's cancellation slot: `life` is stopped, never cancelled.
        auto on_end = [handler = std::move(handler)](std::exception_ptr error) mutable {
            std::move(handler)(std::move(error));
        };
        asio::co_spawn(strand, std::move(life), asio::bind_executor(std::move(back), std::move(on_end)));
    }
};

void join_cpu_pool(std::shared_ptr<asio::thread_pool> pool, const asio::any_io_executor& broker) {
    if (!pool->get_executor().running_in_this_thread()) return pool->join();
    auto context = asio::prefer(broker, asio::execution::outstanding_work.tracked);  // its `run` returns after the join
    // Not on the context: its threads may be what the function waits for.
    std::thread([context = std::move(context), pool = std::move(pool)] { pool->join(); }).detach();
}

asio::awaitable<void> live_on(asio::any_io_executor strand, asio::awaitable<void> life, std::function<void()> stop) {
    co_await asio::async_initiate<const asio::deferred_t, void(std::exception_ptr)>(
        begin_life(), asio::deferred, std::move(strand), std::move(life), std::move(stop));
}

}  // namespace taskflux::detail
