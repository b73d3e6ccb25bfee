#include <conformance/fixture.hpp>
#include <taskflux/admin/inspector.hpp>
#include <taskflux/core/codec.hpp>
#include <taskflux/core/failure.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::conformance {

namespace conformance_errors {

struct failing : fixture {
    explicit failing(std::unique_ptr<backend> on) : fixture(std::move(on)), seen(shared()) { join(w); }

    /// Ends an attempt as a worker does whose handler has thrown.
    void fail(const delivery& which, const std::string& message, kind how = kind::fail, duration delay = {},
              const std::string& consumer = w) {
        auto end = settled(which, how, encode(failure{"task_failed", "std::runtime_error", message, "", ""}), delay);
        end.mark.spec = which.spec;
        settle(end, consumer);
    }

    task_key fail_one(const std::string& message, const std::string& name = "work") {
        const auto key = add(task(name));
        fail(fetch_one(), message);
        return key;
    }

    std::vector<error_group> groups() {
        pass(1s);
        renew();
        let_work();
        return run(seen.errors(q));
    }

    /// Not where a broker with codecs keeps them from what stores them.
    static bool can_read_messages() {
        const char* const backend = std::getenv("TASKFLUX_BACKEND");
        return !backend || std::string(backend) != "encrypted";
    }

    inspector seen;
};

}  // namespace conformance_errors

