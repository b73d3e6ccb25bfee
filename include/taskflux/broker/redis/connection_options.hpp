#pragma once

#include <taskflux/broker/broker_observer.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/fwd.hpp>
#include <taskflux/log.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace taskflux::redis {

/// How a `connection` works. Setters may be chained; the same name without an argument reads.
class connection_options {
public:
    using milliseconds = std::chrono::milliseconds;

    connection_options() = default;

    /// A call ends after this long with `unavailable`; default 5 s. `timeout=` in the URL wins.
    /// Errors: `invalid_argument` unless positive.
    connection_options& timeout(milliseconds limit) {
        timeout_ = positive(limit, "timeout");
        return *this;
    }

    /// Resolving, connecting and the TLS handshake take at most this long each, and a question to a Sentinel a
    /// third of it altogether; default 3 s.
    /// Errors: `invalid_argument` unless positive.
    connection_options& connect_timeout(milliseconds limit) {
        connect_timeout_ = positive(limit, "connect_timeout");
        return *this;
    }

    /// How often a silent server is asked whether it lives; after twice this it is taken for dead and
    /// connected to again. No single command may take that long. Default 2 s. Errors: `invalid_argument`
    /// unless positive.
    connection_options& health_check(milliseconds interval) {
        health_check_ = positive(interval, "health_check");
        return *this;
    }

    /// A durable call waits until so many replicas have what it has done, for as long as a health check but for
    /// at most a third of its timeout; default 0: for none. `durable=` in the URL wins.
    connection_options& durable(unsigned replicas) {
        durable_ = replicas;
        return *this;
    }

    /// Receives a line for each connection lost and regained, and for settings of the server that endanger tasks; default:
    /// they go to standard error.
    connection_options& log(log_sink sink) {
        log_ = std::move(sink);
        return *this;
    }

    /// As of `redis_options`.
    connection_options& observer(std::shared_ptr<broker_observer> to) {
        observer_ = std::move(to);
        call_observer_ = std::dynamic_pointer_cast<broker_call_observer>(observer_);
        return *this;
    }

    milliseconds timeout() const noexcept { return timeout_; }
    milliseconds connect_timeout() const noexcept { return connect_timeout_; }
    milliseconds health_check() const noexcept { return health_check_; }
    unsigned durable() const noexcept { return durable_; }
    const log_sink& log() const noexcept { return log_; }
    const std::shared_ptr<broker_observer>& observer() const noexcept { return observer_; }

    /// The observer, if it learns of calls; else null.
    const std::shared_ptr<broker_call_observer>& call_observer() const noexcept { return call_observer_; }

private:
    static milliseconds positive(milliseconds value, const char* name) {
        if (value > milliseconds::zero()) return value;
        throw error(errc::invalid_argument, std::string("connection_options: ") + name + " must be positive: use a millisecond or more");
    }

    milliseconds timeout_ = std::chrono::seconds(5);
    milliseconds connect_timeout_ = std::chrono::seconds(3);
    milliseconds health_check_ = std::chrono::seconds(2);
    unsigned durable_ = 0;
    log_sink log_;
    std::shared_ptr<broker_observer> observer_;
    std::shared_ptr<broker_call_observer> call_observer_;
};

}  // namespace taskflux::redis
