#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace test {

/// Stands between clients and a server on this machine, forwards what it reads, and breaks what it is told to break.
/// It runs on a thread of its own; a call has taken effect when it returns. Thread-safe.
class proxy {
public:
    enum class direction { to_server, to_client };

    /// Listens on a free loopback port at once; the server need not be there yet.
    explicit proxy(std::uint16_t server_port);
    ~proxy();

    std::uint16_t port() const;

    /// Once: forwards exactly that many more bytes in this direction, counted over all connections, and cuts the
    /// connection that carried the last of them on both sides. With 0 the next byte cuts, and is not forwarded.
    void cut_after(direction way, std::size_t bytes);
    /// Cuts every connection there is.
    void cut();
    /// Whether new connections are refused, as by a machine on which nothing listens. Those there are stay.
    void refuse(bool on);
    /// Whether nothing is forwarded: connections are accepted and read, and nothing comes out. What was held back
    /// is forwarded when this ends.
    void stall(bool on);

    std::size_t accepted() const;  ///< Connections so far.
    std::size_t open() const;      ///< Connections now.
    std::size_t cuts() const;      ///< How many times cut_after() has cut.
    std::size_t forwarded(direction way) const;  ///< Bytes so far, over all connections.

private:
    class core;

    std::unique_ptr<core> core_;
};

}  // namespace test
