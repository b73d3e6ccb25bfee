#include "sites.hpp"

#include <taskflux/core/time_text.hpp>
#include <taskflux/flow/raw_queue.hpp>
#include <taskflux/http/long_task.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace http_long_task {

using namespace http_test;
namespace json = boost::json;

inline std::string call(std::string_view name, std::string_view text, std::string_view more = {}) {
    return post("/api/" + std::string(name), text, more);
}

inline taskflux::long_task_options two_services() {
    taskflux::long_task_options made;
    made.service("search_user", {"mongo", "mq_a", "c_a"}).service("b_b", {"mysql", "mq_b", ""});
    return made;
}

template <class Gates>
struct served : Gates {
    explicit served(const taskflux::long_task_options& options = two_services()) {
        for (std::size_t i = 0; i < 2; ++i) this->gate(i).mount(taskflux::long_task_dialect(options));
        this->serve();
    }

    std::string text(std::string_view name, std::string_view body_text, std::size_t by = 0) {
        const auto answer = this->ask(call(name, body_text), by);
        BOOST_TEST(status(answer) == 200U, answer);
        return body(answer);
    }
    json::value ok(std::string_view name, std::string_view body_text, std::size_t by = 0) {
        auto whole = json::parse(text(name, body_text, by));
        BOOST_TEST(whole.at("result") == "ok", json::serialize(whole));
        return whole;
    }
    std::string create(std::string_view service = "search_user", std::string_view condition = R"({"x":"x"})") {
        const auto made = ok("create_task", R"({"data":{"service":")" + std::string(service) + R"(","condition":)" + std::string(condition) + "}}");
        return std::string(made.at("task_id").as_string());
    }
    static std::string of(const std::string& id, const std::string& more = {}) { return R"({"data":{"task_id":")" + id + "\"" + more + "}}"; }
    json::value state(const std::string& id) { return ok("status_task", R"({"data":[{"task_id":")" + id + "\"}]}", 1).at("status").at(0); }
    std::string word(const std::string& id) { return std::string(state(id).at("status").as_string()); }

    /// Whether a worker's step is taken.
    bool step(const std::string& id, const std::string& what, const std::string& more = {}) {
        const auto told = text("update_status_task", of(id, R"(,"status":")" + what + "\"" + more));
        if (told == R"({"result":"exception","message":"Invalid parameter"})") return false;
        BOOST_TEST(told == R"({"result":"ok","status":{"task_id":")" + id + R"(","status":")" + what + "\"}}");
        return true;
    }
    json::value list(std::string_view query) { return ok("tasks", query); }
};

const std::string invalid = R"({"result":"exception","message":"Invalid parameter"})";

