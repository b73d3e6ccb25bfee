#include <support/mistyped_urls.hpp>
#include <taskflux/app/yaml.hpp>

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace flow_app_yaml {

struct yaml_file {
    std::filesystem::path path = std::filesystem::temp_directory_path() / ("taskflux_" + std::to_string(getpid()) + ".yaml");

    ~yaml_file() { std::filesystem::remove(path); }

    taskflux::app_config load(const std::string& text) const {
        std::ofstream(path) << text;
        return taskflux::load_config(taskflux::config_sources().file(path.string()).format(taskflux::yaml_format()));
    }

    std::string refusal(const std::string& text) const {
        try {
            load(text);
        } catch (const taskflux::config_error& e) {
            const std::string what = e.what();
            return what.substr(what.find(".yaml") + 6 + (what.find(".yaml: ") != std::string::npos ? 1 : 0));
        }
        return "accepted";
    }
};

}  // namespace flow_app_yaml

BOOST_FIXTURE_TEST_SUITE(flow_app_yaml, yaml_file)

BOOST_AUTO_TEST_CASE(a_yaml_file_says_what_a_json_file_would) {
    const auto config = load(R"(# which node this is
url: redis://127.0.0.1
node: "1234"
queues: [mail, default]
weights: {mail: 3}
concurrency: 64
drain_for: 2m
schedules:
  - task: report
    cron: 0 9 * * MON-FRI
    payload: {ratio: 1.5, on: true, to: ~, name: 'yes'}
    enabled: false
env: TEST
environments:
  TEST:
    concurrency: 4
)");
    BOOST_TEST(config.node == "1234");
    BOOST_TEST(config.concurrency == 4U);
    BOOST_TEST(config.queues.size() == 2U);
    BOOST_TEST(config.weights.at("mail") == 3U);
    BOOST_TEST((config.drain_for.value() == std::chrono::minutes(2)));
    BOOST_REQUIRE(config.schedules.size() == 1U);
    BOOST_TEST(config.schedules[0].cron == "0 9 * * MON-FRI");
    BOOST_TEST(!config.schedules[0].enabled);
    BOOST_TEST(taskflux::encode(config.schedules[0].payload) == R"({"ratio":1.5,"on":true,"to":null,"name":"yes"})");
}

BOOST_AUTO_TEST_CASE(a_plain_scalar_is_a_number_only_if_all_of_it_is_one) {
    const std::vector<std::pair<std::string, std::string>> scalars{
        {"7", "7"}, {"+7", "7"}, {"-7", "-7"}, {"1.5", "1.5"}, {"-.5", "-0.5"}, {"+2.5", "2.5"}, {"25e-1", "2.5"},
        {"2026-11-29", R"("2026-11-29")"}, {"1.2.3", R"("1.2.3")"}, {"1-5", R"("1-5")"}, {"1e", R"("1e")"}, {"e", R"("e")"},
        {"-e", R"("-e")"}, {"7 8", R"("7 8")"}, {"7s", R"("7s")"}, {"0x10", R"("0x10")"}, {"inf", R"("inf")"}, {"nan", R"("nan")"},
        {"1e999", R"("1e999")"}, {"True", "true"}, {"TRUE", "true"}, {"tRUE", R"("tRUE")"}, {"False", "false"},
        {"FALSE", "false"}, {"yes", R"("yes")"}, {"Null", "null"}, {"NULL", "null"}, {"'7'", R"("7")"}, {"\"true\"", R"("true")"}};
    for (const auto& [written, expected] : scalars) {
        const auto config = load("schedules: [{task: t, cron: '@daily', payload: [" + written + "]}]\n");
        BOOST_TEST(taskflux::encode(config.schedules.at(0).payload) == '[' + expected + ']', written);
    }
}

BOOST_AUTO_TEST_CASE(an_empty_file_says_nothing) {
    BOOST_TEST(load("").concurrency == 16U);
    BOOST_TEST(load("# nothing\n").concurrency == 16U);
}

