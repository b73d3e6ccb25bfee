#include "fasttask_deployment.hpp"

#include <taskflux/flow/queue_control.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace http_fasttask_tasks {

using namespace fasttask_test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(http_fasttask_tasks)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_is_created_and_checked_until_it_has_ended, Where, places) {
    deployment here(Where::where);
    here.begin();
    const auto answer = here.post_json("/create/get_hypotenuse", R"({"a": 3, "b": 4})");
    BOOST_TEST(status(answer) == 200U);
    BOOST_TEST(wire::header(answer, "Content-Type") == "application/json");
    const auto id = text_of(here.told(answer).at("id"));
    BOOST_TEST(body(answer) == R"({"id": ")" + id + R"(", "state": "PENDING", "result": ""})");
    BOOST_TEST(id.size() == 8U + 1 + 36);
    BOOST_TEST(id[8] == '-');
    BOOST_TEST(here.comes_to("SUCCESS", "get_hypotenuse", id));
    const auto text = body(here.ask(get("/check/get_hypotenuse?result_id=" + id)));
    BOOST_TEST(text.starts_with(R"({"id": ")" + id + R"(", "state": "SUCCESS", "result": {"hypotenuse": 25)"));
    BOOST_TEST(text.find(R"(, "create_time": "20)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(run_waits_for_the_result, Where, places) {
    deployment here(Where::where);
    here.begin();
    const auto done = here.told(here.post_json("/run/get_hypotenuse", R"({"a": "3", "b": true})"));
    BOOST_TEST(done.at("id") == "");
    BOOST_TEST(done.at("state") == "SUCCESS");
    BOOST_TEST(done.at("result").at("hypotenuse") == 10.0);
    const auto failed = here.told(here.post_json("/run/get_hypotenuse", R"({"a": -3, "b": 4})"));
    BOOST_TEST(failed.at("state") == "FAILURE");
    BOOST_TEST(text_of(failed.at("result")).ends_with("\nValueError: side length must > 0"));
    const auto text = body(here.post_json("/run/elsewhere", "{}"));
    BOOST_TEST(text == R"({"id": "", "state": "SUCCESS", "result": "far \u00e9"})");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_failure_is_told_with_its_type_and_message, Where, places) {
    deployment here(Where::where);
    here.begin();
    const auto id = here.create("get_hypotenuse", R"({"a": 0, "b": 4})");
    BOOST_TEST(here.comes_to("FAILURE", "get_hypotenuse", id));
    const std::string text(here.check("get_hypotenuse", id).at("result").as_string());
    BOOST_TEST(text.starts_with("Traceback (most recent call last):\n"));
    BOOST_TEST(text.ends_with("\nValueError: side length must > 0"));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_waits_is_revoked, Where, places) {
    deployment here(Where::where);
    here.begin(false);
    const auto id = here.create("get_hypotenuse");
    const auto pending = here.check("get_hypotenuse", id);
    BOOST_TEST(pending.at("state") == "PENDING");
    BOOST_TEST(pending.at("result") == "None");
    const auto answer = here.post_json("/revoke", R"({"result_id": ")" + id + "\"}");
    BOOST_TEST(body(answer) == R"({"status": "SUCCESS", "result": "", "message": "task is still pending, will revoked later"})");
    const auto seen = here.check("get_hypotenuse", id);
    BOOST_TEST(seen.at("state") == "REVOKED");
    BOOST_TEST(seen.at("result") == "revoked");
    const auto again = here.revoke(id);
    BOOST_TEST(again.at("status") == "FAILURE");
    BOOST_TEST(again.at("message") == "task ended or revoked already");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_runs_is_revoked_and_stops, Where, places) {
    deployment here(Where::where);
    here.begin();
    const auto id = here.create("wait_for_ever");
    BOOST_TEST(here.comes_to("STARTED", "wait_for_ever", id));
    BOOST_TEST(text_of(here.check("wait_for_ever", id).at("result")) == "{'hostname': 'worker-1'}");
    const auto told = here.revoke(id);
    BOOST_TEST(told.at("status") == "SUCCESS");
    BOOST_TEST(told.at("message") == "task started, revoking now");
    const auto seen = here.check("wait_for_ever", id);  // at once, whether it has stopped or not
    BOOST_TEST(seen.at("state") == "REVOKED");
    BOOST_TEST(seen.at("result") == "terminated");
    BOOST_TEST(here.revoke(id).at("message") == "task ended or revoked already");
    const bool has_stopped = test::eventually([&] {
        const auto key = here.await(here.broker->find("default", id));
        const taskflux::task_id whole{"default", *key};
        return here.await(here.broker->get(whole))->state == taskflux::task_state::cancelled;
    });
    BOOST_TEST(has_stopped);
    BOOST_TEST(here.state("wait_for_ever", id) == "REVOKED");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_id_that_nobody_knows_is_pending_and_a_foreign_one_a_failure, Where, places) {
    deployment here(Where::where);
    here.begin();
    const auto known = here.create("get_hypotenuse");
    const auto running_id = known.substr(0, 8);
    const auto unknown = running_id + "-00000000-0000-4000-8000-000000000000";
    BOOST_TEST(body(here.ask(get("/check/get_hypotenuse?result_id=" + unknown))) ==
               R"({"id": ")" + unknown + R"(", "state": "PENDING", "result": "None", "create_time": null, "update_time": null})");
    BOOST_TEST(here.revoke(unknown).at("status") == "SUCCESS");
    BOOST_TEST(here.revoke(unknown).at("message") == "task is still pending, will revoked later");
    const auto foreign = here.check("get_hypotenuse", "x");
    BOOST_TEST(foreign.at("state") == "FAILURE");
    BOOST_TEST(text_of(foreign.at("result")) == "result_id='x' not exist, current app.state.RUNNING_ID='" + running_id + "'");
    const auto refused = here.revoke("x");
    BOOST_TEST(refused.at("status") == "FAILURE");
    BOOST_TEST(text_of(refused.at("message")) == "invalid result_id='x' current app.state.RUNNING_ID='" + running_id + "'");
    BOOST_TEST(here.comes_to("SUCCESS", "elsewhere", known));  // of another task, in another queue
    const auto odd = running_id + "-\x7f\xc3\xa9'";
    BOOST_TEST(here.state("get_hypotenuse", odd) == "PENDING");
    BOOST_TEST(here.state("get_hypotenuse", running_id + std::string(2000, 'x')) == "PENDING");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_key_limits_the_tasks_of_one_name, Where, places) {
    deployment here(Where::where);
    here.begin();
    const std::string params = R"({"a": 1, "b": 1, "fasttask_concurrency_params": {"concurrency_key": "k/é", "max_concurrency": 1}})";
    const auto first = here.create("wait_for_ever", params);
    BOOST_TEST(here.comes_to("STARTED", "wait_for_ever", first));
    const auto second = here.create("wait_for_ever", params);
    BOOST_TEST(here.comes_to("RETRY", "wait_for_ever", second));
    BOOST_TEST(here.check("wait_for_ever", second).at("result") == "None");
    const auto other = here.create("get_hypotenuse", params);  // the key counts per task
    BOOST_TEST(here.comes_to("SUCCESS", "get_hypotenuse", other));
    const std::string two = R"({"a": 1, "b": 1, "fasttask_concurrency_params": {"concurrency_key": "k/é", "max_concurrency": 2}})";
    const auto third = here.create("wait_for_ever", two);  // the last one wins
    BOOST_TEST(here.comes_to("STARTED", "wait_for_ever", second));
    BOOST_TEST(here.comes_to("RETRY", "wait_for_ever", third));
    BOOST_TEST(here.revoke(third).at("message") == "task retrying, revoking now");
    BOOST_TEST(here.state("wait_for_ever", third) == "REVOKED");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(concurrency_parameters_are_checked, Where, places) {
    deployment here(Where::where);
    here.begin(false);
    const auto refused = [&](std::string_view params) {
        const auto answer = here.post_json("/create/get_hypotenuse", R"({"a": 1, "b": 1, "fasttask_concurrency_params": )" + std::string(params) + "}");
        return status(answer) == 422 ? boost::json::serialize(boost::json::parse(body(answer)).at("detail").at(0).at("loc")) : body(answer);
    };
    BOOST_TEST(refused("{}") == R"(["body","fasttask_concurrency_params","concurrency_key"])");
    BOOST_TEST(refused(R"({"concurrency_key": "k", "max_concurrency": 0})") == R"(["body","fasttask_concurrency_params","max_concurrency"])");
    BOOST_TEST(refused(R"({"concurrency_key": "k", "expire": -1})") == R"(["body","fasttask_concurrency_params","expire"])");
    BOOST_TEST(refused("null").find("PENDING") != std::string::npos);
    BOOST_TEST(refused(R"({"concurrency_key": ")" + std::string(500, 'x') + "\"}").find("PENDING") != std::string::npos);
    BOOST_TEST(refused(R"({"concurrency_key": "a\nb"})").find("PENDING") != std::string::npos);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_can_not_be_queued_is_answered_as_a_failure, Where, places) {
    deployment here(Where::where);
    here.begin(false);
    const taskflux::queue_control queue(here.broker, "default");
    auto limiting = queue.set_limit(taskflux::limit().max_waiting(1), "a test");
    here.await(std::move(limiting));
    here.create("get_hypotenuse");
    for (const auto* call : {"/create/get_hypotenuse", "/run/get_hypotenuse"}) {
        const auto made = here.told(here.post_json(call, R"({"a": 3, "b": 4})"));
        BOOST_TEST(made.at("id") == "");
        BOOST_TEST(made.at("state") == "FAILURE");
        BOOST_TEST(text_of(made.at("result")).find("full") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_task_that_does_not_start_in_time_has_failed_and_results_expire) {
    taskflux::manual_clock clock;
    deployment here(place::memory, taskflux::fasttask_options().result_expires(1h), clock);
    here.begin(false);
    const auto id = here.create("get_hypotenuse", R"({"a": 1, "b": 1, "fasttask_concurrency_params": {"concurrency_key": "k", "expire": 10}})");
    const auto other = here.create("get_hypotenuse");
    here.there([&] { clock.advance(9s); });
    BOOST_TEST(here.state("get_hypotenuse", id) == "PENDING");
    here.there([&] { clock.advance(2s); });
    const auto expired = here.check("get_hypotenuse", id);
    BOOST_TEST(expired.at("state") == "FAILURE");
    BOOST_TEST(text_of(expired.at("result")).starts_with("TaskExpired: "));
    here.there([&] { clock.advance(2h); });
    BOOST_TEST(here.state("get_hypotenuse", id) == "PENDING");
    BOOST_TEST(here.state("get_hypotenuse", other) == "PENDING");  // it waits still
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_clients_load_test_succeeds, Where, places) {
    deployment here(Where::where);
    here.begin();
    constexpr int threads = 4, groups = 5;
    std::atomic<int> right = 0;
    const auto group = [&] {
        const auto id = here.create("get_hypotenuse");
        const auto before = here.state("get_hypotenuse", id);
        const auto revoked = here.revoke(id).at("status") == "SUCCESS";
        const auto after = here.state("get_hypotenuse", id);
        const bool has_begun_well = before == "PENDING" || before == "STARTED" || before == "SUCCESS";
        if (has_begun_well && after == (revoked ? "REVOKED" : "SUCCESS")) ++right;
    };
    std::vector<std::thread> clients;
    for (int i = 0; i < threads; ++i) {
        clients.emplace_back([&] {
            for (int j = 0; j < groups; ++j) group();
        });
    }
    for (auto& one : clients) one.join();
    BOOST_TEST(right == threads * groups);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_one_gateway_creates_another_one_checks_and_revokes, Where, places) {
    deployment here(Where::where);
    here.add_gateway();
    here.begin();
    const auto id = here.create("wait_for_ever", R"({"a": 3, "b": 4})", 0);
    BOOST_TEST(here.comes_to("STARTED", "wait_for_ever", id, 1));
    const auto other = here.create("get_hypotenuse", R"({"a": 3, "b": 4})", 1);
    BOOST_TEST(other.substr(0, 8) == id.substr(0, 8));
    BOOST_TEST(here.comes_to("SUCCESS", "get_hypotenuse", other, 0));
    BOOST_TEST(here.revoke(id, 1).at("status") == "SUCCESS");
    BOOST_TEST(here.state("wait_for_ever", id, 0) == "REVOKED");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_fasttask_tasks
