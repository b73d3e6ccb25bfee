#include "../flow/fixture.hpp"

#include <otel/recorder.hpp>
#include <taskflux/core/control.hpp>
#include <taskflux/flow/batch.hpp>
#include <taskflux/otel/tracing.hpp>

#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

using namespace test::flow;
using test::recorded;
namespace otel = taskflux::otel;
namespace api = opentelemetry::trace;

namespace flow_otel {

const std::string given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

struct traced : fixture {
    std::shared_ptr<test::recorder> seen = [] {
        auto made = std::make_shared<test::recorder>();
        api::Provider::SetTracerProvider(made);
        return made;
    }();
    ~traced() { api::Provider::SetTracerProvider(nullptr); }

    worker make_worker(const otel::otel_options& how = otel::otel_options()) {
        return worker{broker, options().tracing(otel::make_tracer(how)).log([](const taskflux::log_line&, const taskflux::task_id*) {})};
    }

    recorded only(const std::string& name) {
        const auto all = seen->spans(name);
        BOOST_TEST_REQUIRE(all.size() == 1U);
        return all.front();
    }

    taskflux::client sender = client.traced_by(otel::make_tracer());
};

inline constexpr taskflux::task<int(int)> flaky{"flaky", task_options().retry(retry_policy::fixed(1s).attempts(2))};

}  // namespace flow_otel

BOOST_FIXTURE_TEST_SUITE(flow_otel, traced)

BOOST_AUTO_TEST_CASE(a_task_is_processed_below_its_submission) {
    auto w = make_worker(otel::otel_options().client_id("us").server("redis.example", 6379));
    w.on(twice, [](int n) { return 2 * n; });
    start(w.run());
    const auto job = now(sender.submit(twice, 4));
    settle();
    BOOST_TEST(now(job.result()) == 8);

    const auto send = only("send default");
    BOOST_TEST((send.kind == api::SpanKind::kProducer));
    BOOST_TEST(send.parent.empty());
    BOOST_TEST(send.links.empty());
    BOOST_TEST((send.status == api::StatusCode::kUnset));
    BOOST_TEST(send.ends == 1);
    const std::map<std::string, std::string> sent{{"messaging.system", "taskflux"},        {"messaging.operation.name", "send"},
                                                  {"messaging.operation.type", "send"},    {"messaging.destination.name", "default"},
                                                  {"messaging.message.id", to_string(job.id())}, {"taskflux.task.name", "twice"}};
    BOOST_TEST((send.attributes == sent));

    const auto process = only("process default");
    BOOST_TEST((process.kind == api::SpanKind::kConsumer));
    BOOST_TEST(process.parent == send.own);
    BOOST_TEST(process.links.empty());
    BOOST_TEST(process.ends >= 1);
    const std::map<std::string, std::string> processed{
        {"messaging.system", "taskflux"},          {"messaging.operation.name", "process"},
        {"messaging.operation.type", "process"},   {"messaging.destination.name", "default"},
        {"messaging.message.id", to_string(job.id())}, {"messaging.client.id", "us"},
        {"server.address", "redis.example"},       {"server.port", "6379"},
        {"taskflux.task.name", "twice"},           {"taskflux.attempt", "1"},
        {"taskflux.outcome", "succeeded"}};
    BOOST_TEST((process.attributes == processed));
    BOOST_TEST(seen->scope == "taskflux");
    BOOST_TEST(seen->schema_url == "https://opentelemetry.io/schemas/1.44.0");
}

BOOST_AUTO_TEST_CASE(a_submission_is_below_the_current_span) {
    const auto mine = seen->GetTracer("mine", "", "")->StartSpan("request", otel::detail::attributes(), otel::detail::links());
    {
        const api::Scope current(mine);
        now(sender.submit(twice, 1));
    }
    BOOST_TEST(only("send default").parent == test::text_of(mine->GetContext()));
}

