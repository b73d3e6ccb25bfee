#include "gate.hpp"

#include <boost/describe/class.hpp>

#include <sys/resource.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace http_threads {

using namespace http_test;
using namespace std::chrono_literals;

struct nothing {
    int x = 0;
};
BOOST_DESCRIBE_STRUCT(nothing, (), (x))

inline constexpr taskflux::task<void(nothing)> idle{"idle"};

struct threaded : gate {
    threaded() {
        gateway.expose(idle);
        begin();
        for (int i = 0; i < 3; ++i) others.emplace_back([this] { context.run(); });
    }
    ~threaded() {
        end();
        for (auto& one : others) one.join();
    }

    std::vector<std::thread> others;
};

BOOST_FIXTURE_TEST_SUITE(http_threads, threaded)

BOOST_AUTO_TEST_CASE(several_threads_serve_many_clients) {
    std::atomic<int> good = 0;
    std::vector<std::thread> clients;
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back([&] {
            for (int j = 0; j < 25; ++j) {
                auto one = connect();
                if (status(one.ask(post("/v1/tasks/idle", "{}"))) == 202) ++good;
                if (status(one.ask(get("/livez"))) == 200) ++good;
            }
        });
    }
    for (auto& one : clients) one.join();
    BOOST_TEST(good == 8 * 25 * 2);
}

BOOST_AUTO_TEST_CASE(a_gateway_may_be_stopped_while_clients_come_and_go) {
    std::atomic<bool> is_over = false;
    std::atomic<int> answered = 0;
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i) {
        clients.emplace_back([&, i] {
            while (!is_over) {
                try {
                    auto one = connect();
                    if (i % 2 == 0) one.send(post("/v1/tasks/idle?wait=1h", "{}"));
                    else if (status(one.ask(get("/livez"))) == 200) ++answered;
                } catch (const boost::system::system_error&) {  // it listens no more
                }
            }
        });
    }
    while (answered < 20) std::this_thread::yield();
    end();
    is_over = true;
    for (auto& one : clients) one.join();
    BOOST_TEST(!failure);
    BOOST_TEST(gateway.connections() == 0U);
}

BOOST_AUTO_TEST_CASE(a_system_without_descriptors_delays_clients_and_does_not_end_the_gateway) {
    rlimit before{};
    BOOST_REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    BOOST_TEST(status(ask(get("/livez"))) == 200U);
    asio::io_context mine;
    tcp::socket probe(mine, tcp::v4());  // its number is the lowest that is free
    rlimit tight = before;
    tight.rlim_cur = static_cast<rlim_t>(probe.native_handle()) + 1;
    BOOST_REQUIRE(setrlimit(RLIMIT_NOFILE, &tight) == 0);
    probe.connect(tcp::endpoint(asio::ip::address_v4::loopback(), gateway.port()));  // nothing is left to accept it with
    const auto is_said = [&] {
        for (const auto& line : said()) {
            if (line.text.find("no connection can be accepted now") != std::string::npos) return true;
        }
        return false;
    };
    while (!is_said()) std::this_thread::yield();
    BOOST_REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
    BOOST_TEST(status(ask(get("/livez"))) == 200U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_threads
