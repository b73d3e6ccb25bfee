#include <taskflux/app/config.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;
using taskflux::app_config;
using taskflux::app_environment;
using taskflux::config_error;
using taskflux::config_sources;

namespace flow_app_config {

/// A folder of its own, with config files; errors name them without it.
struct folder {
    std::filesystem::path path = std::filesystem::temp_directory_path() / ("taskflux_config_" + std::to_string(getpid()));

    folder() { std::filesystem::create_directory(path); }
    ~folder() { std::filesystem::remove_all(path); }

    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path / name) << text;
        return (path / name).string();
    }

    app_config load(const std::string& text, std::map<std::string, std::string> variables = {},
                    const std::string& env = "") const {
        return taskflux::load_config(
            config_sources().file(write("app.json", text)).variables(std::move(variables)).env(env));
    }

    std::string refusal(const std::string& text, std::map<std::string, std::string> variables = {},
                        const std::string& env = "") const {
        try {
            load(text, std::move(variables), env);
        } catch (const config_error& e) {
            std::string what = e.what();
            const auto at = what.find(path.string());
            if (at != std::string::npos) what.erase(at, path.string().size() + 1);
            return what;
        }
        return "accepted";
    }
};

}  // namespace flow_app_config

BOOST_FIXTURE_TEST_SUITE(flow_app_config, folder)

BOOST_AUTO_TEST_CASE(what_a_config_does_not_say_has_its_default) {
    const auto config = load("{}");
    BOOST_TEST(config.url == "memory://");
    BOOST_TEST(config.concurrency == 16U);
    BOOST_TEST(config.threads == 1U);
    BOOST_TEST((config.drain_for.value() == 30s));
    BOOST_TEST(!config.start_timeout.has_value());
    BOOST_TEST(config.queues.empty());
    BOOST_TEST(!config.env.has_value());
}

BOOST_AUTO_TEST_CASE(every_kind_of_value_is_read) {
    const auto config = load(R"({
        "url": "redis://user:secret@host/2", "node": "web-1", "queues": ["mail", "default"], "weights": {"mail": 3},
        "concurrency": 64, "threads": 2, "cpu_threads": 3, "lease": "500ms", "drain_for": "2m",
        "start_timeout": "1m",
        "log_path": "x.log", "log_level": "warning", "services": ["calculator"],
        "schedules": [{"task": "report", "cron": "0 9 * * *", "zone": "Europe/Berlin", "payload": {"any": [1]},
                       "misfire": "skip", "jitter": "1s", "enabled": false}],
        "enabled_tasks": ["a"], "disabled_tasks": ["b"], "timeout": "30s", "deadline": "1h", "retention": "2h",
        "failed_retention": "7d"})");
    BOOST_TEST(config.queues == (std::vector<std::string>{"mail", "default"}), boost::test_tools::per_element());
    BOOST_TEST(config.weights.at("mail") == 3U);
    BOOST_TEST(config.concurrency == 64U);
    BOOST_TEST((config.lease.value() == 500ms));
    BOOST_TEST((config.start_timeout->value() == 1min));
    BOOST_TEST((config.log_level == taskflux::log_level::warning));
    BOOST_TEST((config.failed_retention->value() == 24h * 7));
    BOOST_REQUIRE(config.schedules.size() == 1U);
    BOOST_TEST((config.schedules[0].misfire == taskflux::misfire_policy::skip));
    BOOST_TEST(!config.schedules[0].enabled);
    BOOST_TEST((config.schedules[0].jitter.value() == 1s));
}

