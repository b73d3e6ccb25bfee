#include "fasttask_deployment.hpp"

#include <unit/http/folder.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace http_fasttask_calls {

using namespace fasttask_test;
using namespace std::chrono_literals;

std::string form(std::string_view name, std::string_view file_name, std::string_view bytes) {
    return "--b\r\nContent-Disposition: form-data; name=\"" + std::string(name) + "\"; filename=\"" + std::string(file_name) + "\"\r\n\r\n" +
           std::string(bytes) + "\r\n--b--\r\n";
}

std::string upload(std::string_view body) { return post("/upload", body, "Content-Type: multipart/form-data; boundary=b\r\n"); }

double number_of(const boost::json::value& value) { return value.to_number<double>(); }

/// The body of an answer that comes in chunks.
std::string unchunked(const std::string& answer) {
    std::string text;
    std::string_view rest = answer;
    rest.remove_prefix(rest.find("\r\n\r\n") + 4);
    if (wire::header(answer, "Transfer-Encoding") != "chunked") return std::string(rest);
    for (;;) {
        const auto end = rest.find("\r\n");
        const auto size = std::stoul(std::string(rest.substr(0, end)), nullptr, 16);
        if (size == 0) return text;
        text += rest.substr(end + 2, size);
        rest.remove_prefix(end + 2 + size + 2);
    }
}

BOOST_AUTO_TEST_SUITE(http_fasttask_calls)

