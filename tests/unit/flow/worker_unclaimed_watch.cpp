#include <taskflux/flow/worker/unclaimed_watch.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace flow_worker_unclaimed_watch {

using namespace std::chrono_literals;
using namespace taskflux;

unclaimed_task first_of(std::size_t queue, const std::string& name, std::uint64_t sequence) {
    unclaimed_task made;
    made.queue = queue;
    made.name = name;
    made.sequence = sequence;
    return made;
}

struct fixture {
    /// "queue/name seconds " for each that is found.
    std::string see(const std::vector<unclaimed_task>& seen, duration at) {
        std::string found;
        for (const auto& one : of.see(seen, {"q", "r"}, known, time_point(1h) + at)) {
            found += one.queue + '/' + one.name + ' ' + std::to_string(one.waited / 1s) + ' ';
        }
        return found;
    }

    detail::unclaimed_watch of{10s};
    const name_set known{"mine"};
};

}  // namespace flow_worker_unclaimed_watch

BOOST_FIXTURE_TEST_SUITE(flow_worker_unclaimed_watch, fixture)

BOOST_AUTO_TEST_CASE(a_name_is_found_once_when_the_same_task_has_waited_for_all_of_the_patience) {
    const auto one = first_of(1, "theirs", 7);
    BOOST_TEST(see({one}, 0s) == "");
    BOOST_TEST(see({one}, 10s - 1ms) == "");
    BOOST_TEST(see({one}, 10s) == "r/theirs 10 ");
    BOOST_TEST(see({one}, 20s) == "");
    BOOST_TEST(see({first_of(1, "theirs", 8)}, 30s) == "");
    BOOST_TEST(see({first_of(1, "theirs", 8)}, 50s) == "");  // once, ever
}

BOOST_AUTO_TEST_CASE(another_task_of_a_name_and_one_that_was_gone_wait_anew) {
    BOOST_TEST(see({first_of(0, "theirs", 7)}, 0s) == "");
    BOOST_TEST(see({first_of(0, "theirs", 8)}, 10s) == "");
    BOOST_TEST(see({}, 15s) == "");
    BOOST_TEST(see({first_of(0, "theirs", 8)}, 20s) == "");
    BOOST_TEST(see({first_of(0, "theirs", 8)}, 33s) == "q/theirs 13 ");
}

BOOST_AUTO_TEST_CASE(queues_and_names_are_told_apart_and_what_has_a_handler_is_no_finding) {
    const std::vector all{first_of(0, "a", 1), first_of(0, "b", 2), first_of(0, "mine", 3), first_of(1, "a", 1)};
    BOOST_TEST(see(all, 0s) == "");
    BOOST_TEST(see(all, 10s) == "q/a 10 q/b 10 r/a 10 ");
}

BOOST_AUTO_TEST_SUITE_END()
