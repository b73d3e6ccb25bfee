#include "fixture.hpp"

#include <unistd.h>

#include <cstddef>
#include <map>
#include <memory>
#include <ranges>
#include <string>
#include <vector>

// Fault 16: programs with several versions of taskflux on one server.
namespace faults_versions {

using namespace test::faults;

inline constexpr taskflux::task<std::string(int)> job{"job"};

constexpr int held = -1;  // whoever gets this task first keeps it

asio::awaitable<std::string> run_here(taskflux::context& ctx, int value) {
    if (value == held && ctx.lease_token() == 1) co_await pause(1h);
    co_return "this version";
}

/// A process of the other version.
std::unique_ptr<test::child> other_version(const std::string& what, const std::string& url, int count = 0) {
    return std::make_unique<test::child>([=] {
        ::execl(TASKFLUX_OTHER_VERSION, TASKFLUX_OTHER_VERSION, what.c_str(), url.c_str(), std::to_string(count).c_str(),
                static_cast<char*>(nullptr));
        throw std::runtime_error("the other version does not start");
    });
}

std::unique_ptr<test::child> this_version(const std::string& url) {
    return std::make_unique<test::child>([=] { work(url, [](auto& worker) { worker.on(job, run_here); }); });
}

}  // namespace faults_versions

BOOST_AUTO_TEST_SUITE(faults_versions)

BOOST_AUTO_TEST_CASE(programs_with_different_scripts_share_a_queue_and_take_over_from_each_other) {
    constexpr std::size_t each = 500;
    test::redis_server server(test::redis_server_options().frozen_clock());
    const auto url = server.url();
    const auto first = this_version(url);
    const auto second = other_version("work", url);
    const auto client = other_version("submit", url, each);
    observer on(url);
    std::map<std::string, std::size_t> run_by;
    std::size_t all = each;
    const auto submit_some = [&] {
        all += each;
        return on.run(on.client.submit_all(job, std::views::iota(0, int(each))));
    };
    for (std::size_t rounds = 1; rounds <= 100 && run_by.size() < 2; ++rounds) {  // until both have run some
        const auto jobs = submit_some();
        for (const auto& one : jobs) ++run_by[on.run(one.result())];
    }
    BOOST_TEST(run_by["this version"] > 0U);
    BOOST_TEST(run_by["another version"] > 0U);
    first->kill();
    second->kill();
    for (const bool dies_here : {true, false}) {
        const auto start = [&](bool here) { return here ? this_version(url) : other_version("work", url); };
        const auto dying = start(dies_here);
        const auto kept = on.run(on.client.submit(job, held));
        ++all;
        BOOST_REQUIRE(pass_time_until([&] { return on.run(kept.record()).state == task_state::running; }, server, 1));
        submit_some();
        dying->kill();
        const auto heir = start(!dies_here);
        BOOST_REQUIRE(pass_time_until([&] { return on.counts().succeeded == all; }, server, 1));
        BOOST_TEST(on.run(kept.record()).crashes == 1U);
        BOOST_TEST(on.run(kept.result()) == (dies_here ? "another version" : "this version"));
        heir->kill();
    }
    BOOST_TEST(on.counts().failed == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
