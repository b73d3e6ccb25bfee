#pragma once

#include "conformance/print.hpp"

#include <support/coroutine_end.hpp>
#include <support/hang_limit.hpp>
#include <taskflux/broker/memory.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/describe/class.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace test::flow {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::coroutine_end;
using test::start_on;
using taskflux::context;
using taskflux::effect;
using taskflux::errc;
using taskflux::job;
using taskflux::retry_policy;
using taskflux::submit_options;
using taskflux::task_options;
using taskflux::task_state;
using taskflux::worker;
using taskflux::worker_options;

struct circle {
    double radius = 1;
    std::string name;
};
BOOST_DESCRIBE_STRUCT(circle, (), (radius, name))

struct area {
    double value = 0;
};
BOOST_DESCRIBE_STRUCT(area, (), (value))

inline constexpr taskflux::task<area(circle)> circle_area{"circle_area"};
inline constexpr taskflux::task<int(int)> twice{"twice"};
inline constexpr taskflux::task<int()> answer{"answer"};
inline constexpr taskflux::task<void(int)> note{"note"};
inline constexpr taskflux::task<void()> tick{"tick"};

/// Ends the program, with the test's name, when a test hangs.
class watchdog {
public:
    watchdog()
        : thread_([this] {
              std::unique_lock lock(mutex_);
              if (ended_.wait_for(lock, hang_limit, [this] { return is_over_; })) return;
              std::cerr << "the test hangs" << std::endl;
              std::abort();
          }) {}
    ~watchdog() {
        {
            const std::lock_guard lock(mutex_);
            is_over_ = true;
        }
        ended_.notify_all();
        thread_.join();
    }

private:
    std::mutex mutex_;
    std::condition_variable ended_;
    bool is_over_ = false;
    std::thread thread_;
};

/// One thread, virtual time, an embedded broker.
struct fixture {
    taskflux::manual_clock time;  // outlives all that waits in the context
    asio::io_context io;
    taskflux::broker_ptr broker = make_broker();
    taskflux::client client{broker};
    asio::any_io_executor here = io.get_executor();

    taskflux::broker_ptr make_broker(const taskflux::memory_options& options = taskflux::memory_options()) {
        return taskflux::make_memory_broker(io.get_executor(), options, time);
    }

    /// Plain functions run on the I/O thread too, and no thread renews the lease: all is in virtual time.
    worker_options options() {
        return worker_options().renewal_thread(false).cpu(io.get_executor()).name("node").seed(1);
    }

    /// Runs what is ready, and no more.
    void settle() {
        io.restart();
        while (io.poll() != 0) io.restart();
    }

    void advance(taskflux::duration by) {
        time.advance(by);
        settle();
    }

    /// As `advance`, in small steps: what is started by what falls due falls due in turn.
    void pass(taskflux::duration total, taskflux::duration step) {
        for (auto passed = taskflux::duration::zero(); passed < total; passed += step) advance(step);
    }

    template <class R>
    auto start(asio::awaitable<R> coroutine) {
        auto end = start_on(here, std::move(coroutine));
        settle();
        return end;
    }

    /// The outcome of a coroutine that needs no time.
    template <class R>
    R now(asio::awaitable<R> coroutine) {
        return start(std::move(coroutine))->get();
    }

    taskflux::queue_counts counts(std::string queue = "default") { return now(broker->counts(std::move(queue))); }
    std::size_t running() { return counts().running; }
};

/// A place where coroutines wait until it is opened.
class gate {
public:
    explicit gate(asio::any_io_executor ex) : timer_(std::move(ex)) {
        timer_.expires_at((asio::steady_timer::time_point::max)());
    }

    asio::awaitable<void> pass() {
        if (is_open_) co_return;
        ++waiting;
        boost::system::error_code ec;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
        --waiting;
        if (is_open_) co_return;
        ++cancelled;
        throw boost::system::system_error(asio::error::operation_aborted);
    }

    /// Waits on, whoever cancels.
    asio::awaitable<void> pass_stubbornly() {
        co_await asio::this_coro::throw_if_cancelled(false);
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        ++waiting;
        while (!is_open_) {
            boost::system::error_code ec;
            co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
        }
        --waiting;
    }

    void open() {
        is_open_ = true;
        timer_.cancel();
    }

    int waiting = 0;
    int cancelled = 0;

private:
    asio::steady_timer timer_;
    bool is_open_ = false;
};

}  // namespace test::flow
