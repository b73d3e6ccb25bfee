#include <taskflux/core/state.hpp>

#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <set>
#include <tuple>
#include <vector>

namespace core_state {

using namespace taskflux;
using enum task_state;

template <class Enum>
std::vector<Enum> all() {
    std::vector<Enum> values;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<Enum>>([&](auto one) { values.push_back(one.value); });
    return values;
}

static_assert(is_legal(waiting, task_event::fetch, running));
static_assert(!is_legal(succeeded, task_event::requeue));
static_assert(is_terminal(expired) && !is_terminal(held));
static_assert(is_before_attempt(waiting) && !is_before_attempt(running) && !is_before_attempt(failed));
static_assert(has_unfailed_attempt(waiting_children) && !has_unfailed_attempt(waiting) && !has_unfailed_attempt(failed));

}  // namespace core_state

BOOST_AUTO_TEST_SUITE(core_state)

BOOST_AUTO_TEST_CASE(no_line_of_the_table_stands_there_twice) {
    std::set<std::tuple<task_state, task_event, task_state>> lines;
    for (const auto& [from, event, to] : transitions) lines.emplace(from, event, to);
    BOOST_TEST(lines.size() == transitions.size());
}

BOOST_AUTO_TEST_CASE(the_numbers_of_the_states_are_those_below_their_count) {
    std::size_t number = 0;
    for (const auto state : all<task_state>()) BOOST_TEST(static_cast<std::size_t>(state) == number++);
    BOOST_TEST(number == task_state_count);
}

BOOST_AUTO_TEST_CASE(every_state_can_be_reached_from_those_that_a_submission_makes) {
    std::set<task_state> reached{held, scheduled, waiting};
    for (std::size_t before = 0; before != reached.size();) {
        before = reached.size();
        for (const auto& step : transitions) {
            if (reached.contains(step.from)) reached.insert(step.to);
        }
    }
    BOOST_TEST(reached.size() == all<task_state>().size());
}

BOOST_AUTO_TEST_CASE(every_unfinished_state_can_come_to_an_end) {
    std::set<task_state> ending;
    for (const auto state : all<task_state>()) {
        if (is_terminal(state)) ending.insert(state);
    }
    BOOST_TEST(ending.size() == 4U);
    for (std::size_t before = 0; before != ending.size();) {
        before = ending.size();
        for (const auto& step : transitions) {
            if (ending.contains(step.to)) ending.insert(step.from);
        }
    }
    BOOST_TEST(ending.size() == all<task_state>().size());
}

BOOST_AUTO_TEST_CASE(an_ended_task_is_left_alone_but_for_a_requeue) {
    for (const auto& step : transitions) {
        if (!is_terminal(step.from)) continue;
        BOOST_TEST((step.event == task_event::requeue));
        BOOST_TEST((step.to == waiting));
        BOOST_TEST((step.from != succeeded));
    }
}

BOOST_AUTO_TEST_CASE(each_state_is_before_an_attempt_or_has_one_or_has_none_left) {
    const std::set<task_state> before{held, scheduled, waiting}, with{running, waiting_children, succeeded};
    for (const auto state : all<task_state>()) {
        BOOST_TEST(is_before_attempt(state) == before.contains(state));
        BOOST_TEST(has_unfailed_attempt(state) == with.contains(state));
    }
}

BOOST_AUTO_TEST_CASE(every_event_can_happen) {
    for (const auto event : all<task_event>()) {
        bool happens = false;
        for (const auto state : all<task_state>()) happens = happens || is_legal(state, event);
        BOOST_TEST(happens);
    }
}

BOOST_AUTO_TEST_CASE(every_unfinished_task_can_be_cancelled) {
    for (const auto state : all<task_state>()) {
        BOOST_TEST(is_legal(state, task_event::cancel) == !is_terminal(state));
        BOOST_TEST(is_legal(state, task_event::cancel, cancelled) == !is_terminal(state));
    }
}

BOOST_AUTO_TEST_CASE(only_a_waiting_task_is_fetched_and_only_a_running_one_completes_or_retries) {
    for (const auto state : all<task_state>()) {
        BOOST_TEST(is_legal(state, task_event::fetch) == (state == waiting));
        BOOST_TEST(is_legal(state, task_event::retry) == (state == running));
        BOOST_TEST(is_legal(state, task_event::release) == (state == running));
        BOOST_TEST(is_legal(state, task_event::recover) == (state == running));
        BOOST_TEST(is_legal(state, task_event::complete) == (state == running || state == waiting_children));
    }
}

BOOST_AUTO_TEST_CASE(legality_is_what_the_table_says_and_nothing_else) {
    std::size_t legal = 0;
    for (const auto from : all<task_state>()) {
        for (const auto event : all<task_event>()) {
            bool any = false;
            for (const auto to : all<task_state>()) {
                any = any || is_legal(from, event, to);
                legal += is_legal(from, event, to);
            }
            BOOST_TEST(is_legal(from, event) == any);
        }
    }
    BOOST_TEST(legal == transitions.size());
}

BOOST_AUTO_TEST_SUITE_END()
