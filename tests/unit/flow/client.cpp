#include "fixture.hpp"

#include <taskflux/broker/memory/broker.hpp>
#include <taskflux/calls/stream.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/use_future.hpp>

#include <limits>
#include <numeric>
#include <ranges>
#include <sstream>

using namespace test::flow;

BOOST_FIXTURE_TEST_SUITE(flow_client, fixture)

namespace {

asio::awaitable<area> measure(circle c) { co_return area{c.radius}; }

}  // namespace

BOOST_AUTO_TEST_CASE(a_stream_that_was_read_to_its_end_cancels_nothing_and_one_that_is_left_cancels_its_task) {
    static constexpr taskflux::task<taskflux::stream<int>(int)> count_up{"count_up"};
    struct counting_broker : taskflux::memory::memory_broker {
        using memory_broker::memory_broker;
        awaitable<std::vector<effect>> cancel(std::string queue, std::vector<taskflux::task_key> keys) override {
            ++cancels;
            return memory_broker::cancel(std::move(queue), std::move(keys));
        }
        int cancels = 0;
    };
    const auto counting = std::make_shared<counting_broker>(here, taskflux::memory_options(), time);
    worker w{counting, options()};
    w.on(count_up, [](taskflux::emitter<int>& out, int end) -> asio::awaitable<void> {
        for (int i = 0; i < end; ++i) co_await out.emit(i);
    });
    const auto life = start(w.run());
    const taskflux::client streams{counting};
    for (const int end : {3, 1'000'000}) {
        {
            auto values = now(streams.run(count_up, end));
            for (int i = 0; i < 3; ++i) BOOST_TEST(now(values.next()).value() == i);
            if (end == 3) BOOST_TEST(!now(values.next()).has_value());
        }
        settle();
        BOOST_TEST(counting->cancels == (end == 3 ? 0 : 1));
    }
    BOOST_TEST(now(counting->counts("default")).succeeded == 1U);
}

BOOST_AUTO_TEST_CASE(a_payload_is_one_value_or_its_fields) {
    const circle whole{1.5, "whole"};
    const auto by_value = now(client.submit(circle_area, whole));
    const auto by_fields = now(client.submit(circle_area, 2.5, "fields"));
    const auto by_some = now(client.submit(circle_area, 3.5));
    BOOST_TEST(now(by_value.record()).payload == R"({"radius":1.5,"name":"whole"})");
    BOOST_TEST(now(by_fields.record()).payload == R"({"radius":2.5,"name":"fields"})");
    BOOST_TEST(now(by_some.record()).payload == R"({"radius":3.5,"name":""})");
}

BOOST_AUTO_TEST_CASE(a_task_without_a_payload_is_submitted_as_null) {
    const auto job = now(client.submit(answer));
    BOOST_TEST(now(job.record()).payload == "null");
    const auto other = now(client.submit(answer, submit_options().priority(5)));
    BOOST_TEST(now(other.record()).payload == "null");
    BOOST_TEST(now(other.record()).priority == 5);
}

BOOST_AUTO_TEST_CASE(the_options_of_the_contract_hold) {
    static constexpr taskflux::task<int(int)> special{"special", task_options().queue("other").priority(7).timeout(3s)};
    const auto job = now(client.submit(special, 1));
    BOOST_TEST(job.id().queue == "other");
    const auto record = now(job.record());
    BOOST_TEST(record.priority == 7);
    BOOST_TEST(record.name == "special");
}

BOOST_AUTO_TEST_CASE(the_options_of_a_submission_come_first) {
    static constexpr taskflux::task<int(int)> special{"special", task_options().queue("other").priority(7)};
    const auto job = now(client.submit(special, submit_options().queue("third").priority(-7).header("a", "b"), 1));
    BOOST_TEST(job.id().queue == "third");
    const auto record = now(job.record());
    BOOST_TEST(record.priority == -7);
    BOOST_TEST(record.headers.at("a") == "b");
}