BOOST_AUTO_TEST_CASE(a_wrong_value_is_refused_with_its_place_and_what_is_allowed) {
    const std::vector<std::pair<std::string, std::string>> mistakes{
        {"{\n  \"concurency\": 4\n}",
         "app.json:2:3: /concurency: unknown key; did you mean \"concurrency\"? Allowed: \"url\", \"node\""},
        {R"({"colour": 1})", "app.json:1:2: /colour: unknown key; allowed: \"url\""},
        {R"({"concurrency": 0})", "app.json:1:2: /concurrency: expected an integer from 1 to 100000, got 0"},
        {R"({"concurrency": "four"})", "app.json:1:2: /concurrency: expected an integer from 0 to 4294967295, got string"},
        {R"({"log_level": "loud"})", "app.json:1:2: /log_level: expected one of \"trace\", \"debug\", \"info\""},
        {R"({"drain_for": 30})", "app.json:1:2: /drain_for: expected a time from \"0s\" to \"3650d\", such as"},
        {R"({"drain_for": "9999d"})", "app.json:1:2: /drain_for: expected a time"},
        {R"({"lease": "10ms"})", "app.json:1:2: /lease: expected a time from 100ms to 3650d, got 10ms"},
        {"{\"queues\": [\"a\",\n \"a b\"]}", "app.json:2:2: /queues/1: expected a name of 1 to 128 characters"},
        {R"({"queues": ["a", "a"]})", "app.json:1:18: /queues/1: \"a\" is listed twice: remove one"},
        {R"({"services": ["a", "a b"]})", "app.json:1:20: /services/1: expected a name"},
        {R"({"services": ["a", "a"]})", "app.json:1:20: /services/1: \"a\" is listed twice"},
        {R"({"enabled_tasks": ["a", "a b"]})", "app.json:1:25: /enabled_tasks/1: expected a name"},
        {R"({"enabled_tasks": ["a", "a"]})", "app.json:1:25: /enabled_tasks/1: \"a\" is listed twice"},
        {R"({"disabled_tasks": ["a", "a b"]})", "app.json:1:26: /disabled_tasks/1: expected a name"},
        {R"({"disabled_tasks": ["a", "a"]})", "app.json:1:26: /disabled_tasks/1: \"a\" is listed twice"},
        {R"({"node": "a b"})", "app.json:1:2: /node: expected a name"},
        {R"({"concurrency": 100001})", "app.json:1:2: /concurrency: expected an integer from 1 to 100000, got 100001"},
        {R"({"threads": 0})", "app.json:1:2: /threads: expected an integer from 1 to 1000, got 0"},
        {R"({"threads": 1001})", "app.json:1:2: /threads: expected an integer from 1 to 1000, got 1001"},
        {R"({"cpu_threads": 1001})", "app.json:1:2: /cpu_threads: expected an integer from 0 to 1000, got 1001"},
        {R"({"queues": ["mail"], "weights": {"mail": 0}})", "app.json:1:34: /weights/mail: expected an integer from 1 to 1000000"},
        {R"({"queues": ["mail"], "weights": {"mial": 2}})",
         "app.json:1:34: /weights/mial: this queue is not in /queues: add it there; did you mean \"mail\"?"},
        {R"({"limits": {"mail": {"runing": 2}}})",
         "app.json:1:22: /limits/mail/runing: unknown key; did you mean \"running\"?"},
        {R"({"limits": {"mail": {"rate": 1, "per": "2 s"}}})", "app.json:1:33: /limits/mail/per: expected a time"},
        {R"({"limits": {"mail": {"rate": 0}}})", "app.json:1:22: /limits/mail/rate: limit: rate: no start is allowed"},
        {R"({"key_limits": {"mail": {"every": {"running": 2}}}})", "app.json:1:26: /key_limits/mail/every: unknown key"},
        {R"({"key_limits": {"mail": {"each": {"runing": 2}}}})", "app.json:1:35: /key_limits/mail/each/runing: unknown key"},
        {R"({"key_limits": {"mail": {"keys": {"a/b": {"max_waiting": 2}}}}})",
         "app.json:1:43: /key_limits/mail/keys/a~1b/max_waiting: a limit of keys can't bound what waits"},
        {R"({"url": "memory://x"})", "app.json:1:2: /url: memory:// takes nothing after it: it is this process's own memory"},
        {R"({"url": "redis://user:secret@"})", "app.json:1:2: /url: "},
        {R"({"url": "pigeon://"})", "app.json:1:2: /url: not a broker URL: its scheme is not known"},
        {R"({"schedules": [{"task": "t"}]})", "app.json:1:16: /schedules/0/cron: the cron expression is missing"},
        {R"({"schedules": [{"task": "t", "cron": "* * *"}]})", "app.json:1:30: /schedules/0/cron: "},
        {R"({"schedules": [{"task": "t", "cron": "@daily", "zone": "Mars"}]})", "app.json:1:48: /schedules/0/zone: "},
        {R"({"schedules": [{"task": "t", "cron": "@daily", "hosts": ["a", ""]}]})", "app.json:1:48: /schedules/0/hosts: "},
        {R"({"schedules": [{"cron": "@daily"}]})", "app.json:1:16: /schedules/0/task: the task is missing"},
        {R"({"schedules": [{"task": "a b", "cron": "@daily"}]})", "app.json:1:17: /schedules/0/task: expected a name"},
        {R"({"schedules": [{"id": "a b", "task": "t", "cron": "@daily"}]})", "app.json:1:17: /schedules/0/id: expected a name"},
        {R"({"schedules": [{"queue": "a b", "task": "t", "cron": "@daily"}]})", "app.json:1:17: /schedules/0/queue: expected a name"},
        {R"({"jobs": [{"job": "a b", "cron": "@daily"}]})", "app.json:1:12: /jobs/0/job: expected a name"},
        {R"({"jobs": [{"job": "a", "hosts": [""]}]})", "app.json:1:24: /jobs/0/hosts: "},
        {R"({"jobs": [{"job": "a", "cron": "* *"}]})", "app.json:1:24: /jobs/0/cron: "},
        {R"({"jobs": [{"job": "a", "zone": "Mars"}]})", "app.json:1:24: /jobs/0/zone: "},
        {R"({"jobs": [{"cron": "@daily"}]})", "app.json:1:11: /jobs/0/job: the job is missing"},
        {R"({"jobs": [{"job": "a", "scope": "host"}]})",
         "app.json:1:24: /jobs/0/scope: expected one of \"once_per_cluster\", \"once_per_host\", \"every_process\""},
        {R"({"jobs": [{"job": "a"}, {"job": "a"}]})", "app.json:1:26: /jobs/1/job: \"a\" is listed twice: remove one"},
        {R"({"schedules": [{"tsk": "t"}]})", "app.json:1:17: /schedules/0/tsk: unknown key; did you mean \"task\"?"},
        {"{\n\"node\": \"a\",\n \"node\": \"b\"}", "app.json:3:2: /node: the key is there twice: remove one"},
        {"{\n\"node\" 1}", "app.json:2:8: not valid JSON: "},
        {"[]", "app.json:1:1: expected object, got an array of 0"},
        {R"("url: redis://user:secret@host")", "app.json:1:1: expected object, got a string"},
        {R"({"redis://user:secret@host": 1})", "app.json:1:2: /…: unknown key"},
        {R"({"a\nb": 1})", "app.json:1:2: /a\\nb: unknown key"},
        {R"({"queues": ["redis://user:secret@host"]})", "app.json:1:13: /queues/0: expected a name"},
        {R"({"schedules": [{"task": "t", "cron": "@daily", "payload": [1, 1e999]}]})",
         "app.json:1:63: /schedules/0/payload/1: JSON has no NaN"},
        {R"({"environments": {"TEST": {"nod": "x"}}})", "app.json:1:28: /environments/TEST/nod: unknown key; did you mean \"node\"?"},
        {R"({"environments": {"TEST": {"env": "STAGE"}}})", "app.json:1:28: /environments/TEST/env: unknown key"},
        {R"({"environments": {"PROD": {}}})", "app.json:1:19: /environments/PROD: expected one of \"TEST\", \"STAGE\", \"PRODUCTION\""},
        {R"({"environments": {"TEST": 1}})", "app.json:1:19: /environments/TEST: expected object, got number 1"},
    };
    for (const auto& [text, begins] : mistakes) {
        const auto said = refusal(text);
        BOOST_TEST(said.starts_with(begins), "for " << text << "\n  expected " << begins << "\n  got      " << said);
        BOOST_TEST(said.find("secret") == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(an_environment_s_section_lays_over_the_rest) {
    const std::string text = R"({"node": "n", "queues": ["a", "b"], "concurrency": 1,
        "environments": {"TEST": {"concurrency": 2}, "PRODUCTION": {"concurrency": 3, "queues": ["c"]}}})";
    BOOST_TEST(load(text).concurrency == 1U);
    BOOST_TEST(load(text, {{"TASKFLUX_ENV", "TEST"}}).concurrency == 2U);
    const auto production = load(text, {{"TASKFLUX_ENV", "TEST"}}, "PRODUCTION");  // what is asked for outright wins
    BOOST_TEST(production.concurrency == 3U);
    BOOST_TEST(production.queues.size() == 1U);
    BOOST_TEST(production.node == "n");
    BOOST_TEST((production.env == app_environment::PRODUCTION));
    BOOST_TEST(load(text, {}, "STAGE").concurrency == 1U);
    BOOST_TEST(load(R"({"env": "TEST", "environments": {"TEST": {"node": "t"}}})").node == "t");
    BOOST_TEST(refusal(text, {}, "PROD").starts_with("--env: /env: expected one of \"TEST\""));
}

BOOST_AUTO_TEST_CASE(a_mistake_in_a_section_that_is_not_used_is_found) {
    BOOST_TEST(refusal(R"({"environments": {"STAGE": {"queues": ["a", "?"]}}})", {}, "TEST")
                   .starts_with("app.json:1:45: /queues/1: expected a name"));
}

BOOST_AUTO_TEST_CASE(variables_win_over_the_file) {
    const auto config = load(R"({"queues": ["x"], "environments": {"TEST": {"concurrency": 2}}})",
                             {{"TASKFLUX_ENV", "TEST"}, {"TASKFLUX_CONCURRENCY", "8"}, {"TASKFLUX_QUEUES", "a, b"},
                              {"TASKFLUX_WEIGHTS", "a=2"}, {"TASKFLUX_LOG_LEVEL", "debug"}, {"TASKFLUX_RETENTION", "5m"},
                              {"TASKFLUX_NODE", ""}, {"TASKFLUX_BUILD_ROOT", "/somewhere"}, {"OTHER", "1"}});
    BOOST_TEST(config.concurrency == 8U);
    BOOST_TEST(config.queues == (std::vector<std::string>{"a", "b"}), boost::test_tools::per_element());
    BOOST_TEST(config.weights.at("a") == 2U);
    BOOST_TEST((config.log_level == taskflux::log_level::debug));
    BOOST_TEST((config.retention->value() == 5min));
    BOOST_TEST(config.node.empty());
}

BOOST_AUTO_TEST_CASE(a_variable_that_is_empty_is_none) {
    const auto config = load(R"({"node": "n", "concurrency": 3})", {{"TASKFLUX_NODE", ""}, {"TASKFLUX_CONCURRENCY", ""}});
    BOOST_TEST(config.node == "n");
    BOOST_TEST(config.concurrency == 3U);
}

BOOST_AUTO_TEST_CASE(values_at_both_ends_of_their_range_are_taken_and_those_beyond_refused) {
    const auto config = load(R"({"concurrency": 100000, "threads": 1, "cpu_threads": 0, "lease": "100ms", "retention": "3650d",
        "timeout": "0s", "queues": ["q", "r"], "weights": {"q": 1, "r": 1000000}})");
    BOOST_TEST(config.concurrency == 100'000U);
    BOOST_TEST((config.retention->value() == 24h * 3650));
    BOOST_TEST(config.weights.at("r") == 1'000'000U);
    for (const std::string wrong : {R"("concurrency": 100001)", R"("threads": 0)", R"("threads": 1001)", R"("lease": "99ms")",
                                    R"("retention": "3651d")", R"("retention": "87601h")", R"("retention": "-1s")", R"("drain_for": "-1s")",
                                    R"("drain_for": "3651d")", R"("start_timeout": "3651d")", R"("cpu_threads": 1001)"}) {
        BOOST_TEST(refusal("{" + wrong + "}").find(": expected ") != std::string::npos, wrong);
    }
    for (const std::string wrong : {"0", "1000001"}) {
        BOOST_TEST(refusal(R"({"queues": ["q"], "weights": {"q": )" + wrong + "}}").find(": /weights/q: expected ") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_wrong_variable_is_refused_as_a_wrong_key_is) {
    const auto wrong = [&](const std::string& name, const std::string& value) { return refusal("{}", {{name, value}}); };
    BOOST_TEST(wrong("TASKFLUX_CONCURRENCY", "0") ==
               "environment variable TASKFLUX_CONCURRENCY: /concurrency: expected an integer from 1 to 100000, got 0");
    BOOST_TEST(wrong("TASKFLUX_CONCURRENCY", "many").starts_with("environment variable TASKFLUX_CONCURRENCY: /concurrency: "));
    BOOST_TEST(wrong("TASKFLUX_QUEUES", "a,?").starts_with("environment variable TASKFLUX_QUEUES: /queues/1: "));
    BOOST_TEST(wrong("TASKFLUX_CONCURENCY", "1") == "environment variable TASKFLUX_CONCURENCY: unknown variable; "
                                                    "did you mean TASKFLUX_CONCURRENCY?");
}

BOOST_AUTO_TEST_CASE(a_config_of_the_program_s_is_what_files_lie_over) {
    app_config base;
    base.node = "own";
    base.concurrency = 5;
    const auto config = taskflux::load_config(config_sources().file(write("app.json", R"({"concurrency": 6})")), base);
    BOOST_TEST(config.node == "own");
    BOOST_TEST(config.concurrency == 6U);
    base.concurrency = 0;
    BOOST_CHECK_EXCEPTION(taskflux::check_config(base), config_error, [](const config_error& e) {
        return std::string(e.what()) == "config: /concurrency: expected an integer from 1 to 100000, got 0" &&
               e.code() == taskflux::errc::invalid_argument;
    });
}

BOOST_AUTO_TEST_CASE(a_config_of_the_program_s_is_checked_in_each_of_its_parts) {
    const auto refusal_of = [](void (*change)(app_config&)) {
        app_config made;
        change(made);
        try {
            taskflux::check_config(made);
        } catch (const config_error& e) {
            const std::string what = e.what();
            return what.substr(0, what.find(':', what.find(": ") + 2));
        }
        return std::string("accepted");
    };
    BOOST_TEST(refusal_of([](app_config&) {}) == "accepted");
    BOOST_TEST(refusal_of([](app_config& of) { of.url = "nowhere"; }) == "config: /url");
    BOOST_TEST(refusal_of([](app_config& of) { of.node = "a b"; }) == "config: /node");
    BOOST_TEST(refusal_of([](app_config& of) { of.threads = 0; }) == "config: /threads");
    BOOST_TEST(refusal_of([](app_config& of) { of.cpu_threads = 1001; }) == "config: /cpu_threads");
    BOOST_TEST(refusal_of([](app_config& of) { of.lease = 99ms; }) == "config: /lease");
    BOOST_TEST(refusal_of([](app_config& of) { of.drain_for = -1ms; }) == "config: /drain_for");
    BOOST_TEST(refusal_of([](app_config& of) { of.start_timeout = -1ms; }) == "config: /start_timeout");
    BOOST_TEST(refusal_of([](app_config& of) { of.timeout = -1ms; }) == "config: /timeout");
    BOOST_TEST(refusal_of([](app_config& of) { of.deadline = -1ms; }) == "config: /deadline");
    BOOST_TEST(refusal_of([](app_config& of) { of.retention = -1ms; }) == "config: /retention");
    BOOST_TEST(refusal_of([](app_config& of) { of.failed_retention = -1ms; }) == "config: /failed_retention");
    BOOST_TEST(refusal_of([](app_config& of) { of.failed_retention = 24h * 3650 + 1ms; }) == "config: /failed_retention");
    BOOST_TEST(refusal_of([](app_config& of) {
        of.drain_for = of.timeout = of.deadline = 0ms;
        of.start_timeout = of.retention = of.failed_retention = 0ms;
        of.lease = 100ms;
    }) == "accepted");
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_is_named) {
    const auto what = [](const std::string& file) {
        try {
            taskflux::load_config(file);
        } catch (const config_error& e) {
            return std::string(e.what());
        }
        return std::string("read");
    };
    BOOST_TEST(what("/nowhere/app.json") == "/nowhere/app.json: the config file can't be read: No such file or directory");
    std::filesystem::create_directory(path / "folder.json");
    BOOST_TEST(what((path / "folder.json").string()).ends_with("the config file can't be read: Is a directory"));
    BOOST_TEST(what("app.toml") == "app.toml: unknown kind of config file: its name must end in one of \".json\" (for YAML see "
                                   "<taskflux/app/yaml.hpp>)");
}

BOOST_AUTO_TEST_CASE(a_file_may_begin_with_a_byte_order_mark_of_utf_8) {
    BOOST_TEST(load("\xEF\xBB\xBF{\"node\": \"a\"}").node == "a");
    BOOST_TEST(refusal("\xEF\xBB\xBF{\"nod\": 1}").starts_with("app.json:1:2: /nod: unknown key"));
    for (const std::string& utf_16 : {std::string("\xFF\xFE{\0}\0", 6), std::string("\xFE\xFF\0{\0}", 6)}) {
        BOOST_TEST(refusal(utf_16) == "app.json: the config file can't be read: it is in UTF-16; save it as UTF-8");
    }
}

BOOST_AUTO_TEST_CASE(a_file_of_many_elements_is_read_in_time_that_grows_with_it_alone) {
    std::string names, values;
    for (int i = 0; i < 200'000; ++i) {
        names += (i == 0 ? "\"n" : ",\n\"n") + std::to_string(i) + '"';
        values += i == 0 ? "[0" : ",\n0";
    }
    const auto config = load(R"({"queues": [)" + names + R"(], "schedules": [{"task": "t", "cron": "@daily", "payload": )" +
                             values + "]}]}");
    BOOST_TEST(config.queues.size() == 200'000U);
    BOOST_TEST(config.schedules.at(0).payload.as_array().size() == 200'000U);
    BOOST_TEST(refusal("{\"queues\": [" + names + ",\n\"n7\"]}").starts_with("app.json:200001:1: /queues/200000: \"n7\" is listed twice"));
    const auto unknown = refusal("{\"queues\": [" + names + "], \"weights\": {\"x\": 1}}");
    BOOST_TEST(unknown.ends_with("\"n49\" and 199950 more"), unknown.substr(0, 2000));
}

BOOST_AUTO_TEST_CASE(a_file_that_costs_too_much_is_refused_with_its_place) {
    const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
    BOOST_TEST(refusal("{\"x\": " + nested(31) + "}").starts_with("app.json:1:2: /x: unknown key"));
    BOOST_TEST(refusal("{\"x\": " + nested(32) + "}").starts_with("app.json:1:38: nested deeper than 32 levels: use fewer"));
    BOOST_TEST(refusal(nested(1'000'000)).starts_with("app.json:1:33: nested deeper than 32 levels"));
    BOOST_TEST(refusal("{\"node\": \"" + std::string(17 << 20, 'x') + "\"}").starts_with("app.json: larger than 16 MiB: "));
    std::string zeros = "[0";
    for (int i = 0; i < 1'000'000; ++i) zeros += ",0";
    BOOST_TEST(refusal(zeros + "]").starts_with("app.json:1:2000000: more than 1000000 values"));
    // A long key stands in the pointer of each value below it.
    BOOST_TEST(refusal("{\"" + std::string(1'000'000, 'k') + "\": " + zeros + "]}").find(": more than 64 MiB of texts and of the keys") !=
               std::string::npos);
    BOOST_TEST(taskflux::load_config(config_sources().variables({{"TASKFLUX_NODE", "n"}})).node == "n");
    BOOST_TEST(refusal("{}", {{"TASKFLUX_NODE", std::string(60, '\x80')}})
                   .starts_with("environment variable TASKFLUX_NODE: /node: expected a name"));
    BOOST_TEST(refusal("{}", {{"TASKFLUX_LOG_LEVEL", std::string(60, '\x80')}})
                   .starts_with("environment variable TASKFLUX_LOG_LEVEL: /log_level: expected one of"));
}

BOOST_AUTO_TEST_CASE(a_time_is_written_in_its_largest_unit) {
    const auto text = [](taskflux::time_span time) { return taskflux::encode(time); };
    BOOST_TEST(text(0s) == R"("0s")");
    BOOST_TEST(text(1500ms) == R"("1500ms")");
    BOOST_TEST(text(90s) == R"("90s")");
    BOOST_TEST(text(48h) == R"("2d")");
    BOOST_TEST((taskflux::decode<taskflux::time_span>(R"("3650d")").value() == 24h * 3650));
    for (const char* wrong : {R"("")", R"("5")", R"("5 s")", R"("-5s")", R"("5w")", R"("s")", R"("99999999999999999999s")",
                              R"("3651d")", R"("9223372036854775807d")", "5"}) {
        BOOST_CHECK_THROW(taskflux::decode<taskflux::time_span>(wrong), taskflux::decode_error);
    }
}

BOOST_AUTO_TEST_SUITE_END()
