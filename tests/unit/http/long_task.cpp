#include <taskflux/core/codec.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/failure.hpp>
#include <taskflux/http/long_task.hpp>
#include <taskflux/http/long_task/desk.hpp>
#include <taskflux/http/long_task/fields.hpp>

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <map>
#include <string>
#include <string_view>

namespace long_task_test {

using namespace taskflux::detail::long_task;
using taskflux::task_state;
using variables = std::map<std::string, std::string>;

// The config of its document, in JSON.
constexpr std::string_view file = R"({
  "default_env": "TEST", "service": ["bbb", "aaa"],
  "source_db": {"aaa": {"source_name": "mongo", "topic_name": "mq_aaa", "consumer_id": "c_aaa"},
                "bbb": {"source_name": "mysql", "topic_name": "mq_bbb", "consumer_id": "c_aaa"}},
  "max_status_task": 7,
  "mq_conf": {"bootstrap_servers": ["kafka-ons-internet.aliyun.com:8080"]},
  "TEST": {"MONGO_HOST": "39.106.2.119", "url": "redis://test"}, "PRODUCTION": {"url": "redis://production/1"}
})";

inline taskflux::long_task_config config() { return taskflux::decode<taskflux::long_task_config>(file); }

inline taskflux::config_document read_json(std::string_view text, const std::string& name) {
    taskflux::config_document made;
    made.root = boost::json::parse(text);
    made.places["/max_status_task"] = name + ":3:1";
    return made;
}

BOOST_AUTO_TEST_SUITE(long_task)

BOOST_AUTO_TEST_CASE(a_config_says_the_options) {
    const auto made = taskflux::options_of(config(), {{"AUTH_TOKEN", "t"}});
    BOOST_TEST((made.names() == std::vector<std::string>{"bbb", "aaa"}));
    BOOST_TEST(made.services().at("aaa").topic_name == "mq_aaa");
    BOOST_TEST(made.services().at("bbb").source_name == "mysql");
    BOOST_TEST(made.max_status_task() == 7U);
    BOOST_TEST(made.starts_at_once());
    BOOST_TEST(made.token() == "t");
    BOOST_TEST(taskflux::options_of(config(), {}).token() == "");
    auto without = config();
    without.source_db.erase("aaa");
    BOOST_CHECK_THROW(taskflux::options_of(without, {}), taskflux::error);
}

BOOST_AUTO_TEST_CASE(its_environment_says_which_server) {
    BOOST_TEST(taskflux::url_of(config(), {}) == "redis://test");
    BOOST_TEST(taskflux::url_of(config(), {{"default_env", "PRODUCTION"}}) == "redis://production/1");
    BOOST_CHECK_THROW(taskflux::url_of(config(), {{"default_env", "STAGE"}}), taskflux::error);
    BOOST_CHECK_THROW(taskflux::url_of(config(), {{"default_env", "test"}}), taskflux::error);
}

BOOST_AUTO_TEST_CASE(a_config_file_is_read_by_its_format) {
    taskflux::config_format by;
    by.read = &read_json;
    BOOST_TEST(taskflux::read_long_task_config(by, file, "a.yaml").max_status_task == 7U);
    BOOST_CHECK_EXCEPTION(taskflux::read_long_task_config(by, R"({"max_status_task":"x"})", "a.yaml"), taskflux::config_error,
                          [](const taskflux::config_error& e) { return std::string(e.what()).find("a.yaml:3:1") != std::string::npos; });
}

BOOST_AUTO_TEST_CASE(options_that_make_no_sense_are_refused) {
    taskflux::long_task_options made;
    made.service("a", {"", "q", ""});
    BOOST_CHECK_THROW(made.service("a", {"", "q", ""}), taskflux::error);
    BOOST_CHECK_THROW(made.service("", {"", "q", ""}), taskflux::error);
    BOOST_CHECK_THROW(made.service("b\n", {"", "q", ""}), taskflux::error);
    BOOST_CHECK_THROW(made.service(std::string(129, 'b'), {"", "q", ""}), taskflux::error);
    BOOST_CHECK_THROW(made.service("b", {"", "no queue", ""}), taskflux::error);
    BOOST_CHECK_THROW(made.max_status_task(0), taskflux::error);
    BOOST_CHECK_THROW(made.lease(std::chrono::milliseconds(999)), taskflux::error);
    BOOST_CHECK_THROW(made.retention(std::chrono::milliseconds(-1)), taskflux::error);
    BOOST_TEST((made.names() == std::vector<std::string>{"a"}));
}

