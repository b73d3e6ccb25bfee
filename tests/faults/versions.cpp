#include "fixture.hpp"

#include <unistd.h>

#include <cstddef>
#include <map>
#include <memory>
#include <ranges>
#include <string>
#include <vector>

// Fault 16: programs with several versions of taskflux on one server.
namespace {

using namespace test::faults;

inline constexpr taskflux::task<std::string(int)> job{"job"};

asio::awaitable<std::string> run_here(int) { co_return "this version"; }

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

}  // namespace

BOOST_AUTO_TEST_SUITE(faults_versions)

BOOST_AUTO_TEST_CASE(programs_with_different_scripts_share_a_queue_and_take_over_from_each_other) {
    constexpr std::size_t each = 500;
    test::redis_server server(test::redis_server_options().frozen_clock());
    const auto url = server.url();
    auto first = this_version(url);
    auto second = other_version("work", url);
    const auto client = other_version("submit", url, each);
    observer on(url);
    std::map<std::string, std::size_t> run_by;
    std::size_t all = each;
    const auto submit_some = [&] {
        all += each;
        return on.run(on.client.submit_all(job, std::views::iota(0, int(each))));
    };
    // Until both have run some. Then each has to take over what the other, killed, has left.
    for (std::size_t rounds = 1; rounds <= 100 && run_by.size() < 2; ++rounds) {
        const auto jobs = submit_some();
        for (const auto& one : jobs) ++run_by[on.run(one.result())];
    }
    BOOST_TEST(run_by["this version"] > 0U);
    BOOST_TEST(run_by["another version"] > 0U);
    for (auto* const dying : {&first, &second}) {
        const auto jobs = submit_some();
        (*dying)->kill();
        BOOST_REQUIRE(pass_time_until([&] { return on.counts().succeeded == all; }, server, 1));
        for (const auto& one : jobs) BOOST_TEST(on.run(one.record()).crashes <= 1U);
        *dying = dying == &first ? this_version(url) : other_version("work", url);
    }
    BOOST_TEST(test::eventually([&] { return on.counts().succeeded == all; }));
    BOOST_TEST(on.counts().failed == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
