#include "fixture.hpp"

#include <taskflux/calls/rpc/instances.hpp>

#include <cstddef>
#include <map>
#include <set>
#include <string>

using namespace test::flow;

namespace flow_call_instances {

/// Instances "a" and "b" of a service on its board, and how often each of them is chosen.
struct choosing : fixture {
    choosing() {
        for (const std::string id : {"a", "b"}) {
            taskflux::service_instance row;
            row.service = "sums";
            row.id = id;
            row.address = "at " + id;
            now(broker->announce(taskflux::detail::board_of(row.service), row.id, taskflux::encode(row), 1h));
        }
    }

    std::size_t share_of_a(std::size_t calls) {
        std::size_t share = 0;
        for (std::size_t i = 0; i < calls; ++i) {
            auto ends = time.now() + 1min;
            share += now(known.choose("sums", "", {}, ends)).id == "a";
        }
        return share;
    }

    taskflux::detail::instances known{broker};
};

}  // namespace flow_call_instances

BOOST_FIXTURE_TEST_SUITE(flow_call_instances, choosing)

BOOST_AUTO_TEST_CASE(of_two_instances_that_of_fewer_calls_of_this_process_is_chosen) {
    BOOST_TEST(share_of_a(400) > 120U);
    BOOST_TEST(share_of_a(400) < 280U);
    known.begun("at a");
    BOOST_TEST(share_of_a(400) < 150U);  // 100 times both that are looked at are the same
    BOOST_TEST(share_of_a(400) > 50U);
    known.begun("at b");
    known.begun("at b");
    BOOST_TEST(share_of_a(400) > 250U);
    known.ended("at b");
    known.ended("at b");
    known.ended("at a");
    BOOST_TEST(share_of_a(400) > 120U);
    BOOST_TEST(share_of_a(400) < 280U);
}

BOOST_AUTO_TEST_CASE(an_instance_that_did_not_hear_is_not_chosen_until_the_board_is_read_again) {
    BOOST_TEST(share_of_a(100) > 0U);
    known.did_not_hear("sums", "at a");
    advance(999ms);
    BOOST_TEST(share_of_a(100) == 0U);
    advance(1ms);
    BOOST_TEST(share_of_a(100) > 0U);
    known.did_not_hear("sums", "at a");
    BOOST_TEST(share_of_a(100) == 0U);
    known.did_not_hear("sums", "at b");
    BOOST_TEST(share_of_a(100) > 0U);  // with nobody left it is read at once
    BOOST_TEST(share_of_a(100) < 100U);
    known.did_not_hear("sums", "at a");  // and what was known before is forgotten
    BOOST_TEST(share_of_a(100) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
