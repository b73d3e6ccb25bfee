#pragma once

#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <thread>
#include <utility>

namespace taskflux::detail {

/// Runs `core->live` on the core's strand, with the threads that it may post to. Cancelling this coroutine stops the core,
/// and returns when the core has ended.
template <class Core>
asio::awaitable<void> live(std::shared_ptr<Core> core, std::shared_ptr<asio::thread_pool> threads) {
    co_await asio::async_initiate<const asio::deferred_t, void(std::exception_ptr)>(
        [](auto handler, std::shared_ptr<Core> running, std::shared_ptr<asio::thread_pool> kept) {
            if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
                slot.assign([weak = std::weak_ptr(running)](asio::cancellation_type) {
                    if (const auto alive = weak.lock()) alive->stop();
                });
            }
            const auto strand = running->strand();
            auto executor = asio::get_associated_executor(handler, strand);
            auto on_end = [handler = std::move(handler)](std::exception_ptr error) mutable {
                std::move(handler)(std::move(error));
            };
            asio::co_spawn(strand, running->live(std::move(kept)),
                           asio::bind_executor(std::move(executor), std::move(on_end)));
        },
        asio::deferred, core, std::move(threads));
}

/// Threads for plain functions; 0: one a core.
inline std::shared_ptr<asio::thread_pool> make_cpu_pool(std::size_t threads) {
    if (threads == 0) threads = std::thread::hardware_concurrency();
    return std::make_shared<asio::thread_pool>((std::max)(threads, std::size_t(1)));
}

}  // namespace taskflux::detail
