#include <taskflux/app/yaml.hpp>

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

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
            return what.substr(what.find(".yaml") + 6);
        }
        return "accepted";
    }
};

}  // namespace

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
        {"queues: &all [*all]\n", "1:9: nested deeper than 32 levels"},
    };
    for (const auto& [text, begins] : mistakes) {
        const auto said = refusal(text);
        BOOST_TEST(said.starts_with(begins), "for " << text << "\n  expected " << begins << "\n  got      " << said);
    }
}

BOOST_AUTO_TEST_SUITE_END()
