#include "fixture.hpp"

#include <taskflux/flow/queue_control.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

using namespace test::flow;
using taskflux::limit;
using taskflux::queue_control;

namespace flow_queue_control {

boost::system::error_code code_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const boost::system::system_error& e) {
        return e.code();
    }
    return {};
}

}  // namespace flow_queue_control

BOOST_FIXTURE_TEST_SUITE(flow_queue_control, fixture)

BOOST_AUTO_TEST_CASE(a_worker_declares_its_limits_before_it_fetches) {
    gate closed{here};
    std::size_t most = 0, running = 0;
    worker w{broker, options().concurrency(8)};
    w.on(note, [&](int) -> asio::awaitable<void> {
        most = (std::max)(most, ++running);
        co_await closed.pass();
        --running;
    });
    w.limit("default", limit().running(2)).limit("elsewhere", limit().rate(1, 1s));
    now(client.submit_all(note, std::vector<int>(10)));
    const auto life = start(w.run());
    settle();
    BOOST_TEST(running == 2U);
    closed.open();
    settle();
    BOOST_TEST(most == 2U);
    BOOST_TEST(counts().succeeded == 10U);
    const auto elsewhere = now(queue_control(broker, "elsewhere").limits());
    BOOST_TEST((elsewhere.in_force() == limit().rate(1, 1s)));
}

BOOST_AUTO_TEST_CASE(a_limit_for_a_queue_that_a_worker_does_not_serve_is_told_in_its_log) {
    std::vector<std::string> lines;
    worker w{broker, options().log([&](const taskflux::log_line& line, const taskflux::task_id*) {
        if (line.level == taskflux::log_level::warning) lines.push_back(line.text);
    })};
    w.on(note, [](int) {});
    w.limit("default", limit().running(2)).key_limit("defualt", limit().running(1)).key_limit("defualt", "b", limit().running(2));
    w.limit("gone", limit());
    const auto life = start(w.run());
    settle();
    BOOST_REQUIRE_EQUAL(lines.size(), 1U);
    BOOST_TEST(lines[0].find("it declares a limit of queue defualt, which it does not serve: is the name right? It serves default") !=
               std::string::npos, lines[0]);
}

BOOST_AUTO_TEST_CASE(a_limit_that_a_worker_can_not_declare_is_refused) {
    worker w{broker, options()};
    w.on(note, [](int) {});
    BOOST_TEST((code_of([&] { w.limit("no queue", limit()); }) == errc::invalid_argument));
    w.limit("default", limit().running(1));
    BOOST_TEST((code_of([&] { w.limit("default", limit().running(2)); }) == errc::invalid_argument));
    const auto life = start(w.run());
    settle();
    BOOST_TEST((code_of([&] { w.limit("late", limit().running(2)); }) == errc::wrong_state));
}

BOOST_AUTO_TEST_CASE(a_queue_is_counted_paused_limited_and_cleared_in_one_place) {
    const queue_control queue(broker, "default");
    now(client.submit_all(note, std::vector<int>(2500)));
    now(queue.pause());
    BOOST_TEST(now(queue.counts()).waiting == 2500U);
    BOOST_TEST(now(queue.counts()).paused);
    now(queue.resume());
    BOOST_TEST(!now(queue.counts()).paused);
    now(queue.declare_limit(limit().running(4)));
    now(queue.set_limit(limit().running(1), "slowly"));
    BOOST_TEST((now(queue.limits()).in_force() == limit().running(1)));
    BOOST_TEST(now(queue.limits()).live->reason == "slowly");
    now(queue.reset_limit());
    BOOST_TEST((now(queue.limits()).in_force() == limit().running(4)));
    BOOST_TEST(now(queue.clear(task_state::succeeded)) == 0U);
    BOOST_TEST(now(queue.clear()) == 2500U);
    BOOST_TEST((code_of([&] { queue_control(broker, "no queue"); }) == errc::invalid_argument));
    BOOST_TEST((code_of([&] { queue_control(nullptr, "default"); }) == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(keys_are_limited_in_one_place_and_by_workers) {
    const queue_control queue(broker, "default");
    now(queue.declare_key_limit(limit().running(4)));
    now(queue.set_key_limit(limit().running(1), "slowly"));
    now(queue.declare_key_limit("a", limit().running(7)));
    now(queue.set_key_limit("a", limit().running(8), "paid"));
    auto limits = now(queue.limits());
    BOOST_TEST((limits.each_key.in_force() == limit().running(1)));
    BOOST_TEST((limits.keys.at("a").in_force() == limit().running(8)));
    now(queue.reset_key_limit());
    now(queue.reset_key_limit("a"));
    limits = now(queue.limits());
    BOOST_TEST((limits.each_key.in_force() == limit().running(4)));
    BOOST_TEST((limits.keys.at("a").in_force() == limit().running(7)));
    for (const std::string key : {"", "a\nb"}) {
        BOOST_TEST((code_of([&] { now(queue.set_key_limit(key, limit(), "")); }) == errc::invalid_argument));
    }

    worker w{broker, options()};
    w.on(note, [](int) {});
    w.key_limit("default", limit().running(2)).key_limit("default", "b", limit().running(3)).limit("default", limit().running(9));
    BOOST_TEST((code_of([&] { w.key_limit("default", limit().running(2)); }) == errc::invalid_argument));
    BOOST_TEST((code_of([&] { w.key_limit("default", "", limit().running(2)); }) == errc::invalid_argument));
    const auto life = start(w.run());
    settle();
    limits = now(queue.limits());
    BOOST_TEST((limits.in_force() == limit().running(9)));
    BOOST_TEST((limits.each_key.in_force() == limit().running(2)));
    BOOST_TEST((limits.keys.at("b").in_force() == limit().running(3)));
    w.stop();
    settle();
}

BOOST_AUTO_TEST_CASE(tasks_are_submitted_with_keys) {
    const auto one = now(client.submit(note, submit_options().key("customer/7"), 1));
    BOOST_TEST(now(broker->get(one.id())).value().key == "customer/7");
    for (const std::string key : {"", "a\nb"}) {
        BOOST_TEST((code_of([&] { submit_options().key(key); }) == errc::invalid_argument));
    }
}

BOOST_AUTO_TEST_SUITE_END()
