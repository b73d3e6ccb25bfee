#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/detail/lifetime.hpp>
#include <taskflux/detail/nursery.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/http/server/common.hpp>
#include <taskflux/http/server/transport.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace taskflux::detail {

/// A server while it runs: accepts connections on one strand, on which it also looks at what has taken too long; connections have
/// strands of their own. Kept alive by its coroutines.
class server_core : public std::enable_shared_from_this<server_core> {
public:
    server_core(broker_ptr broker, std::shared_ptr<server_common> common, duration drain_for);

    /// Listens at an address, before `live`; returns the port. `redirect_to`: the port to which all are sent; 0: they are served.
    /// Errors: those of the system, with the address.
    std::uint16_t listen(const asio::ip::tcp::endpoint& at, std::shared_ptr<transport> by, std::uint16_t redirect_to);

    const asio::any_io_executor& strand() const { return strand_; }

    /// Serves until `stop`, or until the broker is closed, which throws unless it has been stopped. Returns when no connection is
    /// left.
    asio::awaitable<void> live([[maybe_unused]] std::shared_ptr<asio::thread_pool> none);

    /// Thread-safe; may come before `live`, and more than once.
    void stop();

    /// For a server that is destroyed while it runs: takes nothing more, and cancels what is under way. Thread-safe.
    void abandon();

    std::size_t connections() const { return all_.size(); }

private:
    struct listener {
        asio::ip::tcp::acceptor acceptor;
        std::shared_ptr<transport> by;
        std::uint16_t redirect_to;
    };

    void stop_accepting();
    asio::awaitable<void> accept(listener& on);
    void take(asio::ip::tcp::socket accepted, const std::string& address, const listener& on);
    void begin(asio::ip::tcp::socket accepted, const std::string& address, const listener& on, bool is_refused);

    /// What is to be done about a failure of `accept`. Errors: none; an end of the system's descriptors passes.
    asio::awaitable<void> recover(const boost::system::error_code& why);
    asio::awaitable<void> tick();
    asio::awaitable<void> drain();

    const broker_ptr broker_;
    const std::shared_ptr<server_common> common_;
    const duration drain_for_;
    const asio::any_io_executor strand_;
    const std::shared_ptr<event> changed_;  // a connection has ended, or all are to end
    connection_set all_;
    lifetime life_;
    std::atomic<bool> is_hurried_ = false;

    // On the strand.
    std::vector<std::unique_ptr<listener>> listeners_;
    nursery parts_;
    std::vector<nursery::child> serving_;
    nursery::child ticking_;
    time_point said_ = time_point();  // when it was last said that no connection can be accepted
};

}  // namespace taskflux::detail
