#include <taskflux/admin/node.hpp>
#include <taskflux/calls/call_options.hpp>
#include <taskflux/calls/service_options.hpp>
#include <taskflux/flow/raw_queue.hpp>
#include <taskflux/flow/scheduler_options.hpp>
#include <taskflux/flow/worker_options.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// The defaults of what runs, what each option sets, and the bounds on both sides.
namespace flow_options {

using namespace std::chrono_literals;
using namespace taskflux;

constexpr auto year = 365 * 24h;

std::string refusal(const std::function<void()>& set) {
    try {
        set();
    } catch (const error& e) {
        BOOST_TEST((e.code() == errc::invalid_argument));
        return e.what();
    }
    return "none";
}

}  // namespace flow_options

BOOST_AUTO_TEST_SUITE(flow_options)

BOOST_AUTO_TEST_CASE(a_worker_has_its_defaults) {
    const worker_options made;
    BOOST_TEST(made.queues().empty());
    BOOST_TEST(made.is_strict());
    BOOST_TEST(made.concurrency() == 16U);
    BOOST_TEST(made.prefetch() == 0U);
    BOOST_TEST(made.cpu_threads() == 0U);
    BOOST_TEST(!made.cpu());
    BOOST_TEST((made.timeout() == 0s && made.lease() == 30s && made.stuck_after() == 5min));
    BOOST_TEST((made.drain_for() == 30s && made.unwind_for() == 5s && made.blocked_after() == 200ms));
    BOOST_TEST(made.renewal_thread());
    BOOST_TEST((!made.start_timeout() && !made.seed() && !made.observer()));
    BOOST_TEST(made.name() == "");
}

BOOST_AUTO_TEST_CASE(a_worker_has_what_each_option_sets) {
    boost::asio::io_context io;
    auto made = worker_options().concurrency(1).prefetch(3).cpu_threads(4).cpu(io.get_executor()).timeout(1ms).lease(100ms);
    made.renewal_thread(false).stuck_after(2ms).start_timeout(3ms).drain_for(4ms).unwind_for(5ms).blocked_after(6ms).name("n").seed(7);
    BOOST_TEST((made.concurrency() == 1U && made.prefetch() == 3U && made.cpu_threads() == 4U && made.seed() == 7U));
    BOOST_TEST((made.timeout() == 1ms && made.lease() == 100ms && made.stuck_after() == 2ms && made.start_timeout() == 3ms));
    BOOST_TEST((made.drain_for() == 4ms && made.unwind_for() == 5ms && made.blocked_after() == 6ms));
    BOOST_TEST((made.cpu() == io.get_executor() && !made.renewal_thread() && made.name() == "n"));
    made.timeout(0s).stuck_after(0s).start_timeout(0s).drain_for(0s).unwind_for(0s).blocked_after(0s);
    BOOST_TEST((made.timeout() == 0s && made.stuck_after() == 0s && made.start_timeout() == 0s && made.blocked_after() == 0s));
}

BOOST_AUTO_TEST_CASE(the_last_list_of_a_workers_queues_counts_and_says_how_they_share) {
    auto made = worker_options().queues({"a", "b"});
    BOOST_REQUIRE_EQUAL(made.queues().size(), 2U);
    BOOST_TEST((made.queues()[1].name == "b" && made.queues()[1].weight == 1U));
    made.weighted_queues({{"c", 1}, {"d", 5}});
    BOOST_REQUIRE_EQUAL(made.queues().size(), 2U);
    BOOST_TEST((made.queues()[0].name == "c" && made.queues()[0].weight == 1U && made.queues()[1].weight == 5U));
    BOOST_TEST(!made.is_strict());
    BOOST_TEST(made.queues({"a"}).is_strict());
    BOOST_TEST(refusal([] { worker_options().queues({"a", "a"}); }) == "worker_options: queue a is listed twice: leave one out");
    BOOST_TEST(refusal([] { worker_options().weighted_queues({{"a", 0}}); }) ==
               "worker_options: the weight of queue a must be at least 1");
    BOOST_TEST(refusal([] { worker_options().concurrency(0); }) == "worker_options: concurrency must be at least 1");
}

