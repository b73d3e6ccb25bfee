#pragma once

#include <support/hang_limit.hpp>
#include <support/redis_server.hpp>
#include <taskflux/broker/redis/connection.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace test {

namespace asio = boost::asio;
using taskflux::errc;
using taskflux::redis::connection;
using taskflux::redis::connection_options;
using taskflux::redis::parse_url;
using taskflux::redis::reader;
using taskflux::redis::reply;
using words = std::vector<std::string>;

// How a call ended. Its exception stays on its thread: TSan does not see what libstdc++ does to share one.
struct ending {
    ending() = default;

    reply answer;
    boost::system::error_code ec;
    std::string what;
};

inline asio::awaitable<ending> end_of(asio::awaitable<reply> call) {
    ending out;
    try {
        out.answer = co_await std::move(call);
    } catch (const boost::system::system_error& e) {
        out.ec = e.code();
        out.what = e.what();
    }
    co_return out;
}

class pending {
public:
    explicit pending(std::future<ending> of) : of_(std::move(of)) {}

    ending end() {
        if (of_.wait_for(hang_limit) != std::future_status::ready) throw std::runtime_error("a call hangs");
        return of_.get();
    }

    reply get() {
        auto got = end();
        if (got.ec) throw boost::system::system_error(got.ec, got.what);
        return std::move(got.answer);
    }

private:
    std::future<ending> of_;
};

/// Options of a connection whose calls take as long as they take.
inline connection_options unhurried() { return connection_options().timeout(no_timeout); }

inline void check_refusal(const ending& of, errc code, const std::string& says) {
    BOOST_TEST(of.ec == boost::system::error_code(code));
    BOOST_TEST(of.what.find(says) != std::string::npos, of.what);
    BOOST_TEST(of.what.find("s3cret") == std::string::npos, of.what);
}

// A thread that runs a context, and what its connections report.
class connection_fixture {
public:
    connection_fixture() : runner_([this] { context_.run(); }) {}
    ~connection_fixture() {
        for (const auto& each : made_) each->close();
        work_.reset();
        runner_.join();  // returns only when closed connections let go of the context
    }

    std::shared_ptr<connection> make(const std::string& url,
                                     connection_options options = unhurried()) {
        options.log([this](std::string_view text) {
            const std::lock_guard lock(mutex_);
            log_.append(text) += '\n';
        });
        made_.push_back(connection::make(context_.get_executor(), parse_url(url), options));
        return made_.back();
    }

    pending later(asio::awaitable<reply> call, asio::cancellation_slot slot = {}) {
        return pending(asio::co_spawn(context_, end_of(std::move(call)),
                                      asio::bind_cancellation_slot(slot, asio::use_future)));
    }

    /// Whether the server answers in the end, however short the deadline of one call is.
    bool gets_through(const std::shared_ptr<connection>& redis) {
        return eventually([&] {
            const auto end = later(redis->command({"PING"}, true)).end();
            return !end.ec && reader(end.answer).text() == "PONG";
        });
    }

    /// Of a call that ends only by its deadline and then tells how far it has come, which on a slow machine is not far,
    /// or what it is just about: so it is made anew, with longer and longer deadlines, until it tells what is expected.
    void refused_by_deadline(const std::function<pending(std::chrono::milliseconds timeout)>& call, errc code,
                             const std::string& says) {
        constexpr auto longest = std::chrono::minutes(1);
        for (auto timeout = std::chrono::milliseconds(250);; timeout *= 4) {
            const auto ended = call(timeout).end();
            if (ended.what.find(says) == std::string::npos && timeout < longest) continue;
            check_refusal(ended, code, says);
            return;
        }
    }

    void refused_by_deadline(const std::string& url, const words& command, errc code, const std::string& says,
                             connection_options options = connection_options()) {
        const auto call = [&](std::chrono::milliseconds timeout) {
            options.timeout(timeout);
            return later(make(url, options)->command(command, true));
        };
        refused_by_deadline(call, code, says);
    }

    std::string log() {
        const std::lock_guard lock(mutex_);
        return log_;
    }

    asio::io_context& context() { return context_; }

private:
    asio::io_context context_;
    asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
    std::vector<std::shared_ptr<connection>> made_;
    std::mutex mutex_;
    std::string log_;
    std::thread runner_;
};

inline std::string text_of(pending answer) {
    const auto got = answer.get();
    return std::string(reader(got).text());
}

inline void refused(pending answer, errc code, const std::string& says) { check_refusal(answer.end(), code, says); }

}  // namespace test
