#include <conformance/workflow_site.hpp>
#include <taskflux/admin/inspector.hpp>
#include <taskflux/broker/broker/carrying.hpp>
#include <taskflux/clock.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::conformance {

namespace conformance_operations {

struct operating : fixture {
    explicit operating(std::unique_ptr<backend> on) : fixture(std::move(on)), seen(shared()) { join(w); }

    operation begin(bulk_verb verb, const std::string& filter, const operation_options& options = operation_options()) {
        auto wanted = parse_search(filter, broker().clock().now());
        if (wanted.queue.empty()) wanted.queue = q;
        return run(seen.begin_operation(verb, wanted, options));
    }

    /// Begins it, and carries it on to its end.
    operation act(bulk_verb verb, const std::string& filter, const operation_options& options = operation_options()) {
        return run(seen.run_operation(q, begin(verb, filter, options).id));
    }

    operation step(const operation& of) { return run(detail::carry_on(shared(), of, "me")); }
    operation now(const operation& of) { return run(seen.operation_of(q, of.id)); }

    std::vector<task_key> fail_many(std::size_t count) {
        add_many(count);
        std::vector<task_key> keys;
        while (keys.size() < count) {
            std::vector<settlement> ends;
            for (const auto& one : fetch(w, 100)) {
                ends.push_back(settled(one, kind::fail, R"({"code":"task_failed","type":"","message":"why","pointer":"","expected":""})"));
                keys.push_back(one.key);
            }
            run(broker().settle(q, w, ends));
        }
        return keys;
    }

    inspector seen;
};

operation_options counting() {
    operation_options made;
    made.dry_run();
    return made;
}

}  // namespace conformance_operations

BOOST_AUTO_TEST_SUITE(conformance_operations)

