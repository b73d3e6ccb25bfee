#include "unit/flow/fixture.hpp"

#include <support/mistyped_urls.hpp>
#include <taskflux/app/app.hpp>
#include <taskflux/app/app/command_line.hpp>
#include <taskflux/app/config/load.hpp>
#include <taskflux/flow/connect.hpp>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <utility>

#include <unistd.h>

namespace flow_app_urls {

using namespace test::flow;
using taskflux::app_config;
using taskflux::config_error;
using taskflux::config_sources;

/// The ways by which a URL comes in, or is put in a wrong place.
struct url_paths {
    asio::io_context io;
    std::filesystem::path file = std::filesystem::temp_directory_path() / ("taskflux_urls_" + std::to_string(getpid()) + ".json");

    ~url_paths() { std::filesystem::remove(file); }

    app_config load(const std::string& text, std::map<std::string, std::string> variables = {}) const {
        std::ofstream(file) << text;
        return taskflux::load_config(config_sources().file(file.string()).variables(std::move(variables)));
    }

    static app_config with(const std::string& url) {
        app_config made;
        made.url = url;
        return made;
    }

    void load_schedule(const boost::json::object& schedule) const {
        load(taskflux::encode(boost::json::value(boost::json::object{{"schedules", boost::json::array{schedule}}})));
    }

    void run(const app_config& config) {
        taskflux::app one(config);
        one.on(tick, [] {});
        auto running = one.run_on(taskflux::make_memory_broker(io.get_executor()));
    }

    std::vector<std::pair<std::string, std::function<void(const std::string&)>>> all() {
        using json = boost::json::object;
        return {
            {"connect", [this](const std::string& url) { taskflux::connect(io.get_executor(), url)->close(); }},
            {"make_redis_broker",
             [this](const std::string& url) { taskflux::make_redis_broker(io.get_executor(), url, taskflux::redis_options())->close(); }},
            {"a config in the program", [](const std::string& url) { taskflux::check_config(with(url)); }},
            {"a config file", [this](const std::string& url) { load(taskflux::encode(boost::json::value(json{{"url", url}}))); }},
            {"a config file of one text", [this](const std::string& url) { load(taskflux::encode(boost::json::value("url:" + url))); }},
            {"a key of a config file", [this](const std::string& url) { load(taskflux::encode(boost::json::value(json{{url, 1}}))); }},
            {"a section of a config file",
             [this](const std::string& url) {
                 load(taskflux::encode(boost::json::value(json{{"environments", json{{"TEST", json{{"url", url}}}}}})));
             }},
            {"a variable", [this](const std::string& url) { load("{}", {{"TASKFLUX_URL", url}}); }},
            {"the name of a config file",
             [](const std::string& url) { taskflux::load_config(config_sources().file(url)); }},
            {"the name of a config file in JSON",
             [](const std::string& url) { taskflux::load_config(config_sources().file(url + ".json")); }},
            {"a variable for a name", [this](const std::string& url) { load("{}", {{"TASKFLUX_NODE", url}}); }},
            {"a variable for names", [this](const std::string& url) { load("{}", {{"TASKFLUX_QUEUES", url}}); }},
            {"a variable for a number", [this](const std::string& url) { load("{}", {{"TASKFLUX_CONCURRENCY", url}}); }},
            {"a variable for a time", [this](const std::string& url) { load("{}", {{"TASKFLUX_LEASE", url}}); }},
            {"a variable for a word", [this](const std::string& url) { load("{}", {{"TASKFLUX_LOG_LEVEL", url}}); }},
            {"a variable for an environment", [this](const std::string& url) { load("{}", {{"TASKFLUX_ENV", url}}); }},
            {"a variable for a log file's directory",
             [this](const std::string& url) { run(load("{}", {{"TASKFLUX_LOG_PATH", "/missing/" + url + "/app.log"}})); }},
            {"a log file",
             [this](const std::string& url) {
                 auto config = app_config();
                 config.log_path = "/missing/" + url;
                 run(config);
             }},
            {"the cron expression of a config file",
             [this](const std::string& url) { load_schedule({{"task", "tick"}, {"cron", url}}); }},
            {"the time zone of a config file",
             [this](const std::string& url) { load_schedule({{"task", "tick"}, {"cron", "* * * * *"}, {"zone", url}}); }},
            {"a section that is a text of a config file",
             [this](const std::string& url) {
                 load(taskflux::encode(boost::json::value(json{{"environments", json{{"TEST", url}}}})));
             }},
            {"sections that are a text of a config file",
             [this](const std::string& url) { load(taskflux::encode(boost::json::value(json{{"environments", url}}))); }},
            {"a number of a config file",
             [this](const std::string& url) { load(taskflux::encode(boost::json::value(json{{"threads", url}}))); }},
            {"a list of a config file",
             [this](const std::string& url) { load(taskflux::encode(boost::json::value(json{{"queues", boost::json::array{url}}}))); }},
            {"the name of an environment",
             [](const std::string& url) { taskflux::load_config(config_sources().env(url)); }},
            {"the command line", [](const std::string& url) { taskflux::detail::parse_command_line({url}); }},
            {"an app", [this](const std::string& url) { run(with(url)); }},
        };
    }
};

}  // namespace flow_app_urls

BOOST_FIXTURE_TEST_SUITE(flow_app_urls, url_paths)

BOOST_AUTO_TEST_CASE(a_mistyped_url_is_refused_and_not_quoted_however_it_comes_in) {
    for (const auto& [path, open] : all()) {
        for (const auto& url : test::mistyped_urls()) {
            std::string said;
            try {
                open(url);
            } catch (const taskflux::error& e) {
                said = e.what();
            }
            BOOST_TEST(!said.empty(), path << " accepted " << url);
            BOOST_TEST(!test::shows_secret(said), path << ", of " << url << ": " << said);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_file_whose_name_has_an_at_is_shown_so_that_one_knows_it) {
    const auto shown = [](const std::string& path) { return taskflux::detail::shown_file(path, "?"); };
    BOOST_TEST(shown("/etc/app/1.json") == "/etc/app/1.json");
    BOOST_TEST(shown("/etc/app/app@1.json") == "/etc/app/***@1.json");
    BOOST_TEST(shown("app@1.json") == "***@1.json");
    BOOST_TEST(shown("/etc/app@1/a.json") == "/etc/***@1***");
    BOOST_TEST(shown("/etc:x/app@1.json") == "***@1.json");
    BOOST_TEST(shown("redis://app@1.json") == "?");
    for (const auto& url : test::mistyped_urls()) BOOST_TEST(!test::shows_secret(shown(url)), shown(url));
}

BOOST_AUTO_TEST_CASE(the_password_of_a_url_is_in_no_text) {
    for (const auto& url : test::urls_with_passwords()) {
        taskflux::app one(with(url));
        const auto line = one.start_line();
        BOOST_TEST(line.find("***") != std::string::npos);
        BOOST_TEST(!test::shows_secret(line), line);
    }
}

BOOST_AUTO_TEST_SUITE_END()
