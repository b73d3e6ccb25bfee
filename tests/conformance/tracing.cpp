#include <conformance/workflow_site.hpp>
#include <taskflux/core/trace_context.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace taskflux::conformance {

namespace conformance_tracing {

const std::string received = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Of the same trace, and from another span.
bool is_below(const std::optional<trace_context>& one, const std::string& other) {
    return one && one->traceparent().substr(0, 35) == other.substr(0, 35) && one->traceparent() != other;
}

struct seen {
    std::string parent;  ///< the header
    std::optional<trace_context> trace;
};

}  // namespace conformance_tracing

BOOST_AUTO_TEST_SUITE(conformance_tracing)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_trace_stays_through_retries_and_each_attempt_has_a_span_of_its_own, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    std::vector<seen> attempts;
    all.parent_body = [&](context& ctx, int value) -> asio::awaitable<int> {
        attempts.push_back({std::string(ctx.header("traceparent")), ctx.trace()});
        BOOST_TEST((ctx.trace() == attempts.back().trace));  // whenever it is asked
        if (ctx.attempt() < 3) throw std::runtime_error("not yet");
        co_return value;
    };
    all.begin();
    const auto above = *trace_context::parse(received, "foo=1,bar=2");
    const auto options = submit_options().trace(above).retry(retry_policy::fixed(1s).attempts(3));
    const auto job = all.result(all.client.submit(parent, options, 5));
    for (int i = 0; i < 3; ++i) on.pass(1s);
    BOOST_TEST(all.result(job.result()) == 5);
    BOOST_TEST_REQUIRE(attempts.size() == 3U);
    for (const auto& one : attempts) {
        BOOST_TEST(one.parent == received);
        BOOST_TEST(is_below(one.trace, received));
        BOOST_TEST(one.trace->tracestate() == "foo=1,bar=2");
        BOOST_TEST(one.trace->is_sampled());
    }
    BOOST_TEST((attempts[0].trace != attempts[1].trace && attempts[1].trace != attempts[2].trace));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(subtasks_are_below_the_attempt_that_submits_them, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    std::optional<trace_context> mine;
    std::vector<header_map> below;
    const auto other = *trace_context::parse("00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
    all.parent_body = [&](context& ctx, int value) -> asio::awaitable<int> {
        mine = ctx.trace();
        const auto at_first = co_await ctx.call(twice, value);
        below.push_back(all.headers);
        const std::vector<int> values(1, at_first);
        const auto of_map = co_await ctx.map(far, values);
        below.push_back(all.headers);
        const auto elsewhere = co_await ctx.call(twice, submit_options().trace(other), of_map[0]);
        below.push_back(all.headers);
        co_return elsewhere;
    };
    all.begin();
    const auto options = submit_options().trace(*trace_context::parse(received, "foo=1"));
    const auto job = all.result(all.client.submit(parent, options, 1));
    BOOST_TEST(all.result(job.result()) == 8);
    BOOST_TEST_REQUIRE(below.size() == 3U);
    BOOST_TEST_REQUIRE(is_below(mine, received));
    for (std::size_t i = 0; i < 2; ++i) {
        BOOST_TEST(below[i].at("traceparent") == mine->traceparent());
        BOOST_TEST(below[i].at("tracestate") == "foo=1");
    }
    BOOST_TEST(below[2].at("traceparent") == other.traceparent());
    BOOST_TEST(!below[2].contains("tracestate"));  // that is of the other trace
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_traceparent_that_is_not_valid_is_ignored_and_no_error, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    bool has_trace = true;
    all.parent_body = [&](context& ctx, int value) -> asio::awaitable<int> {
        has_trace = ctx.trace().has_value();
        const auto result = co_await ctx.call(twice, value);
        co_return result;
    };
    all.begin();
    const auto options = submit_options().header("traceparent", "00-1").header("tracestate", "foo=1").header("tenant", "acme");
    const auto job = all.result(all.client.submit(parent, options, 1));
    BOOST_TEST(all.result(job.result()) == 2);
    BOOST_TEST(!has_trace);
    BOOST_TEST(!all.headers.contains("traceparent"));
    BOOST_TEST(!all.headers.contains("tracestate"));
    BOOST_TEST(all.headers.at("tenant") == "acme");
    const auto plain = all.result(all.client.submit(parent, 1));
    BOOST_TEST(all.result(plain.result()) == 2);
    BOOST_TEST(!has_trace);
    BOOST_TEST(all.headers.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