BOOST_AUTO_TEST_SUITE(http_long_task)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_goes_from_its_creation_over_a_foreign_worker_to_its_result, Gates, kinds_of_gates) {
    served<Gates> on;
    const auto id = on.create("search_user", R"({"x": 1.50})");
    BOOST_TEST(id.size() == std::string("ts_search_user_").size() + 36);
    BOOST_TEST(id.starts_with("ts_search_user_"));
    BOOST_TEST(json::serialize(on.state(id)) == R"({"task_id":")" + id + R"(","status":"waiting","message":null,"start_time":null,"end_time":null})");
    BOOST_TEST(on.text("result_task", on.of(id)) == R"({"result":"exception","message":"waiting"})");
    BOOST_TEST(!on.step(id, "finished"));  // it does not run
    BOOST_TEST(!on.step(id, "failed"));
    BOOST_TEST(on.step(id, "running", R"(,"message":"begun")"));
    BOOST_TEST(on.state(id).at("message") == "begun");
    BOOST_TEST(on.step(id, "running", R"(,"message":"half")"));
    BOOST_TEST(on.state(id).at("message") == "half");
    BOOST_TEST(on.state(id).at("end_time").is_null());
    BOOST_TEST(on.text("result_task", on.of(id)) == R"({"result":"exception","message":"running"})");
    on.pass(90s);
    BOOST_TEST(on.step(id, "finished", R"(,"message":"done","data":{"found": 2.0})"));
    BOOST_TEST(on.state(id).at("status") == "finished");
    BOOST_TEST(on.state(id).at("message") == "done");
    const auto result = on.text("result_task", on.of(id), 1);
    BOOST_TEST(result.find(R"("data":{"found": 2.0})") != std::string::npos, result);
    const auto told = json::parse(result);
    BOOST_TEST(told.at("spend_time").as_double() == 90.0);
    const std::string begin(told.at("start_time").as_string()), end(told.at("end_time").as_string());
    BOOST_TEST(begin.size() == std::string("2026-11-30 21:00:00").size());
    BOOST_TEST((taskflux::parse_time(end) - taskflux::parse_time(begin) == 90s));
    for (const char* again : {"running", "finished", "failed"}) BOOST_TEST(!on.step(id, again), again);
    BOOST_TEST(on.run(on.broker()->counts("mq_a")).consumers == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_raw_receive_from_the_topic_gives_the_message, Gates, kinds_of_gates) {
    served<Gates> on;
    const auto id = on.create("b_b", R"({"n":[1, 2]})");
    taskflux::raw_queue topic(on.broker(1), "mq_b");
    auto got = on.run(topic.receive());
    BOOST_TEST(got.value().body() == R"({"Task": {"task_id": ")" + id + R"(", "service": "b_b", "source_name": "mysql", "condition": {"n":[1, 2]}}})");
    BOOST_TEST(on.word(id) == "running");
    BOOST_TEST(on.step(id, "running", R"(,"message":"by hand")"));
    BOOST_TEST(on.step(id, "finished", R"(,"data":"text")"));
    BOOST_TEST(on.ok("result_task", on.of(id)).at("data") == "text");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_foreign_worker_fetches_its_tasks_over_http, Gates, kinds_of_gates) {
    served<Gates> on;
    const auto fetch = R"({"data":{"service":"search_user","consumer_id":"c_a"}})";
    BOOST_TEST(on.text("fetch_task", fetch) == R"({"result":"ok","Task":null})");
    auto waiting = on.begin(call("fetch_task", R"({"data":{"service":"search_user","consumer_id":"c_a","timeout":60}})"), 1);
    const auto id = on.create();
    const auto got = json::parse(body(waiting.get()));
    BOOST_TEST(json::serialize(got.at("Task")) == R"({"task_id":")" + id + R"(","service":"search_user","source_name":"mongo","condition":{"x":"x"}})");
    BOOST_TEST(on.word(id) == "running");
    BOOST_TEST(on.text("fetch_task", fetch) == R"({"result":"ok","Task":null})");
    on.pass(23h);
    BOOST_TEST(on.step(id, "running"));  // a sign of life
    on.pass(23h);
    BOOST_TEST(on.word(id) == "running");
    on.pass(1h);
    BOOST_TEST(on.word(id) == "waiting");  // its worker is gone: another gets it
    BOOST_TEST(on.ok("fetch_task", fetch).at("Task").at("task_id") == json::value(id));
    BOOST_TEST(on.step(id, "failed", R"(,"message":"no memory")"));
    BOOST_TEST(on.state(id).at("status") == "failed");
    BOOST_TEST(on.state(id).at("message") == "no memory");
    BOOST_TEST(on.text("result_task", on.of(id)) == R"({"result":"exception","message":"failed"})");
    BOOST_TEST(on.text("fetch_task", R"({"data":{"service":"search_user","consumer_id":"c_b"}})") == invalid);
    BOOST_TEST(on.text("fetch_task", R"({"data":{"service":"none"}})") == R"({"result":"exception","message":"service not support"})");
    BOOST_TEST(test::eventually([&] { return on.run(on.broker()->counts("mq_a")).consumers == 0U; }));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_may_be_made_ready_only_and_changed_until_it_runs, Gates, kinds_of_gates) {
    served<Gates> on(two_services().starts_at_once(false));
    const auto id = on.create();
    BOOST_TEST(on.word(id) == "waiting");  // also where it is ready
    BOOST_TEST(!on.step(id, "running"));
    BOOST_TEST(on.ok("fetch_task", R"({"data":{"service":"search_user","consumer_id":"c_a"}})").at("Task").is_null());
    const auto changed = R"({"task_id":")" + id + R"(","condition":{"y":2}})";
    const auto done = R"({"result":"ok","task_id":")" + id + "\"}";
    BOOST_TEST(on.text("update_task", changed) == done);
    BOOST_TEST(on.text("start_task", R"({"task_id":")" + id + "\"}") == done);
    BOOST_TEST(on.text("start_task", R"({"task_id":")" + id + "\"}") == invalid);
    BOOST_TEST(on.text("update_task", changed) == done);
    const auto got = on.ok("fetch_task", R"({"data":{"service":"search_user","consumer_id":"c_a"}})").at("Task");
    BOOST_TEST(json::serialize(got.at("condition")) == R"({"y":2})");
    BOOST_TEST(got.at("task_id") == json::value(id));
    BOOST_TEST(on.text("update_task", changed) == invalid);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_are_listed_by_pages_newest_first, Gates, kinds_of_gates) {
    served<Gates> on;
    std::vector<std::string> ids;
    for (int i = 0; i < 12; ++i) {
        ids.push_back(on.create(i % 3 == 0 ? "b_b" : "search_user", std::to_string(i)));
        on.pass(1s);
    }
    const auto all = on.list("{}");
    BOOST_TEST(all.at("total") == 12);
    BOOST_TEST(all.at("count") == 10);
    BOOST_TEST(all.at("data").at(0).at("task_id") == json::value(ids[11]));
    BOOST_TEST(all.at("data").at(9).at("condition") == 2);
    BOOST_TEST(all.at("data").at(0).at("status") == "waiting");
    BOOST_TEST(all.at("data").at(0).at("create_time").as_string().size() == 19U);
    const auto second = on.list(R"({"p_size":5,"page":3})");
    BOOST_TEST(second.at("count") == 2);
    BOOST_TEST(second.at("data").at(1).at("task_id") == json::value(ids[0]));
    BOOST_TEST(on.list(R"({"page":9})").at("count") == 0);
    const auto one = on.list(R"({"service":"b_b"})");
    BOOST_TEST(one.at("total") == 4);
    BOOST_TEST(one.at("data").at(0).at("task_id") == json::value(ids[9]));
    on.step(ids[1], "running");
    on.step(ids[2], "running");
    on.step(ids[2], "failed");
    on.step(ids[3], "running");
    on.step(ids[3], "finished");
    BOOST_TEST(on.list(R"({"status":"running"})").at("data").at(0).at("task_id") == json::value(ids[1]));
    BOOST_TEST(on.list(R"({"status":"failed"})").at("total") == 1);
    BOOST_TEST(on.list(R"({"status":"finished","service":"search_user"})").at("total") == 0);
    BOOST_TEST(on.list(R"({"status":"finished"})").at("data").at(0).at("task_id") == json::value(ids[3]));
    BOOST_TEST(on.list(R"({"status":"waiting"})").at("total") == 9);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(services_that_share_a_topic_are_counted_apart, Gates, kinds_of_gates) {
    taskflux::long_task_options options;
    options.service("a", {"", "mq", ""}).service("b", {"", "mq", ""}).max_status_task(2);
    served<Gates> on(options);
    for (int i = 0; i < 3; ++i) on.create("a");
    const auto id = on.create("b");
    BOOST_TEST(on.list("{}").at("total") == 4);
    BOOST_TEST(on.list(R"({"service":"a","p_size":1})").at("total") == 3);
    BOOST_TEST(on.ok("fetch_task", R"({"data":{"service":"b"}})").at("Task").at("task_id") == json::value(id));
    BOOST_TEST(on.text("service_task", "") == R"({"result":"ok","count":2,"data":["a","b"]})");
    const auto one = R"({"task_id":")" + id + "\"}";
    BOOST_TEST(on.ok("status_task", R"({"data":[)" + one + "," + one + "]}").at("status").as_array().size() == 2U);
    BOOST_TEST(on.text("status_task", R"({"data":[)" + one + "," + one + "," + one + "]}") == invalid);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_wrong_is_an_exception_and_not_an_error_of_http, Gates, kinds_of_gates) {
    served<Gates> on;
    const auto id = on.create();
    BOOST_TEST(on.text("create_task", R"({"data":{"service":"none","condition":{}}})") == R"({"result":"exception","message":"service not support"})");
    const std::vector<std::pair<std::string, std::string>> wrong{
        {"create_task", ""}, {"create_task", "{"}, {"create_task", "[]"}, {"create_task", R"({"service":"b_b","condition":1})"},
        {"create_task", R"({"data":{"service":"b_b"}})"}, {"create_task", R"({"data":{"service":1,"condition":1}})"},
        {"status_task", R"({"data":{"task_id":"x"}})"}, {"status_task", R"({"data":["x"]})"}, {"status_task", R"({"data":[{"task_id":1}]})"},
        {"update_status_task", on.of(id)}, {"update_status_task", on.of(id, R"(,"status":"ready")")},
        {"update_status_task", on.of("ts_b_b_none", R"(,"status":"running")")}, {"update_status_task", on.of(id, R"(,"status":"running","message":1)")},
        {"result_task", on.of("none")}, {"result_task", "{}"}, {"tasks", R"({"p_size":0})"}, {"tasks", R"({"p_size":"10"})"},
        {"tasks", R"({"page":-1})"}, {"tasks", R"({"status":"ready"})"}, {"tasks", R"({"status":""})"}, {"start_task", "{}"},
        {"start_task", R"({"task_id":"x"})"}, {"update_task", R"({"task_id":")" + id + "\"}"}, {"fetch_task", "{}"},
        {"fetch_task", R"({"data":{"service":"b_b","timeout":-1}})"}};
    for (const auto& [name, text] : wrong) BOOST_TEST(on.text(name, text) == invalid, name + " " + text);
    const auto two = on.ok("status_task", R"({"data":[{"task_id":"none"},{"task_id":")" + id + "\"}]}").at("status");
    BOOST_TEST(json::serialize(two.at(0)) == R"({"task_id":"none","status":"Invalid","message":null,"start_time":null,"end_time":null})");
    BOOST_TEST(two.at(1).at("status") == "waiting");
    BOOST_TEST(on.ok("status_task", R"({"data":[]})").at("status").as_array().empty());
    const auto none = on.ask(get("/api/tasks"));
    BOOST_TEST(status(none) == 405U);
    BOOST_TEST(json::parse(body(none)).at("result") == "exception");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_token_is_asked_for_where_there_is_one, Gates, kinds_of_gates) {
    served<Gates> on(two_services().token("s3cret"));
    for (const char* header : {"", "Authorization: \r\n", "Authorization: s3cre\r\n", "Authorization: Bearer s3cret\r\n"}) {
        const auto refused = on.ask(call("service_task", "", header));
        BOOST_TEST(status(refused) == 401U, header);
        BOOST_TEST(json::parse(body(refused)).at("result") == "exception");
        BOOST_TEST(body(refused).find("s3cret") == std::string::npos);
    }
    const auto taken = on.ask(call("service_task", "", "Authorization: s3cret\r\n"));
    BOOST_TEST(body(taken) == R"({"result":"ok","count":2,"data":["search_user","b_b"]})");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_long_task
