#pragma once

#include <taskflux/broker/broker.hpp>

#include <boost/asio/io_context.hpp>

#include <memory>
#include <tuple>

namespace taskflux::conformance {

/// What the suite runs against: a fresh broker, the context that runs it, and the time it goes by.
class backend {
public:
    virtual ~backend() = default;

    virtual asio::io_context& context() = 0;
    virtual taskflux::broker& broker() = 0;

    /// Moves the broker's time on; the only way in which it moves.
    virtual void advance(duration by) = 0;
};

/// A fresh one of the kind that the environment variable TASKFLUX_BACKEND names: memory (the default), redis,
/// cluster (a Redis server with cluster mode on), or encrypted (memory, with a broker in front that encrypts).
/// TASKFLUX_REDIS_SERVER is the server's executable.
std::unique_ptr<backend> make_backend();

/// How many random walks are taken on a broker of that kind: 10,000 in memory, 500 on a server, or what the
/// environment variable TASKFLUX_WALKS says, for nights.
unsigned number_of_walks();

class selected_backend final : public backend {
public:
    asio::io_context& context() override { return selected_->context(); }
    taskflux::broker& broker() override { return selected_->broker(); }
    void advance(duration by) override { selected_->advance(by); }

private:
    std::unique_ptr<backend> selected_ = make_backend();
};

/// Every case is a template over these, so that a program of ours could name several.
using backends = std::tuple<selected_backend>;

}  // namespace taskflux::conformance
