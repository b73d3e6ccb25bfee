#include <taskflux/detail/run_once.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>

namespace detail_run_once {

struct core {
    void stop() { ++stops; }
    void abandon() { ++abandons; }

    int stops = 0, abandons = 0;
};

struct fixture {
    taskflux::detail::run_once<core> life;
    std::shared_ptr<core> made = std::make_shared<core>();
};

}  // namespace detail_run_once

BOOST_FIXTURE_TEST_SUITE(detail_run_once, fixture)

BOOST_AUTO_TEST_CASE(a_start_that_nothing_has_come_before_ends_nothing) {
    BOOST_TEST(!life.core());
    life.begin(made);
    BOOST_TEST((life.core() == made));
    BOOST_TEST(made->stops + made->abandons == 0);
}

BOOST_AUTO_TEST_CASE(what_has_come_before_the_start_is_done_at_the_start) {
    life.stop();
    life.begin(made);
    BOOST_TEST(made->stops == 1);
    BOOST_TEST(made->abandons == 0);
}

BOOST_AUTO_TEST_CASE(of_several_that_have_come_before_the_start_the_first_counts) {
    life.abandon();
    life.stop();
    life.begin(made);
    BOOST_TEST(made->stops == 0);
    BOOST_TEST(made->abandons == 1);
}

BOOST_AUTO_TEST_CASE(what_comes_later_is_done_at_once_and_each_time) {
    life.begin(made);
    life.stop();
    life.stop();
    life.abandon();
    BOOST_TEST(made->stops == 2);
    BOOST_TEST(made->abandons == 1);
}

BOOST_AUTO_TEST_CASE(a_core_that_is_let_go_hears_no_more) {
    life.begin(made);
    life.forget();
    BOOST_TEST(made.use_count() == 1);
    BOOST_TEST(!life.core());
    life.stop();
    BOOST_TEST(made->stops == 0);
}

BOOST_AUTO_TEST_SUITE_END()
