#include <support/observer.hpp>
#include <support/redis_server.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Tasks and results that are large together: they travel in pieces, each once.
namespace redis_bulks {

using namespace std::chrono_literals;
using namespace taskflux;

struct fixture {
    /// Bytes that have come to the server so far.
    std::uint64_t received() {
        const auto told = server.command({"INFO", "stats"}).text;
        constexpr std::string_view name = "total_net_input_bytes:";
        return std::stoull(told.substr(told.find(name) + name.size()));
    }

    std::vector<new_task> tasks(std::size_t count) {
        std::vector<new_task> made;
        for (std::size_t i = 0; i < count; ++i) made.push_back(test::plain_task(std::string(mib, 'x')));
        return made;
    }

    static constexpr std::size_t mib = 1 << 20;

    test::redis_server server;
    test::observer on{server.url()};
};

}  // namespace redis_bulks

BOOST_FIXTURE_TEST_SUITE(redis_bulks, fixture)

BOOST_AUTO_TEST_CASE(large_tasks_are_sent_once_and_no_request_has_all_of_them) {
    constexpr std::size_t count = 20;
    on.run(on.broker->submit("q", tasks(2)));  // from here on the server knows the script
    for (const bool is_plain : {true, false}) {
        auto all = tasks(count);
        if (!is_plain) all.back().own_id = "mine";
        server.command({"CONFIG", "RESETSTAT"});
        const auto before = received();
        const auto stored = on.run(on.broker->submit("q", std::move(all)));
        BOOST_TEST(stored.size() == count);
        BOOST_TEST(received() - before < (count + 3) * mib);
        const std::string name = "cmdstat_evalsha:calls=", told = server.command({"INFO", "commandstats"}).text;
        const auto at = told.find(name);
        BOOST_REQUIRE(at != std::string::npos);
        BOOST_TEST(std::stoul(told.substr(at + name.size())) >= count);  // each task is larger than a batch
    }
    // On a server that it does not know yet, too.
    server.command({"HSET", "tf:{q}:c", "run", "another"});
    test::observer other(server.url());
    const auto before = received();
    other.run(other.broker->submit("q", tasks(count)));
    BOOST_TEST(received() - before < (count + 3) * mib);
    BOOST_TEST(on.counts("q").waiting == 2 + 3 * count);
}

BOOST_AUTO_TEST_CASE(large_results_are_sent_once) {
    constexpr std::size_t count = 10;
    on.run(on.broker->join("w", {"q"}, 1h));
    on.run(on.broker->submit("q", std::vector<new_task>(count, test::plain_task())));
    std::vector<settlement> ends;
    for (const auto& one : on.fetch("w", "q", count)) {
        auto& end = ends.emplace_back();
        end.key = one.key;
        end.token = one.token;
        end.data = '"' + std::string(mib, 'x') + '"';
    }
    const std::vector<settlement> first(ends.begin(), ends.begin() + 1);
    on.run(on.broker->settle("q", "w", first));
    const auto before = received();
    const auto effects = on.run(on.broker->settle("q", "w", ends));
    BOOST_TEST(received() - before < (count + 2) * mib);
    BOOST_REQUIRE_EQUAL(effects.size(), count);
    BOOST_CHECK(effects.front() == effect::lease_lost);  // it had ended
    for (std::size_t i = 1; i < count; ++i) BOOST_CHECK(effects[i] == effect::done);
}

BOOST_AUTO_TEST_SUITE_END()
