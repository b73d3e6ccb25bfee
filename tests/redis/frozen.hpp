#pragma once

#include <conformance/fixture.hpp>
#include <support/hang_limit.hpp>
#include <support/redis_server.hpp>
#include <taskflux/broker/redis.hpp>
#include <taskflux/clock.hpp>

#include <boost/asio/io_context.hpp>

#include <memory>

namespace test {

/// A broker and its server, whose time moves only when it is told to.
class frozen_backend final : public taskflux::conformance::backend {
public:
    ~frozen_backend() override {
        broker_->close();
        context_.restart();
        context_.run();
    }

    boost::asio::io_context& context() override { return context_; }
    taskflux::broker& broker() override { return *broker_; }
    void advance(taskflux::duration by) override {
        server.advance(by);
        clock_.advance(by);
    }

    redis_server server{redis_server_options().frozen_clock()};

private:
    taskflux::manual_clock clock_;
    boost::asio::io_context context_;
    taskflux::broker_ptr broker_ = taskflux::make_redis_broker(context_.get_executor(), server.url(),
                                                               taskflux::redis_options().timeout(no_timeout), clock_);
};

/// The conformance suite's fixture, for tests that also do something to the server.
class frozen_fixture : public taskflux::conformance::fixture {
    explicit frozen_fixture(std::unique_ptr<frozen_backend> on) : frozen_fixture(on.release()) {}
    explicit frozen_fixture(frozen_backend* on)
        : fixture(std::unique_ptr<taskflux::conformance::backend>(on)), server(on->server), io_(on->context()) {}

public:
    frozen_fixture() : frozen_fixture(std::make_unique<frozen_backend>()) {}

    /// Another broker on the same context, in real time. To be closed.
    taskflux::broker_ptr another(const taskflux::redis_options& options = taskflux::redis_options()) {
        return taskflux::make_redis_broker(io_.get_executor(), server.url(), taskflux::redis_options(options).timeout(no_timeout));
    }

    redis_server& server;

private:
    boost::asio::io_context& io_;
};

}  // namespace test