BOOST_AUTO_TEST_CASE(a_trace_that_the_caller_gives_stays_in_the_task) {
    const auto options = submit_options().header("traceparent", given).header("tracestate", "foo=1");
    const auto job = now(sender.submit(twice, options, 1));
    const auto send = only("send default");
    BOOST_TEST((send.kind == api::SpanKind::kClient));  // the task was created elsewhere
    BOOST_TEST(send.parent == given);
    BOOST_TEST(send.links.empty());
    const auto mine = seen->GetTracer("mine", "", "")->StartSpan("request", otel::detail::attributes(), otel::detail::links());
    {
        const api::Scope current(mine);
        now(sender.submit(twice, options, 2));
    }
    const auto other = seen->spans("send default").at(1);
    BOOST_TEST(other.parent == test::text_of(mine->GetContext()));
    BOOST_TEST(other.links == std::vector<std::string>{given});
    const auto record = now(broker->get(job.id()));
    BOOST_TEST(record->headers.at("traceparent") == given);
    BOOST_TEST(record->headers.at("tracestate") == "foo=1");
}

BOOST_AUTO_TEST_CASE(a_trace_that_is_not_valid_is_replaced) {
    const auto options = submit_options().header("traceparent", "00-1").header("tracestate", "foo=1");
    const auto job = now(sender.submit(twice, options, 1));
    const auto record = now(broker->get(job.id()));
    BOOST_TEST(record->headers.at("traceparent") == only("send default").own);
    BOOST_TEST(!record->headers.contains("tracestate"));
}

BOOST_AUTO_TEST_CASE(many_tasks_of_one_request_share_a_span) {
    const std::vector<int> three{1, 2, 3};
    const auto jobs = now(sender.submit_all(twice, three));
    const auto send = only("send default");
    BOOST_TEST(send.attributes.at("messaging.batch.message_count") == "3");
    BOOST_TEST(!send.attributes.contains("messaging.message.id"));
    for (const auto& one : jobs) BOOST_TEST(now(broker->get(one.id()))->headers.at("traceparent") == send.own);
}

BOOST_AUTO_TEST_CASE(a_submission_that_is_refused_has_failed) {
    const auto small = make_broker(taskflux::memory_options().max_pending(1));
    const auto to_it = taskflux::client{small}.traced_by(otel::make_tracer());
    now(to_it.submit(twice, 1));
    BOOST_CHECK_EXCEPTION(now(to_it.submit(twice, 2)), taskflux::error, [](const auto& e) { return e.code() == errc::queue_full; });
    const auto refused = seen->spans("send default").at(1);
    BOOST_TEST((refused.status == api::StatusCode::kError));
    BOOST_TEST(refused.attributes.at("error.type") == "queue_full");
    BOOST_TEST(refused.ends == 1);
}

BOOST_AUTO_TEST_CASE(a_retry_has_a_trace_of_its_own_with_a_link) {
    auto w = make_worker();
    w.on(flaky, [](int) -> int { throw std::runtime_error("no user 'Ann'"); });
    start(w.run());
    now(sender.submit(flaky, 1));
    pass(2s, 500ms);
    const auto send = only("send default");
    const auto attempts = seen->spans("process default");
    BOOST_TEST_REQUIRE(attempts.size() == 2U);
    BOOST_TEST(attempts[0].parent == send.own);
    BOOST_TEST(attempts[0].attributes.at("taskflux.outcome") == "retried");
    BOOST_TEST(attempts[1].parent.empty());
    BOOST_TEST(attempts[1].links == std::vector<std::string>{send.own});
    BOOST_TEST(attempts[1].trace() != send.trace());
    BOOST_TEST(attempts[1].attributes.at("taskflux.attempt") == "2");
    BOOST_TEST(attempts[1].attributes.at("taskflux.outcome") == "failed");
    for (const auto& one : attempts) {
        BOOST_TEST((one.status == api::StatusCode::kError));
        BOOST_TEST(one.attributes.at("error.type").find("runtime_error") != std::string::npos);
        BOOST_TEST(one.message.empty());  // it might tell a secret
        BOOST_TEST(one.ends >= 1);
    }
}

