#include <taskflux/broker/redis/lookout.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

// Which queues a sleeper asks: where it was called, where a time has come, and each once in a polling interval.
namespace redis_lookout {

using namespace std::chrono_literals;
using namespace taskflux;
using redis::lookout;
using places = std::vector<std::size_t>;

constexpr time_point start = time_point(std::chrono::hours(24) * 20600);
constexpr duration interval = 6s;

std::vector<std::string> queues(std::size_t count) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) names.push_back("q" + std::to_string(i));
    return names;
}

struct fixture {
    /// Has it sleep in all queues.
    void sleep_everywhere(lookout& looks) {
        looks.next(start, interval);
        for (const auto i : looks.unknown()) looks.fell_asleep(i, looks.ask(i), never);
    }

    places unknown_at(lookout& looks, time_point now) {
        looks.next(now, interval);
        return looks.unknown();
    }
};

}  // namespace redis_lookout

BOOST_FIXTURE_TEST_SUITE(redis_lookout, fixture)

BOOST_AUTO_TEST_CASE(at_first_all_queues_are_asked_and_then_none) {
    lookout looks(queues(1000), "*");
    BOOST_TEST(looks.unknown().size() == 1000U);
    BOOST_TEST(looks.next(start, interval).empty());
    sleep_everywhere(looks);
    BOOST_TEST(looks.next(start, interval).empty());
    BOOST_TEST(looks.unknown().empty());
    BOOST_TEST(looks.called().empty());
}

BOOST_AUTO_TEST_CASE(a_message_has_its_queue_asked_until_that_sleeps_again) {
    lookout looks(queues(3), "*");
    sleep_everywhere(looks);
    BOOST_TEST(looks.call("q1", true));
    BOOST_TEST(!looks.call("another", true));
    BOOST_TEST(looks.called() == places{1}, boost::test_tools::per_element());
    BOOST_TEST(looks.called() == places{1}, boost::test_tools::per_element());
    looks.fell_asleep(1, looks.ask(1), never);
    BOOST_TEST(looks.called().empty());
}

BOOST_AUTO_TEST_CASE(a_message_that_comes_before_the_answer_to_an_older_question_is_not_forgotten) {
    lookout looks(queues(3), "*");
    const auto before = looks.ask(1);
    looks.call("q1", true);
    looks.fell_asleep(1, before, never);
    BOOST_TEST(looks.called() == places{1}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_queue_is_asked_when_the_time_comes_for_which_it_is_watched) {
    lookout looks(queues(3), "*");
    sleep_everywhere(looks);
    looks.fell_asleep(2, looks.ask(2), start + 2s);
    looks.fell_asleep(0, looks.ask(0), start + 1s);
    BOOST_TEST((looks.soonest() == start + 1s));
    BOOST_TEST(unknown_at(looks, start + 999ms).empty());
    BOOST_TEST(unknown_at(looks, start + 1s) == places{0}, boost::test_tools::per_element());
    BOOST_TEST(unknown_at(looks, start + 2s) == (places{0, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(without_a_message_each_of_many_queues_is_asked_within_the_polling_interval_and_few_at_a_time) {
    lookout looks(queues(2000), "*");
    sleep_everywhere(looks);
    std::multiset<std::size_t> asked;
    for (auto now = looks.soonest(); now <= start + interval; now = looks.soonest()) {
        const auto some = looks.next(now, interval);
        BOOST_TEST(some.size() <= lookout::most_at_once);
        asked.insert(some.begin(), some.end());
    }
    for (std::size_t i = 0; i < 2000; ++i) BOOST_TEST(asked.count(i) == 1U);
}

BOOST_AUTO_TEST_CASE(a_single_queue_is_asked_once_in_a_polling_interval) {
    lookout looks(queues(1), "*");
    sleep_everywhere(looks);
    BOOST_TEST((looks.soonest() == start + interval));
    BOOST_TEST(looks.next(start + interval - 1ms, interval).empty());
    BOOST_TEST(looks.next(start + interval, interval).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_queue_that_was_put_off_is_not_asked_before_its_time) {
    lookout looks(queues(2), "*");
    sleep_everywhere(looks);
    looks.put_off(0, start + 10s);
    BOOST_TEST(!looks.are_all_put_off());
    BOOST_TEST(looks.next(start + 9s, interval) == places{1}, boost::test_tools::per_element());
    BOOST_TEST(looks.unknown().empty());
    BOOST_TEST(unknown_at(looks, start + 10s) == places{0}, boost::test_tools::per_element());
    looks.put_off(0, start + 20s);
    looks.put_off(1, start + 20s);
    BOOST_TEST(looks.are_all_put_off());
}

BOOST_AUTO_TEST_CASE(when_messages_may_be_missing_all_queues_are_asked) {
    lookout looks(queues(400), "*");
    sleep_everywhere(looks);
    looks.call("q7", true);
    looks.forget_all();
    BOOST_TEST(looks.unknown().size() == 399U);
    BOOST_TEST(looks.called() == places{7}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_it_was_told_to_look_at_and_has_not_asked_is_for_others_to_do_once) {
    lookout looks(queues(5), "*");
    sleep_everywhere(looks);
    for (const auto* told : {"q3", "q1", "q4"}) looks.call(told, true);
    looks.call("q2", false);  // it was brought a task
    looks.ask(1);
    BOOST_TEST(looks.take_unanswered() == std::vector<std::string>({"q3", "q4"}), boost::test_tools::per_element());
    BOOST_TEST(looks.take_unanswered().empty());
    BOOST_TEST(looks.called() == (places{1, 2, 3, 4}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_it_watched_for_and_has_not_asked_about_since_is_for_others_to_do_once) {
    lookout looks(queues(5), "*");
    sleep_everywhere(looks);
    for (const std::size_t i : {1U, 2U, 3U}) looks.fell_asleep(i, looks.ask(i), start + duration(1s) * int(i));
    looks.put_off(4, start + 1s);  // nobody relies on its watching that
    looks.next(start + 999ms, interval);
    BOOST_TEST(looks.take_unanswered().empty());
    looks.next(start + 2s, interval);
    looks.ask(1);
    BOOST_TEST(looks.take_unanswered() == std::vector<std::string>({"q2"}), boost::test_tools::per_element());
    BOOST_TEST(looks.take_unanswered().empty());
    BOOST_TEST(looks.unknown() == (places{1, 2, 4}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
