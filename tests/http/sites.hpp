#pragma once

#include "gate.hpp"

#include <support/hang_limit.hpp>
#include <support/redis_server.hpp>
#include <taskflux/broker/memory.hpp>
#include <taskflux/broker/redis.hpp>
#include <taskflux/clock.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace http_test {

using namespace std::chrono_literals;

/// Two gateways on one store, each with a broker of its own where there is a server, in time that stands still until a test moves
/// it. They run on a thread of their own.
class two_gates {
public:
    virtual ~two_gates() = default;

    /// A request to one of the gateways; its answer comes when it is asked for.
    class pending {
    public:
        pending(std::uint16_t port, std::string_view bytes) : line_(std::make_unique<wire>(port)) { line_->send(bytes); }
        std::string get() { return line_->answer(); }

    private:
        std::unique_ptr<wire> line_;
    };

    std::string ask(std::string_view bytes, std::size_t by = 0) { return pending(gates_.at(by)->port(), bytes).get(); }
    pending begin(std::string_view bytes, std::size_t by = 0) { return pending(gates_.at(by)->port(), bytes); }

    /// The answer, while time passes.
    std::string finish(pending& asked, taskflux::duration by_steps = 200ms) {
        auto answer = std::async(std::launch::async, [&] { return asked.get(); });
        while (answer.wait_for(5ms) != std::future_status::ready) pass(by_steps);
        return answer.get();
    }

    template <class T>
    T run(asio::awaitable<T> work) {
        return asio::co_spawn(context_, std::move(work), asio::use_future).get();
    }

    /// Moves time on.
    void pass(taskflux::duration by) {
        pass_on_server(by);
        std::promise<void> done;
        asio::post(context_, [&] {
            clock_.advance(by);
            done.set_value();
        });
        done.get_future().wait();
    }

    const taskflux::broker_ptr& broker(std::size_t of = 0) { return brokers_.at(of < brokers_.size() ? of : 0); }
    taskflux::gateway& gate(std::size_t which) { return *gates_.at(which); }
    taskflux::time_point now() { return clock_.now(); }

    /// Begins to serve, when the gateways are set up.
    void serve() {
        for (auto& one : gates_) {
            one->listen();
            asio::co_spawn(context_, one->run(), asio::detached);
        }
        thread_ = std::thread([this] { context_.run(); });
    }

protected:
    void add(taskflux::broker_ptr broker) { brokers_.push_back(std::move(broker)); }

    void make_gates() {
        const auto silent = [](const taskflux::log_line&, const taskflux::task_id*) {};
        const auto options = taskflux::gateway_options().listen("127.0.0.1", 0).log(silent);
        for (std::size_t i = 0; i < 2; ++i) gates_.push_back(std::make_unique<taskflux::gateway>(broker(i), options));
    }

    void end() {
        for (auto& one : gates_) one->stop();
        std::promise<void> done;
        asio::post(context_, [&] {
            for (auto& one : brokers_) one->close();
            done.set_value();
        });
        if (thread_.joinable()) thread_.join();
    }

    virtual void pass_on_server(taskflux::duration) {}

    taskflux::manual_clock clock_;
    asio::io_context context_;

private:
    std::vector<taskflux::broker_ptr> brokers_;
    std::vector<std::unique_ptr<taskflux::gateway>> gates_;
    std::thread thread_;
};

class memory_gates : public two_gates {
public:
    memory_gates() {
        add(taskflux::make_memory_broker(context_.get_executor(), taskflux::memory_options(), clock_));
        make_gates();
    }
    ~memory_gates() override { end(); }
};

/// On an emptied server, the same for the whole program.
class redis_gates : public two_gates {
public:
    redis_gates() {
        server().command({"FLUSHALL"});
        const auto silent = [](const taskflux::log_line&, const taskflux::task_id*) {};
        const auto patient = taskflux::redis_options().timeout(test::no_timeout).log(silent);
        for (int i = 0; i < 2; ++i) add(taskflux::make_redis_broker(context_.get_executor(), server().url(), patient, clock_));
        make_gates();
    }
    ~redis_gates() override { end(); }

private:
    static test::redis_server& server() {
        static test::redis_server running(test::redis_server_options().frozen_clock());
        return running;
    }
    void pass_on_server(taskflux::duration by) override { server().advance(by); }
};

/// For cases that are templates over them.
using kinds_of_gates = std::tuple<memory_gates, redis_gates>;

}  // namespace http_test
