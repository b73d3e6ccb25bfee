#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker_observer.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/log.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

namespace taskflux {

/// How a Redis broker talks to its server. What the URL says wins.
class redis_options {
public:
    redis_options() {}

    /// A call ends after this long with `errc::unavailable`; default 5 s.
    redis_options& timeout(duration limit) { return timeout_ = limit, *this; }

    /// Receives a line for each connection lost and regained, and for settings of the server that endanger tasks, and
    /// when callers wait for tasks of a queue that no worker serves; default: they go to standard error.
    redis_options& log(log_sink sink) { return log_ = std::move(sink), *this; }

    /// Is told when callers wait for tasks of a queue that no worker serves, beside the log; default: none.
    redis_options& observer(std::shared_ptr<broker_observer> to) { return observer_ = std::move(to), *this; }

    /// A submission returns only when so many replicas have its tasks (WAIT), so that they outlive the master;
    /// default 0. With fewer after 2 s, or a third of the timeout, it ends with `errc::unavailable`: the master has the
    /// tasks, and they may run. To submit them again without doing so twice, give them ids of their own.
    redis_options& durable(unsigned replicas) { return durable_ = replicas, *this; }

    duration timeout() const { return timeout_; }
    unsigned durable() const { return durable_; }
    const log_sink& log() const { return log_; }
    const std::shared_ptr<broker_observer>& observer() const { return observer_; }

private:
    duration timeout_ = std::chrono::seconds(5);
    unsigned durable_ = 0;
    log_sink log_;
    std::shared_ptr<broker_observer> observer_;
};

/// A broker on a Redis (6.2 or newer) or Valkey server: redis://[user:password@]host[:port][/database],
/// rediss:// for TLS, redis+unix:///path for a socket; redis+sentinel://[user:password@]a,b,c/master and
/// rediss+sentinel:// for the master that Sentinels tell of. Options: ?timeout=5s, durable=1, db=1; prefix=, with which keys
/// and channels begin, default "tf"; ca=, cert=
/// and key= (files) over TLS; sentinel_user= and sentinel_password= where those differ from the servers, to which
/// what is before the '@' belongs. Connects by itself, now and after every loss or failover. It keeps the
/// executor's context running until it is closed or destroyed.
///
/// Waits go by `base` (see `clock::shared`); tasks' times are the server's, and so is `clock()`.
/// Errors: `invalid_argument` for the URL. Needs <taskflux/src.hpp> in one source file.
broker_ptr make_redis_broker(asio::any_io_executor executor, std::string_view url,
                             const redis_options& options = redis_options(), taskflux::clock& base = real_clock());

}  // namespace taskflux
