#include "fixture.hpp"

#include <taskflux/flow/context.hpp>

using namespace test::flow;

BOOST_FIXTURE_TEST_SUITE(flow_context, fixture)

BOOST_AUTO_TEST_CASE(it_tells_what_the_task_is) {
    std::string text;
    worker w{broker, options()};
    w.on(note, [&](context& ctx, int) {
        text = ctx.name() + ' ' + ctx.own_id() + ' ' + std::string(ctx.header("a")) + ' ' +
               std::string(ctx.header("none")) + std::to_string(ctx.headers().size()) + ' ' + to_string(ctx.id());
    });
    const auto life = start(w.run());
    const auto submitted = now(client.submit(note, submit_options().id("mine").header("a", "1").header("b", "2"), 1));
    settle();
    BOOST_TEST(text == "note mine 1 2 " + to_string(submitted.id()));
}

BOOST_AUTO_TEST_CASE(its_token_grows_with_every_delivery) {
    static constexpr taskflux::task<void(int)> again{"note", task_options().retry(retry_policy::fixed(0s).attempts(3))};
    std::vector<std::uint32_t> tokens;
    worker w{broker, options()};
    w.on(again, [&](context& ctx, int) {
        tokens.push_back(ctx.lease_token());
        throw std::runtime_error("again");
    });
    const auto life = start(w.run());
    now(client.submit(again, 1));
    settle();
    BOOST_REQUIRE(tokens.size() == 3U);
    BOOST_TEST(tokens[0] < tokens[1]);
    BOOST_TEST(tokens[1] < tokens[2]);
}

BOOST_AUTO_TEST_CASE(its_remaining_time_is_that_of_the_nearer_limit) {
    std::vector<taskflux::duration> left;
    worker w{broker, options()};
    w.on(note, [&](context& ctx, int) { left.push_back(ctx.remaining()); });
    now(client.submit(note, submit_options().timeout(5s), 1));
    now(client.submit(note, submit_options().timeout(5s).deadline(4s), 1));
    now(client.submit(note, submit_options().timeout(5s).deadline(9s), 1));
    now(client.submit(note, 1));
    advance(1s);
    const auto life = start(w.run());
    BOOST_REQUIRE(left.size() == 4U);
    BOOST_TEST((left[0] == 5s));
    BOOST_TEST((left[1] == 3s));
    BOOST_TEST((left[2] == 5s));
    BOOST_TEST((left[3] == (taskflux::duration::max)()));
}

BOOST_AUTO_TEST_CASE(its_time_runs_out_and_then_it_is_cancelled) {
    gate closed{here};
    std::vector<bool> cancelled;
    worker w{broker, options()};
    w.on(note, [&](context& ctx, int) -> asio::awaitable<void> {
        cancelled.push_back(ctx.cancelled());
        co_await closed.pass_stubbornly();
        cancelled.push_back(ctx.cancelled());
        BOOST_TEST((ctx.remaining() == 0s));
    });
    const auto life = start(w.run());
    now(client.submit(note, submit_options().timeout(5s), 1));
    settle();
    advance(6s);
    closed.open();
    settle();
    const std::vector<bool> expected{false, true};
    BOOST_TEST(cancelled == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_plain_function_sees_that_its_time_is_over) {
    std::vector<bool> cancelled;
    worker w{broker, options()};
    w.on(note, [&](context& ctx, int) {
        cancelled.push_back(ctx.cancelled());
        time.advance(4999ms);
        cancelled.push_back(ctx.cancelled());
        time.advance(1ms);  // and nothing else is run meanwhile
        cancelled.push_back(ctx.cancelled());
    });
    const auto life = start(w.run());
    now(client.submit(note, submit_options().timeout(5s), 1));
    settle();
    const std::vector<bool> expected{false, false, true};
    BOOST_TEST(cancelled == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_latest_progress_can_be_read) {
    gate first{here};
    worker w{broker, options()};
    w.on(note, [&](context& ctx, int) -> asio::awaitable<void> {
        ctx.progress(circle{0.25, "a quarter"});
        ctx.progress(circle{0.5, "half"});
        co_await first.pass();
        ctx.progress(circle{1, "all"});
    });
    const auto life = start(w.run());
    const auto submitted = now(client.submit(note, 1));
    settle();
    BOOST_TEST(now(submitted.progress<circle>())->name == "half");
    first.open();
    settle();
    BOOST_TEST(now(submitted.progress<circle>())->name == "all");
    BOOST_TEST(start(submitted.progress<int>())->code() == errc::bad_payload);
    const auto other = now(client.submit(note, submit_options().hold(), 1));
    BOOST_TEST(!now(other.progress<circle>()).has_value());
}

BOOST_AUTO_TEST_CASE(lines_go_to_the_record_and_to_the_sink) {
    std::vector<std::string> sunk;
    worker w{broker, options().log([&](const taskflux::log_line& line, const taskflux::task_id* id) {
                 sunk.push_back(line.text + (id ? " of " + to_string(*id) : std::string()));
             })};
    w.on(note, [](context& ctx, int) {
        ctx.log(taskflux::log_level::info, "one");
        ctx.log(taskflux::log_level::warning, "two", {{"key", "value"}});
    });
    const auto life = start(w.run());
    const auto submitted = now(client.submit(note, 1));
    settle();
    const auto log = now(submitted.record()).log;
    BOOST_REQUIRE(log.size() == 2U);
    BOOST_TEST(log[0].text == "one");
    BOOST_TEST((log[0].at == time.now()));
    BOOST_TEST((log[1].level == taskflux::log_level::warning));
    BOOST_TEST(log[1].fields.at("key") == "value");
    BOOST_REQUIRE(sunk.size() == 2U);
    BOOST_TEST(sunk[0] == "one of " + to_string(submitted.id()));
}

BOOST_AUTO_TEST_CASE(a_line_that_is_not_utf8_is_repaired) {
    worker w{broker, options()};
    w.on(note, [](context& ctx, int) { ctx.log(taskflux::log_level::info, "caf\xe9", {{"k", "\xff"}}); });
    const auto life = start(w.run());
    const auto submitted = now(client.submit(note, 1));
    settle();
    const auto log = now(submitted.record()).log;
    BOOST_REQUIRE(log.size() == 1U);
    BOOST_TEST(log[0].text == "caf\xef\xbf\xbd");
    BOOST_TEST(log[0].fields.at("k") == "\xef\xbf\xbd");
}

BOOST_AUTO_TEST_SUITE_END()
