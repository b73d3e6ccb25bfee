#pragma once

#include "gate.hpp"

#include <support/hang_limit.hpp>
#include <support/redis_server.hpp>
#include <taskflux/admin/node.hpp>
#include <taskflux/broker/memory.hpp>
#include <taskflux/broker/redis.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/http.hpp>

#include <boost/describe/class.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace fasttask_test {

using namespace http_test;

struct sides {
    double a{};
    double b{};
};
BOOST_DESCRIBE_STRUCT(sides, (), (a, b))

struct length {
    double hypotenuse{};
};
BOOST_DESCRIBE_STRUCT(length, (), (hypotenuse))

inline constexpr taskflux::task<length(sides)> get_hypotenuse{"get_hypotenuse"};
inline constexpr taskflux::task<length(sides)> wait_for_ever{"wait_for_ever"};
inline constexpr taskflux::task<std::string()> elsewhere{"elsewhere", taskflux::task_options().queue("other")};

inline asio::awaitable<length> compute(sides given) {
    if (given.a <= 0 || given.b <= 0) throw std::invalid_argument("side length must > 0");
    length made;
    made.hypotenuse = given.a * given.a + given.b * given.b;
    co_return made;
}

/// Until it is cancelled.
inline asio::awaitable<length> hang(sides) {
    asio::steady_timer never(co_await asio::this_coro::executor, (asio::steady_timer::time_point::max)());
    co_await never.async_wait(asio::use_awaitable);
    length none;
    co_return none;
}

inline asio::awaitable<std::string> far() {
    std::string text("far \xc3\xa9");
    co_return text;
}

inline std::string text_of(const boost::json::value& value) { return std::string(value.as_string()); }

enum class place { memory, redis };
struct on_memory {
    static constexpr auto where = place::memory;
};
struct on_redis {
    static constexpr auto where = place::redis;
};
using places = std::tuple<on_memory, on_redis>;

/// A FastTask deployment: gateways over one broker, or, on Redis, each with its own, and a worker once it is wanted. On a thread
/// of its own from `begin` on.
class deployment {
public:
    explicit deployment(place where, taskflux::fasttask_options options = taskflux::fasttask_options(),
                        taskflux::clock& clock = taskflux::real_clock())
        : where_(where), options_(std::move(options)), clock_(clock) {
        if (where_ == place::redis) server().command({"FLUSHALL"});
        else memory_ = taskflux::make_memory_broker(context.get_executor(), taskflux::memory_options(), clock_);
        broker = make_broker();
        add_gateway();
    }
    ~deployment() { end(); }

    taskflux::gateway& add_gateway(std::string_view prefix = "/") {
        auto options = taskflux::gateway_options().listen("127.0.0.1", 0).log(nullptr);
        auto& made = *gateways.emplace_back(std::make_unique<taskflux::gateway>(make_broker(), options));
        made.expose(get_hypotenuse).expose(wait_for_ever).expose(elsewhere).mount(taskflux::fasttask_dialect(options_), prefix);
        return made;
    }

    void begin(bool with_worker = true) {
        for (const auto& one : gateways) {
            one->listen();
            asio::co_spawn(context, one->run(), asio::detached);
        }
        if (with_worker) {
            auto options = taskflux::worker_options().name("worker-1").log(nullptr).concurrency(8);
            worker = std::make_unique<taskflux::worker>(make_broker(), options);
            worker->on(get_hypotenuse, compute).on(wait_for_ever, hang).on(elsewhere, far);
            node = std::make_unique<taskflux::node>(broker, *worker, taskflux::node_options().name("worker-1").log(nullptr));
            asio::co_spawn(context, node->run(), asio::detached);
        }
        thread_ = std::thread([this] { context.run(); });
    }

    void end() {
        if (!thread_.joinable()) return;
        for (const auto& one : gateways) one->stop();
        if (worker) worker->stop();
        for (const auto& one : brokers_) asio::post(context, [one] { one->close(); });
        thread_.join();
    }

    /// Does something on the thread of what waits.
    template <class Function>
    void there(Function what) {
        std::promise<void> done;
        asio::post(context, [&] {
            what();
            done.set_value();
        });
        done.get_future().wait();
    }

    /// Awaits a call of the broker.
    template <class T>
    T await(asio::awaitable<T> call) {
        return asio::co_spawn(context, std::move(call), asio::use_future).get();
    }

    /// One call on a new connection, as the clients make it; `at`: which gateway.
    std::string ask(std::string_view bytes, std::size_t at = 0) { return wire(gateways[at]->port()).ask(bytes); }

    std::string post_json(std::string_view path, std::string_view text, std::size_t at = 0) {
        return ask(post(path, text, "Content-Type: application/json\r\n"), at);
    }

    /// The answer's body, which must be 200.
    boost::json::value told(const std::string& answer) {
        if (status(answer) != 200) throw std::runtime_error("unexpected answer: " + answer);
        return boost::json::parse(body(answer));
    }

    std::string create(std::string_view task, std::string_view params = R"({"a": 3, "b": 4})", std::size_t at = 0) {
        const auto made = told(post_json("/create/" + std::string(task), params, at));
        if (made.at("state") != "PENDING") throw std::runtime_error("it was not created: " + boost::json::serialize(made));
        return std::string(made.at("id").as_string());
    }

    boost::json::value check(std::string_view task, std::string_view id, std::size_t at = 0) {
        return told(ask(get("/check/" + std::string(task) + "?result_id=" + http::percent_encoded(id)), at));
    }

    std::string state(std::string_view task, std::string_view id, std::size_t at = 0) {
        return std::string(check(task, id, at).at("state").as_string());
    }

    boost::json::value revoke(std::string_view id, std::size_t at = 0) {
        return told(post_json("/revoke", R"({"result_id": ")" + std::string(id) + "\"}", at));
    }

    /// Checks until the task is in that state.
    bool comes_to(std::string_view wanted, std::string_view task, std::string_view id, std::size_t at = 0) {
        return test::eventually([&] { return state(task, id, at) == wanted; });
    }

    asio::io_context context;
    std::vector<std::unique_ptr<taskflux::gateway>> gateways;
    taskflux::broker_ptr broker;  // for the test itself
    std::unique_ptr<taskflux::worker> worker;
    std::unique_ptr<taskflux::node> node;

private:
    static test::redis_server& server() {
        static test::redis_server running;
        return running;
    }

    taskflux::broker_ptr make_broker() {
        if (memory_) return brokers_.empty() ? brokers_.emplace_back(memory_) : memory_;
        const auto patient = taskflux::redis_options().timeout(test::no_timeout).log(nullptr);
        return brokers_.emplace_back(taskflux::make_redis_broker(context.get_executor(), server().url(), patient, clock_));
    }

    const place where_;
    const taskflux::fasttask_options options_;
    taskflux::clock& clock_;
    taskflux::broker_ptr memory_;
    std::vector<taskflux::broker_ptr> brokers_;
    std::thread thread_;
};

}  // namespace fasttask_test