BOOST_AUTO_TEST_CASE(parameters_that_are_wrong_are_answered_as_by_fastapi) {
    deployment here(place::memory);
    here.begin(false);
    const auto missing = here.post_json("/create/get_hypotenuse", R"({"a": 3})");
    BOOST_TEST(status(missing) == 422U);
    BOOST_TEST(body(missing) == R"({"detail": [{"type": "missing", "loc": ["body", "b"], "msg": "Field required", "input": {"a": 3}}]})");
    BOOST_TEST(body(here.post_json("/run/get_hypotenuse", "")) ==
               R"({"detail": [{"type": "missing", "loc": ["body"], "msg": "Field required", "input": null}]})");
    const auto broken = here.post_json("/run/get_hypotenuse", "{\"a\": }");
    BOOST_TEST(boost::json::parse(body(broken)).at("detail").at(0).at("type") == "json_invalid");
    BOOST_TEST(boost::json::parse(body(broken)).at("detail").at(0).at("loc").at(1) == 6);
    const auto id = here.ask(get("/check/get_hypotenuse"));
    BOOST_TEST(status(id) == 422U);
    BOOST_TEST(body(id) == R"({"detail": [{"type": "missing", "loc": ["query", "result_id"], "msg": "Field required", "input": null}]})");
    BOOST_TEST(status(here.post_json("/revoke", "{}")) == 422U);
    BOOST_TEST(status(here.post_json("/revoke", "[]")) == 422U);
    BOOST_TEST(status(here.post_json("/revoke", R"({"result_id": 1})")) == 422U);
    BOOST_TEST(status(here.ask(post("/run/get_hypotenuse", "{}", "Content-Type: text/plain\r\n"))) == 422U);
    BOOST_TEST(status(here.post_json("/run/get_hypotenuse", std::string(200, '['))) == 422U);
    BOOST_TEST(status(here.post_json("/run/get_hypotenuse", "{\"a\": 1e999, \"b\": 1}")) == 422U);
    BOOST_TEST(status(here.post_json("/run/get_hypotenuse", "{\"a\": \"\xff\", \"b\": 1}")) == 422U);
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_answered_as_by_fastapi) {
    deployment here(place::memory, taskflux::fasttask_options().run(false));
    here.begin(false);
    BOOST_TEST(body(here.post_json("/create/none", "{}")) == R"({"detail": "Not Found"})");
    BOOST_TEST(status(here.post_json("/run/get_hypotenuse", "{}")) == 404U);
    BOOST_TEST(status(here.ask(upload(form("file", "a", "x")))) == 404U);  // without a folder
    const auto wrong = here.ask(get("/create/get_hypotenuse"));
    BOOST_TEST(status(wrong) == 405U);
    BOOST_TEST(body(wrong) == R"({"detail": "Method Not Allowed"})");
    BOOST_TEST(wire::header(wrong, "Allow").find("POST") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(calls_can_be_switched_off) {
    auto options = taskflux::fasttask_options().create(false).check(false).revoke(false).status_info(false);
    deployment here(place::memory, options);
    here.begin(false);
    BOOST_TEST(status(here.post_json("/create/get_hypotenuse", R"({"a": 1, "b": 1})")) == 404U);
    BOOST_TEST(status(here.ask(get("/check/get_hypotenuse?result_id=x"))) == 404U);
    BOOST_TEST(status(here.post_json("/revoke", R"({"result_id": "x"})")) == 404U);
    BOOST_TEST(status(here.post_json("/status_info", "{}")) == 404U);
}

BOOST_AUTO_TEST_CASE(it_may_be_mounted_below_a_prefix) {
    deployment here(place::memory);
    here.add_gateway("/fast");
    here.begin(false);
    const auto made = here.told(here.post_json("/fast/create/get_hypotenuse", R"({"a": 1, "b": 1})", 1));
    BOOST_TEST(here.state("get_hypotenuse", text_of(made.at("id"))) == "PENDING");
    BOOST_TEST(status(here.post_json("/create/get_hypotenuse", "{}", 1)) == 404U);
}

BOOST_AUTO_TEST_CASE(without_a_users_file_everybody_is_anonymous) {
    const test::folder folder;
    deployment here(place::memory, taskflux::fasttask_options().users_file(folder.path("users.json")));
    here.begin(false);
    for (const auto* login : {"", "Authorization: Basic Og==\r\n", "Authorization: Basic YTpi\r\n"}) {
        const auto told = here.told(here.ask(post("/status_info", "{}", std::string("Content-Type: application/json\r\n") + login)));
        BOOST_TEST(told.at("username") == "Anonymous");
    }
}

BOOST_AUTO_TEST_CASE(a_users_file_asks_for_logins) {
    const test::folder folder;
    folder.write("users.json", R"({"anna": "her password"})", taskflux::real_clock().wall());
    deployment here(place::memory, taskflux::fasttask_options().users_file(folder.path("users.json")));
    here.begin(false);
    const auto asked = [&](std::string_view login) {
        return here.ask(post("/status_info", "{}", "Content-Type: application/json\r\n" + std::string(login)));
    };
    const auto none = asked("");
    BOOST_TEST(status(none) == 401U);
    BOOST_TEST(body(none) == R"({"detail": "Not authenticated"})");
    BOOST_TEST(wire::header(none, "WWW-Authenticate") == "Basic");
    const auto wrong = asked("Authorization: Basic Og==\r\n");
    BOOST_TEST(status(wrong) == 401U);
    BOOST_TEST(body(wrong) == R"({"detail": "UNAUTHORIZED"})");
    BOOST_TEST(wire::header(wrong, "WWW-Authenticate") == "Basic");
    const auto right = asked("Authorization: Basic YW5uYTpoZXIgcGFzc3dvcmQ=\r\n");
    BOOST_TEST(here.told(right).at("username") == "anna");
    BOOST_TEST(status(here.post_json("/create/get_hypotenuse", R"({"a": 1, "b": 1})")) == 401U);
}

BOOST_AUTO_TEST_CASE(a_users_file_that_appears_counts_soon) {
    const test::folder folder;
    taskflux::manual_clock clock;
    deployment here(place::memory, taskflux::fasttask_options().users_file(folder.path("users.json")), clock);
    here.begin(false);
    BOOST_TEST(status(here.post_json("/status_info", "{}")) == 200U);
    folder.write("users.json", "[", clock.wall());
    here.there([&] { clock.advance(1min); });
    BOOST_TEST(status(here.post_json("/status_info", "{}")) == 503U);  // nobody is let in by a file that can't be read
    folder.write("users.json", R"({"anna": "her password"})", clock.wall());
    BOOST_TEST(status(here.post_json("/status_info", "{}")) == 401U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(status_info_tells_of_workers_and_tasks, Where, places) {
    deployment here(Where::where);
    here.begin();
    const auto active = here.create("wait_for_ever");
    BOOST_TEST(here.comes_to("STARTED", "wait_for_ever", active));
    BOOST_TEST(here.comes_to("SUCCESS", "get_hypotenuse", here.create("get_hypotenuse")));
    BOOST_TEST(here.comes_to("FAILURE", "get_hypotenuse", here.create("get_hypotenuse", R"({"a": 0, "b": 0})")));
    const auto nothing = here.told(here.post_json("/status_info", "{}"));
    BOOST_TEST(text_of(nothing.at("running_id")) == active.substr(0, 8));
    BOOST_TEST(nothing.at("username") == "Anonymous");
    for (const auto* name : {"worker_status", "task_info_total", "task_info_get_hypotenuse", "task_info_elsewhere", "pending_task_count"}) {
        BOOST_TEST(nothing.at(name).as_object().empty());
    }
    const auto ask_all = [&] {
        return here.told(here.post_json("/status_info", R"({"fields": ["worker_status", "task_info", "pending_task_count"]})"));
    };
    const bool is_told = test::eventually([&] {
        const auto all = ask_all();
        return all.at("task_info_get_hypotenuse").at("status_to_amount").at("FAILURE") == 1 &&
               all.at("worker_status").at("online_worker_count") == 1;
    });
    BOOST_TEST(is_told);
    const auto all = ask_all();
    BOOST_TEST(all.at("pending_task_count") == 0);
    const auto& workers = all.at("worker_status");
    BOOST_TEST(workers.at("online_workers_list").at(0) == "worker-1");
    const auto& worker = workers.at("worker_details").at("worker-1");
    BOOST_TEST(text_of(worker.at("active_tasks").at(0)) == active);
    BOOST_TEST(worker.at("pool.max-concurrency") == 8);
    BOOST_TEST(number_of(worker.at("rusage.maxrss")) > 0);
    const auto& info = all.at("task_info_get_hypotenuse");
    BOOST_TEST(info.at("status_to_amount").at("SUCCESS") == 1);
    BOOST_TEST(info.at("completed_counts").at("success_in_1_hour") == 1);
    BOOST_TEST(info.at("completed_counts").at("failure_in_1_day") == 1);
    BOOST_TEST(number_of(info.at("throughput_rates_per_second").at("success_in_1_minute")) == 0.02);
    BOOST_TEST(all.at("task_info_wait_for_ever").at("status_to_amount").at("STARTED") == 1);
    BOOST_TEST(all.at("task_info_total").at("status_to_amount").at("SUCCESS") == 1);
}

BOOST_AUTO_TEST_CASE(status_info_refuses_what_it_does_not_know) {
    deployment here(place::memory);
    here.begin(false);
    BOOST_TEST(status(here.post_json("/status_info", "")) == 422U);
    const auto wrong = here.post_json("/status_info", R"({"fields": ["worker_status", "x"]})");
    BOOST_TEST(status(wrong) == 422U);
    BOOST_TEST(boost::json::serialize(boost::json::parse(body(wrong)).at("detail").at(0).at("loc")) == R"(["body","fields",1])");
    BOOST_TEST(status(here.post_json("/status_info", R"({"fields": "x"})")) == 422U);
}

BOOST_AUTO_TEST_CASE(a_file_is_uploaded_and_downloaded) {
    const test::folder folder;
    deployment here(place::memory, taskflux::fasttask_options().files(folder.path()));
    here.begin(false);
    std::string bytes(700'000, 'x');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + i / 256);
    const auto stored = here.told(here.ask(upload(form("file", "r\xc3\xa9sum\xc3\xa9.txt", bytes))));
    const std::string name = text_of(stored.at("file_name"));
    BOOST_TEST(name.size() == 36U + 1 + 12);
    BOOST_TEST(name.ends_with("_r\xc3\xa9sum\xc3\xa9.txt"));
    BOOST_TEST((folder.read(name) == bytes));
    const auto path = "/download?file_name=" + http::percent_encoded(name);
    const auto whole = here.ask(get(path));
    BOOST_TEST(status(whole) == 200U);
    BOOST_TEST((unchunked(whole) == bytes));
    BOOST_TEST(wire::header(whole, "Content-Disposition").starts_with("attachment; filename=\""));
    BOOST_TEST(wire::header(whole, "Content-Type").starts_with("text/plain"));
    BOOST_TEST(wire::header(whole, "Accept-Ranges") == "bytes");
    BOOST_TEST(!wire::header(whole, "Last-Modified").empty());
    const auto tag = wire::header(whole, "ETag");
    const auto part = here.ask(get(path, "Range: bytes=10-19\r\n"));
    BOOST_TEST(status(part) == 206U);
    BOOST_TEST((unchunked(part) == bytes.substr(10, 10)));
    BOOST_TEST(wire::header(part, "Content-Range") == "bytes 10-19/700000");
    const auto two = here.ask(get(path, "Range: bytes=0-1,699998-\r\n"));
    BOOST_TEST(status(two) == 206U);
    BOOST_TEST(unchunked(two).find("Content-Range: bytes 699998-699999/700000") != std::string::npos);
    BOOST_TEST(status(here.ask(get(path, "Range: bytes=700000-\r\n"))) == 416U);
    BOOST_TEST(status(here.ask(get(path, "If-None-Match: " + tag + "\r\n"))) == 304U);
    BOOST_TEST(status(here.ask(get(path, "Range: bytes=0-1\r\nIf-Range: \"other\"\r\n"))) == 200U);
}

BOOST_AUTO_TEST_CASE(names_that_lead_elsewhere_are_refused) {
    const test::folder folder;
    deployment here(place::memory, taskflux::fasttask_options().files(folder.path()));
    here.begin(false);
    for (const auto* name : {"../a", "/a", "\\a"}) {
        BOOST_TEST(status(here.ask(upload(form("file", name, "x")))) == 400U);
        BOOST_TEST(status(here.ask(get("/download?file_name=" + http::percent_encoded(name)))) == 400U);
    }
    BOOST_TEST(status(here.ask(upload(form("file", "fasttask/a", "x")))) == 403U);
    BOOST_TEST(status(here.ask(get("/download?file_name=fasttask/conf/user_to_passwd.json"))) == 403U);
    const auto none = here.ask(get("/download?file_name=none"));
    BOOST_TEST(status(none) == 404U);
    BOOST_TEST(body(none) == R"({"detail": "file not found"})");
    BOOST_TEST(status(here.ask(get("/download"))) == 422U);
    BOOST_TEST(folder.count() == 0);
}

BOOST_AUTO_TEST_CASE(a_form_must_have_a_file) {
    const test::folder folder;
    deployment here(place::memory, taskflux::fasttask_options().files(folder.path()).max_upload(1000));
    here.begin(false);
    const auto other = here.ask(upload(form("other", "a", "x")));
    BOOST_TEST(status(other) == 422U);
    BOOST_TEST(boost::json::serialize(boost::json::parse(body(other)).at("detail").at(0).at("loc")) == R"(["body","file"])");
    BOOST_TEST(status(here.ask(post("/upload", "{}", "Content-Type: application/json\r\n"))) == 422U);
    BOOST_TEST(status(here.ask(upload("--b\r\n"))) == 400U);
    BOOST_TEST(status(here.ask(upload(form("file", "a", std::string(1001, 'x'))))) == 413U);
    const std::string unnamed = text_of(here.told(here.ask(upload(form("file", "", "x")))).at("file_name"));
    BOOST_TEST(unnamed.ends_with("_files"));
    BOOST_TEST(folder.count() == 1);  // nothing is left of what was refused
}

BOOST_AUTO_TEST_CASE(old_files_are_removed_by_and_by) {
    const test::folder folder;
    const auto now = taskflux::real_clock().wall();
    folder.write("old", "x", now - 2h);
    folder.write("young", "x", now);
    deployment here(place::memory, taskflux::fasttask_options().files(folder.path()).file_expiration(1h));
    here.begin(false);
    BOOST_TEST(test::eventually([&] { return !folder.has("old"); }));
    BOOST_TEST(folder.has("young"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_fasttask_calls
