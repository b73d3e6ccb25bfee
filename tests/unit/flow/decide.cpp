#include <taskflux/core/control.hpp>
#include <taskflux/core/fault.hpp>
#include <taskflux/flow/worker/decide.hpp>

#include <boost/describe/class.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using taskflux::errc;
using taskflux::settlement;
using taskflux::detail::decide;
using taskflux::detail::failed_attempt;

namespace flow_decide {

struct changed_book {
    int page = 0;
};
BOOST_DESCRIBE_STRUCT(changed_book, (), (page))

/// A first attempt of five, a second apart, that threw.
struct attempt_fixture {
    taskflux::delivery what;
    failed_attempt ended;
    std::minstd_rand random{1};

    attempt_fixture() {
        auto spec = std::make_shared<taskflux::task_spec>();
        spec->policy.retry = taskflux::retry_policy::fixed(1s);
        what.spec = spec;
        what.key = {7, 8};
        what.token = 9;
        ended.what = &what;
        ended.error = std::make_exception_ptr(std::runtime_error("broken"));
    }

    std::optional<settlement> outcome() { return decide(ended, taskflux::time_point(1h), random); }

    settlement::kind kind() {
        const auto end = outcome();
        BOOST_REQUIRE(end);
        return end->how;
    }
};

}  // namespace flow_decide

BOOST_FIXTURE_TEST_SUITE(flow_decide, attempt_fixture)

BOOST_AUTO_TEST_CASE(an_attempt_whose_next_would_come_after_the_deadline_is_the_last) {
    what.deadline_at = taskflux::time_point(1h + 1s);
    BOOST_TEST((kind() == settlement::kind::fail));
    what.deadline_at += 1ms;
    BOOST_TEST((kind() == settlement::kind::retry));
    ended.error = std::make_exception_ptr(taskflux::retry_after(1001ms));
    BOOST_TEST((kind() == settlement::kind::fail));
    ended.error = std::make_exception_ptr(taskflux::retry_after(1000ms));
    BOOST_TEST((kind() == settlement::kind::retry));
}

BOOST_AUTO_TEST_CASE(an_attempt_whose_next_would_never_come_is_the_last_though_it_has_no_deadline) {
    what.deadline_at = taskflux::never;
    ended.error = std::make_exception_ptr(taskflux::retry_after((taskflux::duration::max)()));
    BOOST_TEST((kind() == settlement::kind::fail));
    ended.error = std::make_exception_ptr(taskflux::retry_after(std::chrono::hours(24 * 365)));
    BOOST_TEST((kind() == settlement::kind::retry));
}

BOOST_AUTO_TEST_CASE(a_result_completes) {
    const auto end = taskflux::detail::succeeded(what, "42");
    BOOST_TEST((end.how == settlement::kind::complete));
    BOOST_TEST(end.data == "42");
    BOOST_TEST((end.key == what.key));
    BOOST_TEST(end.token == 9U);
}

BOOST_AUTO_TEST_CASE(what_it_was_stopped_for_decides) {
    ended.stopped = errc::cancelled;
    BOOST_TEST((kind() == settlement::kind::cancel));
    ended.stopped = errc::shut_down;
    BOOST_TEST((kind() == settlement::kind::release));
    ended.stopped = errc::timed_out;
    BOOST_TEST((kind() == settlement::kind::fail));
    ended.stopped = errc::lease_lost;
    BOOST_TEST(!outcome());
}

BOOST_AUTO_TEST_CASE(a_failure_is_retried_while_the_policy_allows_it) {
    const auto end = outcome();
    BOOST_REQUIRE(end);
    BOOST_TEST((end->how == settlement::kind::retry));
    BOOST_TEST((end->delay == 1s));
    BOOST_TEST(end->counts);
    BOOST_TEST(end->data.find("broken") != std::string::npos);
    what.attempt = 5;
    BOOST_TEST((kind() == settlement::kind::fail));
}