BOOST_AUTO_TEST_CASE(a_message_is_as_its_document_has_it) {
    const auto text = message_text("ts_a_1", "a", "m\"y", R"({"x" :1.50})");
    BOOST_TEST(text == R"({"Task": {"task_id": "ts_a_1", "service": "a", "source_name": "m\"y", "condition": {"x" :1.50}}})");
    BOOST_TEST(condition_in(text) == R"({"x" :1.50})");
    for (const char* other : {"", "x", "[]", "{}", R"({"Task":1})", R"({"Task":{}})"}) BOOST_TEST(condition_in(other) == "null", other);
}

BOOST_AUTO_TEST_CASE(an_id_names_its_service) {
    const std::string uuid(36, 'u');
    BOOST_TEST(service_in("ts_a_b_" + uuid).value() == "a_b");
    for (const auto& other : {std::string(), std::string("ts_"), "ts_" + uuid, "ts_a-" + uuid, "tt_a_" + uuid, "ts_a_" + uuid + "x"}) {
        BOOST_TEST(!service_in(other).has_value(), other);
    }
}

BOOST_AUTO_TEST_CASE(each_state_has_a_word_and_the_message_that_was_said_in_it) {
    taskflux::task_record record;
    record.state = task_state::running;
    record.progress = R"({"status":"running","message":"half"})";
    BOOST_TEST(message_of(record).value() == "half");
    record.state = task_state::succeeded;
    BOOST_TEST(!message_of(record).has_value());
    record.state = task_state::failed;
    taskflux::failure why;
    why.message = "broken";
    record.error = taskflux::encode(why);
    BOOST_TEST(message_of(record).value() == "broken");
    for (const char* other : {"", "x", "7", "{}", R"({"status":"failed","message":1})"}) {
        record.progress = other;
        BOOST_TEST(message_of(record).value_or("broken") == "broken", other);
    }
    BOOST_TEST(status_of(task_state::held) == "waiting");
    BOOST_TEST(status_of(task_state::scheduled) == "waiting");
    BOOST_TEST(status_of(task_state::waiting_children) == "running");
    BOOST_TEST(status_of(task_state::succeeded) == "finished");
    BOOST_TEST(status_of(task_state::expired) == "failed");
}

BOOST_AUTO_TEST_CASE(fields_have_their_own_types) {
    const fields one(R"({"t":"x","n":5,"null":null,"o":{"a":[1.0]},"l":[{},{}],"m":[{},1]})");
    BOOST_TEST(one.text("t") == "x");
    BOOST_TEST(one.number("n", 1, 5) == 5);
    BOOST_TEST(one.number("none", 3, 5) == 3);
    BOOST_TEST(!one.optional_text("null").has_value());
    BOOST_TEST(one.object("o").as_sent("a") == "[1.0]");
    BOOST_TEST(one.objects("l").size() == 2U);
    BOOST_CHECK_THROW(one.text("n"), refusal);
    BOOST_CHECK_THROW(one.text("none"), refusal);
    BOOST_CHECK_THROW(one.optional_text("n"), refusal);
    BOOST_CHECK_THROW(one.number("n", 1, 4), refusal);
    BOOST_CHECK_THROW(one.number("t", 1, 5), refusal);
    BOOST_CHECK_THROW(one.object("l"), refusal);
    BOOST_CHECK_THROW(one.objects("o"), refusal);
    BOOST_CHECK_THROW(one.objects("m"), refusal);
    BOOST_CHECK_THROW(one.as_sent("none"), refusal);
    BOOST_CHECK_THROW(fields("{"), refusal);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace long_task_test
