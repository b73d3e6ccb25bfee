#include <conformance/fixture.hpp>
#include <taskflux/flow/client.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>

// Several clients that `run` what is one task: by its own id, or by a unique key.
namespace taskflux::conformance {

namespace conformance_shared_runs {

inline constexpr task<int(int)> shared{"shared", task_options().queue("q")};

submit_options same(bool by_id) { return by_id ? submit_options().id("one") : submit_options().unique("one"); }

}  // namespace conformance_shared_runs

BOOST_AUTO_TEST_SUITE(conformance_shared_runs)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_run_that_replaces_and_is_given_up_leaves_the_task_to_who_has_replaced_it, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const client first(on.shared()), second(on.shared());
    const auto replacing = submit_options().unique("one").on_duplicate(duplicate::replace);
    auto earlier = on.start(first.run(shared, replacing, 1));
    on.let_work();  // so that each comes after the one before
    auto limited = on.start(first.run(shared, submit_options(replacing).wait(10s), 2));
    on.let_work();
    auto later = on.start(second.run(shared, replacing, 3));
    on.let_work();  // all of them wait
    earlier.cancel();
    BOOST_TEST(on.error_of(earlier) == aborted);
    on.pass(10s);
    BOOST_TEST(on.error_of(limited) == errc::timed_out);
    on.join();
    const auto got = on.fetch_one();
    BOOST_TEST(got.payload == "3");
    BOOST_TEST(!on.record(got.key).cancel_requested);
    BOOST_TEST(on.settle(on.settled(got, kind::complete, "7")) == effect::done);
    BOOST_TEST(later.get() == 7);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_run_that_has_joined_another_s_task_does_not_cancel_it, Backend, backends) {
    for (const bool by_id : {true, false}) {
        fixture on(std::make_unique<Backend>());
        const client first(on.shared()), second(on.shared());
        auto owner = on.start(first.run(shared, same(by_id), 1));
        on.let_work();  // it comes first
        auto joined = on.start(second.run(shared, same(by_id), 1));
        auto limited = on.start(second.run(shared, same(by_id).wait(10s), 1));
        on.let_work();  // all of them wait
        joined.cancel();
        BOOST_TEST(on.error_of(joined) == aborted);
        on.pass(10s);
        std::string why;
        try {
            limited.get();
        } catch (const error& e) {
            BOOST_TEST(e.code() == errc::timed_out);
            why = e.what();
        }
        BOOST_TEST(why.find("goes on, as it had been submitted before") != std::string::npos);
        on.let_work();
        BOOST_REQUIRE_EQUAL(on.counts().waiting, 1U);
        on.join();
        const auto last = on.fetch_one();
        auto late = on.start(second.run(shared, same(by_id), 1));
        on.let_work();
        late.cancel();
        BOOST_TEST(on.error_of(late) == aborted);
        on.let_work();
        BOOST_TEST(on.renew().cancels.empty());
        on.settle(on.settled(last, kind::complete, "7"));
        BOOST_TEST(owner.get() == 7);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_run_that_has_submitted_a_task_cancels_it_for_all_who_have_joined, Backend, backends) {
    for (const bool by_id : {true, false}) {
        fixture on(std::make_unique<Backend>());
        const client first(on.shared()), second(on.shared());
        auto owner = on.start(first.run(shared, same(by_id), 1));
        on.let_work();  // it comes first
        auto joined = on.start(second.run(shared, same(by_id), 1));
        on.let_work();
        owner.cancel();
        BOOST_TEST(on.error_of(owner) == aborted);
        BOOST_TEST(on.error_of(joined) == errc::cancelled);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
