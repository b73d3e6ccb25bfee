#include <support/observer.hpp>
#include <support/redis_server.hpp>
#include <taskflux/broker/broker_observer.hpp>
#include <taskflux/broker/redis/connection_options.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

// What an observer of a broker is told of its calls and connections.
namespace redis_observed {

using namespace taskflux;

struct calls final : broker_call_observer {
    void on_call(std::string_view call, std::chrono::microseconds took, bool failed) override {
        BOOST_TEST(took.count() >= 0);
        ++all[std::string(call)];
        if (failed) ++failed_ones[std::string(call)];
        throw 1;  // is ignored
    }
    void on_reconnect() override {
        ++reconnects;
        throw 1;
    }

    std::map<std::string, int> all, failed_ones;
    int reconnects = 0;
};

/// Learns of connections, and not of calls.
struct quiet final : broker_observer {
    void on_reconnect() override { ++reconnects; }
    int reconnects = 0;
};

struct fixture {
    test::redis_server server;
    const std::shared_ptr<calls> seen = std::make_shared<calls>();
    test::observer on{server.url(), test::patient().observer(seen)};
};

}  // namespace redis_observed

BOOST_FIXTURE_TEST_SUITE(redis_observed, fixture)

BOOST_AUTO_TEST_CASE(each_call_is_told_by_the_name_of_its_script) {
    on.run(on.broker->submit("q", std::vector<new_task>(1, test::plain_task())));
    on.counts("q");
    BOOST_TEST(seen->all.at("counts") == 1);
    BOOST_TEST((seen->all.contains("enqueue") || seen->all.contains("enqueue_plain")));
    BOOST_TEST(seen->failed_ones.empty());
    BOOST_TEST(seen->reconnects == 0);
}

BOOST_AUTO_TEST_CASE(a_connection_that_comes_back_is_told) {
    on.counts("q");
    server.kill();
    server.start();
    on.counts("q");
    BOOST_TEST(seen->reconnects >= 1);
    BOOST_TEST(seen->failed_ones.empty());  // it was carried out, later
}

BOOST_AUTO_TEST_CASE(an_observer_that_is_not_for_calls_has_none_watched) {
    BOOST_TEST((redis::connection_options().observer(seen).call_observer() == seen));
    const auto other = std::make_shared<quiet>();
    BOOST_TEST(!redis::connection_options().observer(other).call_observer());
    test::observer still(server.url(), test::patient().observer(other));
    still.counts("q");
    server.kill();
    server.start();
    still.counts("q");
    BOOST_TEST(other->reconnects >= 1);
}

BOOST_AUTO_TEST_CASE(a_call_that_fails_is_told_as_one) {
    server.command({"SET", "tf:{q}:c", "of another kind"});
    BOOST_CHECK_THROW(on.counts("q"), error);
    BOOST_TEST(seen->failed_ones.contains("counts"));
}

BOOST_AUTO_TEST_SUITE_END()
