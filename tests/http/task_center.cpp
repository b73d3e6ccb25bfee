#include "sites.hpp"

#include <taskflux/core/task.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/http/task_center.hpp>

#include <boost/describe/class.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace http_task_center {

using namespace http_test;
namespace json = boost::json;

inline std::string call(std::string_view name, std::string_view text) { return post("/task/" + std::string(name), text); }

template <class Gates>
struct served : Gates {
    explicit served(const taskflux::task_center_options& options = taskflux::task_center_options()) {
        for (std::size_t i = 0; i < 2; ++i) this->gate(i).mount(taskflux::task_center_dialect(options));
        this->serve();
    }

    /// The whole text of an answer that is 200.
    std::string text(std::string_view name, std::string_view body_text, std::size_t by = 0) {
        const auto answer = this->ask(call(name, body_text), by);
        BOOST_TEST(status(answer) == 200U, answer);
        return body(answer);
    }
    json::value data(std::string_view name, std::string_view body_text, std::size_t by = 0) {
        const auto whole = json::parse(text(name, body_text, by));
        BOOST_TEST(whole.at("err_code") == "0000");
        return whole.at("data");
    }
    bool put(std::string_view id, std::string_view more = "", std::string_view queue = "q") {
        return data("put", R"({"queue":")" + std::string(queue) + R"(","id":")" + std::string(id) + "\"" + std::string(more) + "}").as_bool();
    }
    bool reply(std::string_view id, std::string_view more = "", std::size_t by = 0) {
        return data("reply", R"({"queue":"q","id":")" + std::string(id) + "\"" + std::string(more) + "}", by).as_bool();
    }
    bool remove(std::string_view id) { return data("remove", R"({"queue":"q","id":")" + std::string(id) + "\"}").as_bool(); }
    json::value take(std::string_view id, std::string_view promise = "30", std::size_t by = 0) {
        return data("acquire", R"({"queue":"q","ids":[")" + std::string(id) + R"("],"promise_reply_time":)" + std::string(promise) + "}", by);
    }
    std::vector<std::string> seen(const std::string& cursor = "null") {
        std::vector<std::string> ids;
        const auto all = data("peek", R"({"queue":"q","size":100,"cursor":)" + cursor + "}");
        for (const auto& one : all.as_array()) ids.emplace_back(one.at("id").as_string());
        return ids;
    }
    json::value stat(std::string_view queue = "q") { return data("stat_queue", R"({"queue":")" + std::string(queue) + "\"}"); }
};

using texts = std::vector<std::string>;

inline std::string detail(const std::string& answer) { return json::serialize(json::parse(body(answer)).at("detail")); }

