#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/system/error_code.hpp>

#include <csignal>
#include <functional>
#include <thread>
#include <utility>

namespace taskflux::detail {

/// Handles SIGINT and SIGTERM while it lives, on a thread of its own, so that handlers that block all other threads can't
/// keep a program from being ended.
class signals {
public:
    explicit signals(std::function<void(int)> on_signal) : on_signal_(std::move(on_signal)) {
        wait();
        thread_ = std::thread([this] { io_.run(); });
    }
    signals(const signals&) = delete;
    signals& operator=(const signals&) = delete;
    ~signals() {
        io_.stop();
        thread_.join();
    }

private:
    void wait() {
        set_.async_wait([this](boost::system::error_code ec, int number) {
            if (ec) return;
            on_signal_(number);
            wait();
        });
    }

    const std::function<void(int)> on_signal_;
    boost::asio::io_context io_{1};
    boost::asio::signal_set set_{io_, SIGINT, SIGTERM};
    std::thread thread_;
};

}  // namespace taskflux::detail
