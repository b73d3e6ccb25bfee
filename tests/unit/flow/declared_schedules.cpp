#include <taskflux/flow/scheduler/declared.hpp>

#include <taskflux/core/codec.hpp>
#include <taskflux/flow/scheduler/book.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace flow_declared_schedules {

using namespace taskflux;
using rows = std::vector<schedule_row>;

schedule_definition each_minute(const std::string& id) {
    schedule_definition made;
    made.id = id;
    made.cron = "* * * * *";
    return made;
}

schedule_definition each_hour(const std::string& id) {
    auto made = each_minute(id);
    made.cron = "0 * * * *";
    return made;
}

schedule_row row_of(const schedule_definition& what, const std::string& by = {}) {
    stored_schedule stored;
    stored.version = stored_schedule::current_version;
    stored.definition = what;
    stored.state.by = by;
    return {what.id, encode(stored)};
}

/// One that is being stored.
struct holder {
    holder(detail::declared_schedules& of, const schedule_definition& what) : one(of.declare("q", what, false)) {}
    detail::declared_schedules::claim one;
};

struct fixture {
    void store(const schedule_definition& what, const std::string& queue = "q") { of.declare(queue, what, true).keep(); }
    void look(const rows& found, bool is_same_life = true) { of.see("q", found, is_same_life, of.begin_look()); }

    /// The ids that would be stored again if the queue were empty.
    std::string kept(const std::string& queue = "q") {
        std::string ids;
        for (const auto& one : of.missing(queue, {})) ids += one.id + ' ';
        return ids;
    }

    detail::declared_schedules of;
    const schedule_definition tick = each_minute("tick"), other_tick = each_hour("tick");
};

}  // namespace flow_declared_schedules

BOOST_FIXTURE_TEST_SUITE(flow_declared_schedules, fixture)

BOOST_AUTO_TEST_CASE(what_was_stored_is_missing_until_it_is_there) {
    store(tick);
    BOOST_TEST(kept() == "tick ");
    BOOST_TEST(kept("r") == "");
    BOOST_TEST((of.queues() == std::set<std::string>{"q"}));
    BOOST_TEST(of.missing("q", {row_of(tick)}).empty());
}

BOOST_AUTO_TEST_CASE(what_vanishes_within_one_life_of_the_queue_has_been_removed) {
    store(tick);
    look({});  // it has never been there
    BOOST_TEST(kept() == "tick ");
    look({row_of(tick)});
    look({}, false);
    BOOST_TEST(kept() == "tick ");
    look({});
    BOOST_TEST(kept() == "");
}

BOOST_AUTO_TEST_CASE(what_another_process_has_replaced_is_not_stored_again) {
    store(tick);
    look({row_of(tick)});
    look({row_of(tick, "another state")});
    look({{"tick", "no json"}});
    BOOST_TEST(kept() == "tick ");
    look({row_of(other_tick)}, false);
    BOOST_TEST(kept() == "");
}

BOOST_AUTO_TEST_CASE(a_look_that_began_before_it_was_stored_tells_nothing) {
    store(tick);
    look({row_of(tick)});
    const auto early = of.begin_look();
    store(other_tick);
    of.see("q", {row_of(tick)}, true, early);
    BOOST_TEST(kept() == "tick ");
    look({row_of(other_tick)});
    BOOST_TEST(kept() == "tick ");
}

BOOST_AUTO_TEST_CASE(what_this_program_removes_is_forgotten_and_leaves_its_name_free) {
    store(tick);
    store(each_minute("tickle"));
    for (const std::string id : {"tick", "tick@here", "tickle", "tickle@here"}) store(each_minute(id), detail::local_queue);
    of.forget("tick");
    BOOST_TEST(kept() == "tickle ");
    BOOST_TEST(kept(detail::local_queue) == "tickle tickle@here ");
    of.declare("q", other_tick, false).keep();
    BOOST_TEST(kept() == "tick tickle ");
}

BOOST_AUTO_TEST_CASE(a_local_job_and_a_schedule_may_have_the_same_id) {
    store(tick);
    store(other_tick, detail::local_queue);
    BOOST_TEST(kept() == "tick ");
    BOOST_TEST(kept(detail::local_queue) == "tick ");
}

BOOST_AUTO_TEST_CASE(of_two_equal_ones_that_are_stored_at_the_same_time_the_first_may_fail) {
    auto first = std::make_unique<holder>(of, tick);
    auto second = std::make_unique<holder>(of, tick);
    first.reset();
    second->one.keep();
    second.reset();
    BOOST_TEST(kept() == "tick ");
    BOOST_CHECK_THROW(of.declare("q", other_tick, false), error);
}

BOOST_AUTO_TEST_CASE(what_is_removed_while_it_is_stored_once_more_is_kept) {
    store(tick);
    auto again = std::make_unique<holder>(of, tick);
    of.forget("tick");
    BOOST_TEST(kept() == "");
    again->one.keep();
    again.reset();
    BOOST_TEST(kept() == "tick ");
}

BOOST_AUTO_TEST_CASE(one_that_could_not_be_stored_leaves_the_one_before) {
    store(tick);
    { const auto failing = of.declare("q", other_tick, true); }
    BOOST_TEST(of.missing("q", {}).at(0).cron == tick.cron);
    BOOST_CHECK_THROW(of.declare("q", other_tick, false), error);
    of.declare("q", tick, false).keep();
}

BOOST_AUTO_TEST_CASE(what_moves_is_known_until_it_is_stored_in_its_new_queue) {
    stored_schedule taken;
    taken.definition = tick;
    of.move("tick", taken);
    BOOST_TEST((of.moving("tick").value().definition == tick));
    BOOST_TEST(!of.moving("tock").has_value());
    { const auto failing = of.declare("q", tick, true); }
    BOOST_TEST(of.moving("tick").has_value());
    store(tick);
    BOOST_TEST(!of.moving("tick").has_value());
}

BOOST_AUTO_TEST_CASE(the_places_of_a_look_are_kept_and_follow_what_is_stored) {
    BOOST_TEST(of.elsewhere("q", "tick").empty());
    BOOST_TEST(!of.has_looked());
    of.look({{"tick", {"q", "r", "s"}}});
    of.look({{"tick", {"t"}}});  // the first one counts
    BOOST_TEST(of.has_looked());
    BOOST_TEST(of.elsewhere("q", "tick") == std::vector<std::string>({"r", "s"}), boost::test_tools::per_element());
    BOOST_TEST(of.elsewhere("q", "tock").empty());
    store(each_hour("tick"), detail::local_queue);  // a local job of this name is another
    BOOST_TEST(of.elsewhere("q", "tick").size() == 2U);
    store(tick);
    BOOST_TEST(of.elsewhere("q", "tick").empty());
    BOOST_TEST(of.elsewhere("r", "tick") == std::vector<std::string>({"q"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