BOOST_AUTO_TEST_CASE(a_client_s_defaults_are_for_tasks_that_say_nothing) {
    static constexpr taskflux::task<int(int)> special{"special", task_options().deadline(2h)};
    const taskflux::client careful{broker, submit_options().deadline(1h)};
    const auto usual = now(careful.submit(twice, 1));
    const auto own = now(careful.submit(special, 1));
    const auto asked = now(careful.submit(twice, submit_options().deadline(3h), 1));
    const auto many = now(careful.submit_all(twice, std::vector<int>(2)));
    const auto state = [this](const auto& job) { return now(job.record()).state; };
    advance(1h);
    BOOST_TEST((state(usual) == task_state::expired));
    BOOST_TEST((state(many[1]) == task_state::expired));
    BOOST_TEST((state(own) == task_state::waiting));
    advance(1h);
    BOOST_TEST((state(own) == task_state::expired));
    BOOST_TEST((state(asked) == task_state::waiting));
}

BOOST_AUTO_TEST_CASE(a_payload_that_json_cannot_hold_is_refused) {
    BOOST_CHECK_EXCEPTION(now(client.submit(circle_area, std::numeric_limits<double>::infinity())),
                          taskflux::encode_error, [](const auto& e) { return e.pointer() == "/radius"; });
    BOOST_TEST(counts().waiting == 0U);
}

BOOST_AUTO_TEST_CASE(a_closed_broker_refuses) {
    broker->close();
    BOOST_TEST(start(client.submit(twice, 1))->code() == errc::shut_down);
    BOOST_TEST(start(client.run(twice, 1))->code() == errc::shut_down);
}

BOOST_AUTO_TEST_CASE(an_own_id_names_the_task_once) {
    const auto first = now(client.submit(twice, submit_options().id("mine"), 1));
    const auto second = now(client.submit(twice, submit_options().id("mine"), 2));
    BOOST_TEST(!first.is_duplicate());
    BOOST_TEST(second.is_duplicate());
    BOOST_TEST((first.id() == second.id()));
    BOOST_TEST(now(second.record()).payload == "1");
    BOOST_TEST(counts().waiting == 1U);
}

BOOST_AUTO_TEST_CASE(a_unique_key_is_free_again_when_its_task_has_ended) {
    const auto once = submit_options().unique("key");
    const auto first = now(client.submit(twice, once, 1));
    const auto second = now(client.submit(twice, once, 2));
    BOOST_TEST(second.is_duplicate());
    BOOST_TEST((second.id() == first.id()));
    BOOST_TEST(now(first.cancel()) == effect::done);
    BOOST_TEST(!now(client.submit(twice, once, 3)).is_duplicate());
}

BOOST_AUTO_TEST_CASE(a_unique_key_is_free_again_after_its_window) {
    const auto once = submit_options().unique("key", 10s);
    now(client.submit(twice, once, 1));
    advance(9s);
    BOOST_TEST(now(client.submit(twice, once, 2)).is_duplicate());
    advance(1s);
    BOOST_TEST(!now(client.submit(twice, once, 3)).is_duplicate());
}

BOOST_AUTO_TEST_CASE(a_task_is_found_again_by_each_of_its_names) {
    const auto job = now(client.submit(twice, submit_options().id("mine"), 1));
    BOOST_TEST((now(client.attach(twice, "mine")).id() == job.id()));
    BOOST_TEST((now(client.attach(twice, to_string(job.id()))).id() == job.id()));
    BOOST_TEST((client.attach(twice, job.id()).id() == job.id()));
    BOOST_TEST(now(client.attach(twice, job.id()).status()) == task_state::waiting);
}

BOOST_AUTO_TEST_CASE(a_task_that_does_not_exist_is_not_found) {
    BOOST_TEST(start(client.attach(twice, "nobody"))->code() == errc::not_found);
    const auto job = now(client.attach(twice, "default:~1.1"));
    BOOST_TEST(start(job.status())->code() == errc::not_found);
    BOOST_TEST(start(job.result())->code() == errc::not_found);
    BOOST_TEST(start(client.signal(job.id(), "go", 1))->code() == errc::not_found);
    for (const auto* text : {"default:~no key", "default:~0.0", "default:~01.1", "default:~1.A"}) {
        BOOST_TEST(start(client.attach(twice, text))->code() == errc::not_found);
    }
}

