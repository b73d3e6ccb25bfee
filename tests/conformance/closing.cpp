#include <conformance/placing.hpp>

#include <boost/test/unit_test.hpp>

namespace taskflux::conformance {

BOOST_AUTO_TEST_SUITE(conformance_closing)

BOOST_AUTO_TEST_CASE_TEMPLATE(close_ends_every_wait, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto task = place(on, task_state::running);
    auto fetching = on.start(on.broker().fetch(on.request(w, 1, 1h)));
    auto waiting = on.start(on.broker().wait({q, task.key}, 1h));
    auto watching = on.start(on.broker().watch(w, 1h));
    on.broker().close();
    BOOST_TEST(on.error_of(fetching) == errc::shut_down);
    BOOST_TEST(on.error_of(waiting) == errc::shut_down);
    BOOST_TEST(on.error_of(watching) == errc::shut_down);
    on.broker().close();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_closed_broker_refuses_every_call, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto task = place(on, task_state::succeeded);
    auto& broker = on.broker();
    broker.close();
    const task_id id{q, task.key};
    const std::vector<settlement> ends{on.settled(task.last, kind::complete)};
    const auto closed = make_error_code(errc::shut_down);
    BOOST_TEST(on.error_of(broker.submit(q, {on.task()})) == closed);
    BOOST_TEST(on.error_of(broker.join(w, {q}, 1s)) == closed);
    BOOST_TEST(on.error_of(broker.fetch(on.request())) == closed);
    BOOST_TEST(on.error_of(broker.renew(w, {q}, 1s)) == closed);
    BOOST_TEST(on.error_of(broker.watch(w, 1h)) == closed);
    BOOST_TEST(on.error_of(broker.settle(q, w, ends)) == closed);
    BOOST_TEST(on.error_of(broker.report(q, w, {})) == closed);
    BOOST_TEST(on.error_of(broker.leave(w, {q})) == closed);
    BOOST_TEST(on.error_of(broker.wait(id, 0s)) == closed);
    BOOST_TEST(on.error_of(broker.wait(id, 1h)) == closed);
    BOOST_TEST(on.error_of(broker.cancel(q, {task.key})) == closed);
    BOOST_TEST(on.error_of(broker.start(q, {task.key})) == closed);
    BOOST_TEST(on.error_of(broker.promote(q, {task.key})) == closed);
    BOOST_TEST(on.error_of(broker.requeue(q, {task.key})) == closed);
    BOOST_TEST(on.error_of(broker.update(id, "new")) == closed);
    BOOST_TEST(on.error_of(broker.remove(q, {task.key})) == closed);
    BOOST_TEST(on.error_of(broker.clear(q, std::nullopt, 1)) == closed);
    BOOST_TEST(on.error_of(broker.find(q, "mine")) == closed);
    BOOST_TEST(on.error_of(broker.get(id)) == closed);
    BOOST_TEST(on.error_of(broker.list({})) == closed);
    BOOST_TEST(on.error_of(broker.queues()) == closed);
    BOOST_TEST(on.error_of(broker.counts(q)) == closed);
    BOOST_TEST(on.error_of(broker.pause(q)) == closed);
    BOOST_TEST(on.error_of(broker.resume(q)) == closed);
    BOOST_TEST(on.error_of(broker.send("nobody", "text")) == closed);
    BOOST_TEST(on.error_of(broker.announce("board", "it", "text", 1s)) == closed);
    BOOST_TEST(on.error_of(broker.withdraw("board", "it")) == closed);
    BOOST_TEST(on.error_of(broker.announced("board")) == closed);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
