#include "fixture.hpp"
#include "ledger.hpp"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

// Workers are killed while each key may run one task: no key ever runs more, none is stuck, and what is stored of it is right at
// any time. `TASKFLUX_LONG`: 200 kills.
namespace faults_keyed {

using namespace test::faults;

inline constexpr taskflux::task<int(int)> job{"job"};
constexpr std::size_t slots = 4, keys = 20, at_a_time = 2;
/// What a ledger holds: how many of a key run in a slot's process, by slot and key; how often one has begun while another of its
/// key ran; how often one has ended.
constexpr std::size_t too_many = slots * keys, done = too_many + 1, told_size = done + 1;

std::size_t kills() { return std::getenv("TASKFLUX_LONG") ? 200 : 4; }

asio::awaitable<int> run_alone(ledger* told, std::size_t slot, int key) {
    const auto of = std::size_t(key);
    ++(*told)[slot * keys + of];
    unsigned running = 0;
    for (std::size_t other = 0; other != slots; ++other) running += (*told)[other * keys + of];
    if (running > 1) ++(*told)[too_many];
    co_await pause(std::chrono::milliseconds(1 + key % 3));
    --(*told)[slot * keys + of];
    ++(*told)[done];
    co_return key;
}

struct fixture {
    test::redis_server server{test::redis_server_options().frozen_clock()};
    std::string url = server.url();
    ledger told{told_size};
    std::array<std::unique_ptr<test::child>, slots> workers;
    std::size_t submitted = 0;

    void start(std::size_t slot) {
        for (std::size_t key = 0; key != keys; ++key) told[slot * keys + key] = 0;
        workers[slot] = std::make_unique<test::child>([this, slot] {
            work(url, [&](taskflux::worker& worker) {
                worker.on(job, [this, slot](int key) { return run_alone(&told, slot, key); });
            });
        });
    }

    void submit(observer& on, std::size_t count) {
        taskflux::run_policy policy;
        policy.crash_limit = 0;
        const auto spec = std::make_shared<const taskflux::task_spec>(taskflux::task_spec{"job", 0, policy, {}});
        std::vector<taskflux::new_task> all(count);
        for (auto& one : all) {
            const auto key = submitted++ % keys;
            one.spec = spec;
            one.payload = std::to_string(key);
            one.key = "key " + one.payload;
        }
        on.run(on.broker->submit("default", std::move(all)));
    }

    /// What is stored as running by key is what runs, and no key has two; all tasks have one.
    void check_stored() {
        const auto found = server.command({"EVAL",
                                           "return {redis.call('HGET', KEYS[2], 'n3') or '0', "
                                           "unpack(redis.call('ZRANGEBYLEX', KEYS[1], '[r', '(s'))}",
                                           "2", "tf:{default}:P", "tf:{default}:c"})
                               .texts();
        std::set<std::string> running;
        for (std::size_t i = 1; i < found.size(); ++i) running.insert(found[i].substr(0, found[i].find('\0')));
        BOOST_TEST(running.size() == found.size() - 1);
        BOOST_TEST(std::stoul(found.at(0)) == found.size() - 1);
    }
};

}  // namespace faults_keyed

BOOST_FIXTURE_TEST_SUITE(faults_keyed, fixture)

BOOST_AUTO_TEST_CASE(kills_of_workers_leave_no_key_stuck_and_never_let_it_run_more_than_its_limit) {
    observer on(url);
    on.run(on.broker->set_key_limit("default", "", taskflux::limit_kind::declared, taskflux::limit().running(1), ""));
    for (std::size_t slot = 0; slot != slots; ++slot) start(slot);
    for (std::size_t killed = 0; killed < kills(); killed += at_a_time) {
        submit(on, 10 * keys);
        const auto before = told[done].load();
        BOOST_REQUIRE(test::eventually([&] { return told[done] >= before + keys; }));
        check_stored();
        for (std::size_t i = 0; i != at_a_time; ++i) {
            const auto slot = (killed + i) % slots;
            workers[slot]->kill();
            check_stored();
            start(slot);
        }
        outlast_a_lease(server, slots);
        check_stored();
    }
    BOOST_REQUIRE(pass_time_until([&] { return on.counts().succeeded == submitted; }, server, slots));
    check_stored();
    BOOST_TEST(told[too_many] == 0U);
    BOOST_TEST(told[done] >= submitted);
    BOOST_TEST(on.counts().running == 0U);
    server.advance(1s);
    for (const std::string name : {"P", "R", "T", "K"}) {
        BOOST_TEST(server.command({"EXISTS", "tf:{default}:" + name}).text == "0", name);
    }
}

BOOST_AUTO_TEST_SUITE_END()
