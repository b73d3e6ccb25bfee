#include <taskflux/flow/worker/held_slots.hpp>

#include <taskflux/clock.hpp>
#include <taskflux/flow/worker/monitor.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flow_worker_held_slots {

using namespace taskflux;
using detail::held_slots;

task_id numbered(std::uint64_t number) { return task_id{"q", task_key{number, 1}}; }

struct told {
    std::string who;
    task_id awaited;
    bool is_deadlock;
};

class observer final : public worker_observer {
public:
    void on_starved(const running_handler& who, const task_id& awaited, bool is_deadlock) override {
        seen.push_back({who.name, awaited, is_deadlock});
    }
    std::vector<told> seen;
};

struct fixture {
    std::shared_ptr<held_slots> make(std::size_t slots, std::size_t threads) {
        return std::make_shared<held_slots>(std::vector<std::string>{"q", "r"}, slots, threads, monitor);
    }

    manual_clock time;
    std::vector<std::string> lines;
    std::shared_ptr<observer> sees = std::make_shared<observer>();
    std::shared_ptr<const detail::worker_monitor> monitor = std::make_shared<detail::worker_monitor>(
        worker_options().observer(sees).log([this](std::string_view line) { lines.emplace_back(line); }), "node", time);
};

}  // namespace flow_worker_held_slots

BOOST_FIXTURE_TEST_SUITE(flow_worker_held_slots, fixture)

BOOST_AUTO_TEST_CASE(all_slots_are_held_as_long_as_as_many_wait) {
    const auto of = make(2, 0);
    std::optional<held_slots::hold> first(std::in_place, of, numbered(1));
    BOOST_TEST(!of->are_all_held());
    {
        const held_slots::thread_hold second(of);  // a plain function keeps its slot, too
        BOOST_TEST(of->are_all_held());
        of->slots(3);
        BOOST_TEST(of->slots() == 3U);
        BOOST_TEST(!of->are_all_held());
        of->slots(1);
        BOOST_TEST(of->are_all_held());
        of->slots(2);
    }
    BOOST_TEST(!of->are_all_held());
    of->slots(1);
    first.reset();
    BOOST_TEST(!of->are_all_held());
}

BOOST_AUTO_TEST_CASE(threads_are_blocked_by_as_many_plain_functions_where_their_number_is_known) {
    const auto of = make(10, 2), unknown = make(10, 0);
    const held_slots::hold coroutine(of, numbered(1));
    std::optional<held_slots::thread_hold> first(std::in_place, of), second(std::in_place, of);
    BOOST_TEST(of->are_threads_blocked());
    second.reset();
    BOOST_TEST(!of->are_threads_blocked());
    const held_slots::thread_hold one(unknown);
    BOOST_TEST(!unknown->are_threads_blocked());
}

BOOST_AUTO_TEST_CASE(a_deadlock_is_where_the_waits_of_all_slots_are_hopeless) {
    const auto of = make(2, 0);
    std::optional<held_slots::hold> first(std::in_place, of, numbered(1)), second(std::in_place, of, numbered(2));
    first->set_hopeless(true);
    BOOST_TEST(of->deadlock().empty());
    BOOST_TEST(!first->give_up());
    second->set_hopeless(true);
    auto awaited = of->deadlock();
    std::ranges::sort(awaited);
    BOOST_TEST((awaited == std::vector{numbered(1), numbered(2)}));
    second->set_hopeless(false);
    BOOST_TEST(of->deadlock().empty());
    second->set_hopeless(true);
    of->doubt(numbered(1));
    BOOST_TEST(of->deadlock().empty());
    first->set_hopeless(true);
    BOOST_TEST(first->give_up());
    BOOST_TEST(!first->give_up());   // it has given up already
    BOOST_TEST(!second->give_up());  // one is enough
    first->set_hopeless(true);
    second.reset();  // its wait has ended
    BOOST_TEST(of->deadlock().empty());
}

BOOST_AUTO_TEST_CASE(a_worker_serves_its_own_queues) {
    const auto of = make(1, 0);
    BOOST_TEST((of->serves("q") && of->serves("r")));
    BOOST_TEST(!of->serves("s"));
}

BOOST_AUTO_TEST_CASE(a_name_is_told_of_once_and_a_deadlock_each_time) {
    const auto of = make(1, 3);
    const running_handler who{numbered(7), "parent"}, other{numbered(8), "other"};
    const held_slots::hold one(of, numbered(1));
    of->tell(who, numbered(1), false);
    of->tell(who, numbered(2), false);
    BOOST_TEST(sees->seen.size() == 1U);
    of->tell(other, numbered(1), false);
    BOOST_TEST(sees->seen.size() == 2U);
    of->tell(who, numbered(3), true);
    of->tell(who, numbered(4), true);
    BOOST_REQUIRE_EQUAL(sees->seen.size(), 4U);
    BOOST_TEST(sees->seen[1].who == "other");
    BOOST_TEST((!sees->seen[1].is_deadlock && sees->seen[3].is_deadlock && sees->seen[3].awaited == numbered(4)));
}

BOOST_AUTO_TEST_CASE(what_is_told_says_what_is_kept_by_how_many_and_what_follows) {
    const running_handler who{numbered(7), "parent"};
    const auto starved = "worker node: task parent: its handler waits for task " + to_string(numbered(1));
    const std::string remedy = "; await it by context::call in a coroutine, which lends the slot, or raise worker_options::";
    const auto slots = make(2, 3);
    const held_slots::hold a(slots, numbered(1)), b(slots, numbered(1));
    slots->tell(who, numbered(1), false);
    BOOST_TEST(lines.back() == starved + " and keeps its slot, as do all handlers here (2), so that another worker must run it" +
                                   remedy + "concurrency");
    slots->tell(who, numbered(1), true);
    BOOST_TEST(lines.back() == starved + " and keeps its slot, as do all handlers here (2), and no other worker serves that queue: "
                                         "none of them can go on, so this wait ends in an error" + remedy + "concurrency");
    const auto threads = make(2, 3);
    const held_slots::thread_hold c(threads);
    threads->tell(who, numbered(1), false);
    BOOST_TEST(lines.back() == starved + " and keeps its thread, as do all plain functions here (3), so that it can't begin as long "
                                         "as they wait" + remedy + "cpu_threads");
}

BOOST_AUTO_TEST_SUITE_END()