BOOST_AUTO_TEST_CASE(an_own_id_may_look_like_a_printed_one) {
    const auto job = now(client.submit(twice, submit_options().id("file:~/notes"), 1));
    BOOST_TEST((now(client.attach(twice, "file:~/notes")).id() == job.id()));
}

BOOST_AUTO_TEST_CASE(many_payloads_are_submitted_in_their_order) {
    std::vector<circle> circles(3);
    for (std::size_t i = 0; i < circles.size(); ++i) circles[i].radius = static_cast<double>(i);
    const auto jobs = now(client.submit_all(circle_area, circles));
    BOOST_REQUIRE(jobs.size() == 3U);
    BOOST_TEST(now(jobs[2].record()).payload == R"({"radius":2.0,"name":""})");
    BOOST_TEST(now(client.submit_all(circle_area, std::vector<circle>())).empty());
}

BOOST_AUTO_TEST_CASE(ten_thousand_lazy_payloads_keep_their_order) {
    worker w{broker, options().concurrency(100)};
    w.on(twice, [](int x) { return 2 * x; });
    const auto life = start(w.run());
    const auto jobs = now(client.submit_all(twice, std::views::iota(0, 10'000)));
    settle();
    BOOST_REQUIRE(jobs.size() == 10'000U);
    int wrong = 0;
    for (int i = 0; i < 10'000; ++i) {
        const auto result = now(jobs[static_cast<std::size_t>(i)].result());
        wrong += result != 2 * i;
    }
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(a_range_that_is_read_once_will_do) {
    std::istringstream numbers("1 2 3");
    const auto jobs = now(client.submit_all(twice, submit_options().priority(3), std::views::istream<int>(numbers)));
    BOOST_REQUIRE(jobs.size() == 3U);
    const auto record = now(jobs[2].record());
    BOOST_TEST(record.payload == "3");
    BOOST_TEST(record.priority == 3);
}

BOOST_AUTO_TEST_CASE(with_one_bad_payload_among_thousands_none_is_stored) {
    std::vector<circle> circles(3000);
    circles[2500].radius = std::numeric_limits<double>::quiet_NaN();
    BOOST_TEST(start(client.submit_all(circle_area, circles))->code() == errc::bad_payload);
    BOOST_TEST(counts().waiting == 0U);
}

BOOST_AUTO_TEST_CASE(a_bad_payload_among_many_is_named) {
    std::vector<circle> circles(3);
    circles[1].radius = std::numeric_limits<double>::quiet_NaN();
    const auto end = start(client.submit_all(circle_area, circles));
    BOOST_TEST(end->code() == errc::bad_payload);
}

BOOST_AUTO_TEST_CASE(many_tasks_cannot_share_an_id_or_a_unique_key) {
    const std::vector<int> numbers{1, 2};
    const auto is_refused = [&](const submit_options& o) {
        BOOST_CHECK_EXCEPTION(now(client.submit_all(twice, o, numbers)), taskflux::error,
                              [](const auto& e) { return e.code() == errc::invalid_argument; });
    };
    is_refused(submit_options().id("mine"));
    is_refused(submit_options().unique("key"));
    BOOST_TEST(counts().waiting == 0U);
}

BOOST_AUTO_TEST_CASE(run_gives_the_result) {
    worker w{broker, options()};
    w.on(circle_area, &measure);
    const auto life = start(w.run());
    BOOST_TEST(now(client.run(circle_area, 4.0)).value == 4);
    const circle whole{5, "whole"};
    BOOST_TEST(now(client.run(circle_area, submit_options().priority(1), whole)).value == 5);
}

BOOST_AUTO_TEST_CASE(cancelling_run_cancels_a_task_that_waits) {
    const auto run = start(client.run(twice, submit_options().id("mine"), 1));
    BOOST_TEST(counts().waiting == 1U);
    run->cancel();
    settle();
    BOOST_TEST(run->code() == asio::error::operation_aborted);
    const auto job = now(client.attach(twice, "mine"));
    BOOST_TEST(now(job.status()) == task_state::cancelled);
}

BOOST_AUTO_TEST_CASE(cancelling_run_cancels_the_handler_of_a_task_that_runs) {
    gate closed{here};
    worker w{broker, options()};
    w.on(twice, [&](int x) -> asio::awaitable<int> {
        co_await closed.pass();
        co_return x;
    });
    const auto life = start(w.run());
    const auto run = start(client.run(twice, submit_options().id("mine"), 1));
    BOOST_TEST(closed.waiting == 1);
    run->cancel();
    settle();
    BOOST_TEST(closed.cancelled == 1);
    BOOST_TEST(run->code() == asio::error::operation_aborted);
    BOOST_TEST(now(now(client.attach(twice, "mine")).status()) == task_state::cancelled);
}

BOOST_AUTO_TEST_CASE(a_run_that_waits_long_enough_cancels_its_task) {
    const auto run = start(client.run(twice, submit_options().id("mine").wait(30s), 1));
    advance(29s);
    BOOST_TEST(!run->done);
    advance(1s);
    BOOST_TEST((run->code() == errc::timed_out));
    BOOST_TEST(run->what().find("client::run") != std::string::npos);
    BOOST_TEST(now(now(client.attach(twice, "mine")).status()) == task_state::cancelled);
}

BOOST_AUTO_TEST_CASE(a_run_that_may_wait_gets_its_result) {
    worker w{broker, options()};
    w.on(twice, [](int x) { return 2 * x; });
    const auto life = start(w.run());
    BOOST_TEST(now(client.run(twice, submit_options().wait(1s), 4)) == 8);
}

BOOST_AUTO_TEST_CASE(cancelling_a_wait_for_a_result_leaves_the_task_alone) {
    const auto job = now(client.submit(twice, 1));
    const auto wait = start(job.result());
    wait->cancel();
    settle();
    BOOST_TEST(wait->code() == asio::error::operation_aborted);
    BOOST_TEST(now(job.status()) == task_state::waiting);
}

BOOST_AUTO_TEST_CASE(callbacks_and_futures_serve_without_coroutines) {
    worker w{broker, options()};
    w.on(twice, [](int x) { return 2 * x; }).on(answer, [] { return 42; });
    const auto life = start(w.run());
    int seen = 0;
    client.async_run(twice, 4, [&](std::exception_ptr, int result) { seen = result; });
    std::optional<job<int>> submitted;
    client.async_submit(twice, submit_options().id("mine"), 5, [&](std::exception_ptr, job<int> j) { submitted = j; });
    auto nothing = client.async_run(answer, asio::use_future);
    auto optional = client.async_run(answer, submit_options().priority(3), asio::use_future);
    auto chosen = client.async_run(twice, submit_options().priority(3), 6, asio::use_future);
    auto plain = client.async_submit(twice, 7, asio::use_future);
    auto empty = client.async_submit(answer, asio::use_future);
    auto both = client.async_submit(answer, submit_options().priority(3), asio::use_future);
    settle();
    BOOST_TEST(seen == 8);
    BOOST_REQUIRE(submitted);
    BOOST_TEST(now(submitted->record()).own_id == "mine");
    BOOST_TEST(nothing.get() == 42);
    BOOST_TEST(optional.get() == 42);
    BOOST_TEST(chosen.get() == 12);
    BOOST_TEST(now(plain.get().result()) == 14);
    BOOST_TEST(now(empty.get().result()) == 42);
    BOOST_TEST(now(both.get().record()).priority == 3);
}

BOOST_AUTO_TEST_CASE(a_token_gets_the_errors_of_encoding_too) {
    const circle endless{std::numeric_limits<double>::infinity(), ""};
    auto future = client.async_submit(circle_area, endless, asio::use_future);
    auto other = client.async_run(circle_area, endless, asio::use_future);
    settle();
    BOOST_CHECK_THROW(future.get(), taskflux::encode_error);
    BOOST_CHECK_THROW(other.get(), taskflux::encode_error);
}

BOOST_AUTO_TEST_CASE(a_client_may_be_gone_while_its_calls_are_under_way) {
    worker w{broker, options()};
    w.on(twice, [](int x) { return 2 * x; });
    const auto life = start(w.run());
    auto call = taskflux::client(broker).run(twice, 4);
    BOOST_TEST(now(std::move(call)) == 8);
}

BOOST_AUTO_TEST_SUITE_END()