BOOST_AUTO_TEST_SUITE(http_task_center)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_goes_from_its_producer_over_a_consumer_to_the_caller, Gates, kinds_of_gates) {
    served<Gates> on;
    BOOST_TEST(on.text("put", R"({"queue": "q", "id": "a", "info": {"x": 12345678901234567890123}, "content": "AP8="})") ==
               R"({"err_code":"0000","data":true})");
    BOOST_TEST(!on.put("a"));
    const auto seen = json::parse(on.text("peek", R"({"queue":"q"})", 1));
    const auto& one = seen.at("data").at(0);
    BOOST_TEST(one.at("id") == "a");
    BOOST_TEST(one.at("cursor") == seen.at("cursor"));
    BOOST_TEST(on.text("acquire", R"({"queue":"q","ids":["a","b","a"],"promise_reply_time":30})") ==
               R"({"err_code":"0000","data":[{"id":"a","info":{"x": 12345678901234567890123},"content":"AP8="}]})");
    BOOST_TEST(on.take("a").as_array().empty());
    BOOST_TEST(!on.put("a"));  // somebody has it
    BOOST_TEST(on.seen().empty());
    BOOST_TEST(on.reply("a", R"(,"info":{"msg":"ok"},"content":"cmVz")", 1));
    BOOST_TEST(!on.put("a"));  // its result is kept
    const auto asked = R"({"queue":"q","id":"a","info":"other","timeout":0})";
    BOOST_TEST(on.text("call", asked) == R"({"err_code":"0000","data":{"id":"a","result_info":{"msg":"ok"},"result_content":"cmVz"}})");
    on.pass(60s);
    BOOST_TEST(on.text("call", asked) == R"({"err_code":"0000","data":null})");
    BOOST_TEST(!on.reply("a"));
    BOOST_TEST(on.put("a"));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(callers_on_both_gateways_get_the_result_also_where_none_is_kept, Gates, kinds_of_gates) {
    served<Gates> on;
    const auto asked = call("call", R"({"queue":"q","id":"a","info":1,"content":"MQ==","config":{"cache_result_time":0},"timeout":10})");
    auto first = on.begin(asked);
    BOOST_TEST(test::eventually([&] { return on.seen() == texts{"a"}; }));
    auto other = on.begin(call("call", R"({"queue":"q","id":"a","info":2,"timeout":10})"), 1);
    BOOST_TEST(on.take("a").at(0).at("info") == 1);
    for (int i = 0; i < 5; ++i) on.data("stat_queue", R"({"queue":"q"})", 1);  // what was sent to this gateway before has been done
    on.reply("a", R"(,"info":"done","content":"Mg==")");
    BOOST_TEST(body(first.get()) == R"({"err_code":"0000","data":{"id":"a","result_info":"done","result_content":"Mg=="}})");
    BOOST_TEST(json::parse(body(other.get())).at("data").at("result_info") == "done");
    BOOST_TEST(on.seen().empty());
    BOOST_TEST(!on.reply("a"));
    BOOST_TEST(on.put("a"));  // its id is free
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_joins_what_was_put_and_taken_on_another_gateway, Gates, kinds_of_gates) {
    served<Gates> on;
    on.put("a", R"(,"info":"first")");
    on.take("a", "30", 1);
    auto waiting = on.begin(call("call", R"({"queue":"q","id":"a","info":"second","timeout":20})"));
    on.pass(1s);
    BOOST_TEST(on.reply("a", R"(,"info":7)", 1));
    BOOST_TEST(body(waiting.get()) == R"({"err_code":"0000","data":{"id":"a","result_info":7,"result_content":""}})");
    BOOST_TEST(on.reply("a", R"(,"info":8)"));  // replaces it, and its time begins again
    on.pass(59s);
    BOOST_TEST(on.data("call", R"({"queue":"q","id":"a","timeout":1})").at("result_info") == 8);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_that_times_out_says_so_and_leaves_its_task, Gates, kinds_of_gates) {
    served<Gates> on;
    BOOST_TEST(on.text("call", R"({"queue":"q","id":"a","timeout":-1})") == R"({"err_code":"0000","data":null})");
    BOOST_TEST(on.seen().empty());
    auto waiting = on.begin(call("call", R"({"queue":"q","id":"a","timeout":"3"})"));
    BOOST_TEST(body(on.finish(waiting)) == R"({"err_code":"0001","data":null})");
    BOOST_TEST(on.seen() == texts{"a"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_missed_promise_hands_the_task_out_again_behind_all_and_wakes_who_waits, Gates, kinds_of_gates) {
    served<Gates> on;
    on.put("a");
    on.put("b");
    const auto cursor = json::serialize(json::parse(on.text("peek", R"({"queue":"q","size":10})")).at("cursor"));
    on.take("a", "5");
    auto waiting = on.begin(call("peek", R"({"queue":"q","timeout":60,"cursor":)" + cursor + "}"), 1);
    const auto again = json::parse(body(on.finish(waiting)));
    BOOST_TEST(again.at("data").at(0).at("id") == "a");
    BOOST_TEST(json::serialize(again.at("cursor")) != cursor);
    BOOST_TEST(on.seen() == (texts{"b", "a"}), boost::test_tools::per_element());
    BOOST_TEST(on.reply("a"));  // late, and known
    BOOST_TEST(on.seen() == texts{"b"}, boost::test_tools::per_element());
    for (int i = 0; i < 5; ++i) {  // any number of times
        BOOST_TEST(on.take("b", "1").as_array().size() == 1U);
        on.pass(1s);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_without_a_promise_is_handed_over_for_good, Gates, kinds_of_gates) {
    served<Gates> on;
    on.put("a", R"(,"content":"MQ==")");
    auto waiting = on.begin(call("call", R"({"queue":"q","id":"a","timeout":5})"));
    on.pass(100ms);
    BOOST_TEST(on.take("a", "0").at(0).at("content") == "MQ==");
    BOOST_TEST(!on.reply("a"));
    BOOST_TEST(on.seen().empty());
    BOOST_TEST(on.put("a"));
    BOOST_TEST(on.take("a", "-1").as_array().size() == 1U);
    BOOST_TEST(json::parse(body(on.finish(waiting))).at("err_code") == "0001");
    on.pass(120s);
    BOOST_TEST(on.seen().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_are_removed_whatever_they_do_and_their_callers_wait_on, Gates, kinds_of_gates) {
    served<Gates> on;
    on.put("waits");
    on.put("taken");
    on.put("done");
    on.take("taken");
    on.reply("done");
    auto waiting = on.begin(call("call", R"({"queue":"q","id":"taken","timeout":5})"));
    on.pass(100ms);
    for (const char* id : {"waits", "taken", "done"}) {
        BOOST_TEST(on.remove(id), id);
        BOOST_TEST(!on.remove(id), id);
        BOOST_TEST(!on.reply(id), id);
    }
    BOOST_TEST(!on.remove("never"));
    BOOST_TEST(body(on.finish(waiting)) == R"({"err_code":"0001","data":null})");
    BOOST_TEST(on.put("taken"));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_result_is_put_into_another_queue_under_the_same_id, Gates, kinds_of_gates) {
    served<Gates> on;
    const auto config = R"(,"config":{"forward_result_to":"results","cache_result_time":null})";
    on.put("a", config);
    on.put("b", config);
    on.put("b", "", "results");
    BOOST_TEST(on.reply("a", R"(,"info":[1],"content":"MQ==")"));
    BOOST_TEST(on.reply("b", R"(,"info":"dropped")"));
    auto waiting = on.begin(call("peek", R"({"queue":"results","size":10,"timeout":5})"), 1);
    waiting.get();
    const auto all = on.data("peek", R"({"queue":"results","size":10})");
    BOOST_TEST(all.as_array().size() == 2U);
    BOOST_TEST(on.text("acquire", R"({"queue":"results","ids":["a"],"promise_reply_time":5})") ==
               R"({"err_code":"0000","data":[{"id":"a","info":[1],"content":"MQ=="}]})");
    BOOST_TEST(on.data("acquire", R"({"queue":"results","ids":["b"],"promise_reply_time":5})").at(0).at("info").is_null());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_peek_begins_where_its_cursor_says_and_gives_it_back_where_there_is_nothing, Gates, kinds_of_gates) {
    served<Gates> on;
    BOOST_TEST(on.text("peek", R"({"queue":"q"})") == R"({"err_code":"0000","data":[],"cursor":null})");
    BOOST_TEST(on.text("peek", R"({"queue":"q","cursor":""})") == R"({"err_code":"0000","data":[],"cursor":""})");
    for (const char* id : {"a", "b", "c"}) on.put(id);
    const auto first = json::parse(on.text("peek", R"({"queue":"q","size":"2"})"));
    BOOST_TEST(first.at("data").as_array().size() == 2U);
    const auto cursor = json::serialize(first.at("cursor"));
    BOOST_TEST(on.seen(cursor) == texts{"c"}, boost::test_tools::per_element());
    const auto last = json::serialize(json::parse(on.text("peek", R"({"queue":"q","size":5})")).at("cursor"));
    auto waiting = on.begin(call("peek", R"({"queue":"q","timeout":5,"cursor":)" + last + "}"));
    BOOST_TEST(body(on.finish(waiting)) == R"({"err_code":"0000","data":[],"cursor":)" + last + "}");
    auto woken = on.begin(call("peek", R"({"queue":"q","timeout":500,"cursor":)" + last + "}"), 1);
    on.put("d");
    BOOST_TEST(json::parse(body(woken.get())).at("data").at(0).at("id") == "d");
    BOOST_TEST(on.seen("0") == (texts{"a", "b", "c", "d"}), boost::test_tools::per_element());
    BOOST_TEST(detail(on.ask(call("peek", R"({"queue":"q","cursor":"x","size":0})"))) ==
               R"([{"loc":["body","cursor"],"msg":"not a cursor: give one that this call has answered, or null","type":"value_error"},)"
               R"({"loc":["body","size"],"msg":"ensure this value is greater than or equal to 1","type":"value_error.number.not_ge"}])");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_queue_is_listed_from_its_first_task_on_until_it_is_cleared, Gates, kinds_of_gates) {
    served<Gates> on;
    BOOST_TEST(on.stat().is_null());
    on.data("peek", R"({"queue":"q"})");
    BOOST_TEST(on.stat().is_null());
    for (const char* id : {"a", "b", "c"}) on.put(id);
    on.put("x", "", "other");
    const auto all = on.data("peek", R"({"queue":"q","size":3})");
    const auto state = on.stat();
    BOOST_TEST(state.at("length") == 3);
    BOOST_TEST(state.at("oldest_cursor") == all.at(0).at("cursor"));
    BOOST_TEST(state.at("newest_cursor") == all.at(2).at("cursor"));
    on.take("a");
    on.reply("b");
    BOOST_TEST(on.stat().at("length") == 1);
    BOOST_TEST(on.stat().at("oldest_cursor") == all.at(2).at("cursor"));
    const auto first = json::parse(on.text("list_queue", R"({"size":1})"));
    BOOST_TEST(first.at("data") == json::array({"other"}));
    const auto second = on.text("list_queue", R"({"size":1,"cursor":)" + json::serialize(first.at("cursor")) + "}");
    BOOST_TEST(second == R"({"err_code":"0000","data":["q"],"cursor":null})");
    BOOST_TEST(on.text("clear_queue", R"({"queue":"q","iter_num":0})") == R"({"err_code":"0000","data":false})");
    BOOST_TEST(!on.data("clear_queue", R"({"queue":"q","iter_num":1,"step_size":1})").as_bool());
    BOOST_TEST(on.data("clear_queue", R"({"queue":"q"})").as_bool());
    for (const char* id : {"a", "b", "c"}) BOOST_TEST(!on.reply(id), id);
    BOOST_TEST(on.stat().is_null());
    BOOST_TEST(on.data("list_queue", R"({"size":10})") == json::array({"other"}));
    BOOST_TEST(on.data("clear_queue", R"({"queue":"never"})").as_bool());
    on.put("a");
    BOOST_TEST(on.data("list_queue", R"({"size":10})") == json::array({"other", "q"}));
    on.reply("a", "");
    on.pass(60s);
    const auto empty = on.stat();
    BOOST_TEST(empty.at("length") == 0);
    BOOST_TEST(empty.at("newest_cursor").is_null());
    BOOST_TEST(on.data("clear_queue", R"({"queue":"q"})").as_bool());
    BOOST_TEST(on.stat().is_null());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_newest_cursor_is_found_in_a_long_queue, Gates, kinds_of_gates) {
    served<Gates> on;
    for (int i = 0; i < 350; ++i) on.put("t" + std::to_string(i));
    for (int i = 300; i < 350; ++i) on.reply("t" + std::to_string(i));
    on.seen();  // from here on the order is kept
    on.take("t1", "1");
    on.pass(1s);
    const auto all = on.data("peek", R"({"queue":"q","size":1000})");
    BOOST_TEST(all.as_array().size() == 300U);
    BOOST_TEST(on.stat().at("newest_cursor") == all.at(299).at("cursor"));
    BOOST_TEST(all.at(299).at("id") == "t1");
    on.remove("t1");
    BOOST_TEST(on.stat().at("newest_cursor") == all.at(298).at("cursor"));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(names_and_infos_may_be_anything, Gates, kinds_of_gates) {
    served<Gates> on;
    const std::string queue = R"("\u961f\u5217 #1")", long_info = '"' + std::string(100'000, 'i') + '"';
    const auto in = [&](const std::string& more) { return R"({"queue":)" + queue + "," + more + "}"; };
    for (const std::string id : {R"("~1.a")", R"("q:~1.a")", R"("50%")", R"("%:x")", R"("a\u0000\nb")", R"("")", R"("\u4efb\u52a1")"}) {
        BOOST_TEST(on.data("put", in(R"("content":"MQ==","info":)" + long_info + ",\"id\":" + id)).as_bool(), id);
        const auto seen = on.data("peek", in(R"("size":1)"));
        BOOST_TEST(seen.at(0).at("id") == json::parse(id), id);
        BOOST_TEST(json::serialize(seen.at(0).at("info")) == long_info);
        const auto taken = on.data("acquire", in(R"("promise_reply_time":1,"ids":[)" + id + "]"));
        BOOST_TEST(taken.at(0).at("id") == json::parse(id), id);
        BOOST_TEST(taken.at(0).at("content") == "MQ==");
        BOOST_TEST(json::serialize(taken.at(0).at("info")) == long_info);
        BOOST_TEST(on.data("remove", in("\"id\":" + id)).as_bool(), id);
    }
    BOOST_TEST(on.data("list_queue", R"({"size":5})") == json::array({json::parse(queue)}));
    // Numbers are their texts.
    BOOST_TEST(on.data("put", R"({"queue":12,"id":3.50})").as_bool());
    BOOST_TEST(!on.data("put", R"({"queue":"12","id":"3.50"})").as_bool());
    BOOST_TEST(on.data("acquire", R"({"queue":12,"ids":[3.50],"promise_reply_time":"1"})").as_array().size() == 1U);
    // Line breaks in base64, and JSON under any type.
    BOOST_TEST(on.data("put", R"({"queue":"q","id":"lines","content":"AA\r\nAA \n"})").as_bool());
    BOOST_TEST(on.take("lines").at(0).at("content") == "AAAA");
    const auto plain = on.ask(post("/task/put", R"({"queue":"q","id":"typed"})", "Content-Type: text/plain\r\n"));
    BOOST_TEST(body(plain) == R"({"err_code":"0000","data":true})");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_cannot_be_read_is_refused_as_there, Gates, kinds_of_gates) {
    served<Gates> on;
    const auto refused = on.ask(call("put", R"({"queue":null,"config":5,"content":"*"})"));
    BOOST_TEST(status(refused) == 422U);
    BOOST_TEST(json::parse(detail(refused)).as_array().size() == 4U);
    BOOST_TEST(detail(on.ask(call("remove", R"({"queue":[]})"))) ==
               R"([{"loc":["body","queue"],"msg":"str type expected","type":"type_error.str"},)"
               R"({"loc":["body","id"],"msg":"field required","type":"value_error.missing"}])");
    BOOST_TEST(detail(on.ask(call("stat_queue", ""))) == R"([{"loc":["body"],"msg":"field required","type":"value_error.missing"}])");
    BOOST_TEST(detail(on.ask(call("put", "[1]"))) == R"([{"loc":["body"],"msg":"value is not a valid dict","type":"type_error.dict"}])");
    const auto broken = json::parse(detail(on.ask(call("put", R"({"queue":x})"))));
    BOOST_TEST(broken.at(0).at("loc") == json::array({"body", 9}));
    BOOST_TEST(broken.at(0).at("type") == "value_error.jsondecode");
    BOOST_TEST(json::parse(detail(on.ask(call("acquire", R"({"queue":"q","ids":["a",null],"promise_reply_time":"1.5"})")))) ==
               json::parse(R"([{"loc":["body","ids",1],"msg":"none is not an allowed value","type":"type_error.none.not_allowed"},
                               {"loc":["body","promise_reply_time"],"msg":"value is not a valid integer","type":"type_error.integer"}])"));
    const auto none = on.ask(get("/task/put"));
    BOOST_TEST(status(none) == 405U);
    BOOST_TEST(json::parse(body(none)).as_object().size() == 1U);
    BOOST_TEST(status(on.ask(get("/version"))) == 200U);
    BOOST_TEST(body(on.ask(get("/buildtime"))) == "\"\"");
}

// client/example.py of its repository: no reply where the work has failed, and a cursor that never goes back.
BOOST_AUTO_TEST_CASE_TEMPLATE(the_consumer_of_the_original_works_off_a_queue, Gates, kinds_of_gates) {
    served<Gates> on;
    for (int i = 0; i < 5; ++i) on.put("t" + std::to_string(i), R"(,"info":{"n":)" + std::to_string(i) + "}");
    std::string cursor = "null";
    std::vector<std::string> done;
    bool has_failed = false;
    for (std::size_t turn = 0; turn < 100 && done.size() < 5; ++turn) {
        auto peeking = on.begin(call("peek", R"({"queue": "q", "cursor": )" + cursor + R"(, "size": 1, "timeout": 5})"), turn % 2);
        const auto seen = json::parse(body(on.finish(peeking)));
        cursor = json::serialize(seen.at("cursor"));
        json::array wanted;
        for (const auto& one : seen.at("data").as_array()) wanted.push_back(one.at("id"));
        const auto taken = on.data("acquire", R"({"queue": "q", "promise_reply_time": 30, "ids": )" + json::serialize(wanted) + "}");
        for (const auto& one : taken.as_array()) {
            const std::string id(one.at("id").as_string());
            if (id == "t2" && !std::exchange(has_failed, true)) continue;  // an exception
            BOOST_TEST(on.reply(id, R"(, "info": {"msg": "ok"}, "content": "")", turn % 2));
            done.push_back(id);
        }
    }
    BOOST_TEST(done == (texts{"t0", "t1", "t3", "t4", "t2"}), boost::test_tools::per_element());
    for (const auto& id : done) {
        BOOST_TEST(on.data("call", R"({"queue":"q","timeout":0,"id":")" + id + "\"}").at("result_info").at("msg") == "ok");
    }
}

// Fault 17, over HTTP: 50 consumers on both gateways acquire overlapping ids at the same time; a third of them dies.
BOOST_AUTO_TEST_CASE_TEMPLATE(fifty_consumers_acquire_overlapping_ids_and_each_is_claimed_once_at_a_time, Gates, kinds_of_gates) {
    served<Gates> on;
    constexpr unsigned tasks = 60, consumers = 50;
    const auto id_of = [](unsigned n) { return "t" + std::to_string(n % tasks); };
    for (unsigned n = 0; n < tasks; ++n) on.put(id_of(n));
    std::set<std::string> ended;
    for (unsigned turn = 1; turn <= 2; ++turn) {
        std::vector<two_gates::pending> calls;
        for (unsigned consumer = 0; consumer < consumers; ++consumer) {
            json::array ids;
            for (unsigned i = 0; i < 10; ++i) ids.emplace_back(id_of(consumer * 7 + i));
            calls.push_back(on.begin(call("acquire", R"({"queue":"q","promise_reply_time":5,"ids":)" + json::serialize(ids) + "}"), consumer % 2));
        }
        const auto left = tasks - ended.size();
        std::set<std::string> claimed;
        for (unsigned consumer = 0; consumer < consumers; ++consumer) {
            const auto taken = json::parse(body(calls[consumer].get()));
            for (const auto& one : taken.at("data").as_array()) {
                const std::string id(one.at("id").as_string());
                BOOST_TEST(claimed.insert(id).second);
                if (turn == 1 && consumer % 3 == 0) continue;  // it dies
                BOOST_TEST(on.reply(id));
                BOOST_TEST(ended.insert(id).second);
            }
        }
        BOOST_TEST(claimed.size() == left);
        on.pass(5s);
        BOOST_TEST(on.seen().size() == tasks - ended.size());
    }
    BOOST_TEST(ended.size() == tasks);
}

struct box {
    int width = 0;
};
BOOST_DESCRIBE_STRUCT(box, (), (width))
struct told {
    std::string info;
    taskflux::raw content;
};
BOOST_DESCRIBE_STRUCT(told, (), (info, content))

inline constexpr taskflux::task<int(box)> measure{"measure", taskflux::task_options{}.queue("q")};

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_of_programs_in_cpp_are_served_and_theirs_are_read, Gates, kinds_of_gates) {
    served<Gates> on;
    taskflux::client client(on.broker());
    const box given{3};
    const auto named = taskflux::submit_options().id("mine");
    auto first = on.run(client.submit(measure, named, given));
    auto second = on.run(client.submit(measure, given));
    const auto seen = on.data("peek", R"({"queue":"q","size":5})");
    BOOST_TEST(seen.at(0).at("id") == "mine");
    BOOST_TEST(seen.at(0).at("info").is_null());
    const std::string other(seen.at(1).at("id").as_string());  // has none of its own
    const auto taken = on.data("acquire", R"({"queue":"q","promise_reply_time":5,"ids":["mine",")" + other + "\"]}");
    BOOST_TEST(taken.at(1).at("content") == "eyJ3aWR0aCI6M30=");  // {"width":3}
    BOOST_TEST(on.reply("mine", R"(,"info":42)"));
    BOOST_TEST(on.reply(other, R"(,"content":"NDM=")"));
    BOOST_TEST(on.run(first.result(1s)) == 42);
    BOOST_TEST(on.run(second.result(1s)) == 43);
    // The other way round.
    on.put("theirs");
    BOOST_TEST(on.reply("theirs", R"(,"info":"text","content":"AP8=")"));
    const auto key = on.run(on.broker()->find("q", "theirs"));
    BOOST_REQUIRE(key.has_value());
    const auto record = on.run(on.broker()->get(taskflux::task_id{"q", *key}));
    const auto read = taskflux::decode<told>(record->result);
    BOOST_TEST(read.info == "text");
    BOOST_TEST((read.content.bytes == std::string("\x00\xff", 2)));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_ended_without_a_result_makes_room_for_its_id, Gates, kinds_of_gates) {
    served<Gates> on;
    on.put("a");
    const auto key = on.run(on.broker()->find("q", "a"));
    const std::vector<taskflux::task_key> keys(1, key.value());
    on.run(on.broker()->cancel("q", keys));
    BOOST_TEST(!on.reply("a"));
    BOOST_TEST(on.put("a"));
    BOOST_TEST(on.seen() == texts{"a"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_prefix_keeps_other_queues_out_of_sight, Gates, kinds_of_gates) {
    served<Gates> on(taskflux::task_center_options().queue_prefix("tc/"));
    on.put("a");
    taskflux::client client(on.broker());
    const box given{3};
    on.run(client.submit(measure, given));
    BOOST_TEST(on.seen() == texts{"a"}, boost::test_tools::per_element());
    BOOST_TEST(on.data("list_queue", R"({"size":10})") == json::array({"q"}));
    BOOST_TEST(on.run(on.broker()->counts("tc/q")).waiting == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_task_center
