#include "backend.hpp"

#include <support/hang_limit.hpp>
#include <support/redis_server.hpp>
#include <taskflux/broker/memory.hpp>
#include <taskflux/broker/redis.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/codec/coded.hpp>
#include <taskflux/codec/encrypted.hpp>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace taskflux::conformance {

namespace {

class memory_backend final : public backend {
public:
    asio::io_context& context() override { return context_; }
    taskflux::broker& broker() override { return *broker_; }
    void advance(duration by) override { clock_.advance(by); }

private:
    manual_clock clock_;
    asio::io_context context_;
    broker_ptr broker_ = make_memory_broker(context_.get_executor(), memory_options{}, clock_);
};

/// An emptied server, the same for the whole program.
class redis_backend final : public backend {
public:
    explicit redis_backend(bool with_cluster) : server_(server(with_cluster)) {
        server_.command({"FLUSHALL"});
        const auto patient = redis_options().timeout(test::no_timeout);
        broker_ = make_redis_broker(context_.get_executor(), server_.url(), patient, clock_);
    }

    ~redis_backend() override {
        broker_->close();
        context_.restart();
        context_.run();
    }

    asio::io_context& context() override { return context_; }
    taskflux::broker& broker() override { return *broker_; }
    void advance(duration by) override {
        server_.advance(by);
        clock_.advance(by);
    }

private:
    static test::redis_server& server(bool with_cluster) {
        auto options = test::redis_server_options().frozen_clock();
        static test::redis_server running(with_cluster ? options.cluster() : options);
        return running;
    }

    test::redis_server& server_;
    manual_clock clock_;
    asio::io_context context_;
    broker_ptr broker_;
};

/// Another one, with an encrypted broker in front of its own.
class encrypted_backend final : public backend {
public:
    explicit encrypted_backend(std::unique_ptr<backend> behind) : behind_(std::move(behind)) {
        const broker_ptr inner(broker_ptr(), &behind_->broker());
        broker_ = coded(inner, {encrypted(key_ring("k1", encryption_key(std::string(encryption_key::size, 'a'))))});
    }

    asio::io_context& context() override { return behind_->context(); }
    taskflux::broker& broker() override { return *broker_; }
    void advance(duration by) override { behind_->advance(by); }

private:
    std::unique_ptr<backend> behind_;
    broker_ptr broker_;
};

std::string from_environment(const char* name, std::string otherwise) {
    const char* const value = std::getenv(name);
    return value ? value : otherwise;
}

std::string backend_name() { return from_environment("TASKFLUX_BACKEND", "memory"); }

}  // namespace

unsigned number_of_walks() {
    return unsigned(std::stoul(from_environment("TASKFLUX_WALKS", backend_name() == "memory" ? "10000" : "500")));
}

std::unique_ptr<backend> make_backend() {
    const auto name = backend_name();
    if (name == "memory") return std::make_unique<memory_backend>();
    if (name == "redis" || name == "cluster") return std::make_unique<redis_backend>(name == "cluster");
    if (name == "encrypted") return std::make_unique<encrypted_backend>(std::make_unique<memory_backend>());
    throw std::runtime_error("TASKFLUX_BACKEND is " + name + ", it may be memory, redis, cluster or encrypted");
}

}  // namespace taskflux::conformance
