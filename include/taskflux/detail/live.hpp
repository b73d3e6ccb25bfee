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

/// Awaits `life` on `strand`. Cancelling this coroutine calls `stop`, on any thread, and still waits for the end of `life`.
asio::awaitable<void> live_on(asio::any_io_executor strand, asio::awaitable<void> life, std::function<void()> stop);

/// Runs `core->live` on the core's strand, with the threads that it may post to. Cancelling this coroutine stops the core,
/// and returns when the core has ended.
template <class Core>
asio::awaitable<void> live(std::shared_ptr<Core> core, std::shared_ptr<asio::thread_pool> threads) {
    auto stop = [weak = std::weak_ptr(core)] {
        if (const auto alive = weak.lock()) alive->stop();
    };
    co_await live_on(core->strand(), core->live(std::move(threads)), std::move(stop));
}

/// How many threads plain functions have where `threads` were asked for; 0: as many as the machine has cores.
inline std::size_t cpu_pool_size(std::size_t threads) {
    if (threads == 0) threads = std::thread::hardware_concurrency();
    return (std::max)(threads, std::size_t(1));
}

inline std::shared_ptr<asio::thread_pool> make_cpu_pool(std::size_t threads) {
    return std::make_shared<asio::thread_pool>(cpu_pool_size(threads));
}

/// Waits for the threads of a pool. On one of them, which can't wait for itself (a plain function destroys
/// what runs it), a thread of its own waits in its place, and `broker`, where the function's end is told, has work until then.
void join_cpu_pool(std::shared_ptr<asio::thread_pool> pool, const asio::any_io_executor& broker);

}  // namespace taskflux::detail
