#pragma once

#include <taskflux/http/server/transport.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <memory>
#include <utility>

namespace taskflux::detail {

class plain_stream final : public byte_stream {
public:
    explicit plain_stream(asio::ip::tcp::socket accepted) : socket_(std::move(accepted)) {}

    asio::awaitable<void> open(boost::system::error_code&) override { co_return; }

    asio::awaitable<void> wait_readable(boost::system::error_code& ec) override {
        return socket_.async_wait(asio::ip::tcp::socket::wait_read, asio::redirect_error(asio::use_awaitable, ec));
    }

    asio::awaitable<std::size_t> read_some(asio::mutable_buffer into, boost::system::error_code& ec) override {
        return socket_.async_read_some(into, asio::redirect_error(asio::use_awaitable, ec));
    }

    asio::awaitable<void> write(std::array<asio::const_buffer, 2> pieces, boost::system::error_code& ec) override {
        co_await asio::async_write(socket_, pieces, asio::redirect_error(asio::use_awaitable, ec));
    }

    asio::awaitable<void> finish(boost::system::error_code& ec) override {
        socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ec);
        co_return;
    }

    void cancel() override {
        boost::system::error_code ignored;
        socket_.cancel(ignored);
    }

    void close() override {
        boost::system::error_code ignored;
        socket_.close(ignored);
    }

    asio::ip::tcp::socket& socket() override { return socket_; }

private:
    asio::ip::tcp::socket socket_;
};

class plain final : public transport {
public:
    std::unique_ptr<byte_stream> make(asio::ip::tcp::socket accepted) override {
        return std::make_unique<plain_stream>(std::move(accepted));
    }
    bool is_secure() const override { return false; }
};

std::shared_ptr<transport> plain_transport() { return std::make_shared<plain>(); }

}  // namespace taskflux::detail
