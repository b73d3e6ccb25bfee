#pragma once

#include <support/observer.hpp>
#include <support/redis_client.hpp>
#include <support/redis_server.hpp>
#include <taskflux/broker/redis.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using taskflux::delivery;
using taskflux::duration;
using taskflux::fetch_request;
using taskflux::manual_clock;
using taskflux::new_task;

/// A fetch that may still sleep.
struct sleeping_fetch {
    bool has_ended = false;
    std::vector<delivery> found;
};

/// A process that serves many queues, another one that submits, and a server whose time moves only when it is told to.
struct many_queues_fixture {
    static std::vector<std::string> names(std::size_t count) {
        std::vector<std::string> all;
        for (std::size_t i = 0; i < count; ++i) all.push_back("q" + std::to_string(i));
        return all;
    }

    fetch_request request(const std::vector<std::string>& queues, duration wait) const {
        fetch_request made;
        made.consumer = "w";
        made.queues = queues;
        made.max = 10;
        made.wait = wait;
        return made;
    }

    std::shared_ptr<sleeping_fetch> start(const std::vector<std::string>& queues) { return fetch_in(on, request(queues, 1h)); }

    static std::shared_ptr<sleeping_fetch> fetch_in(test::observer& where, fetch_request what) {
        const auto made = std::make_shared<sleeping_fetch>();
        asio::co_spawn(where.io, where.broker->fetch(std::move(what)), [made](std::exception_ptr, std::vector<delivery> found) {
            made->has_ended = true;
            made->found = std::move(found);
        });
        return made;
    }

    /// Has it sleep in all its queues.
    std::shared_ptr<sleeping_fetch> put_to_sleep(const std::vector<std::string>& queues) {
        auto made = start(queues);
        for (const auto& name : queues) until([&] { return sleeps_in(name); });
        return made;
    }

    bool sleeps_in(const std::string& queue) { return server.command({"ZCARD", key(queue, "i")}).integer() > 0; }

    void submit(const std::string& queue, duration delay = {}) {
        std::vector<new_task> one(1, test::plain_task());
        one.front().delay = delay;
        other.run(other.broker->submit(queue, std::move(one)));
    }

    /// Time goes on for the server and for all processes.
    void advance(duration by) {
        server.advance(by);
        clock.advance(by);
    }

    template <class Condition>
    void until(Condition condition) {
        on.run(poll(std::move(condition)));
    }

    template <class Condition>
    static asio::awaitable<void> poll(Condition condition) {
        asio::steady_timer timer(co_await asio::this_coro::executor);
        const auto limit = std::chrono::steady_clock::now() + test::hang_limit;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("it does not come about");
            timer.expires_after(1ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
    }

    static std::string key(const std::string& queue, const std::string& letter) { return "tf:{" + queue + "}:" + letter; }

    std::int64_t scripts_run() {
        const auto all = server.command({"INFO", "commandstats"}).text;
        const auto at = all.find("cmdstat_evalsha:calls=");
        return at == std::string::npos ? 0 : std::stoll(all.substr(at + 22));
    }

    std::size_t times_said(std::string_view text) const {
        std::size_t times = 0;
        for (auto at = said.find(text); at != std::string::npos; at = said.find(text, at + 1)) ++times;
        return times;
    }

    test::redis_server server{test::redis_server_options().frozen_clock()};
    manual_clock clock;
    std::string said;
    test::observer other{server.url(), test::patient(), clock};
    test::observer on{server.url(), test::patient().log([this](std::string_view text) {
        said += text;
        said += '\n';
    }), clock};
};

}  // namespace test