BOOST_AUTO_TEST_CASE(messages_are_told_where_that_is_wanted) {
    auto w = make_worker(otel::otel_options().with_messages());
    w.on(note, [](int) { throw taskflux::discard("no paper"); });
    start(w.run());
    now(sender.submit(note, 1));
    settle();
    BOOST_TEST(only("process default").message == "no paper");
}

BOOST_AUTO_TEST_CASE(with_link_only_no_attempt_is_below_the_submission) {
    auto w = make_worker(otel::otel_options().link_only());
    w.on(twice, [](int n) { return 2 * n; });
    start(w.run());
    now(sender.submit(twice, 4));
    settle();
    const auto process = only("process default");
    BOOST_TEST(process.parent.empty());
    BOOST_TEST(process.links == std::vector<std::string>{only("send default").own});
}

BOOST_AUTO_TEST_CASE(the_items_of_a_batch_have_links) {
    auto w = make_worker();
    std::vector<bool> are_there;
    std::vector<std::string> places;
    w.on_batch(note, taskflux::batch_options().max(10), [&](std::span<taskflux::batch_item<int>> items) {
        for (auto& one : items) {
            are_there.push_back(otel::span_of(one)->GetContext().IsValid());
            places.push_back(one.trace()->traceparent());
        }
    });
    start(w.run());
    const std::vector<int> two{1, 2};
    now(sender.submit_all(note, two));
    pass(2s, 500ms);
    const auto items = seen->spans("process default");
    BOOST_TEST_REQUIRE(items.size() == 2U);
    for (const auto& one : items) {
        BOOST_TEST(one.parent.empty());
        BOOST_TEST(one.links == std::vector<std::string>{only("send default").own});
        BOOST_TEST(one.attributes.at("taskflux.outcome") == "succeeded");
    }
    BOOST_TEST((are_there == std::vector<bool>{true, true}));
    BOOST_TEST((places == std::vector<std::string>{items[0].own, items[1].own}));
}

BOOST_AUTO_TEST_CASE(subtasks_are_below_the_attempt_that_makes_them) {
    auto w = make_worker();
    w.on(twice, [](int n) { return 2 * n; });
    std::string mine, span;
    w.on(flaky, [&](context& ctx, int n) -> asio::awaitable<int> {
        mine = ctx.trace()->traceparent();
        span = test::text_of(otel::span_of(ctx)->GetContext());
        const auto result = co_await ctx.call(twice, n);
        co_return result;
    });
    start(w.run());
    const auto job = now(client.submit(flaky, 4));  // without a trace: the attempt begins one
    pass(2s, 500ms);
    BOOST_TEST(now(job.result()) == 8);
    const auto attempts = seen->spans("process default");
    BOOST_TEST_REQUIRE(attempts.size() >= 2U);
    BOOST_TEST(attempts[0].parent.empty());
    BOOST_TEST(attempts[0].links.empty());
    std::optional<recorded> below;
    for (const auto& one : attempts) {
        if (one.attributes.at("taskflux.task.name") == "twice") below = one;
    }
    BOOST_TEST_REQUIRE(below.has_value());
    BOOST_TEST(below->parent == attempts[0].own);
    BOOST_TEST(mine == span);
}

BOOST_AUTO_TEST_CASE(a_plain_function_has_its_span_as_the_current_one_and_a_coroutine_has_not) {
    auto w = make_worker();
    std::string plain, coroutine;
    w.on(twice, [&](int n) { return plain = test::text_of(api::Tracer::GetCurrentSpan()->GetContext()), n; });
    w.on(flaky, [&](context&, int n) -> asio::awaitable<int> {
        coroutine = test::text_of(api::Tracer::GetCurrentSpan()->GetContext());
        co_return n;
    });
    start(w.run());
    now(client.submit(twice, 1));
    settle();
    BOOST_TEST(plain == only("process default").own);
    BOOST_TEST(!api::Tracer::GetCurrentSpan()->GetContext().IsValid());
    now(client.submit(flaky, 1));
    settle();
    BOOST_TEST(seen->spans("process default").size() == 2U);
    BOOST_TEST(coroutine.empty());
}

