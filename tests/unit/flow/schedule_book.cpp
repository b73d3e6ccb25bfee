#include "fixture.hpp"

#include <taskflux/core/error.hpp>
#include <taskflux/flow/scheduler/book.hpp>

#include <algorithm>
#include <exception>
#include <stdexcept>

using namespace test::flow;
using namespace taskflux::detail;
using taskflux::error;
using taskflux::schedule_definition;
using taskflux::stored_schedule;

namespace flow_schedule_book {

struct book_fixture : fixture {
    schedule_definition each_minute(const std::string& id) {
        schedule_definition made;
        made.id = id;
        made.cron = "* * * * *";
        made.zone = "UTC";
        return made;
    }

    stored_schedule only() {
        const auto stored = now(book.rows("q"));
        BOOST_REQUIRE_EQUAL(stored.rows.size(), 1U);
        return read_schedule(stored.rows[0].text);
    }

    schedule_book book{broker, {}, "node"};
};

}  // namespace flow_schedule_book

BOOST_FIXTURE_TEST_SUITE(flow_schedule_book, book_fixture)

BOOST_AUTO_TEST_CASE(what_is_added_is_stored_whole_and_takes_the_place_of_nothing) {
    const auto what = each_minute("tick");
    BOOST_TEST(now(book.add("q", what)));
    BOOST_TEST(now(book.rows("q")).rows.at(0).id == "tick");
    const auto stored = only();
    BOOST_TEST(stored.version == stored_schedule::current_version);
    BOOST_TEST((stored.definition == what));
    BOOST_TEST((stored.state.next == book.first_tick({}, taskflux::cron("* * * * *"), taskflux::zone::named("UTC"))));
    BOOST_TEST((stored.state.by == "node.1" && stored.state.revision == 1U));
    BOOST_TEST(!now(book.add("q", what)));
    BOOST_TEST(only().state.by == "node.1");
}

BOOST_AUTO_TEST_CASE(the_first_tick_is_after_now_and_after_the_last_one) {
    const taskflux::cron when("* * * * *");
    const auto in = taskflux::zone::named("UTC");
    const auto first = book.first_tick({}, when, in).value();
    BOOST_TEST((first > book.now() && first <= book.now() + 1min));
    taskflux::schedule_state state;
    state.last = first + 5min;
    BOOST_TEST((book.first_tick(state, when, in) == first + 6min));
    state.last = first - 5min;
    BOOST_TEST((book.first_tick(state, when, in) == first));
}

BOOST_AUTO_TEST_CASE(a_row_is_written_over_what_was_read_alone) {
    BOOST_TEST(now(book.add("q", each_minute("tick"))));
    auto first = now(book.find("q", "tick")).value(), second = first;
    BOOST_TEST(now(book.write(first, {})));
    BOOST_TEST(first.what.state.revision == 2U);
    const auto text = second.text;
    BOOST_TEST(!now(book.write(second, {})));
    BOOST_TEST(second.text == text);
    BOOST_TEST(now(book.write(first, {})));  // what it has written is what it has read
    BOOST_TEST(!now(book.remove(second)));
    BOOST_TEST(now(book.remove(first)));
    BOOST_TEST(!now(book.find("q", "tick")).has_value());
}

BOOST_AUTO_TEST_CASE(local_jobs_have_a_queue_beside_those_that_are_named) {
    const schedule_book some(broker, {"z", "a"}, "node");
    const auto names = now(some.queues());
    BOOST_TEST(names.size() == 3U);
    BOOST_TEST(std::ranges::is_sorted(names));
    BOOST_TEST(std::ranges::count(names, local_queue) == 1);
    now(book.add("q", each_minute("tick")));
    now(book.add(local_queue, each_minute("job")));
    const auto all = now(book.queues());
    BOOST_TEST(all.size() == 2U);
    BOOST_TEST(std::ranges::count(all, local_queue) == 1);
}

BOOST_AUTO_TEST_CASE(only_what_cannot_be_read_is_the_trouble_of_one_queue_and_the_first_is_kept) {
    const auto damage = std::make_exception_ptr(error(errc::protocol, "damaged")), away = std::make_exception_ptr(error(errc::unavailable, "")),
               other = std::make_exception_ptr(std::runtime_error("")), more = std::make_exception_ptr(error(errc::protocol, "more"));
    std::exception_ptr first;
    for (const auto& one : {std::exception_ptr(), away, other}) BOOST_TEST(!is_of_one_queue(one, first));
    BOOST_TEST(!first);
    BOOST_TEST((is_of_one_queue(damage, first) && is_of_one_queue(more, first)));
    BOOST_TEST((first == damage));
}

BOOST_AUTO_TEST_CASE(another_versions_schedule_says_which_versions_there_are) {
    stored_schedule made;
    made.version = 2;
    BOOST_CHECK_EXCEPTION(read_schedule(taskflux::encode(made)), error, [](const error& e) {
        BOOST_TEST(e.what() == "a stored schedule can't be read: its version is 2, and this program knows 1; start a version that "
                               "knows it, or remove it");
        return e.code() == errc::protocol;
    });
}

BOOST_AUTO_TEST_SUITE_END()
