#pragma once

#include <taskflux/fwd.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
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

/// Whether a core's `live` is under way. Thread-safe.
class life_flag {
public:
    /// To be held by `live`.
    class mark {
    public:
        explicit mark(life_flag& flag) : flag_(flag) { flag_.is_on_ = true; }
        ~mark() { flag_.is_on_ = false; }
        mark(const mark&) = delete;
        mark& operator=(const mark&) = delete;

    private:
        life_flag& flag_;
    };

    /// Whether an object that is destroyed now, whose core runs on `executor`, leaves its scope too early: `live` is under way,
    /// and its context has not been stopped as a whole.
    bool is_cut_short(const asio::any_io_executor& executor) const;

    /// The object is destroyed, and nobody has stopped it: a `live` that only begins afterwards has been cut short, too.
    void orphan() { is_orphan_ = true; }
    bool is_orphan() const { return is_orphan_; }

private:
    std::atomic<bool> is_on_ = false;
    std::atomic<bool> is_orphan_ = false;
};

/// What is said then; `what`: what becomes of the things that it did.
inline std::string cut_short(const std::string& what) {
    return "it was destroyed while run() was under way: " + what + "; keep the object until run() has returned, which stop() ends";
}

/// What `live` says that begins when its object has been destroyed.
inline std::string never_begun() {
    return "it was destroyed before its run() had begun, and does nothing; keep the object until run() has returned, which stop() ends";
}

/// Threads for plain functions; 0: as many as the machine has cores.
inline std::shared_ptr<asio::thread_pool> make_cpu_pool(std::size_t threads) {
    if (threads == 0) threads = std::thread::hardware_concurrency();
    return std::make_shared<asio::thread_pool>((std::max)(threads, std::size_t(1)));
}

/// Waits for the threads of a pool, which may be null. On one of them, which can't wait for itself (a plain function destroys
/// what runs it), `elsewhere` waits in its place.
void join_cpu_pool(std::shared_ptr<asio::thread_pool> pool, const asio::any_io_executor& elsewhere);

}  // namespace taskflux::detail