BOOST_AUTO_TEST_CASE(a_handler_may_decide_itself) {
    what.attempt = 5;
    ended.error = std::make_exception_ptr(taskflux::retry_after(7s));
    const auto end = outcome();
    BOOST_REQUIRE(end);
    BOOST_TEST((end->how == settlement::kind::retry));
    BOOST_TEST((end->delay == 7s));
    BOOST_TEST(!end->counts);
    ended.error = std::make_exception_ptr(taskflux::throttled(7s));
    for (const auto& deadline : {taskflux::never, taskflux::time_point(1h + 1s)}) {  // which the broker keeps
        what.deadline_at = deadline;
        const auto throttles = outcome();
        BOOST_REQUIRE(throttles);
        BOOST_TEST((throttles->how == settlement::kind::throttle));
        BOOST_TEST((throttles->delay == 7s));
        BOOST_TEST(throttles->data.empty());
    }
    what.attempt = 1;
    ended.error = std::make_exception_ptr(taskflux::discard("no"));
    BOOST_TEST((kind() == settlement::kind::fail));
}

BOOST_AUTO_TEST_CASE(the_predicate_is_asked) {
    ended.retry_if = [](const std::exception_ptr&) { return false; };
    BOOST_TEST((kind() == settlement::kind::fail));
    ended.retry_if = [](const std::exception_ptr&) { return true; };
    BOOST_TEST((kind() == settlement::kind::retry));
    ended.retry_if = [](const std::exception_ptr&) -> bool { throw 1; };
    BOOST_TEST((kind() == settlement::kind::fail));
}

BOOST_AUTO_TEST_CASE(a_bad_payload_is_not_retried) {
    const taskflux::decode_error cause(errc::bad_payload, "/a", "expected number");
    ended.error = std::make_exception_ptr(taskflux::detail::bad_payload(cause, "it", "{}"));
    BOOST_TEST((kind() == settlement::kind::fail));
}

BOOST_AUTO_TEST_CASE(changed_calls_of_a_handler_are_not_tried_again) {
    ended.error = std::make_exception_ptr(taskflux::error(errc::journal_mismatch, "other calls"));
    BOOST_TEST((kind() == settlement::kind::fail));
    ended.error = std::make_exception_ptr(taskflux::error(errc::task_failed, "a subtask"));
    BOOST_TEST((kind() == settlement::kind::retry));
}

BOOST_AUTO_TEST_CASE(a_fault_is_tried_again_whatever_its_code) {
    const std::string code = "journal_mismatch";
    ended.error = std::make_exception_ptr(taskflux::fault(code, changed_book{7}));
    BOOST_TEST((kind() == settlement::kind::retry));
    taskflux::failure of_subtask;
    of_subtask.code = code;
    ended.error = std::make_exception_ptr(taskflux::task_failed(errc::journal_mismatch, of_subtask, 1));
    BOOST_TEST((kind() == settlement::kind::retry));
    ended.error = std::make_exception_ptr(taskflux::call_failed(errc::journal_mismatch, of_subtask));
    BOOST_TEST((kind() == settlement::kind::retry));
}

BOOST_AUTO_TEST_CASE(the_total_time_counts_from_the_first_attempt_on) {
    auto spec = std::make_shared<taskflux::task_spec>();
    spec->policy.retry = taskflux::retry_policy::fixed(1s).total_time(10s);
    what.spec = spec;
    const taskflux::time_point now(1h);  // see outcome()
    what.started_at = now;
    what.first_started_at = now - 9s;
    BOOST_TEST((kind() == settlement::kind::retry));
    what.first_started_at = now - 9001ms;
    BOOST_TEST((kind() == settlement::kind::fail));
}

BOOST_AUTO_TEST_CASE(an_attempt_that_departs_is_suspended_unless_its_lease_is_lost) {
    taskflux::detail::departure why;
    why.awaited = "gpaid#1";
    why.delay = 3s;
    ended.departed = why;
    const auto end = outcome();
    BOOST_REQUIRE(end);
    BOOST_TEST((end->how == settlement::kind::suspend));
    BOOST_TEST(end->data == "gpaid#1");
    BOOST_TEST((end->delay == 3s));
    why.is_lost = true;
    ended.departed = why;
    BOOST_TEST(!outcome());
}

BOOST_AUTO_TEST_SUITE_END()