BOOST_AUTO_TEST_CASE(an_attempt_that_is_cancelled_or_put_off_has_not_failed) {
    auto w = make_worker();
    gate closed(here);
    w.on(tick, [&](context&) -> asio::awaitable<void> { co_await closed.pass(); });
    w.on(note, [](int) { throw taskflux::retry_after(1h); });
    start(w.run());
    const auto job = now(client.submit(tick));
    settle();
    now(job.cancel());
    pass(1s, 100ms);
    now(sender.submit(note, 1));
    settle();
    const auto all = seen->spans("process default");
    BOOST_TEST_REQUIRE(all.size() == 2U);
    BOOST_TEST(all[0].attributes.at("taskflux.outcome") == "cancelled");
    BOOST_TEST(all[1].attributes.at("taskflux.outcome") == "put_off");
    pass(2h, 30min);
    const auto again = seen->spans("process default").back();
    BOOST_TEST(again.attributes.at("taskflux.attempt") == "1");
    BOOST_TEST(again.parent.empty());
    BOOST_TEST(again.links == std::vector<std::string>{only("send default").own});
    for (const auto& one : all) {
        BOOST_TEST((one.status == api::StatusCode::kUnset));
        BOOST_TEST(!one.attributes.contains("error.type"));
    }
}

BOOST_AUTO_TEST_CASE(an_attempt_is_not_below_what_its_thread_does) {
    auto w = make_worker();
    w.on(twice, [](int n) { return 2 * n; });
    start(w.run());
    const auto mine = seen->GetTracer("mine", "", "")->StartSpan("request", otel::detail::attributes(), otel::detail::links());
    const api::Scope current(mine);
    now(client.submit(twice, 4));  // a client without a tracer
    settle();
    BOOST_TEST(only("process default").parent.empty());
}

BOOST_AUTO_TEST_CASE(an_attempt_whose_lease_is_lost_says_so) {
    worker w{broker, options().tracing(otel::make_tracer()).lease(1s).log([](const taskflux::log_line&, const taskflux::task_id*) {})};
    gate closed(here);
    w.on(tick, [&](context&) -> asio::awaitable<void> { co_await closed.pass(); });
    start(w.run());
    now(client.submit(tick));
    settle();
    time.advance(1h);  // at once: nothing has renewed it
    settle();
    const auto first = seen->spans("process default").at(0);
    BOOST_TEST(first.attributes.at("taskflux.outcome") == "lost");
    BOOST_TEST(first.attributes.at("error.type") == "lease_lost");
    BOOST_TEST((first.status == api::StatusCode::kError));
    BOOST_TEST(first.ends >= 1);
}

BOOST_AUTO_TEST_CASE(an_attempt_without_a_tracer_has_a_span_that_records_nothing) {
    worker w{broker, options()};
    bool is_valid = true;
    w.on(note, [&](context& ctx, int) -> asio::awaitable<void> {
        is_valid = otel::span_of(ctx)->GetContext().IsValid();
        co_return;
    });
    start(w.run());
    now(client.submit(note, 1));
    settle();
    BOOST_TEST(!is_valid);
    BOOST_TEST(seen->spans().empty());
}

BOOST_AUTO_TEST_CASE(what_a_tracer_throws_is_ignored) {
    struct broken final : taskflux::tracer {
        std::unique_ptr<taskflux::send_span> on_send(const std::string&, taskflux::task_spec&, std::size_t) override { throw 1; }
        std::unique_ptr<taskflux::attempt_span> on_process(const taskflux::running_task&, bool) override { throw 1; }
    };
    const auto by = std::make_shared<broken>();
    worker w{broker, options().tracing(by)};
    w.on(twice, [](int n) { return 2 * n; });
    start(w.run());
    const auto job = now(client.traced_by(by).submit(twice, 4));
    settle();
    BOOST_TEST(now(job.result()) == 8);
}

BOOST_AUTO_TEST_SUITE_END()
