#include <taskflux/core/options.hpp>

#include <boost/test/unit_test.hpp>

#include <functional>

namespace core_options {

using namespace taskflux;
using namespace std::chrono_literals;

inline constexpr auto in_a_contract = task_options{}
                                          .queue("geometry")
                                          .priority(-7)
                                          .retry(retry_policy::fixed(1s))
                                          .timeout(2s)
                                          .deadline(3s)
                                          .expires_in(4s)
                                          .retention(5s, 6s)
                                          .crash_limit(9);
static_assert(in_a_contract.queue() == "geometry");
static_assert(in_a_contract.priority() == -7);
static_assert(task_options{}.queue() == "default" && task_options{}.priority() == 0);

/// Whether `set` is refused as invalid, with a sentence about `subject`.
void refuses(const std::function<void()>& set, const std::string& subject) {
    BOOST_TEST_CONTEXT(subject) {
        BOOST_CHECK_EXCEPTION(set(), error, [&](const error& e) {
            return e.code() == errc::invalid_argument && std::string(e.what()).find(subject) != std::string::npos;
        });
    }
}

/// What both kinds of options refuse.
template <class Options>
void refuses_bad_values() {
    refuses([] { Options{}.queue(""); }, "not a queue name: \"\"");
    refuses([] { Options{}.queue("a b"); }, "not a queue name: \"a b\"; use 1 to 128");
    refuses([] { Options{}.priority(-101); }, "priority");
    refuses([] { Options{}.priority(101); }, "priority");
    refuses([] { Options{}.timeout(-1ms); }, "timeout");
    refuses([] { Options{}.deadline(-1ms); }, "deadline");
    refuses([] { Options{}.expires_in(-1ms); }, "expires_in");
    refuses([] { Options{}.retention(-1ms); }, "retention");
    refuses([] { Options{}.retention(1ms, -1ms); }, "retention");
}

}  // namespace core_options

BOOST_AUTO_TEST_SUITE(core_options)

BOOST_AUTO_TEST_CASE(a_contract_keeps_what_is_set) {
    const auto& policy = in_a_contract.policy();
    BOOST_TEST((policy.retry == retry_policy::fixed(1s)));
    BOOST_TEST((policy.timeout == 2s && policy.deadline == 3s && policy.expires_in == 4s));
    BOOST_TEST((policy.retention == 5s && policy.failed_retention == 6s));
    BOOST_TEST(policy.crash_limit == 9U);
}

BOOST_AUTO_TEST_CASE(the_defaults_are_one_attempt_without_limits) {
    const task_options options;
    BOOST_TEST((options.policy() == run_policy{}));
    BOOST_TEST(options.policy().retry.attempts() == 1U);
    BOOST_TEST((options.policy().timeout == 0s && options.policy().deadline == 0s));
    BOOST_TEST((options.policy().retention == 1h && options.policy().failed_retention == 24h * 7));
    BOOST_TEST(options.policy().crash_limit == 3U);
}

