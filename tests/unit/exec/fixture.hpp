#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/exec/executor.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace test {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using taskflux::errc;
using taskflux::executor_options;
using taskflux::retry_policy;
using taskflux::run_options;

/// How a spawned coroutine ended, once it has.
template <class R>
struct ending {
    bool done = false;
    std::exception_ptr error;
    std::optional<taskflux::detail::stored<R>> value;
    asio::cancellation_signal signal;

    /// The code that it threw, or none.
    boost::system::error_code code() const {
        if (!error) return {};
        try {
            std::rethrow_exception(error);
        } catch (const boost::system::system_error& e) {
            return e.code();
        }
    }
    bool failed_with(errc why) const { return code() == why; }
    void cancel() { signal.emit(asio::cancellation_type::terminal); }
};

/// Starts a coroutine; what is returned tells how it ended.
template <class R>
std::shared_ptr<ending<R>> start(asio::any_io_executor ex, asio::awaitable<R> coroutine) {
    auto end = std::make_shared<ending<R>>();
    auto token =
        asio::bind_cancellation_slot(end->signal.slot(), [end](std::exception_ptr error, auto... value) {
            end->done = true;
            end->error = error;
            if (!error) end->value.emplace(std::move(value)...);
        });
    asio::co_spawn(ex, std::move(coroutine), std::move(token));
    return end;
}

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
        auto end = test::start(io.get_executor(), std::move(coroutine));
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
