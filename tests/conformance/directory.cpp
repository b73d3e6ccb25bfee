#include <conformance/fixture.hpp>
#include <taskflux/admin/directory.hpp>
#include <taskflux/admin/node.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/detail/platform/process.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/host.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

// Who is there, and what they can be told, on every broker.
namespace taskflux::conformance {

namespace conformance_directory {

inline constexpr task<void()> wait_long{"wait_long", task_options().queue("q")};
inline constexpr method<void()> nothing{"service", "nothing"};
inline constexpr method<void()> more{"another", "more"};
inline constexpr method<void()> linger{"another", "linger"};

asio::awaitable<void> wait_until_cancelled() {
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

/// A process with a worker.
class process {
public:
    process(fixture& on, std::string_view name)
        : on_(on), worker(on.shared(), worker_options().queues({"q", "other"}).concurrency(2).renewal_thread(false)),
          shown(on.shared(), worker, node_options().name(name).host("host-" + std::string(name)).lease(3s)) {
        worker.on(wait_long, [this]() { return wait(*this); });
    }
    ~process() { stop(); }
    process(const process&) = delete;
    process& operator=(const process&) = delete;

    process& start() {
        running_.emplace(on_.start(shown.run()));
        on_.let_work();
        return *this;
    }
    void stop() {
        if (running_) worker.stop_now();
        end();
    }
    void end() {
        if (running_) running_->get();
        running_.reset();
    }
    bool has_ended() const { return running_->done(); }

    static asio::awaitable<void> wait(process& self) {
        ++self.running;
        asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        --self.running;
        throw retry_after(1s);
    }

private:
    fixture& on_;

public:
    taskflux::worker worker;
    node shown;
    int running = 0;

private:
    std::optional<started<void>> running_;
};

template <class Backend>
struct steering : fixture {
    steering() : fixture(std::make_unique<Backend>()), who(shared()), client(shared()) {}

    static node_filter named(std::string name) {
        node_filter which;
        which.name = std::move(name);
        return which;
    }

    directory who;
    taskflux::client client;
};

}  // namespace conformance_directory

BOOST_AUTO_TEST_SUITE(conformance_directory)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_node_is_shown_with_what_it_runs, Backend, backends) {
    steering<Backend> on;
    BOOST_TEST(on.run(on.who.nodes()).empty());
    process one(on, "one");
    one.start();
    const auto all = on.run(on.who.nodes());
    BOOST_REQUIRE_EQUAL(all.size(), 1U);
    const auto& node = all[0];
    BOOST_TEST(node.name == "one");
    BOOST_TEST(node.host == "host-one");
    BOOST_TEST(node.ip == own_ip());
    BOOST_TEST(node.pid == detail::process_id());
    BOOST_TEST(node.queues == std::vector<std::string>({"q", "other"}), boost::test_tools::per_element());
    BOOST_TEST(node.tasks == std::vector<std::string>({"wait_long"}), boost::test_tools::per_element());
    BOOST_TEST(node.concurrency == 2U);
    BOOST_TEST(node.memory > 0U);
    BOOST_TEST(!node.paused);
    BOOST_TEST(node.running == 0U);
    BOOST_TEST((node.started_at > time_point()));
    on.run(on.client.submit(wait_long));
    on.let_work();
    on.pass(1s);  // the next heartbeat tells of it
    BOOST_TEST(on.run(on.who.nodes()).at(0).running == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_has_ended_is_gone_at_once_and_who_says_nothing_after_its_lease, Backend, backends) {
    steering<Backend> on;
    process one(on, "one");
    one.start();
    for (int i = 0; i < 5; ++i) {
        on.pass(1s);
        BOOST_TEST(on.run(on.who.nodes()).size() == 1U);
    }
    one.stop();
    BOOST_TEST(on.run(on.who.nodes()).empty());
    on.run(on.broker().announce("taskflux/nodes", "dead", encode(node_info()), 3s));
    BOOST_TEST(on.run(on.who.nodes()).size() == 1U);
    on.run(on.broker().announce("taskflux/nodes", "strange", "{", 3s));
    BOOST_TEST(on.run(on.who.nodes()).size() == 1U);
    on.advance(3s);
    BOOST_TEST(on.run(on.who.nodes()).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(services_are_shown_with_their_methods, Backend, backends) {
    steering<Backend> on;
    taskflux::service service(on.shared(), service_options().id("a").host("here").max_running(7));
    service.on(nothing, []() {});
    auto running = on.start(service.run());
    on.let_work();
    const auto all = on.run(on.who.services());
    BOOST_REQUIRE_EQUAL(all.size(), 1U);
    BOOST_TEST(all[0].service == "service");
    BOOST_TEST(all[0].id == "a");
    BOOST_TEST(all[0].host == "here");
    BOOST_TEST(all[0].limit == 7U);
    BOOST_TEST(all[0].methods == std::vector<std::string>({"nothing"}), boost::test_tools::per_element());
    BOOST_TEST(on.run(on.who.services("service")).size() == 1U);
    BOOST_TEST(on.run(on.who.services("another")).empty());
    service.stop();
    running.get();
    BOOST_TEST(on.run(on.who.services()).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_service_of_an_instance_is_shown_with_its_own_methods_and_all_its_calls, Backend, backends) {
    steering<Backend> on;
    taskflux::service service(on.shared(), service_options().id("a").lease(3s).drain_for(0s));
    service.on(more, wait_until_cancelled).on(linger, wait_until_cancelled).on(nothing, wait_until_cancelled);
    auto running = on.start(service.run());
    on.let_work();
    const auto before = on.run(on.who.services());
    BOOST_REQUIRE_EQUAL(before.size(), 2U);
    BOOST_TEST(before[0].methods == (std::vector<std::string>{"linger", "more"}), boost::test_tools::per_element());
    BOOST_TEST(before[1].methods == (std::vector<std::string>{"nothing"}), boost::test_tools::per_element());
    const rpc caller(on.shared());
    auto call = on.start(caller.call(linger));
    on.let_work();
    on.pass(1s);  // the next heartbeat tells of it
    for (const auto& one : on.run(on.who.services())) {
        BOOST_TEST(one.running == 1U);
        BOOST_TEST((one.started_at > time_point() && one.started_at == before[0].started_at));
    }
    service.stop();
    running.get();
    call.cancel();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_change_is_noticed, Backend, backends) {
    steering<Backend> on;
    const auto before = on.run(on.who.view());
    auto change = on.start(on.who.next_change(before, 1min));
    on.pass(2s);
    BOOST_TEST(!change.done());
    process one(on, "one");
    one.start();
    on.pass(1s);
    const auto after = change.get();
    BOOST_TEST(after.nodes.size() == 1U);
    BOOST_TEST(after.services.size() == 1U);
    auto none = on.start(on.who.next_change(after, 5s));
    for (int i = 0; i < 4; ++i) on.pass(1s);
    BOOST_TEST(!none.done());
    on.pass(1s);
    BOOST_TEST(none.get().nodes.size() == 1U);
    auto served = on.start(on.who.next_change(after, 1min));
    taskflux::service service(on.shared());
    service.on(nothing, []() {});
    auto running = on.start(service.run());
    on.let_work();  // it is announced before anybody looks again
    on.pass(2s);
    BOOST_TEST(served.done());  // another service alone is a change
    service.stop();
    running.get();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_several_nodes_those_that_live_are_steered_and_that_one_is_gone_is_told, Backend, backends) {
    steering<Backend> on;
    process one(on, "one");
    one.start();
    for (const std::string id : {"0", "z"}) {  // before and behind it
        node_info dead;
        dead.id = id;
        dead.name = "one";
        on.run(on.broker().announce("taskflux/nodes", dead.id, encode(dead), 1min));
    }
    BOOST_TEST(on.error_of(on.who.set_concurrency(on.named("one"), 5)) == errc::no_instance);
    BOOST_TEST(one.worker.concurrency() == 5U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_concurrency_of_a_worker_changes_while_it_runs, Backend, backends) {
    steering<Backend> on;
    process one(on, "one");
    one.start();
    for (int i = 0; i < 6; ++i) on.run(on.client.submit(wait_long));
    on.let_work();
    BOOST_TEST(one.running == 2);
    const auto told = on.run(on.who.set_concurrency(on.named("one"), 4));
    BOOST_REQUIRE_EQUAL(told.size(), 1U);
    BOOST_TEST(told[0].concurrency == 4U);
    on.let_work();
    BOOST_TEST(one.running == 4);
    BOOST_TEST(on.run(on.who.nodes()).at(0).concurrency == 4U);
    BOOST_TEST(on.error_of(on.who.set_concurrency(on.named("one"), 0)) == errc::invalid_argument);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_paused_worker_takes_nothing_until_it_is_resumed, Backend, backends) {
    steering<Backend> on;
    process one(on, "one");
    one.start();
    BOOST_TEST(on.run(on.who.pause(on.named("one"))).at(0).paused);
    on.run(on.client.submit(wait_long));
    on.let_work();
    BOOST_TEST(one.running == 0);
    on.pass(1s);
    BOOST_TEST(one.running == 0);
    BOOST_TEST(!on.run(on.who.resume(on.named("one"))).at(0).paused);
    on.let_work();
    BOOST_TEST(one.running == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_node_that_is_told_to_stop_gives_its_tasks_back_and_ends, Backend, backends) {
    steering<Backend> on;
    process one(on, "one"), other(on, "other");
    one.start();
    const auto job = on.run(on.client.submit(wait_long));
    on.let_work();
    BOOST_TEST(one.running == 1);
    on.run(on.who.stop(on.named("one")));
    on.let_work();
    one.end();
    BOOST_TEST(one.running == 0);
    BOOST_TEST(on.run(on.who.nodes()).empty());
    BOOST_TEST(!is_terminal(on.run(job.status())));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_node_that_drains_takes_no_more_and_ends_with_what_it_runs, Backend, backends) {
    steering<Backend> on;
    process one(on, "one");
    one.start();
    const auto job = on.run(on.client.submit(wait_long));
    on.let_work();
    on.run(on.who.drain(on.named("one")));
    on.let_work();
    BOOST_TEST(!one.has_ended());
    BOOST_TEST(one.running == 1);
    on.run(on.client.submit(wait_long));
    on.let_work();
    BOOST_TEST(one.running == 1);
    on.run(job.cancel());
    on.pass(2s);
    one.end();
    BOOST_TEST(on.run(on.who.nodes()).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(nodes_are_chosen_by_host_queue_name_and_id, Backend, backends) {
    steering<Backend> on;
    process one(on, "one"), other(on, "other");
    one.start();
    other.start();
    node_filter which;
    which.queue = "other";
    BOOST_TEST(on.run(on.who.set_concurrency(which, 5)).size() == 2U);
    which.host = "host-one";
    BOOST_TEST(on.run(on.who.set_concurrency(which, 6)).size() == 1U);
    BOOST_TEST(one.worker.concurrency() == 6U);
    BOOST_TEST(other.worker.concurrency() == 5U);
    which.host = own_ip();
    BOOST_TEST(on.run(on.who.set_concurrency(which, 7)).size() == 2U);
    node_filter by_id;
    by_id.id = other.shown.info().id;
    BOOST_TEST(on.run(on.who.set_concurrency(by_id, 8)).at(0).name == "other");
    which.queue = "none";
    BOOST_TEST(on.error_of(on.who.set_concurrency(which, 9)) == errc::not_found);
    BOOST_TEST(on.error_of(on.who.pause(on.named("nobody"))) == errc::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_kept_holds_for_a_node_that_is_started_again, Backend, backends) {
    steering<Backend> on;
    {
        process one(on, "one");
        one.start();
        on.run(on.who.set_concurrency(on.named("one"), 9, true));
        on.run(on.who.pause(on.named("one"), true));
    }
    {
        process again(on, "one"), other(on, "other");
        again.start();
        other.start();
        BOOST_TEST(again.worker.concurrency() == 9U);
        BOOST_TEST(again.worker.is_paused());
        BOOST_TEST(other.worker.concurrency() == 2U);
        on.run(on.who.resume(on.named("one"), true));
        on.run(on.who.pause(on.named("other")));
    }
    process forgetful(on, "other");
    forgetful.start();
    BOOST_TEST(!forgetful.worker.is_paused());  // that was not to be kept
    on.run(on.broker().announce("taskflux/settings", "two", "{", 1min));
    process strange(on, "two");
    strange.start();
    BOOST_TEST(strange.worker.concurrency() == 2U);
    process third(on, "one");
    third.start();
    BOOST_TEST(third.worker.concurrency() == 9U);
    BOOST_TEST(!third.worker.is_paused());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
