#include <taskflux/broker/memory/ended.hpp>

#include <boost/test/unit_test.hpp>

#include <deque>

namespace broker_ended {

using namespace std::chrono_literals;
using taskflux::time_point;
using taskflux::memory::ended_tasks;
using taskflux::memory::entry;

struct graveyard {
    std::deque<entry> entries;
    ended_tasks ended;

    entry& add(taskflux::duration when, taskflux::duration retention) {
        auto& made = entries.emplace_back();
        made.sequence = entries.size();
        made.when = time_point(when);
        ended.add(made, retention);
        return made;
    }

    std::uint64_t forget(taskflux::duration now) {
        auto* const found = ended.overdue(time_point(now));
        if (!found) return 0;
        found->home->remove(*found);
        return found->sequence;
    }
};

}  // namespace broker_ended

BOOST_AUTO_TEST_SUITE(broker_ended)

BOOST_AUTO_TEST_CASE(each_goes_when_its_own_retention_is_over) {
    graveyard in;
    in.add(1s, 100s);
    in.add(2s, 10s);
    in.add(3s, 10s);
    BOOST_TEST((in.ended.next() == time_point(12s)));
    BOOST_TEST(in.forget(11999ms) == 0U);
    BOOST_TEST(in.forget(12s) == 2U);
    BOOST_TEST(in.forget(12s) == 0U);
    BOOST_TEST((in.ended.next() == time_point(13s)));
    BOOST_TEST(in.forget(200s) + in.forget(200s) == 4U);
    BOOST_TEST(in.forget(200s) == 0U);
    BOOST_TEST((in.ended.next() == taskflux::never));
}

BOOST_AUTO_TEST_CASE(the_oldest_is_the_one_that_ended_first) {
    graveyard in;
    BOOST_TEST(in.ended.oldest() == nullptr);
    auto& first = in.add(1s, 100s);
    auto& second = in.add(2s, 10s);
    BOOST_TEST(in.ended.oldest() == &first);
    first.home->remove(first);
    BOOST_TEST(in.ended.oldest() == &second);
}

BOOST_AUTO_TEST_CASE(the_longest_retention_never_ends) {
    graveyard in;
    in.add(1s, (taskflux::duration::max)());
    BOOST_TEST((in.ended.next() == taskflux::never));
    BOOST_TEST(in.forget(24h * 36500) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
