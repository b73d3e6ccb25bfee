#pragma once

#include <support/coroutine_end.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/exec/executor.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <utility>

namespace test {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using taskflux::errc;
using taskflux::executor_options;
using taskflux::retry_policy;
using taskflux::run_options;

/// One thread, virtual time.
struct fixture {
    asio::io_context io;
    taskflux::manual_clock time;

    executor_options options() { return executor_options().clock(time).seed(1); }

    /// Runs what is ready, and no more.
    void settle() {
        io.restart();
        while (io.poll() != 0) io.restart();
    }

    void advance(taskflux::duration by) {
        time.advance(by);
        settle();
    }

    template <class R>
    auto start(asio::awaitable<R> coroutine) {
        auto end = start_on(io.get_executor(), std::move(coroutine));
        settle();
        return end;
    }
};

/// A place where coroutines wait until it is opened.
class gate {
public:
    explicit gate(asio::any_io_executor ex) : timer_(ex) {
        timer_.expires_at((asio::steady_timer::time_point::max)());
    }

    asio::awaitable<void> pass() {
        if (open_) co_return;
        ++waiting;
        boost::system::error_code ec;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
        --waiting;
        if (!open_) throw boost::system::system_error(asio::error::operation_aborted);
    }

    void open() {
        open_ = true;
        timer_.cancel();
    }

    int waiting = 0;

private:
    asio::steady_timer timer_;
    bool open_ = false;
};

}  // namespace test
