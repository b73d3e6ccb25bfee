#include <conformance/fixture.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>

// Tasks that come, go and end together, for which brokers have shorter ways than for a single one.
namespace taskflux::conformance {

namespace conformance_together {

constexpr std::size_t many = 6;

std::vector<effect> settle_all(fixture& on, const std::vector<delivery>& which, const std::string& by = w) {
    std::vector<settlement> ends;
    for (const auto& one : which) ends.push_back(on.settled(one, kind::complete, "42"));
    return on.run(on.broker().settle(q, by, ends));
}

}  // namespace conformance_together

BOOST_AUTO_TEST_SUITE(conformance_together)

BOOST_AUTO_TEST_CASE_TEMPLATE(what_came_together_is_settled_by_its_holder_alone, Backend, backends) {
    enum { by_another, of_another_attempt, of_another_life };
    for (const int wrong : {by_another, of_another_attempt, of_another_life}) {  // each as the first: a broker may learn from it
        fixture on(std::make_unique<Backend>());
        on.join();
        on.join("stranger");
        const auto keys = on.add_many(many);
        const auto mine = on.fetch(w, many);
        BOOST_REQUIRE_EQUAL(mine.size(), many);
        auto others = mine;
        for (auto& one : others) {
            if (wrong == of_another_attempt) ++one.token;
            if (wrong == of_another_life) ++one.key.nonce;
        }
        const std::vector refused(many, wrong == of_another_life ? effect::not_found : effect::lease_lost);
        BOOST_TEST((settle_all(on, others, wrong == by_another ? "stranger" : w) == refused), wrong);
        BOOST_TEST(on.counts().running == many);
        const std::vector done(many, effect::done), lost(many, effect::lease_lost);
        BOOST_TEST((settle_all(on, mine) == done));
        BOOST_TEST((settle_all(on, mine) == lost));
        BOOST_TEST(on.counts().running == 0U);
        BOOST_TEST(on.counts().succeeded == many);
        for (const auto key : keys) BOOST_TEST(on.record(key).result == "42");
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_ends_together_is_kept_for_its_retention, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto retention = run_policy().retention;
    on.run(on.broker().join(w, {q}, 24h));
    const auto keys = on.add_many(many);
    settle_all(on, on.fetch(w, many));
    BOOST_TEST(on.counts().succeeded == many);
    on.advance(retention - 1ms);
    BOOST_TEST(std::ranges::all_of(keys, [&](task_key key) { return on.exists(key); }));
    on.advance(1ms);
    BOOST_TEST(std::ranges::none_of(keys, [&](task_key key) { return on.exists(key); }));
    BOOST_TEST(on.counts().succeeded == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_ends_together_without_retention_leaves_nothing_in_the_counts, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const std::vector<new_task> tasks(many, on.task(run_policy{.retention = 0ms}));
    on.run(on.broker().submit(q, tasks));
    settle_all(on, on.fetch(w, many));
    BOOST_TEST(on.counts().running == 0U);
    BOOST_TEST(on.counts().succeeded == 0U);
    BOOST_TEST(on.list().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(callers_of_what_ends_together_all_hear_of_it, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    for (const auto retention : {1h, 0h}) {
        for (const bool is_awaited : {false, true}) {
            for (const std::size_t count : {std::size_t(1), many}) {
                std::vector<new_task> tasks(count, on.task(run_policy{.retention = retention}));
                for (auto& one : tasks) one.is_awaited = is_awaited;
                std::vector<started<std::optional<task_outcome>>> waiting;
                const auto stored = on.run(on.broker().submit(q, tasks));
                for (const auto& one : stored) waiting.push_back(on.start(on.broker().wait({q, one.key}, 1h)));
                settle_all(on, on.fetch(w, count));
                for (auto& one : waiting) BOOST_TEST(one.get()->result == "42");
                for (const auto& one : stored) BOOST_TEST(on.exists(one.key) == (retention > 0h));  // all have heard of it
            }
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_settled_twice_in_one_call_ends_once, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.add();
    on.add();
    auto got = on.fetch(w, 2);
    BOOST_REQUIRE_EQUAL(got.size(), 2U);
    got[1] = got[0];
    const std::vector expected{effect::done, effect::lease_lost};
    BOOST_TEST((settle_all(on, got) == expected));
    BOOST_TEST(on.counts().running == 1U);
    BOOST_TEST(on.counts().succeeded == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_single_one_is_counted_and_forgotten_like_many, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.run(on.broker().join(w, {q}, 24h));
    const auto key = on.add();
    settle_all(on, on.fetch(w, 1));
    BOOST_TEST(on.counts().running == 0U);
    BOOST_TEST(on.counts().succeeded == 1U);
    on.advance(run_policy().retention);
    BOOST_TEST(!on.exists(key));
    BOOST_TEST(on.counts().succeeded == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_updated_one_of_many_is_handed_out_as_it_is_now, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto keys = on.add_many(many);
    BOOST_TEST(on.update(keys[2], "7") == effect::done);
    const auto got = on.fetch(w, many);
    BOOST_REQUIRE_EQUAL(got.size(), many);
    for (const auto& one : got) BOOST_TEST(one.payload == (one.key == keys[2] ? "7" : ""));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
