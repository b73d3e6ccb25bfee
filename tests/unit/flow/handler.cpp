#include "fixture.hpp"

#include <taskflux/calls/service.hpp>
#include <taskflux/flow/scheduler.hpp>
#include <taskflux/flow/worker/handlers.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <limits>
#include <string>

using namespace test::flow;

BOOST_FIXTURE_TEST_SUITE(flow_handler, fixture)

namespace {

// Runs one task through a worker whose only handler this is.
template <class Contract, class Handler, class... Payload>
auto run_with(fixture& f, const Contract& contract, Handler handler, Payload... payload) {
    worker w{f.broker, f.options()};
    w.on(contract, std::move(handler));
    const auto life = f.start(w.run());
    return f.now(f.client.run(contract, payload...));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_coroutine_takes_the_payload) {
    const auto result = run_with(*this, circle_area, [](circle c) -> asio::awaitable<area> {
        co_return area{c.radius * 3};
    }, circle{2, ""});
    BOOST_TEST(result.value == 6);
}

BOOST_AUTO_TEST_CASE(a_coroutine_takes_a_context_and_the_payload) {
    const auto result = run_with(*this, circle_area, [](context& ctx, circle c) -> asio::awaitable<area> {
        co_return area{c.radius * ctx.attempt()};
    }, circle{2, ""});
    BOOST_TEST(result.value == 2);
}

BOOST_AUTO_TEST_CASE(a_plain_function_takes_the_payload) {
    BOOST_TEST(run_with(*this, twice, [](int x) { return 2 * x; }, 21) == 42);
}

BOOST_AUTO_TEST_CASE(a_plain_function_takes_a_context_and_the_payload) {
    BOOST_TEST(run_with(*this, twice, [](context& ctx, int x) { return 2 * x + int(ctx.attempt()); }, 20) == 41);
}

BOOST_AUTO_TEST_CASE(a_task_without_a_payload_has_every_form_of_handler) {
    BOOST_TEST(run_with(*this, answer, [] { return 42; }) == 42);
    BOOST_TEST(run_with(*this, answer, [](context& ctx) { return int(ctx.attempt()); }) == 1);
    BOOST_TEST(run_with(*this, answer, []() -> asio::awaitable<int> { co_return 43; }) == 43);
    BOOST_TEST(run_with(*this, answer, [](context& ctx) -> asio::awaitable<int> { co_return int(ctx.attempt()); }) == 1);
}

BOOST_AUTO_TEST_CASE(a_task_without_a_result_has_every_form_of_handler) {
    std::vector<int> seen;
    run_with(*this, note, [&](int x) { seen.push_back(x); }, 1);
    run_with(*this, note, [&](context&, int x) { seen.push_back(x); }, 2);
    run_with(*this, note, [&](int x) -> asio::awaitable<void> { seen.push_back(x); co_return; }, 3);
    run_with(*this, note, [&](context&, int x) -> asio::awaitable<void> { seen.push_back(x); co_return; }, 4);
    run_with(*this, tick, [&] { seen.push_back(5); });
    run_with(*this, tick, [&](context&) { seen.push_back(6); });
    run_with(*this, tick, [&]() -> asio::awaitable<void> { seen.push_back(7); co_return; });
    run_with(*this, tick, [&](context&) -> asio::awaitable<void> { seen.push_back(8); co_return; });
    const std::vector<int> expected{1, 2, 3, 4, 5, 6, 7, 8};
    BOOST_TEST(seen == expected, boost::test_tools::per_element());
    const auto all = now(broker->list(taskflux::list_query()));
    BOOST_TEST(all.tasks.size() == 8U);
    for (const auto& one : all.tasks) BOOST_TEST(one.result == "null", one.payload);  // that it has none is told as JSON
}

BOOST_AUTO_TEST_CASE(a_payload_by_reference_lives_as_long_as_the_coroutine) {
    gate here_too{io.get_executor()};
    worker w{broker, options()};
    w.on(circle_area, [&](const circle& c) -> asio::awaitable<area> {
        co_await here_too.pass();
        co_return area{static_cast<double>(c.name.size())};
    });
    const auto life = start(w.run());
    const auto result = start(client.run(circle_area, 1.0, "a name that is too long to be kept inside a string object"));
    BOOST_TEST(!result->done);
    here_too.open();
    settle();
    BOOST_REQUIRE(result->value);
    BOOST_TEST(result->value->value == 57);
}

BOOST_AUTO_TEST_CASE(a_plain_function_takes_a_reference) {
    const auto length = [](const circle& c) { return area{static_cast<double>(c.name.size())}; };
    BOOST_TEST(run_with(*this, circle_area, length, circle{1, "abc"}).value == 3);
}

BOOST_AUTO_TEST_CASE(a_handler_may_own_what_can_only_be_moved) {
    auto factor = std::make_unique<int>(5);
    BOOST_TEST(run_with(*this, twice, [factor = std::move(factor)](int x) { return *factor * x; }, 3) == 15);
    auto term = std::make_unique<int>(5);
    const auto sum = run_with(*this, twice, [term = std::move(term)](int x) -> asio::awaitable<int> {
        co_return *term + x;
    }, 3);
    BOOST_TEST(sum == 8);
}

BOOST_AUTO_TEST_CASE(a_function_pointer_is_a_handler) {
    struct local {
        static int triple(int x) { return 3 * x; }
    };
    BOOST_TEST(run_with(*this, twice, &local::triple, 3) == 9);
}

BOOST_AUTO_TEST_CASE(a_result_may_be_of_a_type_that_converts) {
    BOOST_TEST(run_with(*this, twice, [](int x) { return short(x + 1); }, 3) == 4);
    const auto result = run_with(*this, twice, [](int x) -> asio::awaitable<short> { co_return short(x + 2); }, 3);
    BOOST_TEST(result == 5);
}

BOOST_AUTO_TEST_CASE(what_a_handler_throws_arrives_with_its_type_and_message) {
    worker w{broker, options()};
    w.on(twice, [](int) -> int { throw std::out_of_range("too far"); });
    w.on(answer, []() -> asio::awaitable<int> {
        throw std::invalid_argument("too odd");
        co_return 0;
    });
    const auto life = start(w.run());
    const auto plain = start(client.run(twice, 1))->failed();
    BOOST_TEST(plain.code() == errc::task_failed);
    BOOST_TEST(plain.failure().type == "std::out_of_range");
    BOOST_TEST(plain.failure().message == "too far");
    BOOST_TEST(plain.attempts() == 1U);
    const auto coroutine = start(client.run(answer))->failed();
    BOOST_TEST(coroutine.failure().type == "std::invalid_argument");
    BOOST_TEST(coroutine.failure().message == "too odd");
}

BOOST_AUTO_TEST_CASE(a_code_that_a_handler_throws_is_the_task_s_failure_and_never_the_wait_s) {
    worker w{broker, options()};
    errc code{};
    w.on(twice, [&](int) -> int { throw taskflux::error(code, "thrown by the handler"); });
    const auto life = start(w.run());
    for (const auto one : {errc::timed_out, errc::cancelled, errc::expired, errc::not_found, errc::shut_down, errc::unavailable,
                           errc::lease_lost, errc::wrong_state}) {
        code = one;
        const auto failed = start(client.run(twice, 1))->failed();  // by the type of the exception
        BOOST_TEST(failed.failure().type == "taskflux::error");
        BOOST_TEST(failed.failure().message == "thrown by the handler");
        BOOST_TEST(!life->done);
    }
    const auto unheard = now(client.submit(answer));  // no handler
    auto waiting = start(unheard.result(1s));
    advance(1s);
    BOOST_TEST(waiting->code() == errc::timed_out);
    BOOST_CHECK_THROW(waiting->failed(), std::logic_error);
}

BOOST_AUTO_TEST_CASE(what_is_not_an_exception_fails_the_task_too) {
    worker w{broker, options()};
    w.on(twice, [](int) -> int { throw 42; });
    const auto life = start(w.run());
    const auto failed = start(client.run(twice, 1))->failed();
    BOOST_TEST(failed.failure().code == "task_failed");
    BOOST_TEST((failed.failure().type == "int" || failed.failure().type.empty()));  // as far as the C++ library tells
    BOOST_TEST(failed.failure().message.find("is not a std::exception") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_message_that_is_not_utf8_arrives_repaired) {
    worker w{broker, options()};
    w.on(twice, [](int) -> int { throw std::runtime_error("caf\xe9!"); });
    const auto life = start(w.run());
    BOOST_TEST(start(client.run(twice, 1))->failed().failure().message == "caf\xef\xbf\xbd!");
}

BOOST_AUTO_TEST_CASE(a_message_of_any_length_can_be_kept) {
    worker w{broker, options()};
    w.on(twice, [](int) -> int { throw std::runtime_error(std::string(20'000'000, 'x')); });
    const auto life = start(w.run());
    const auto message = start(client.run(twice, 1))->failed().failure().message;
    BOOST_TEST(message.starts_with("xxx"));
    BOOST_TEST(message.size() < 20'000U);
}

BOOST_AUTO_TEST_CASE(a_coded_error_of_a_handler_keeps_its_code) {
    worker w{broker, options()};
    w.on(twice, [](int) -> int { throw taskflux::error(errc::queue_full, "no room"); });
    const auto life = start(w.run());
    const auto failed = start(client.run(twice, 1))->failed();
    BOOST_TEST(failed.code() == errc::queue_full);
    BOOST_TEST(failed.failure().code == "queue_full");
}

BOOST_AUTO_TEST_CASE(a_payload_that_cannot_be_read_fails_at_once) {
    static constexpr taskflux::task<int(std::string)> as_text{
        "circle_area", task_options().retry(retry_policy::fixed(1s).attempts(5))};
    static constexpr taskflux::task<area(circle)> patient{
        "circle_area", task_options().retry(retry_policy::fixed(1s).attempts(5))};
    int calls = 0;
    worker w{broker, options()};
    w.on(patient, [&](circle) { return ++calls, area{}; });
    const auto life = start(w.run());
    const auto failed = start(client.run(as_text, std::string("round")))->failed();
    BOOST_TEST(calls == 0);
    BOOST_TEST(failed.code() == errc::bad_payload);
    BOOST_TEST(failed.attempts() == 1U);
    BOOST_TEST(failed.failure().pointer == "");
    BOOST_TEST(failed.failure().expected.find("\"radius\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_place_of_a_bad_payload_is_named_for_coroutines_too) {
    struct local {
        static asio::awaitable<area> measure(circle) { co_return area{}; }
    };
    static constexpr taskflux::task<int(std::map<std::string, std::string>)> loose{
        "circle_area", task_options().retry(retry_policy::fixed(1s))};
    worker w{broker, options()};
    w.on(circle_area, &local::measure);
    const auto life = start(w.run());
    const std::map<std::string, std::string> payload{{"radius", "large"}};
    const auto failed = start(client.run(loose, payload))->failed();
    BOOST_TEST(failed.failure().pointer == "/radius");
    BOOST_TEST(failed.failure().message.find("expected number") != std::string::npos);
    BOOST_TEST(failed.attempts() == 1U);
}

BOOST_AUTO_TEST_CASE(a_result_that_json_cannot_hold_fails_at_once) {
    static constexpr taskflux::task<area(circle)> patient{"circle_area", task_options().retry(retry_policy::fixed(1s))};
    worker w{broker, options()};
    w.on(patient, [](circle) { return area{std::numeric_limits<double>::quiet_NaN()}; });
    const auto life = start(w.run());
    const auto failed = start(client.run(patient, 1.0))->failed();
    BOOST_TEST(failed.code() == errc::bad_payload);
    BOOST_TEST(failed.failure().pointer == "/value");
    BOOST_TEST(failed.attempts() == 1U);
}

BOOST_AUTO_TEST_CASE(a_result_that_is_too_large_fails_its_task_and_not_its_worker) {
    static constexpr taskflux::task<taskflux::raw(std::size_t)> bulky{
        "bulky", task_options().retry(retry_policy::fixed(1s).attempts(5))};
    worker w{broker, options()};
    w.on(bulky, [](std::size_t bytes) { return taskflux::raw{std::string(bytes, 'x')}; });
    const auto life = start(w.run());
    const auto failed = start(client.run(bulky, std::size_t(16 << 20) + 1))->failed();
    BOOST_TEST(failed.code() == errc::too_large);
    BOOST_TEST(failed.attempts() == 1U);
    BOOST_TEST(failed.failure().message.find("the result of task bulky") != std::string::npos);
    BOOST_TEST(failed.failure().message.find("16777216 bytes") != std::string::npos);
    BOOST_TEST(now(client.run(bulky, std::size_t(3))).bytes == "xxx");
}

BOOST_AUTO_TEST_CASE(a_progress_that_is_too_large_is_refused_where_it_is_reported) {
    worker w{broker, options()};
    w.on(twice, [](context& ctx, int) {
        ctx.progress(std::string((1 << 20) - 2, 'x'));  // with its quotes 1 MiB
        ctx.progress(std::string((1 << 20) - 1, 'x'));
        return 0;
    });
    const auto life = start(w.run());
    const auto made = now(client.submit(twice, 1));
    const auto failed = start(made.result())->failed();
    BOOST_TEST(failed.code() == errc::too_large);
    BOOST_TEST(failed.failure().message == "a progress of 1048577 bytes is not stored: at most 1048576 are; report less");
    BOOST_TEST(now(broker->get(made.id()))->progress.size() == std::size_t(1 << 20));
}

BOOST_AUTO_TEST_CASE(an_empty_function_is_refused_before_anything_calls_it) {
    const auto refuses = [](const std::string& what, const auto& give) {
        BOOST_CHECK_EXCEPTION(give(), taskflux::error, [&](const taskflux::error& e) {
            return e.code() == errc::invalid_argument && std::string(e.what()).starts_with("the function of " + what + " is empty");
        });
    };
    constexpr taskflux::method<int(int)> triple{"sums", "triple"};
    worker w{broker, options()};
    taskflux::service s{broker};
    taskflux::scheduler plans{broker};
    int (*none)(int) = nullptr;
    refuses("task twice", [&] { w.on(twice, none); });
    refuses("task twice", [&] { w.on(twice, std::function<asio::awaitable<int>(context&, int)>()); });
    refuses("method triple", [&] { s.on(triple, none); });
    refuses("local job tidy", [&] { plans.local("tidy", "* * * * * *", std::function<void()>()); });
    w.on(twice, [](int x) { return 2 * x; });
    BOOST_TEST(w.tasks().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_handler_that_meets_bad_json_of_its_own_is_retried) {
    static constexpr taskflux::task<int(int)> patient{"twice", task_options().retry(retry_policy::fixed(1s).attempts(2))};
    worker w{broker, options()};
    w.on(patient, [](int) { return taskflux::decode<int>("nonsense"); });
    const auto life = start(w.run());
    const auto result = start(client.run(patient, 1));
    BOOST_TEST(!result->done);
    advance(1s);
    BOOST_TEST(result->failed().attempts() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
