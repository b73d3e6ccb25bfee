#include "handlers.hpp"

#include "digest.hpp"
#include "text.hpp"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <memory>

namespace asio = boost::asio;

namespace {

/// A plain function, so it runs on the worker's CPU pool, beside others.
file_facts on_measure(taskflux::context& ctx, const file_name& file, std::uint64_t turn) {
    constexpr std::uint64_t report_every = 4'000'000;
    std::uint64_t reported = 0;
    try {
        auto facts = digest(decode_name(file.path), [&](std::uint64_t bytes) {
            if (bytes - reported >= report_every) ctx.progress(reported = bytes);
            return !ctx.cancelled();
        });
        facts.turn = turn;
        return facts;
    } catch (const unreadable& e) {
        throw taskflux::discard(e.what());  // trying again would not help
    }
}

/// A coroutine, as for a call to some service: while it waits, its thread is free.
asio::awaitable<unsigned> on_flaky(taskflux::context& ctx, unsigned failures) {
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(5));
    co_await timer.async_wait();
    const auto attempt = "attempt " + std::to_string(ctx.attempt());
    if (ctx.attempt() <= failures) {
        ctx.log(taskflux::log_level::warning, attempt + " failed (on purpose)");
        throw std::runtime_error("the service is busy");
    }
    ctx.log(taskflux::log_level::info, attempt + " succeeded");
    co_return ctx.attempt();
}

}  // namespace

void add_handlers(taskflux::worker& worker) {
    worker.on(flaky, on_flaky);
    worker.on(measure, [turn = std::make_shared<std::atomic<std::uint64_t>>(0)](taskflux::context& ctx,
                                                                              const file_name& file) {
        return on_measure(ctx, file, ++*turn);
    });
}