BOOST_AUTO_TEST_CASE(no_time_is_negative) {
    const std::vector<std::pair<std::string, std::function<void()>>> all{
        {"timeout", [] { worker_options().timeout(-1ms); }},
        {"stuck_after", [] { worker_options().stuck_after(-1ms); }},
        {"start_timeout", [] { worker_options().start_timeout(-1ms); }},
        {"drain_for", [] { worker_options().drain_for(-1ms); }},
        {"unwind_for", [] { worker_options().unwind_for(-1ms); }},
        {"blocked_after", [] { worker_options().blocked_after(-1ms); }},
        {"drain_for", [] { service_options().drain_for(-1ms); }},
        {"start_timeout", [] { service_options().start_timeout(-1ms); }},
        {"start_timeout", [] { scheduler_options().start_timeout(-1ms); }},
        {"start_timeout", [] { node_options().start_timeout(-1ms); }},
        {"grace", [] { schedule_options().grace(-1ms); }},
        {"jitter", [] { schedule_options().jitter(-1ms); }},
    };
    for (const auto& [name, set] : all) {
        const auto text = refusal(set);
        BOOST_TEST((text.find(name) != std::string::npos && text.find("must not be negative") != std::string::npos), name + ": " + text);
    }
}

BOOST_AUTO_TEST_CASE(a_lease_is_a_tenth_of_a_second_at_least) {
    BOOST_TEST((service_options().lease(100ms).lease() == 100ms && node_options().lease(100ms).lease() == 100ms &&
                raw_queue_options().lease(100ms).lease() == 100ms));
    for (const auto& set : std::vector<std::function<void()>>{[] { worker_options().lease(99ms); }, [] { service_options().lease(99ms); },
                                                              [] { node_options().lease(99ms); }, [] { raw_queue_options().lease(99ms); }}) {
        BOOST_TEST(refusal(set).find("lease") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_service_a_node_and_a_raw_queue_have_their_defaults) {
    const service_options service;
    BOOST_TEST((service.max_running() == 1000U && service.cpu_threads() == 0U && !service.cpu() && !service.start_timeout()));
    BOOST_TEST((service.lease() == 5s && service.drain_for() == 10s && service.id().empty() && service.host().empty()));
    const node_options node;
    BOOST_TEST((node.lease() == 5s && node.name().empty() && node.host().empty() && !node.start_timeout()));
    const raw_queue_options raw;
    BOOST_TEST((raw.lease() == 30s && raw.name().empty()));
}

BOOST_AUTO_TEST_CASE(a_service_and_a_node_have_what_each_option_sets) {
    boost::asio::io_context io;
    const auto service = service_options().id("i").host("h").max_running(1).drain_for(0s).cpu(io.get_executor()).start_timeout(2s);
    BOOST_TEST((service.id() == "i" && service.host() == "h" && service.max_running() == 1U && service.drain_for() == 0s));
    BOOST_TEST((service.cpu() == io.get_executor() && service.start_timeout() == 2s));
    BOOST_TEST(refusal([] { service_options().max_running(0); }) == "service_options: max_running must be at least 1");
    const auto node = node_options().name("n").host("h").start_timeout(0s);
    BOOST_TEST((node.name() == "n" && node.host() == "h" && node.start_timeout() == 0s));
}

BOOST_AUTO_TEST_CASE(a_call_has_its_defaults_and_bounds) {
    const call_options made;
    BOOST_TEST((made.timeout() == 30s && !made.is_idempotent() && made.to().empty() && made.headers().empty() && made.window() == 64U));
    BOOST_TEST((call_options().timeout(1ms).timeout() == 1ms && call_options().to("x").to() == "x"));
    BOOST_TEST((call_options().idempotent().is_idempotent() && !call_options().idempotent().idempotent(false).is_idempotent()));
    for (const auto limit : {0ms, -1ms}) {
        BOOST_TEST(refusal([&] { call_options().timeout(limit); }) == "call_options: timeout must be positive: use a millisecond or more");
    }
    for (const std::size_t values : {1U, 65'536U}) BOOST_TEST(call_options().window(values).window() == values);
    for (const std::size_t values : {0U, 65'537U}) {
        BOOST_TEST(refusal([&] { call_options().window(values); }) ==
                   "call_options: a window of " + std::to_string(values) + " values is out of range: use 1 to 65536");
    }
}

BOOST_AUTO_TEST_CASE(a_scheduler_has_its_defaults_and_what_each_option_sets) {
    const scheduler_options made;
    BOOST_TEST((made.queues().empty() && made.host().empty() && made.look_every() == 1s && !made.cpu() && !made.start_timeout()));
    const auto other = scheduler_options().queues({"a", "b"}).host("h").start_timeout(0s);
    BOOST_TEST((other.queues() == std::vector<std::string>{"a", "b"} && other.host() == "h" && other.start_timeout() == 0s));
    BOOST_TEST(refusal([] { scheduler_options().queues({"a", "no queue"}); }) != "none");
    BOOST_TEST(refusal([] { scheduler_options().host(""); }) != "none");
}

BOOST_AUTO_TEST_CASE(a_schedule_is_defined_with_its_defaults) {
    const auto made = schedule_options().define("name", "0 * * * *", "UTC");
    BOOST_TEST((made.id == "name" && made.cron == "0 * * * *" && made.zone == "UTC"));
    BOOST_TEST((made.misfire == misfire_policy::fire_once && made.limit == 1U && made.grace == 5s));
    BOOST_TEST((made.overlap == overlap_policy::allow && made.jitter == 0s && made.hosts.empty()));
    BOOST_TEST((schedule_options().zone() == "UTC" && schedule_options().scope() == local_scope::every_process));
}

BOOST_AUTO_TEST_CASE(a_schedule_is_defined_with_what_each_option_sets) {
    const auto options = schedule_options().id("own").misfire(misfire_policy::catch_up, 1000).grace(year).hosts({"a", "b"});
    const auto made = schedule_options(options).overlap(overlap_policy::skip).jitter(year).define("n", "* * * * *", "Europe/Berlin");
    BOOST_TEST((made.misfire == misfire_policy::catch_up && made.limit == 1000U && made.grace == year && made.jitter == year));
    BOOST_TEST((made.overlap == overlap_policy::skip && made.zone == "Europe/Berlin"));
    BOOST_TEST((made.hosts == std::vector<std::string>{"a", "b"}));
    BOOST_TEST((options.id() == "own" && schedule_options().zone("x").zone() == "x"));
    BOOST_TEST((schedule_options().scope(local_scope::once_per_host).scope() == local_scope::once_per_host));
    BOOST_TEST((schedule_options().submit(submit_options().priority(3)).submit().priority() == 3));
}

BOOST_AUTO_TEST_CASE(only_catching_up_has_a_limit_of_1_to_1000) {
    const auto limit_of = [](misfire_policy policy, unsigned limit) {
        return schedule_options().misfire(policy, limit).define("n", "* * * * *", "UTC").limit;
    };
    BOOST_TEST(limit_of(misfire_policy::catch_up, 1) == 1U);
    BOOST_TEST(limit_of(misfire_policy::catch_up, 7) == 7U);
    BOOST_TEST(limit_of(misfire_policy::fire_once, 7) == 1U);
    BOOST_TEST(limit_of(misfire_policy::skip, 7) == 1U);
    BOOST_TEST(schedule_options().misfire(misfire_policy::catch_up).define("n", "* * * * *", "UTC").limit == 10U);
    BOOST_TEST(refusal([] { schedule_options().misfire(misfire_policy::catch_up, 0); }) ==
               "schedule_options: the limit of misfire must be at least 1: to catch up with none use skip");
    BOOST_TEST(refusal([] { schedule_options().misfire(misfire_policy::catch_up, 1001); }) ==
               "schedule_options: the limit of misfire must be at most 1000");
    BOOST_TEST(refusal([] { schedule_options().grace(year + 1ms); }) == "schedule_options: grace must be at most 365 days");
    BOOST_TEST(refusal([] { schedule_options().jitter(year + 1ms); }) == "schedule_options: jitter must be at most 365 days");
}

BOOST_AUTO_TEST_CASE(a_schedule_submits_nothing_that_only_one_task_can_have) {
    const submit_options refused[] = {submit_options().id("x"), submit_options().unique("x"), submit_options().hold(),
                                      submit_options().at(time_point(1h)), submit_options().delay(1ms)};
    for (const auto& one : refused) {
        BOOST_TEST(refusal([&] { schedule_options().submit(one); }) ==
                   "schedule_options: submit can't have an id, a unique key, on_duplicate, hold, delay or at: leave them out");
    }
    BOOST_TEST(refusal([] { schedule_options().submit(submit_options().delay(0s)); }) == "none");
}

BOOST_AUTO_TEST_SUITE_END()
