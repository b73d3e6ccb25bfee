#include <taskflux/broker/memory/choice.hpp>
#include <taskflux/broker/memory/queue_list.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace broker_choice {

using namespace taskflux;
using namespace std::chrono_literals;

/// A fetch that waits, as far as the choice looks at it.
struct sleeper {
    sleeper(std::string queue, std::optional<name_set> names)
        : serves(std::make_shared<const memory::queue_list>(std::vector{std::move(queue)})) {
        if (names) asks.names = std::make_shared<const name_set>(std::move(*names));
    }

    std::shared_ptr<const memory::queue_list> serves;
    fetch_request asks;
    const fetch_request* request = &asks;
    bool is_woken = false;
};

struct fixture {
    memory::task_queue queue{1, 0, 0};
    std::list<sleeper> all;
    std::vector<sleeper*> waiting;

    fixture() { queue.listed.name = "q"; }

    sleeper* sleep(std::string in, std::optional<name_set> names = {}) {
        return waiting.emplace_back(&all.emplace_back(std::move(in), std::move(names)));
    }

    void submit(std::string name) {
        new_task task;
        task.spec = std::make_shared<const task_spec>(task_spec{std::move(name), 0, {}, {}});
        queue.submit(std::vector<new_task>(1, task), time_point(1h));
    }

    sleeper* chosen() const { return memory::choose_fetch(waiting, queue); }
};

}  // namespace broker_choice

BOOST_FIXTURE_TEST_SUITE(broker_choice, fixture)

BOOST_AUTO_TEST_CASE(the_first_that_waits_in_the_queue_and_has_a_handler_for_the_next_task_is_woken) {
    BOOST_TEST(chosen() == nullptr);
    sleep("another");
    auto* const strange = sleep("q", name_set{"strange"});
    auto* const knows = sleep("q", name_set{"other", "work"});
    auto* const any = sleep("q");
    BOOST_TEST(chosen() == nullptr);
    submit("work");
    BOOST_TEST(chosen() == knows);
    knows->is_woken = true;
    BOOST_TEST(chosen() == any);
    any->is_woken = true;
    BOOST_TEST(chosen() == strange);  // it passes the task over, and takes what is behind it
    strange->is_woken = true;
    BOOST_TEST(chosen() == nullptr);
}

BOOST_AUTO_TEST_CASE(nobody_is_woken_in_a_paused_queue) {
    sleep("q");
    submit("work");
    queue.rules().pause(true);
    BOOST_TEST(chosen() == nullptr);
    queue.rules().pause(false);
    BOOST_TEST(chosen() != nullptr);
}

BOOST_AUTO_TEST_CASE(a_task_can_end_though_nobody_serves_its_queue_any_more_where_time_or_its_subtasks_end_it) {
    const auto task_of = [&](run_policy policy) {
        new_task task;
        task.spec = std::make_shared<const task_spec>(task_spec{"work", 0, policy, {}});
        return queue.find(queue.submit(std::vector<new_task>(1, task), time_point(1h))[0].key);
    };
    auto* const plain = task_of({});
    auto* const limited = task_of(run_policy{.deadline = 1min});
    BOOST_TEST(memory::can_end_unserved(queue, plain));  // the first worker may be about to come
    queue.join("w", 1h, time_point(1h));
    queue.leave("w", time_point(1h));
    BOOST_TEST(!memory::can_end_unserved(queue, plain));
    BOOST_TEST(memory::can_end_unserved(queue, limited));
    BOOST_TEST(memory::can_end_unserved(queue, nullptr));
}

BOOST_AUTO_TEST_CASE(a_wait_looks_again_when_its_patience_ends_and_at_the_latest_after_ten_seconds) {
    const time_point now(1h);
    BOOST_TEST((memory::next_look(queue, now) == now + 10s));
    queue.join("w", 5s, now);
    queue.leave("w", now);
    BOOST_TEST((memory::next_look(queue, now) == now + 3s));
    queue.join("w", 5s, now);
    queue.advance(now + 5s);
    BOOST_TEST((memory::next_look(queue, now) == now + 10s));
}

BOOST_AUTO_TEST_SUITE_END()