BOOST_AUTO_TEST_CASE_TEMPLATE(an_operation_is_done_to_all_that_match_and_says_how_many, Backend, backends) {
    operating on(std::make_unique<Backend>());
    const auto failed = on.fail_many(250);
    const auto other = on.add(on.task("other"));
    operation_options options;
    options.by("ann").reason("the provider is back");
    const auto begun = on.begin(bulk_verb::retry, "state:failed", options);
    BOOST_TEST((begun.state == operation_state::running));
    BOOST_TEST(begun.by == "ann");
    BOOST_TEST(begun.reason == "the provider is back");
    BOOST_TEST(begun.filter == "queue:q state:failed");
    BOOST_TEST((begun.verb == bulk_verb::retry));
    BOOST_TEST(begun.looked_at == 0U);
    BOOST_TEST(on.counts().failed == 250U);
    const auto ended = on.run(on.seen.run_operation(q, begun.id));
    BOOST_TEST((ended.state == operation_state::done));
    BOOST_TEST(ended.matched == 250U);
    BOOST_TEST(ended.done == 250U);
    BOOST_TEST(ended.refused == 0U);
    BOOST_TEST(ended.looked_at == 251U);
    BOOST_TEST((ended.ended_at >= ended.began_at));
    BOOST_TEST((ended.began_at == begun.began_at));
    BOOST_TEST(on.counts().failed == 0U);
    BOOST_TEST(on.counts().waiting == 251U);
    BOOST_TEST(on.record(failed[0]).attempts == 0U);
    BOOST_TEST(on.record(other).attempts == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_verb_does_what_it_says, Backend, backends) {
    operating on(std::make_unique<Backend>());
    const auto failed = on.fail_many(1)[0];
    auto later = on.task();
    later.delay = 1h;
    const auto due = on.add(std::move(later));
    const auto waits = on.add(), runs = on.add();
    BOOST_REQUIRE(on.fetch_one().key == waits);
    BOOST_TEST(on.act(bulk_verb::promote, "").done == 1U);
    BOOST_TEST((on.state(due) == task_state::waiting));
    const auto cancelled = on.act(bulk_verb::cancel, "");
    BOOST_TEST(cancelled.matched == 4U);
    BOOST_TEST(cancelled.done == 3U);
    BOOST_TEST(cancelled.refused == 1U);
    BOOST_TEST((on.state(runs) == task_state::cancelled));
    BOOST_TEST(on.record(waits).cancel_requested);
    const auto retried = on.act(bulk_verb::retry, "state:cancelled,failed");
    BOOST_TEST(retried.done == 3U);
    BOOST_TEST((on.state(failed) == task_state::waiting));
    const auto removed = on.act(bulk_verb::remove, "");
    BOOST_TEST(removed.done == 3U);
    BOOST_TEST(removed.refused == 1U);
    BOOST_TEST(!on.exists(failed));
    BOOST_TEST(on.exists(waits));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_dry_run_counts_and_changes_nothing, Backend, backends) {
    operating on(std::make_unique<Backend>());
    on.add_many(130);
    on.fetch(w, 20);
    const auto told = on.act(bulk_verb::remove, "", counting());
    BOOST_TEST(told.dry_run);
    BOOST_TEST((told.state == operation_state::done));
    BOOST_TEST(told.matched == 130U);
    BOOST_TEST(told.done == 110U);
    BOOST_TEST(told.refused == 20U);
    BOOST_TEST(on.counts().waiting == 110U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_operation_goes_on_where_another_process_has_left_it, Backend, backends) {
    operating on(std::make_unique<Backend>());
    on.fail_many(250);
    const auto begun = on.begin(bulk_verb::retry, "state:failed");
    const auto first = on.step(begun);
    BOOST_TEST((first.state == operation_state::running));
    BOOST_TEST(first.done == 100U);
    BOOST_TEST(on.counts().waiting == 100U);
    const inspector another(on.shared());
    const auto ended = on.run(another.run_operation(q, begun.id));
    BOOST_TEST(ended.done == 250U);
    BOOST_TEST(ended.looked_at == 250U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_step_that_somebody_else_has_made_is_not_made_again, Backend, backends) {
    operating on(std::make_unique<Backend>());
    on.fail_many(250);
    const auto begun = on.begin(bulk_verb::retry, "state:failed");
    const auto first = on.step(begun);
    const auto again = on.step(begun);  // from where it was at the beginning
    BOOST_TEST(again.next == first.next);
    BOOST_TEST(again.matched == 100U);
    BOOST_TEST(again.looked_at == first.looked_at);
    operation_step wrong;
    wrong.from = first.next + 1;
    wrong.next = 0;
    BOOST_TEST((on.run(on.broker().step_operation(q, begun.id, wrong)).state == operation_state::running));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_changes_between_being_found_and_the_step_is_left_alone, Backend, backends) {
    operating on(std::make_unique<Backend>());
    const auto keys = on.fail_many(3);
    const auto begun = on.begin(bulk_verb::remove, "state:failed");
    operation_step step;
    step.from = begun.next;
    step.looked_at = 3;
    for (const auto& key : keys) step.tasks.push_back({key, task_state::failed});
    step.tasks.push_back({task_key{keys[0].sequence, keys[0].nonce + 1}, task_state::failed});  // of another life
    on.requeue(keys[1]);
    const auto ended = on.run(on.broker().step_operation(q, begun.id, step));
    BOOST_TEST((ended.state == operation_state::done));
    BOOST_TEST(ended.done == 2U);
    BOOST_TEST(ended.refused == 2U);
    BOOST_TEST(on.exists(keys[1]));
    BOOST_TEST(!on.exists(keys[0]));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_that_come_after_the_beginning_are_not_met, Backend, backends) {
    operating on(std::make_unique<Backend>());
    on.add_many(150);
    const auto begun = on.begin(bulk_verb::cancel, "");
    on.add_many(50);
    const auto ended = on.run(on.seen.run_operation(q, begun.id));
    BOOST_TEST(ended.done == 150U);
    BOOST_TEST(on.counts().waiting == 50U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_fails_again_at_once_is_not_met_twice, Backend, backends) {
    operating on(std::make_unique<Backend>());
    on.fail_many(250);
    auto of = on.begin(bulk_verb::retry, "state:failed");
    std::size_t steps = 0;
    while (of.state == operation_state::running) {
        of = on.step(of);
        std::vector<settlement> ends;
        for (const auto& one : on.fetch(w, 100)) ends.push_back(on.settled(one, kind::fail, "{}"));
        on.run(on.broker().settle(q, w, ends));
        BOOST_REQUIRE(++steps < 100U);
    }
    BOOST_TEST(of.done == 250U);
    BOOST_TEST(on.counts().failed == 250U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_operation_can_be_stopped, Backend, backends) {
    operating on(std::make_unique<Backend>());
    on.add_many(250);
    const auto begun = on.begin(bulk_verb::cancel, "");
    on.step(begun);
    const auto stopped = on.run(on.seen.stop_operation(q, begun.id));
    BOOST_TEST((stopped.state == operation_state::stopped));
    BOOST_TEST(stopped.done == 100U);
    BOOST_TEST((stopped.ended_at >= stopped.began_at));
    BOOST_TEST((on.run(on.seen.run_operation(q, begun.id)).state == operation_state::stopped));
    BOOST_TEST((on.step(stopped).state == operation_state::stopped));
    BOOST_TEST(on.counts().cancelled == 100U);
    BOOST_TEST((on.error_of(on.seen.stop_operation(q, "none")) == errc::not_found));
    BOOST_TEST((on.error_of(on.seen.run_operation(q, "none")) == errc::not_found));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(payloads_and_errors_choose_tasks_too, Backend, backends) {
    operating on(std::make_unique<Backend>());
    std::vector<task_key> keys;
    for (int i = 0; i < 40; ++i) {
        auto one = on.task();
        one.payload = "{\"n\":" + std::to_string(i % 4) + "}";
        keys.push_back(on.add(std::move(one)));
    }
    const auto ended = on.act(bulk_verb::cancel, "payload.n:3");
    BOOST_TEST(ended.matched == 10U);
    BOOST_TEST(ended.looked_at == 40U);
    BOOST_TEST((on.state(keys[3]) == task_state::cancelled));
    BOOST_TEST((on.state(keys[4]) == task_state::waiting));
    BOOST_TEST(ended.filter == "queue:q payload.n:3");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_operation_that_is_begun_again_is_the_same_one, Backend, backends) {
    operating on(std::make_unique<Backend>());
    on.add_many(3);
    operation_options options;
    options.id("once");
    const auto begun = on.act(bulk_verb::cancel, "", options);
    on.add_many(3);
    const auto again = on.begin(bulk_verb::cancel, "", options);
    BOOST_TEST((again.state == operation_state::done));
    BOOST_TEST(again.done == 3U);
    BOOST_TEST((again.began_at == begun.began_at));
    BOOST_TEST(on.run(on.seen.operations(q)).size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_worker_of_the_queue_carries_on_what_nobody_else_does, Backend, backends) {
    operating on(std::make_unique<Backend>());
    on.fail_many(250);
    const auto begun = on.begin(bulk_verb::remove, "state:failed");
    const auto half = on.step(begun);  // and then its process dies
    BOOST_TEST((half.state == operation_state::running));
    site workers(on);
    workers.begin();
    auto of = half;
    for (int i = 0; i < 100 && of.state == operation_state::running; ++i) {
        on.pass(10s);
        of = on.now(half);
    }
    BOOST_TEST((of.state == operation_state::done));
    BOOST_TEST(of.done == 250U);
    BOOST_TEST(of.looked_at == 250U);
    BOOST_TEST(of.carrier != "me");
    BOOST_TEST(on.counts().failed == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(operations_are_listed_the_last_first_and_old_ones_go, Backend, backends) {
    operating on(std::make_unique<Backend>());
    on.add();
    const auto first = on.act(bulk_verb::promote, "");
    std::vector<std::string> ids;
    for (int i = 0; i < 50; ++i) {
        on.advance(1s);
        on.join();
        ids.push_back(on.act(bulk_verb::promote, "").id);
    }
    const auto all = on.run(on.seen.operations());
    BOOST_REQUIRE(all.size() == 50U);
    BOOST_TEST(all.front().id == ids.back());
    BOOST_TEST(all.front().queue == q);
    BOOST_TEST((on.error_of(on.seen.operation_of(q, first.id)) == errc::not_found));
    BOOST_TEST(on.run(on.seen.operations("other")).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(no_more_than_twenty_are_under_way, Backend, backends) {
    operating on(std::make_unique<Backend>());
    on.add();
    std::vector<operation> begun;
    for (int i = 0; i < 20; ++i) begun.push_back(on.begin(bulk_verb::promote, ""));
    search_filter filter;
    filter.queue = q;
    BOOST_TEST((on.error_of(on.seen.begin_operation(bulk_verb::promote, filter)) == errc::queue_full));
    on.run(on.seen.stop_operation(q, begun[0].id));
    BOOST_TEST((on.begin(bulk_verb::promote, "").state == operation_state::running));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_queue_that_has_never_had_a_task_takes_no_operation_and_is_not_made, Backend, backends) {
    operating on(std::make_unique<Backend>());
    search_filter filter;
    for (const std::string name : {"mial", "q"}) {
        filter.queue = name;
        BOOST_TEST((on.error_of(on.seen.begin_operation(bulk_verb::cancel, filter, counting())) == errc::not_found), name);
        BOOST_TEST(on.run(on.seen.operations(name)).empty());
    }
    const auto queues = on.run(on.broker().queues());
    BOOST_TEST((std::ranges::find(queues, "mial") == queues.end()));
    on.remove(on.add());
    const auto begun = on.act(bulk_verb::cancel, "");  // it has had one
    BOOST_TEST((begun.state == operation_state::done));
    BOOST_TEST(begun.matched == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_id_is_that_of_one_operation, Backend, backends) {
    operating on(std::make_unique<Backend>());
    on.add_many(3);
    operation_options options;
    options.id("once");
    const auto counted = on.act(bulk_verb::cancel, "", operation_options(options).dry_run());
    BOOST_TEST(counted.done == 3U);
    search_filter filter;
    filter.queue = q;
    const auto refused = [&](bulk_verb verb, const operation_options& with) {
        return on.error_of(on.seen.begin_operation(verb, filter, with)) == errc::invalid_argument;
    };
    BOOST_TEST(refused(bulk_verb::cancel, options));  // that would say that it is done
    options.dry_run();
    BOOST_TEST(refused(bulk_verb::remove, options));
    BOOST_TEST(!refused(bulk_verb::cancel, options));
    filter.task = "other";
    BOOST_TEST(refused(bulk_verb::cancel, options));
    BOOST_TEST(on.counts().waiting == 3U);
    BOOST_TEST(on.run(on.seen.operations(q)).size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_two_that_carry_an_operation_on_one_makes_way, Backend, backends) {
    operating on(std::make_unique<Backend>());
    on.fail_many(450);
    const auto begun = on.begin(bulk_verb::remove, "state:failed");
    auto one = on.fixture::begin(on.seen.run_operation(q, begun.id));
    auto other = on.fixture::begin(on.seen.run_operation(q, begun.id));
    for (int i = 0; i < 100 && !(one.done() && other.done()); ++i) on.pass(1s);
    BOOST_REQUIRE((one.done() && other.done()));
    const auto ended = one.get();
    BOOST_TEST((ended.state == operation_state::done));
    BOOST_TEST(ended.done == 450U);
    BOOST_TEST(ended.matched == 450U);
    BOOST_TEST(ended.carrier == other.get().carrier);
}

BOOST_AUTO_TEST_CASE(a_carrier_pauses_as_long_as_its_step_took_and_longer_for_another_one) {
    operation of;
    of.carrier = "me";
    BOOST_TEST((detail::pause_of_carrier(of, "me", 8ms) == 8ms));
    BOOST_TEST((detail::pause_of_carrier(of, "me", -1h) == 0ms));
    BOOST_TEST((detail::pause_of_carrier(of, "me", 1h) == 1s));
    BOOST_TEST((detail::pause_of_carrier(of, "you", 8ms) == 500ms));
    of.state = operation_state::done;
    BOOST_TEST((detail::pause_of_carrier(of, "me", 8ms) == 0ms));
    BOOST_TEST((detail::pause_of_carrier(of, "you", 8ms) == 0ms));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_filter_that_can_not_be_carried_on_is_refused, Backend, backends) {
    operating on(std::make_unique<Backend>());
    const auto refused = [&](const search_filter& filter) {
        return on.error_of(on.seen.begin_operation(bulk_verb::cancel, filter)) == errc::invalid_argument;
    };
    search_filter filter;
    BOOST_TEST(refused(filter));
    filter.queue = q;
    filter.id = "one";
    BOOST_TEST(refused(filter));
    filter.id.clear();
    filter.payload.push_back({"a:b", "1"});
    BOOST_TEST(refused(filter));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
