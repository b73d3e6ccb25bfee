#pragma once

#include <taskflux/fwd.hpp>
#include <taskflux/log.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <array>
#include <cstddef>
#include <memory>

namespace taskflux::detail {

/// The bytes of one connection, plain or encrypted. For the connection's strand; one read and one write at a time. The functions
/// set `ec` where they fail, also when `cancel` ends them.
class byte_stream {
public:
    virtual ~byte_stream() = default;

    /// What comes before the first byte of HTTP.
    virtual asio::awaitable<void> open(boost::system::error_code& ec) = 0;

    /// Returns once there may be something to read, without holding a buffer.
    virtual asio::awaitable<void> wait_readable(boost::system::error_code& ec) = 0;

    virtual asio::awaitable<std::size_t> read_some(asio::mutable_buffer into, boost::system::error_code& ec) = 0;

    /// Writes all of both.
    virtual asio::awaitable<void> write(std::array<asio::const_buffer, 2> pieces, boost::system::error_code& ec) = 0;

    /// Says that nothing more is written.
    virtual asio::awaitable<void> finish(boost::system::error_code& ec) = 0;

    /// Ends what is under way.
    virtual void cancel() = 0;
    virtual void close() = 0;

    /// The socket below, for looks at its state.
    virtual asio::ip::tcp::socket& socket() = 0;
};

/// Makes streams of accepted sockets. Thread-safe.
class transport {
public:
    virtual ~transport() = default;
    virtual std::unique_ptr<byte_stream> make(asio::ip::tcp::socket accepted) = 0;
    virtual bool is_secure() const = 0;

    /// Where troubles are told; before the first `make`.
    virtual void log_to(const log_sink&) {}
};

/// Without encryption.
std::shared_ptr<transport> plain_transport();

}  // namespace taskflux::detail
