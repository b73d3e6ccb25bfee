#include <taskflux/core/codec.hpp>
#include <taskflux/http/fasttask/python_text.hpp>
#include <taskflux/http/fasttask/told_state.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>
#include <vector>

namespace http_fasttask_texts {

using namespace taskflux;
using namespace taskflux::detail;

task_record a_record(task_state state) {
    task_record made;
    made.name = "get_hypotenuse";
    made.state = state;
    made.consumer = "node-1:0123456789ab.1";
    return made;
}

std::string error_of(std::string type, std::string message, std::string code = "task_failed") {
    failure why{std::move(code), std::move(type), std::move(message), "", ""};
    return encode(why);
}

BOOST_AUTO_TEST_SUITE(http_fasttask_texts)

BOOST_AUTO_TEST_CASE(json_is_written_as_python_writes_it) {
    BOOST_TEST(python_json(R"({"a":[1,2.50, {}],"b":"x,y:z"})") == R"({"a": [1, 2.50, {}], "b": "x,y:z"})");
    BOOST_TEST(python_json("{ \"a\"\n:\t1 }") == R"({"a": 1})");
    BOOST_TEST(python_json("\"\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x98\x80\"") == R"("\u00e9 \u4e2d \ud83d\ude00")");
    BOOST_TEST(python_json(R"("a\"b,\\")") == R"("a\"b,\\")");
    BOOST_TEST(python_json("\"\xff\"") == R"("\ufffd")");
}

BOOST_AUTO_TEST_CASE(a_text_is_escaped_in_ascii) {
    BOOST_TEST(python_json_string("a\"\\\n\x01\xc3\xa9") == R"("a\"\\\n\u0001\u00e9")");
}

BOOST_AUTO_TEST_CASE(a_text_is_shown_as_by_repr) {
    BOOST_TEST(python_repr("x") == "'x'");
    BOOST_TEST(python_repr("it's") == "\"it's\"");
    BOOST_TEST(python_repr("it's \"x\"") == "'it\\'s \"x\"'");
    BOOST_TEST(python_repr("a\\\n\x07") == "'a\\\\\\n\\x07'");
}

BOOST_AUTO_TEST_CASE(states_have_celerys_names_and_their_texts) {
    const auto told = [](const task_record& of) {
        const auto made = tell_state(of, std::nullopt);
        return made.state + ' ' + made.result;
    };
    BOOST_TEST(told(a_record(task_state::waiting)) == "PENDING \"None\"");
    BOOST_TEST(told(a_record(task_state::held)) == "PENDING \"None\"");
    auto again = a_record(task_state::scheduled);
    again.attempts = 1;
    again.error = error_of("std::runtime_error", "x");
    BOOST_TEST(told(again) == "RETRY \"None\"");
    again.error.clear();  // it sleeps
    BOOST_TEST(told(again).starts_with("STARTED "));
    auto running = a_record(task_state::running);
    running.attempts = 1;
    BOOST_TEST(told(running) == "STARTED \"{'hostname': 'node-1'}\"");
    running.cancel_requested = true;
    BOOST_TEST(told(running) == "REVOKED \"terminated\"");
    auto cancelled = a_record(task_state::cancelled);
    BOOST_TEST(told(cancelled) == "REVOKED \"revoked\"");
    cancelled.attempts = 1;
    BOOST_TEST(told(cancelled) == "REVOKED \"terminated\"");
    BOOST_TEST(told(a_record(task_state::expired)).starts_with("FAILURE \"TaskExpired: "));
    auto done = a_record(task_state::succeeded);
    done.result = R"({"hypotenuse":5})";
    BOOST_TEST(told(done) == R"(SUCCESS {"hypotenuse": 5})");
}

BOOST_AUTO_TEST_CASE(a_task_that_its_key_holds_back_is_tried_again) {
    auto waiting = a_record(task_state::waiting);
    waiting.key = "get_hypotenuse:k";
    task_situation why;
    why.reasons.resize(1);
    BOOST_TEST(tell_state(waiting, why).state == "PENDING");
    why.reasons.front().what = why_reason::key_limit;
    BOOST_TEST(tell_state(waiting, why).state == "RETRY");
    BOOST_TEST(tell_state(waiting, why).result == "\"None\"");
}

BOOST_AUTO_TEST_CASE(a_failure_ends_in_its_type_and_message) {
    auto failed = a_record(task_state::failed);
    failed.attempts = 2;
    failed.error = error_of("std::invalid_argument", "side length must > 0");
    const auto trace = failure_trace(failed);
    BOOST_TEST(trace == "Traceback (most recent call last):\n  task get_hypotenuse, attempt 2, worker node-1\n"
                        "ValueError: side length must > 0");
    BOOST_TEST(tell_state(failed, std::nullopt).result == python_json_string(trace));
    failed.error.clear();
    BOOST_TEST(failure_trace(failed).ends_with("Exception: the task has failed"));
}

BOOST_AUTO_TEST_CASE(exceptions_of_cpp_have_the_names_of_pythons) {
    const auto named = [](std::string type, std::string code = "task_failed") {
        failure why{std::move(code), std::move(type), "", "", ""};
        return python_type(why);
    };
    BOOST_TEST(named("std::invalid_argument") == "ValueError");
    BOOST_TEST(named("boost::wrapexcept<std::out_of_range>") == "IndexError");
    BOOST_TEST(named("std::ios_base::failure[abi:cxx11]") == "OSError");
    BOOST_TEST(named("shop::no_stock") == "shop.no_stock");
    BOOST_TEST(named("") == "Exception");
    BOOST_TEST(named("x", "timed_out") == "SoftTimeLimitExceeded");
    BOOST_TEST(named("x", "crashed") == "WorkerLostError");
    BOOST_TEST(named("x", "bad_payload") == "ValidationError");
}

BOOST_AUTO_TEST_CASE(a_result_is_an_object_or_a_text) {
    BOOST_TEST(told_result(R"({"a":null})") == R"({"a": null})");
    BOOST_TEST(told_result(R"("x")") == R"("x")");
    BOOST_TEST(told_result("null") == R"("None")");
    BOOST_TEST(told_result("") == R"("None")");
    BOOST_TEST(told_result("true") == R"("True")");
    BOOST_TEST(told_result("[1,2]") == R"("[1, 2]")");
    BOOST_TEST(told_result("12345678901234567") == R"("12345678901234567")");
    BOOST_TEST(told_result("plain text") == R"("plain text")");
    BOOST_TEST(told_result("\xff") == R"("/w==")");
}

BOOST_AUTO_TEST_CASE(an_answer_has_its_members_in_their_order) {
    const told_state pending = unknown_state();
    BOOST_TEST(task_answer("a-1", pending) == R"({"id": "a-1", "state": "PENDING", "result": "None"})");
    BOOST_TEST(check_answer("a-1", pending, std::nullopt) ==
               R"({"id": "a-1", "state": "PENDING", "result": "None", "create_time": null, "update_time": null})");
    auto known = a_record(task_state::waiting);
    known.submitted_at = time_point(std::chrono::milliseconds(1'000));
    known.started_at = time_point(std::chrono::milliseconds(2'500));
    BOOST_TEST(check_answer("a-1", pending, known).ends_with(
        R"("create_time": "1970-01-01T00:00:01.000Z", "update_time": "1970-01-01T00:00:02.500Z"})"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_fasttask_texts
