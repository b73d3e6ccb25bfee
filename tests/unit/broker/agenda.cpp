#include <taskflux/broker/memory/agenda.hpp>
#include <taskflux/broker/memory/assignments.hpp>
#include <taskflux/broker/memory/queues.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// Which queues of an embedded broker have something to do.
namespace broker_agenda {

using namespace taskflux;
using namespace std::chrono_literals;

struct fixture {
    memory::queues all{0, 0};
    memory::agenda agenda;
    time_point now{1h};

    memory::task_queue& queue(const std::string& name) { return all.make(name); }

    void submit(const std::string& name, duration delay = {}) {
        std::vector<new_task> one(1);
        one.front().spec = std::make_shared<const task_spec>(task_spec{"work", 0, {}, {}});
        one.front().delay = delay;
        queue(name).submit(std::move(one), now);
        agenda.note(queue(name));
    }

    using names = std::vector<std::string>;

    names ready() const {
        names found;
        for (const auto* one : agenda.ready()) found.push_back(one->listed.name);
        return found;
    }
};

}  // namespace broker_agenda

BOOST_FIXTURE_TEST_SUITE(broker_agenda, fixture)

BOOST_AUTO_TEST_CASE(queues_are_ready_while_they_have_tasks_that_may_start) {
    submit("b");
    submit("a");
    BOOST_TEST(ready() == (names{"a", "b"}), boost::test_tools::per_element());
    queue("a").rules().pause(true);
    agenda.note(queue("a"));
    BOOST_TEST(ready() == names{"b"}, boost::test_tools::per_element());
    queue("b").clear(std::nullopt, 1, now);
    agenda.note(queue("b"));
    BOOST_TEST(ready().empty());
}

BOOST_AUTO_TEST_CASE(queues_are_due_when_their_first_time_has_come) {
    BOOST_TEST((agenda.soonest() == never));
    submit("a", 20s);
    submit("b", 10s);
    submit("c", 10s);
    BOOST_TEST((agenda.soonest() == now + 10s));
    BOOST_TEST(agenda.due(now + 9s).empty());
    const auto due = agenda.due(now + 10s);
    BOOST_REQUIRE(due.size() == 2U);
    BOOST_TEST(due.front()->listed.name == "b");
    for (auto* one : due) {
        one->advance(now + 10s);
        agenda.note(*one);
    }
    BOOST_TEST((agenda.soonest() == now + 20s));
    BOOST_TEST(ready() == (names{"b", "c"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(whether_any_consumer_has_gone_is_known_without_a_look_into_all_queues) {
    const auto before = agenda.departures();
    queue("a").join("w", 10s, now);
    queue("b").join("w", 20s, now);
    agenda.note(queue("a"));
    agenda.note(queue("b"));
    BOOST_TEST(agenda.departures() == before);
    queue("b").leave("w", now);
    agenda.note(queue("b"));
    BOOST_TEST(agenda.departures() != before);
    const auto left = agenda.departures();
    queue("a").advance(now + 10s);
    agenda.note(queue("a"));
    BOOST_TEST(agenda.departures() != left);
}

BOOST_AUTO_TEST_CASE(of_a_list_the_queues_with_tasks_are_found_in_its_order_whether_it_is_long_or_short) {
    const memory::assignments assigned(all, agenda);
    for (const auto* name : {"a", "b", "c", "d"}) submit(name);
    using places = std::vector<std::size_t>;
    const memory::queue_list shorter(names{"d", "x", "a"}), longer(names{"y", "d", "x", "b", "z", "a"});
    BOOST_TEST(assigned.ready_among(shorter) == (places{0, 2}), boost::test_tools::per_element());
    BOOST_TEST(assigned.ready_among(longer) == (places{1, 3, 5}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_name_that_is_given_twice_counts_once_whether_the_list_is_long_or_short) {
    const memory::assignments assigned(all, agenda);
    for (const auto* name : {"a", "b", "c", "d"}) submit(name);
    using places = std::vector<std::size_t>;
    const memory::queue_list shorter(names{"d", "a", "d"}), longer(names{"d", "x", "a", "d", "y"});
    BOOST_TEST(assigned.ready_among(shorter) == (places{0, 1}), boost::test_tools::per_element());
    BOOST_TEST(assigned.ready_among(longer) == (places{0, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