BOOST_AUTO_TEST_SUITE(conformance_errors)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_queue_without_failures_has_no_groups, Backend, backends) {
    failing on(std::make_unique<Backend>());
    on.add();
    on.settle(on.fetch_one(), kind::complete);
    BOOST_TEST(on.groups().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(failures_that_differ_in_numbers_alone_are_a_group, Backend, backends) {
    failing on(std::make_unique<Backend>());
    const auto first = on.fail_one("took 3 s");
    const auto second = on.fail_one("took 12 s");
    on.fail_one("took 3 s", "other");
    const auto all = on.groups();
    BOOST_REQUIRE(all.size() == 2U);
    const auto& work = all[0].task == "work" ? all[0] : all[1];
    BOOST_TEST(work.task == "work");
    BOOST_TEST(work.code == "task_failed");
    BOOST_TEST(work.type == "std::runtime_error");
    BOOST_TEST(work.id.size() == 16U);
    BOOST_TEST(work.failed == 2U);
    BOOST_TEST(work.retried == 0U);
    BOOST_TEST(work.hour == 2U);
    BOOST_TEST(work.week == 2U);
    BOOST_REQUIRE(work.samples.size() == 2U);
    BOOST_TEST(work.samples[0] == to_string(task_id{q, second}));
    BOOST_TEST(work.samples[1] == to_string(task_id{q, first}));
    BOOST_REQUIRE(work.nodes.size() == 1U);
    BOOST_TEST(work.nodes[0] == w);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_signature_is_shown_where_the_message_can_be_read, Backend, backends) {
    failing on(std::make_unique<Backend>());
    on.fail_one("no user 'Ann' in 7 rows");
    const auto all = on.groups();
    BOOST_REQUIRE(all.size() == 1U);
    BOOST_TEST(all[0].signature == (on.can_read_messages() ? "no user * in # rows" : ""));
    BOOST_TEST(all[0].signature.find("Ann") == std::string::npos);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(retries_are_counted_apart_and_windows_end, Backend, backends) {
    failing on(std::make_unique<Backend>());
    on.add();
    on.fail(on.fetch_one(), "why", kind::retry);
    on.fail(on.fetch_one(), "why");
    auto all = on.groups();
    BOOST_REQUIRE(all.size() == 1U);
    BOOST_TEST(all[0].retried == 1U);
    BOOST_TEST(all[0].failed == 1U);
    const auto first = all[0].first;
    on.advance(2h);
    on.join();
    on.fail_one("why");
    all = on.groups();
    BOOST_REQUIRE(all.size() == 1U);
    BOOST_TEST((all[0].first == first));
    BOOST_TEST((all[0].last >= first + 2h));
    BOOST_TEST(all[0].hour == 1U);
    BOOST_TEST(all[0].day == 3U);
    on.advance(48h);
    on.join();
    all = on.groups();
    BOOST_TEST(all[0].day == 0U);
    BOOST_TEST(all[0].week == 3U);
    BOOST_TEST(all[0].failed == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_was_given_up_is_in_a_group_of_its_queue, Backend, backends) {
    failing on(std::make_unique<Backend>());
    run_policy policy;
    policy.crash_limit = 1;
    on.add(on.task(policy));
    on.join("x");
    on.fetch_one("x");
    on.pass(on.lease + 1ms);
    on.join();
    const auto all = on.groups();
    BOOST_REQUIRE(all.size() == 1U);
    BOOST_TEST(all[0].code == "crashed");
    BOOST_TEST(all[0].signature == "the lease was lost # times");
    BOOST_TEST(all[0].failed == 1U);
    BOOST_TEST(all[0].nodes.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_process_without_a_worker_tells_of_the_tasks_that_it_sees_given_up, Backend, backends) {
    failing on(std::make_unique<Backend>());
    run_policy policy;
    policy.crash_limit = 1;
    on.add(on.task(policy));
    on.fetch_one();
    on.pass(on.lease + 1ms);
    BOOST_TEST(on.counts().failed == 1U);
    on.let_work();
    BOOST_TEST(on.run(on.seen.errors(q)).size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_newest_group_comes_first_and_shows_the_last_three, Backend, backends) {
    failing on(std::make_unique<Backend>());
    on.fail_one("old", "a");
    on.groups();
    task_key last;
    for (int i = 0; i < 5; ++i) last = on.fail_one("new " + std::to_string(i), "b");
    const auto all = on.groups();
    BOOST_REQUIRE(all.size() == 2U);
    BOOST_TEST(all[0].task == "b");
    BOOST_REQUIRE(all[0].samples.size() == 3U);
    BOOST_TEST(all[0].samples[0] == to_string(task_id{q, last}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_failed_tasks_of_a_group_are_tried_afresh, Backend, backends) {
    failing on(std::make_unique<Backend>());
    const auto one = on.fail_one("why 1"), two = on.fail_one("why 2"), other = on.fail_one("else", "another");
    std::string group;
    for (const auto& each : on.groups()) group = each.task == "work" ? each.id : group;
    const auto result = on.run(on.seen.retry_group(q, group));
    BOOST_TEST(result.done == 2U);
    BOOST_TEST(result.next == 0U);
    BOOST_TEST((on.state(one) == task_state::waiting));
    BOOST_TEST((on.state(two) == task_state::waiting));
    BOOST_TEST((on.state(other) == task_state::failed));
    BOOST_TEST(on.run(on.seen.retry_group(q, group)).done == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_of_a_group_that_wait_for_their_next_attempt_are_cancelled, Backend, backends) {
    failing on(std::make_unique<Backend>());
    const auto key = on.add();
    on.fail(on.fetch_one(), "why", kind::retry, 1h);
    const auto all = on.groups();
    BOOST_REQUIRE(all.size() == 1U);
    BOOST_TEST(on.run(on.seen.retry_group(q, all[0].id)).done == 0U);  // it has not failed
    BOOST_TEST(on.run(on.seen.cancel_group(q, all[0].id)).done == 1U);
    BOOST_TEST((on.state(key) == task_state::cancelled));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_belongs_to_the_group_of_its_last_failure, Backend, backends) {
    failing on(std::make_unique<Backend>());
    const auto key = on.add();
    on.fail(on.fetch_one(), "first", kind::retry);
    const auto before = on.groups();
    BOOST_REQUIRE(before.size() == 1U);
    auto end = on.settled(on.fetch_one(), kind::fail, encode(failure{"refused", "", "second", "", ""}));
    end.mark.spec = on.task().spec;
    on.settle(end);
    const auto after = on.groups();
    BOOST_REQUIRE(after.size() == 2U);
    BOOST_TEST(on.run(on.seen.remove_group(q, before[0].id)).done == 0U);
    const auto& last = after[0].id == before[0].id ? after[1].id : after[0].id;
    BOOST_TEST(on.run(on.seen.remove_group(q, last)).done == 1U);
    BOOST_TEST(!on.exists(key));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_on_a_group_is_bounded_and_complete_when_repeated, Backend, backends) {
    failing on(std::make_unique<Backend>());
    constexpr std::size_t many = 1100;
    for (std::size_t left = many; left > 0;) {
        const auto some = (std::min)(left, std::size_t(100));
        on.add_many(some);
        std::vector<settlement> ends;
        for (const auto& one : on.fetch(w, some)) {
            auto end = on.settled(one, kind::fail, encode(failure{"task_failed", "", "why", "", ""}));
            end.mark.spec = one.spec;
            ends.push_back(std::move(end));
        }
        on.run(on.broker().settle(q, w, ends));  // within one second: told of together
        left -= some;
    }
    const auto all = on.groups();
    BOOST_REQUIRE(all.size() == 1U);
    BOOST_TEST(all[0].failed == many);
    const auto first = on.run(on.seen.remove_group(q, all[0].id));
    BOOST_TEST(first.done >= 1000U);
    BOOST_TEST(first.next != 0U);
    const auto second = on.run(on.seen.remove_group(q, all[0].id, first.next));
    BOOST_TEST(first.done + second.done == many);
    BOOST_TEST(second.next == 0U);
    BOOST_TEST(on.counts().failed == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_has_not_failed_in_the_end_is_not_removed_with_its_group, Backend, backends) {
    failing on(std::make_unique<Backend>());
    const auto good = on.add();
    on.fail(on.fetch_one(), "why", kind::retry);
    on.settle(on.fetch_one(), kind::complete);
    const auto live = on.add();
    on.fail(on.fetch_one(), "why", kind::retry, 1h);
    const auto cancelled = on.fail_one("why");
    on.requeue(cancelled);
    on.cancel(cancelled);
    const auto all = on.groups();
    BOOST_REQUIRE(all.size() == 1U);
    BOOST_TEST(on.run(on.seen.remove_group(q, all[0].id)).done == 0U);
    BOOST_TEST(on.run(on.seen.retry_group(q, all[0].id)).done == 0U);
    BOOST_TEST((on.state(good) == task_state::succeeded));
    BOOST_TEST((on.state(live) == task_state::scheduled));
    BOOST_TEST((on.state(cancelled) == task_state::cancelled));
    BOOST_TEST(on.run(on.seen.cancel_group(q, all[0].id)).done == 1U);
    BOOST_TEST((on.state(live) == task_state::cancelled));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_fails_again_after_a_retry_is_in_its_group_again_and_met_once_in_a_pass, Backend, backends) {
    failing on(std::make_unique<Backend>());
    std::vector<task_key> keys;
    for (int i = 0; i < 150; ++i) keys.push_back(on.fail_one("why"));  // more than one call acts on
    const auto all = on.groups();
    BOOST_REQUIRE(all.size() == 1U);
    auto some = on.run(on.broker().act_on_group(q, all[0].id, group_verb::retry, 0));
    BOOST_TEST(some.done == 100U);
    BOOST_TEST(some.next == keys[99].sequence);
    for (const auto& one : on.fetch(w, 100)) on.fail(one, "why");
    on.groups();
    some = on.run(on.broker().act_on_group(q, all[0].id, group_verb::retry, some.next));
    BOOST_TEST(some.done == 50U);
    BOOST_TEST(some.next == 0U);
    BOOST_TEST(on.run(on.seen.retry_group(q, all[0].id)).done == 100U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_two_failures_that_are_told_of_together_the_later_counts, Backend, backends) {
    failing on(std::make_unique<Backend>());
    const auto pass = [&](const std::string& first, const std::string& last) {
        const auto key = on.add();
        for (const auto* const code : {&first, &last}) {
            const auto run = on.fetch_one();
            auto end = on.settled(run, code == &last ? kind::fail : kind::retry, encode(failure{*code, "", "why", "", ""}));
            end.mark.spec = run.spec;
            on.settle(end);
        }
        return key;
    };
    const auto a = pass("refused", "unavailable"), b = pass("unavailable", "refused");
    for (const auto& one : on.groups()) {
        BOOST_TEST(one.failed == 1U);
        BOOST_TEST(one.retried == 1U);
        const auto before = on.state(a) == task_state::failed && on.state(b) == task_state::failed;
        BOOST_TEST(on.run(on.seen.retry_group(q, one.id)).done == 1U);
        const auto key = one.code == "refused" ? b : a;
        BOOST_TEST((on.state(key) == task_state::waiting));
        BOOST_TEST((!before || on.state(one.code == "refused" ? a : b) == task_state::failed));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(codes_and_types_are_cut, Backend, backends) {
    failing on(std::make_unique<Backend>());
    on.add();
    const auto run = on.fetch_one();
    auto end = on.settled(run, kind::fail, encode(failure{std::string(5000, 'c'), std::string(5000, 't'), "why", "", ""}));
    end.mark.spec = run.spec;
    on.settle(end);
    const auto all = on.groups();
    BOOST_REQUIRE(all.size() == 1U);
    BOOST_TEST(all[0].code == std::string(256, 'c'));
    BOOST_TEST(all[0].type == std::string(256, 't'));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(messages_that_differ_in_words_are_groups_of_their_own, Backend, backends) {
    failing on(std::make_unique<Backend>());
    on.fail_one("disk full");
    on.fail_one("no route");
    const auto all = on.groups();
    BOOST_TEST(all.size() == (on.can_read_messages() ? 2U : 1U));  // by code and type alone
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_stalest_of_too_many_groups_goes, Backend, backends) {
    failing on(std::make_unique<Backend>());
    on.fail_one("the first");
    on.groups();
    on.pass(5s);
    for (int i = 0; i < 200; ++i) on.fail_one("why", "name " + std::to_string(i));
    on.groups();
    for (int i = 0; i < 10; ++i) on.let_work();  // each group is told of by itself
    const auto all = on.groups();
    BOOST_TEST(all.size() == 200U);
    for (const auto& one : all) BOOST_TEST(one.task != "work");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
