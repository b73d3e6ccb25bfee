#include "fixture.hpp"

#include <taskflux/flow/connect.hpp>

using namespace test::flow;

BOOST_AUTO_TEST_SUITE(flow_connect)

BOOST_AUTO_TEST_CASE(memory_is_the_embedded_broker) {
    asio::io_context io;
    const auto broker = taskflux::connect(io.get_executor(), "memory://");
    const auto submitted = start_on(io.get_executor(), taskflux::client(broker).submit(twice, 1));
    io.run();
    BOOST_TEST(submitted->value.has_value());
}

BOOST_AUTO_TEST_CASE(a_redis_broker_keeps_its_context_running_until_it_is_closed) {
    asio::io_context io;
    const auto broker = taskflux::connect(io.get_executor(), "redis://127.0.0.1:1");
    io.poll();
    BOOST_TEST(!io.stopped());
    broker->close();
    io.run();
    BOOST_TEST(io.stopped());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_opened_is_refused_with_a_reason) {
    asio::io_context io;
    const auto refusal = [&](std::string_view url) {
        try {
            taskflux::connect(io.get_executor(), url);
        } catch (const taskflux::error& e) {
            return std::pair(e.code() == errc::invalid_argument, std::string(e.what()));
        }
        return std::pair(false, std::string("accepted"));
    };
    BOOST_TEST(refusal("memory").first);
    BOOST_TEST(refusal("").first);
    BOOST_TEST(refusal("memory://somewhere").first);
    BOOST_TEST(refusal("redis://host:99999").first);
    BOOST_TEST(refusal("redis://user:secret@").second.find("secret") == std::string::npos);
    BOOST_TEST(refusal("user:secret@host").second.find("secret") == std::string::npos);
    BOOST_TEST(refusal("carrier-pigeon://").second.find("its scheme is not known; use memory://") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
