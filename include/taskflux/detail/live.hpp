#pragma once

#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

namespace taskflux::detail {

/// Awaits `life` on `strand`. Cancelling this coroutine calls `stop`, on any thread, and `life` then ends in its own time.
asio::awaitable<void> live_on(asio::any_io_executor strand, asio::awaitable<void> life, std::function<void()> stop);

/// Lives a core's life on its strand, with the threads that it may post to. Cancelling this coroutine stops the core,
/// which then ends in its own time.
template <class Core>
asio::awaitable<void> live(std::shared_ptr<Core> core, std::shared_ptr<asio::thread_pool> threads) {
    auto stop = [weak = std::weak_ptr(core)] {
        if (const auto alive = weak.lock()) alive->stop();
    };
    co_await live_on(core->strand(), core->live(std::move(threads)), std::move(stop));
}

/// Threads for plain functions; 0: one a core.
inline std::shared_ptr<asio::thread_pool> make_cpu_pool(std::size_t threads) {
    if (threads == 0) threads = std::thread::hardware_concurrency();
    return std::make_shared<asio::thread_pool>((std::max)(threads, std::size_t(1)));
}

}  // namespace taskflux::detail