BOOST_AUTO_TEST_CASE(a_wrong_value_is_refused_with_its_place) {
    const std::vector<std::pair<std::string, std::string>> mistakes{
        {"node: a\nconcurency: 4\n", "2:1: /concurency: unknown key; did you mean \"concurrency\"?"},
        {"concurrency: many\n", "1:1: /concurrency: expected an integer from 0 to 4294967295, got string \"many\""},
        {"node: 12\n", "1:1: /node: expected string, got number 12"},
        {"queues:\n  - a\n  - 'b c'\n", "3:5: /queues/1: expected a name of"},
        {"node: a\nnode: b\n", "2:1: /node: the key is there twice: remove one"},
        {"schedules:\n  - task: t\n    cron: x\n", "3:5: /schedules/0/cron: "},
        {"node: [a\n", "2:1: not valid YAML: "},
        {"- a\n", "1:1: expected object, got an array of 1"},
        {"? [a]\n: b\n", "1:3: a key must be a scalar"},
        {"queues: &all [*all]\n", "1:15: an alias is inside of what it stands for"},
        {"queues: *all\n", "1:9: not valid YAML: "},
        {"node: a\n---\nnode: b\n", "2:1: a second document begins"},
        {"node: a\nurl: \"x\x04\"\n", "2:8: not valid YAML: \"\\x04\" is no character"},
        {"node: \xe4\n", "1:7: not valid YAML: \"\\xe4\" is no character"},
        {"? \"a\\nb\"\n: 1\n", "1:3: /a\\nb: unknown key"},
        {"node: &n [1]\nqueues: *n\n", "1:1: /node: expected string, got an array of 1"},
        {"a: &n 1\nqueues: [*n]\n", "1:1: /a: unknown key"},
        {"node: &n 1\n", "1:1: /node: expected string, got number 1"},
        {"url:redis://user:secret@host\n", "1:1: expected object, got a string"},
    };
    for (const auto& [text, begins] : mistakes) {
        const auto said = refusal(text);
        BOOST_TEST(said.starts_with(begins), "for " << text << "\n  expected " << begins << "\n  got      " << said);
        BOOST_TEST(said.find("secret") == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(an_alias_stands_for_what_its_anchor_is_at) {
    const auto config = load(R"(queues: &all [mail, &other default]
services: *all
node: *other
schedules:
  - &report {task: report, cron: "@daily", payload: {of: *all}}
  - *report
)");
    BOOST_TEST(config.services == config.queues, boost::test_tools::per_element());
    BOOST_TEST(config.node == "default");
    BOOST_REQUIRE(config.schedules.size() == 2U);
    BOOST_TEST(taskflux::encode(config.schedules[1].payload) == R"({"of":["mail","default"]})");
    BOOST_TEST(refusal("queues: &all [a b]\nservices: *all\n").starts_with("1:15: /queues/0: expected a name"));
}

BOOST_AUTO_TEST_CASE(aliases_of_aliases_cost_no_more_than_a_file_may) {
    std::string laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
    std::string longer = "b0: &b0 [" + std::string(100'000, 'x') + "]\n";
    for (int i = 1; i < 9; ++i) {
        std::string nine;
        for (int n = 0; n < 9; ++n) nine += std::string(n == 0 ? "" : ", ") + "*@" + std::to_string(i - 1);
        const auto line = "@" + std::to_string(i) + ": &@" + std::to_string(i) + " [" + nine + "]\n";
        for (const char c : line) laughs += c == '@' ? 'a' : c, longer += c == '@' ? 'b' : c;
    }
    BOOST_TEST(refusal(laughs).find(": more than 1000000 values, those behind aliases included") != std::string::npos);
    BOOST_TEST(refusal(longer).find(": more than 64 MiB of texts") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_nested_too_deeply_is_refused_with_its_place) {
    const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
    BOOST_TEST(refusal("payload: " + nested(31) + "\n").starts_with("1:1: /payload: unknown key"));
    BOOST_TEST(refusal("payload: " + nested(32) + "\n").starts_with("1:41: nested deeper than 32 levels: use fewer"));
    BOOST_TEST(refusal(nested(1'000'000)).starts_with("1:33: nested deeper than 32 levels: use fewer"));
    BOOST_TEST(refusal("a: &a " + nested(20) + "\nb: " + std::string(20, '[') + "*a" + std::string(20, ']') + "\n")
                   .starts_with("1:18: nested deeper than 32 levels"));
}

BOOST_AUTO_TEST_CASE(a_mistyped_url_is_not_quoted_wherever_it_stands) {
    for (const auto& url : test::mistyped_urls()) {
        for (const auto& text : {"url: " + url, "url: '" + url + "'", "url:" + url, url, "url: [" + url + "]", url + ": 1",
                                 "node: a\nurl " + url, "url: *" + url, "queues: [" + url + "]", "environments: {" + url + ": {}}"}) {
            const auto said = refusal(text);
            BOOST_TEST(!test::shows_secret(said), text << "\n  said " << said);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_file_of_many_elements_is_read_in_one_pass) {
    std::string text = "schedules:\n  - task: t\n    cron: \"@daily\"\n    payload:\n";
    for (int i = 0; i < 200'000; ++i) text += "      - n" + std::to_string(i) + '\n';
    BOOST_TEST(load(text).schedules.at(0).payload.as_array().size() == 200'000U);
    BOOST_TEST(refusal("node: \"" + std::string(17 << 20, 'x') + "\"\n").starts_with("larger than 16 MiB"));
}

BOOST_AUTO_TEST_SUITE_END()
