#include <support/observer.hpp>
#include <support/redis_server.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

namespace redis_prefix {

using namespace boost::asio::experimental::awaitable_operators;

inline constexpr taskflux::task<std::string(std::string)> echo{"echo"};

boost::asio::awaitable<std::string> ask(taskflux::client client, taskflux::worker& worker, std::string what) {
    auto answer = co_await client.run(echo, what);
    worker.stop();
    co_return answer;
}

}  // namespace redis_prefix

BOOST_AUTO_TEST_SUITE(redis_prefix)

BOOST_AUTO_TEST_CASE(programs_with_other_prefixes_share_a_server_and_nothing_else) {
    test::redis_server server;
    // The rights of each end at its prefix.
    for (const std::string name : {"one", "two"}) {
        server.command({"ACL", "SETUSER", name, "on", ">s3cret", "~" + name + ":*", "&" + name + ":*", "+@all"});
    }
    const auto url = [&server](const std::string& name) {
        return "redis://" + name + ":s3cret@127.0.0.1:" + std::to_string(server.port()) + "?prefix=" + name;
    };
    test::observer one(url("one")), two(url("two"));
    one.run(one.client.submit(echo, "of one"));
    BOOST_TEST(one.run(one.broker->counts("default")).waiting == 1U);
    BOOST_TEST(two.run(two.broker->counts("default")).waiting == 0U);
    BOOST_TEST(two.run(two.broker->queues()).empty());

    taskflux::worker worker{two.broker, taskflux::worker_options().renewal_thread(false).cpu(two.io.get_executor())};
    worker.on(echo, [](std::string what) { return what; });
    BOOST_TEST(two.run(worker.run() && ask(two.client, worker, "of two")) == "of two");
    BOOST_TEST(one.run(one.broker->counts("default")).waiting == 1U);

    for (const auto& key : server.command({"KEYS", "*"}).texts()) {
        BOOST_TEST((key.starts_with("one:") || key.starts_with("two:")), key);
    }
}

BOOST_AUTO_TEST_SUITE_END()
