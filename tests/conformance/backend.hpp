#pragma once

#include <taskflux/broker/memory.hpp>
#include <taskflux/clock.hpp>

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

class memory_backend final : public backend {
public:
    asio::io_context& context() override { return context_; }
    taskflux::broker& broker() override { return *broker_; }
    void advance(duration by) override { clock_.advance(by); }

private:
    manual_clock clock_;
    asio::io_context context_;
    std::shared_ptr<taskflux::broker> broker_ =
        make_memory_broker(context_.get_executor(), memory_options{}, clock_);
};

/// Every broker that has to pass.
using backends = std::tuple<memory_backend>;

}  // namespace taskflux::conformance
