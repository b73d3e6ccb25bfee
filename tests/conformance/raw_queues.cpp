#include <conformance/fixture.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/raw_queue.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/describe/class.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Raw queues: bytes sent and received without contracts and handlers, on every broker.
namespace taskflux::conformance {

struct sum_args {
    int a = 0;
    int b = 0;
};
BOOST_DESCRIBE_STRUCT(sum_args, (), (a, b))

namespace conformance_raw_queues {

inline constexpr task<int(sum_args)> sum{"sum", task_options().queue("q")};

using received = std::optional<received_message>;

struct raw_fixture : fixture {
    explicit raw_fixture(std::unique_ptr<backend> on) : fixture(std::move(on)) {}

    raw_queue queue(duration length = lease) { return raw_queue(shared(), q, raw_queue_options().lease(length)); }

    void send(const std::string& bytes) { run(queue().send(bytes)); }

    received_message take(const raw_queue& from) {
        auto got = run(from.receive(0ms));
        BOOST_REQUIRE(got.has_value());
        return std::move(*got);
    }
    bool is_empty(const raw_queue& which) { return !run(which.receive(0ms)).has_value(); }
};

}  // namespace conformance_raw_queues

BOOST_AUTO_TEST_SUITE(conformance_raw_queues)

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_sent_is_received_byte_by_byte_and_in_order, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    const std::vector<std::string> sent = {std::string("\0\xff\n", 3), "", R"({"a":1})", std::string(100'000, 'x')};
    for (const auto& bytes : sent) on.send(bytes);
    const auto queue = on.queue();
    for (const auto& bytes : sent) {
        auto got = on.take(queue);
        BOOST_TEST((got.body() == bytes));
        BOOST_TEST(got.name() == "message");
        BOOST_TEST(got.deliveries() == 1U);
        BOOST_TEST(on.run(got.complete()) == effect::done);
    }
    BOOST_TEST(on.is_empty(queue));
    BOOST_TEST(on.counts().succeeded == sent.size());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_sender_says_of_a_message_travels_with_it, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    const auto sent = on.run(on.queue().send("x", submit_options().id("order 7").header("trace", "1").queue("elsewhere")));
    on.run(on.queue().send("urgent", submit_options().priority(1)));
    const auto queue = on.queue();
    BOOST_TEST(on.take(queue).body() == "urgent");
    on.let_work();  // which was dropped, and so comes again
    BOOST_TEST(on.run(on.take(queue).complete()) == effect::done);
    auto got = on.take(queue);
    BOOST_TEST((got.id() == sent.id()));
    BOOST_TEST(got.own_id() == "order 7");
    BOOST_TEST(got.headers().at("trace") == "1");
    BOOST_TEST((got.submitted_at() > time_point()));
    BOOST_TEST(on.run(on.queue().send("again", submit_options().id("order 7"))).is_duplicate());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(messages_have_keys_which_their_limits_count_by, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    on.run(on.broker().set_key_limit(q, "", limit_kind::declared, limit().running(1), ""));
    const auto queue = on.queue();
    for (const std::string body : {"first", "second"}) on.run(queue.send(body, submit_options().key("a")));
    on.run(queue.send("other", submit_options().key("b")));
    auto first = on.take(queue);
    auto other = on.take(queue);
    BOOST_TEST(first.body() == "first");
    BOOST_TEST(other.body() == "other");
    BOOST_TEST(on.is_empty(queue));
    BOOST_TEST(on.run(first.complete()) == effect::done);
    BOOST_TEST(on.take(queue).body() == "second");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_message_whose_result_is_too_large_is_still_held, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    on.send("x");
    auto got = on.take(on.queue());
    BOOST_CHECK_EXCEPTION(on.run(got.complete(std::string((64 << 20) + 1, '1'))), error, [](const error& e) {
        return e.code() == errc::too_large && std::string(e.what()).starts_with("a result of 67108865 bytes is not stored");
    });
    BOOST_TEST((on.run(got.complete("1")) == effect::done));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_receiver_waits_for_a_message, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    const auto queue = on.queue();
    auto waiting = on.start(queue.receive());
    on.let_work();
    on.pass(10min);  // longer than its lease and each of its fetches
    BOOST_TEST(on.still_waiting(waiting));
    on.send("x");
    BOOST_TEST(waiting.get()->body() == "x");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_receiver_gives_up_when_its_time_is_over, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    const auto queue = on.queue();
    auto waiting = on.start(queue.receive(7s));
    on.let_work();
    on.pass(5s);
    BOOST_TEST(on.still_waiting(waiting));
    on.pass(2s);
    BOOST_TEST(!waiting.get().has_value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_message_goes_to_one_receiver, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    const auto first = on.queue(), second = on.queue();
    auto one = on.start(first.receive());
    auto other = on.start(second.receive());
    auto third = on.start(first.receive());
    for (const std::string bytes : {"a", "b", "c"}) on.send(bytes);
    std::vector<received> got;
    got.push_back(one.get());
    got.push_back(other.get());
    got.push_back(third.get());
    std::string all;
    for (const auto& message : got) all += message->body();
    std::ranges::sort(all);
    BOOST_TEST(all == "abc");
    BOOST_TEST(on.counts().running == 3U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_released_message_comes_again_before_others, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    on.send("a");
    on.send("b");
    const auto queue = on.queue();
    auto got = on.take(queue);
    BOOST_TEST(on.run(got.release()) == effect::done);
    auto again = on.take(queue);
    BOOST_TEST(again.body() == "a");
    BOOST_TEST(again.deliveries() == 2U);
    BOOST_TEST(on.record(again.id().key).attempts == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_message_that_is_released_for_later_comes_later, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    on.send("a");
    const auto queue = on.queue();
    BOOST_TEST(on.run(on.take(queue).release(20s)) == effect::done);
    on.pass(20s - 1ms);
    BOOST_TEST(on.is_empty(queue));
    on.pass(1ms);
    auto again = on.take(queue);
    BOOST_TEST(again.body() == "a");
    BOOST_TEST(on.record(again.id().key).attempts == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_message_that_is_released_for_ever_is_kept, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    for (const auto delay : {raw_queue::forever, raw_queue::forever - 1ms, raw_queue::forever / 2}) {
        const auto sent = on.run(on.queue().send("a"));
        const auto queue = on.queue();
        BOOST_TEST(on.run(on.take(queue).release(delay)) == effect::done);
        on.pass(1h);
        BOOST_TEST(on.is_empty(queue));
        BOOST_TEST(on.state(sent.id().key) == task_state::scheduled);
        BOOST_TEST(on.promote(sent.id().key) == effect::done);
        auto again = on.take(queue);
        BOOST_TEST(on.run(again.complete()) == effect::done);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_message_that_is_dropped_is_given_back, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    on.send("a");
    const auto queue = on.queue();
    {
        const auto dropped = on.take(queue);
        BOOST_TEST(on.counts().running == 1U);
    }
    on.let_work();
    BOOST_TEST(on.counts().waiting == 1U);
    auto again = on.take(queue);
    BOOST_TEST(on.record(again.id().key).crashes == 0U);
    again = received_message(std::move(again));
    BOOST_TEST(on.run(again.complete()) == effect::done);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_message_is_kept_for_as_long_as_it_is_held, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    on.send("a");
    const auto queue = on.queue(30s);
    auto got = on.take(queue);
    for (int i = 0; i < 20; ++i) on.pass(10s);
    BOOST_TEST(!got.is_lost());
    BOOST_TEST(on.is_empty(on.queue()));
    BOOST_TEST(on.run(got.complete()) == effect::done);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_receiver_that_was_idle_for_longer_than_its_lease_goes_on, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    const auto queue = on.queue(30s);
    on.send("a");
    BOOST_TEST(on.run(on.take(queue).complete()) == effect::done);
    on.pass(5min);
    on.send("b");
    auto got = on.take(queue);
    on.pass(29s);
    BOOST_TEST(on.run(got.complete()) == effect::done);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_receiver_says_after_its_lease_changes_nothing, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    on.send("a");
    const auto queue = on.queue(1s);
    auto late = on.take(queue);
    on.advance(1s);  // without the time to renew
    const auto other = on.queue();
    auto got = on.take(other);
    BOOST_TEST(got.deliveries() == 2U);
    on.let_work();
    BOOST_TEST(late.is_lost());
    BOOST_TEST(on.run(late.complete()) == effect::lease_lost);
    BOOST_TEST(on.state(got.id().key) == task_state::running);
    BOOST_TEST(on.record(got.id().key).crashes == 1U);
    BOOST_TEST(on.run(got.complete()) == effect::done);
    on.send("b");
    BOOST_TEST(on.take(queue).body() == "b");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancelled_receiver_loses_nothing, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    const auto queue = on.queue();
    for (int i = 0; i < 40; ++i) {
        auto waiting = i % 2 ? on.start(queue.receive()) : on.begin(queue.receive());
        auto sending = on.begin(on.queue().send("x"));
        for (int turn = 0; turn < i % 10; ++turn) on.run(on.broker().counts("other"));
        waiting.cancel();
        try {
            waiting.get();  // which is dropped, if it has come
        } catch (const boost::system::system_error& e) {
            BOOST_TEST(e.code() == aborted);
        }
        sending.get();
        auto got = on.run(on.queue().receive(1min));
        BOOST_REQUIRE(got.has_value());
        BOOST_TEST(on.run(got->complete()) == effect::done);
        BOOST_REQUIRE_EQUAL(on.counts().running + on.counts().waiting, 0U);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_failed_message_is_a_dead_letter_that_says_why, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    on.send("a");
    const auto queue = on.queue();
    auto got = on.take(queue);
    const auto key = got.id().key;
    BOOST_TEST(on.run(got.fail("unreadable: \xff")) == effect::done);
    BOOST_TEST(on.state(key) == task_state::failed);
    BOOST_TEST(on.record(key).error.find("unreadable: ") != std::string::npos);
    BOOST_TEST(on.record(key).error.find(R"("code":"task_failed")") != std::string::npos, on.record(key).error);
    on.requeue(key);
    BOOST_TEST(on.take(queue).body() == "a");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_message_is_settled_once, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    on.send("a");
    const auto queue = on.queue();
    auto got = on.take(queue);
    BOOST_TEST(on.run(got.complete()) == effect::done);
    BOOST_TEST(on.error_of(got.release()) == errc::wrong_state);
    const auto taken = std::move(got);
    BOOST_CHECK_THROW((void)got.complete(), error);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_holds_a_cancelled_message_learns_of_it, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    on.send("a");
    const auto queue = on.queue(30s);
    auto got = on.take(queue);
    const auto key = got.id().key;
    BOOST_TEST(on.cancel(key) == effect::requested);
    BOOST_TEST(!got.is_cancelled());
    on.pass(10s);
    BOOST_TEST(got.is_cancelled());
    BOOST_TEST(on.run(got.complete()) == effect::done);
    BOOST_TEST(on.state(key) == task_state::cancelled);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_of_a_typed_client_are_read_and_answered, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    const auto job = on.run(client(on.shared()).submit(sum, 2, 3));
    const auto queue = on.queue();
    auto got = on.take(queue);
    BOOST_TEST(got.name() == "sum");
    BOOST_TEST(got.body() == R"({"a":2,"b":3})");
    const auto args = got.template as<sum_args>();
    BOOST_TEST(on.run(got.complete(encode(args.a + args.b))) == effect::done);
    BOOST_TEST(on.run(job.result()) == 5);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_worker_handles_a_task_that_was_sent_by_name, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    worker handles(on.shared(), worker_options().renewal_thread(false));
    handles.on(sum, [](sum_args of) -> asio::awaitable<int> { co_return of.a + of.b; });
    auto running = on.start(handles.run());
    const auto queue = on.queue();
    const auto good = on.run(queue.send_task("sum", R"({"a":20,"b":3})"));
    BOOST_TEST(on.run(good.result()).bytes == "23");
    const auto bad = on.run(queue.send_task("sum", "not JSON"));
    BOOST_TEST(on.error_of(bad.result()) == errc::bad_payload);
    const auto unknown = on.run(queue.send("nobody handles this"));
    on.let_work();
    BOOST_TEST(on.run(unknown.status()) == task_state::waiting);
    handles.stop();
    running.get();
    BOOST_TEST(on.take(queue).body() == "nobody handles this");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_closed_broker_ends_a_wait, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    const auto queue = on.queue();
    auto waiting = on.start(queue.receive());
    on.broker().close();
    BOOST_TEST(on.error_of(waiting) == errc::shut_down);
    BOOST_TEST(on.error_of(queue.receive()) == errc::shut_down);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_message_that_is_held_keeps_no_context_of_a_closed_broker_running, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    on.send("x");
    const auto held = on.take(on.queue());
    on.broker().close();
    BOOST_TEST(on.runs_empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(names_and_options_are_checked, Backend, backends) {
    raw_fixture on(std::make_unique<Backend>());
    const auto is_told = [](const error& e) { return e.code() == errc::invalid_argument; };
    BOOST_CHECK_EXCEPTION(raw_queue(on.shared(), "a b"), error, is_told);
    BOOST_CHECK_EXCEPTION((void)on.queue().send_task("", "1"), error, is_told);
    BOOST_CHECK_EXCEPTION(raw_queue_options().lease(99ms), error, is_told);
    BOOST_CHECK_EXCEPTION(raw_queue_options().name("a b"), error, is_told);
    const raw_queue named(on.shared(), q, raw_queue_options().name("printer"));
    BOOST_TEST(named.name() == q);
    on.send("x");
    const auto got = on.take(named);
    BOOST_TEST(on.record(got.id().key).consumer.starts_with("printer:"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
