#include <support/observer.hpp>
#include <support/redis_server.hpp>
#include <taskflux/broker/broker_observer.hpp>
#include <taskflux/broker/redis.hpp>
#include <taskflux/clock.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace redis_unserved {

using namespace std::chrono_literals;
using namespace taskflux;

struct recorder final : broker_observer {
    void on_unserved(const std::string& queue, duration) override { queues.push_back(queue); }
    std::vector<std::string> queues;
};

/// A caller that waits for a result, by a clock that the test moves.
struct waiting_caller {
    waiting_caller() {
        std::vector<new_task> one(1, test::plain_task());
        const auto stored = on.run(on.broker->submit("q", std::move(one)));
        boost::asio::co_spawn(on.io, on.broker->wait({"q", stored.front().key}, (duration::max)()),
                              boost::asio::bind_cancellation_slot(stop.slot(), [this](std::exception_ptr, auto) { is_over = true; }));
        answer();
    }
    ~waiting_caller() { stop.emit(boost::asio::cancellation_type::terminal); }

    void answer() {
        for (int i = 0; i < 4; ++i) on.counts("q");
    }

    void pass(duration total) {
        for (duration passed{}; passed < total; passed += 1s) {
            time.advance(1s);
            answer();
        }
    }

    test::redis_server server;
    manual_clock time;
    std::shared_ptr<recorder> seen = std::make_shared<recorder>();
    std::string said;
    bool is_over = false;
    boost::asio::cancellation_signal stop;
    test::observer on{server.url(), test::patient().observer(seen).log([this](std::string_view text) { (said += text) += '\n'; }), time};
};

}  // namespace redis_unserved

BOOST_FIXTURE_TEST_SUITE(redis_unserved, waiting_caller)

BOOST_AUTO_TEST_CASE(a_queue_that_nobody_serves_is_told_of_once_until_it_has_been_served) {
    pass(9s);
    BOOST_TEST(seen->queues.empty());
    pass(30s);
    BOOST_TEST(seen->queues == std::vector<std::string>{"q"});
    BOOST_TEST(said.find("Redis: no worker serves queue q, and a caller has waited 1") != std::string::npos);

    const std::vector<std::string> queues{"q"};
    on.run(on.broker->join("w", queues, 1h));
    pass(8s);
    on.run(on.broker->leave("w", queues));
    pass(25s);
    BOOST_TEST(seen->queues == (std::vector<std::string>{"q", "q"}));
    BOOST_TEST(!is_over);
}

BOOST_AUTO_TEST_CASE(a_queue_that_is_served_is_not_told_of) {
    const std::vector<std::string> queues{"q"};
    on.run(on.broker->join("w", queues, 1h));
    pass(60s);
    BOOST_TEST(seen->queues.empty());
    BOOST_TEST(!is_over);
}

BOOST_AUTO_TEST_SUITE_END()
