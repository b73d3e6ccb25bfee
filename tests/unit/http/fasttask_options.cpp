#include <taskflux/core/error.hpp>
#include <taskflux/http/fasttask_options.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace http_fasttask_options {

using namespace std::chrono_literals;
using taskflux::fasttask_node;
using taskflux::fasttask_options;

using variables = std::map<std::string, std::string, std::less<>>;

fasttask_options read(variables given) {
    return fasttask_options::from_environment([given = std::move(given)](std::string_view name) -> std::optional<std::string> {
        const auto found = given.find(name);
        if (found == given.end()) return std::nullopt;
        return found->second;
    });
}

std::string refused(variables given) {
    try {
        read(std::move(given));
    } catch (const taskflux::error& e) {
        return e.what();
    }
    return {};
}

BOOST_AUTO_TEST_SUITE(http_fasttask_options)

BOOST_AUTO_TEST_CASE(an_empty_environment_gives_the_defaults_of_the_original) {
    const auto made = read({});
    BOOST_TEST((made.run() && made.create() && made.check() && made.revoke() && made.status_info()));
    BOOST_TEST((made.upload() && made.download() && made.docs() && made.file_cleanup()));
    BOOST_TEST((made.soft_time_limit() == 24h));
    BOOST_TEST((made.time_limit() == 24h + 60s));
    BOOST_TEST((made.result_expires() == 72h));
    BOOST_TEST((made.file_expiration() == 240h));
    BOOST_TEST(made.worker_concurrency() == 0U);
    BOOST_TEST((made.node() == fasttask_node::single_node));
    BOOST_TEST(made.broker_url() == "redis://127.0.0.1:6379");
    BOOST_TEST(made.files() == "files");
    BOOST_TEST(made.users_file() == "files/fasttask/conf/user_to_passwd.json");
    BOOST_TEST(made.handles("anything"));
}

BOOST_AUTO_TEST_CASE(a_call_is_on_only_for_the_word_true) {
    BOOST_TEST(read({{"API_RUN", "True"}}).run());
    for (const auto* word : {"true", "1", "False", "no"}) BOOST_TEST(!read({{"API_RUN", word}}).run());
    BOOST_TEST(read({{"API_RUN", ""}}).run());
    const auto others = read({{"API_CREATE", "False"}, {"API_CHECK", "False"}, {"API_REVOKE", "False"}, {"API_STATUS_INFO", "False"},
                              {"API_FILE_UPLOAD", "False"}, {"API_FILE_DOWNLOAD", "False"}, {"API_DOCS", "False"}});
    BOOST_TEST((others.run() && !others.create() && !others.check() && !others.revoke() && !others.status_info()));
    BOOST_TEST((!others.upload() && !others.download() && !others.docs()));
}

BOOST_AUTO_TEST_CASE(limits_are_read_in_seconds) {
    const auto made = read({{"SOFT_TIME_LIMIT", "10"}, {"RESULT_EXPIRES", "60"}, {"WORKER_CONCURRENCY", "4"}});
    BOOST_TEST((made.soft_time_limit() == 10s));
    BOOST_TEST((made.time_limit() == 70s));
    BOOST_TEST((made.result_expires() == 60s));
    BOOST_TEST((made.file_expiration() == 100s));
    BOOST_TEST(made.worker_concurrency() == 4U);
    BOOST_TEST((read({{"SOFT_TIME_LIMIT", "1"}}).file_expiration() == 60s));
    BOOST_TEST((read({{"TIME_LIMIT", "11"}}).time_limit() == 11s));
    BOOST_TEST((read({{"FILE_EXPIRATION_SECONDS", "90"}}).file_expiration() == 90s));
}

BOOST_AUTO_TEST_CASE(what_can_not_be_read_is_refused_with_the_variables_name) {
    BOOST_TEST(refused({{"SOFT_TIME_LIMIT", "1h"}}).find("SOFT_TIME_LIMIT=\"1h\"") != std::string::npos);
    BOOST_TEST(refused({{"WORKER_CONCURRENCY", "-1"}}).find("WORKER_CONCURRENCY") != std::string::npos);
    BOOST_TEST(refused({{"FILE_EXPIRATION_SECONDS", "59"}}).find("60") != std::string::npos);
    BOOST_TEST(refused({{"NODE_TYPE", "master"}}).find("distributed_master") != std::string::npos);
    BOOST_TEST(refused({{"NODE_TYPE", "distributed_worker"}}).find("MASTER_HOST") != std::string::npos);
    BOOST_TEST(refused({{"TASK_QUEUE_PORT", "0"}}).find("TASK_QUEUE_PORT") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(disabled_tasks_are_taken_from_those_that_are_enabled) {
    const auto made = read({{"ENABLED_TASKS", "a, b,"}, {"DISABLED_TASKS", "b"}});
    BOOST_TEST(made.handles("a"));
    BOOST_TEST(!made.handles("b"));
    BOOST_TEST(!made.handles("c"));
    const auto but_one = read({{"DISABLED_TASKS", "b"}});
    BOOST_TEST((but_one.handles("a") && !but_one.handles("b")));
}

BOOST_AUTO_TEST_CASE(a_worker_finds_its_master_by_a_url) {
    const auto worker = read({{"NODE_TYPE", "distributed_worker"}, {"MASTER_HOST", "10.65.8.8"}, {"TASK_QUEUE_PORT", "9000"},
                              {"TASK_QUEUE_PASSWD", "p@ss/wd"}});
    BOOST_TEST(worker.broker_url() == "redis://:p%40ss%2Fwd@10.65.8.8:9000");
    BOOST_TEST(!worker.serves());
    const auto master = read({{"NODE_TYPE", "distributed_master"}, {"TASK_QUEUE_PASSWD", "x"}, {"TASK_QUEUE_PORT", "9000"}});
    BOOST_TEST(master.broker_url() == "redis://:x@127.0.0.1:6379");  // that port is what others see of its server
    BOOST_TEST(master.serves());
}

BOOST_AUTO_TEST_CASE(without_a_folder_there_are_no_files) {
    BOOST_TEST(!fasttask_options().upload());
    BOOST_TEST(!fasttask_options().download());
    BOOST_TEST(fasttask_options().files("x").upload());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace http_fasttask_options
