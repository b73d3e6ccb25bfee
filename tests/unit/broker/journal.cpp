#include <taskflux/broker/journal.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using taskflux::child_place;

}  // namespace

BOOST_AUTO_TEST_SUITE(broker_journal)

BOOST_AUTO_TEST_CASE(where_a_subtask_is_survives_its_text) {
    for (const std::string digest : {"", "0123456789abcdef"}) {  // older versions wrote none
        for (const std::string own_id : {"mine", "", "#mine", "two\nlines"}) {
            const auto read = child_place::parse(child_place{"queue", "name", own_id, digest}.text());
            BOOST_TEST(read.queue == "queue");
            BOOST_TEST(read.name == "name");
            BOOST_TEST(read.own_id == own_id);
            BOOST_TEST(read.digest == digest);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_text_that_is_no_place_is_nowhere) {
    for (const char* text : {"", "queue", "queue\nname", "\n"}) {
        const auto read = child_place::parse(text);
        BOOST_TEST(read.queue.empty(), "of " << text);
        BOOST_TEST(read.name.empty(), "of " << text);
        BOOST_TEST(read.own_id.empty(), "of " << text);
    }
}

BOOST_AUTO_TEST_SUITE_END()