BOOST_AUTO_TEST_CASE(bad_values_are_refused_with_a_sentence) {
    refuses_bad_values<task_options>();
    refuses_bad_values<submit_options>();
    refuses([] { submit_options{}.delay(-1ms); }, "delay");
    refuses([] { submit_options{}.id(""); }, "task id");
    refuses([] { submit_options{}.id("~1.1"); }, "task id");
    refuses([] { submit_options{}.id(std::string(257, 'x')); }, "task id");
    refuses([] { submit_options{}.unique(""); }, "unique key");
    refuses([] { submit_options{}.unique("k", -1ms); }, "window");
    refuses([] { submit_options{}.unique(std::string(1025, 'k')); }, "unique key");
    refuses([] { submit_options{}.debounce(0ms); }, "positive");
    refuses([] { submit_options{}.debounce(-1ms); }, "positive");
    refuses([] { submit_options{}.debounce(10ms, -1ms); }, "at_most must not be negative");
    refuses([] { submit_options{}.debounce(10ms, 9ms); }, "at least as long");
    refuses([] { submit_options{}.failed_retention(-1ms); }, "retention must not be negative: use zero or a longer time");
    refuses([] { submit_options{}.wait(-1ms); }, "wait");
    refuses([] { submit_options{}.header(std::string(257, 'h'), ""); }, "header name");
    refuses([] { submit_options{}.header("h", std::string(65'537, 'v')); }, "header value");
}

BOOST_AUTO_TEST_CASE(a_refused_value_changes_nothing) {
    submit_options options;
    options.priority(5).id("mine").unique("k", 1s);
    refuses([&] { options.priority(500); }, "priority");
    refuses([&] { options.id("~"); }, "task id");
    refuses([&] { options.unique("other", -1s); }, "window");
    refuses([&] { options.retention(1s, -1s); }, "retention");
    BOOST_TEST(*options.priority() == 5);
    BOOST_TEST(options.id() == "mine");
    BOOST_TEST(options.unique_key() == "k");
    BOOST_TEST((options.unique_window() == 1s));
    BOOST_TEST((options.over(run_policy{}) == run_policy{}));
}

BOOST_AUTO_TEST_CASE(the_edges_of_what_is_allowed_are_allowed) {
    for (const int priority : {-100, 100}) BOOST_TEST(task_options{}.priority(priority).priority() == priority);
    BOOST_TEST((task_options{}.retention(0s, 0s).policy().failed_retention == 0s));
    BOOST_TEST(task_options{}.crash_limit(0).policy().crash_limit == 0U);
    BOOST_TEST((submit_options{}.delay((duration::max)()).delay() == (duration::max)()));
    BOOST_TEST(submit_options{}.unique(std::string(1024, 'k')).unique_key().size() == 1024U);
    BOOST_TEST(submit_options{}.header(std::string(256, 'h'), std::string(65'536, 'v')).headers().size() == 1U);
    BOOST_TEST((submit_options{}.wait(0s).wait() == 0s));
    BOOST_TEST((submit_options{}.wait() == (duration::max)()));
    const auto held = submit_options{}.hold(), not_held = submit_options{}.hold().hold(false);
    BOOST_TEST(held.hold());
    BOOST_TEST(!not_held.hold());
    BOOST_TEST((detail::checked_lease(100ms, "x") == 100ms));
    refuses([] { detail::checked_lease(99ms, "some_options"); }, "some_options: lease must be at least 100 ms");
    BOOST_TEST(detail::checked_threads(1000, "x") == 1000U);
    refuses([] { detail::checked_threads(1001, "some_options"); }, "some_options: cpu_threads 1001 is out of range: use 0 to 1000");
    refuses([] { (void)detail::checked_name("a b"); }, "not a name: \"a b\"");
}

BOOST_AUTO_TEST_CASE(of_delay_and_at_the_later_call_wins) {
    const time_point when(100h);
    const auto at = submit_options{}.delay(5s).at(when);
    BOOST_TEST((at.at() == when && at.delay() == 0s));
    const auto delayed = submit_options{}.at(when).delay(5s);
    BOOST_TEST((!delayed.at() && delayed.delay() == 5s));
}

BOOST_AUTO_TEST_CASE(what_a_submission_sets_takes_the_place_of_the_contract) {
    const auto& base = in_a_contract.policy();
    BOOST_TEST((submit_options{}.over(base) == base));
    const auto all = submit_options{}
                         .retry(retry_policy::none())
                         .timeout(20s)
                         .deadline(0s)
                         .expires_in(40s)
                         .retention(50s, 60s)
                         .crash_limit(0)
                         .over(base);
    BOOST_TEST((all.retry == retry_policy::none()));
    BOOST_TEST((all.timeout == 20s && all.deadline == 0s && all.expires_in == 40s));
    BOOST_TEST((all.retention == 50s && all.failed_retention == 60s));
    BOOST_TEST(all.crash_limit == 0U);
    const auto one = submit_options{}.timeout(20s).over(base);
    BOOST_TEST((one.timeout == 20s && one.deadline == 3s));
}

BOOST_AUTO_TEST_CASE(as_defaults_options_leave_alone_what_is_not_as_usual) {
    const auto defaults = submit_options{}.timeout(20s).deadline(30s).retention(50s).failed_retention(60s).crash_limit(1);
    const auto others = submit_options{}.retry(retry_policy::linear(7s)).expires_in(40s);
    BOOST_TEST((others.under(run_policy{}).retry == retry_policy::linear(7s)));
    BOOST_TEST((others.under(run_policy{}).expires_in == 40s));
    BOOST_TEST((others.under(in_a_contract.policy()) == in_a_contract.policy()));
    BOOST_TEST((defaults.under(in_a_contract.policy()) == in_a_contract.policy()));
    const auto filled = defaults.under(run_policy{});
    BOOST_TEST((filled.timeout == 20s && filled.deadline == 30s && filled.expires_in == 0s));
    BOOST_TEST((filled.retention == 50s && filled.failed_retention == 60s));
    BOOST_TEST(filled.crash_limit == 1U);
    BOOST_TEST((submit_options{}.under(run_policy{}) == run_policy{}));
}

BOOST_AUTO_TEST_CASE(a_later_header_of_the_same_name_wins) {
    const auto options = submit_options{}.header("a", "1").header("b", "2").header("a", "3");
    BOOST_TEST((options.headers() == header_map{{"a", "3"}, {"b", "2"}}));
}

BOOST_AUTO_TEST_CASE(options_that_concern_the_task_alone_keep_the_contract) {
    BOOST_TEST(submit_options{}.keeps_contract());
    BOOST_TEST(submit_options{}.id("mine").unique("k").delay(1s).hold().queue("other").keeps_contract());
    BOOST_TEST(!submit_options{}.priority(0).keeps_contract());
    BOOST_TEST(!submit_options{}.retry(retry_policy::none()).keeps_contract());
    BOOST_TEST(!submit_options{}.timeout(1s).keeps_contract());
    BOOST_TEST(!submit_options{}.deadline(1s).keeps_contract());
    BOOST_TEST(!submit_options{}.expires_in(1s).keeps_contract());
    BOOST_TEST(!submit_options{}.retention(1s).keeps_contract());
    BOOST_TEST(!submit_options{}.failed_retention(1s).keeps_contract());
    BOOST_TEST(!submit_options{}.crash_limit(1).keeps_contract());
    BOOST_TEST(!submit_options{}.header("a", "1").keeps_contract());
}

BOOST_AUTO_TEST_SUITE_END()
