#include <conformance/fixture.hpp>
#include <taskflux/broker/broker/server_trouble.hpp>
#include <taskflux/flow/client.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <ranges>
#include <set>
#include <string>
#include <typeinfo>

namespace taskflux::conformance {

BOOST_AUTO_TEST_SUITE(conformance_submission)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_submitted_task_is_kept_as_it_was_given, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    auto task = on.task();
    task_spec spec{"resize", 7, {}, {{"traceparent", "00-1"}}};
    task.spec = std::make_shared<const task_spec>(spec);
    task.payload = std::string("{\"a\":\0 1}", 9);
    task.own_id = "mine/1 ü";
    const auto key = on.add(task);

    const auto record = on.record(key);
    BOOST_TEST(to_string(record.id) == "q:" + to_string(key));
    BOOST_TEST(record.own_id == task.own_id);
    BOOST_TEST(record.name == "resize");
    BOOST_TEST(record.state == task_state::waiting);
    BOOST_TEST(record.priority == 7);
    BOOST_TEST((record.headers == spec.headers));
    BOOST_TEST(record.payload == task.payload);
    BOOST_TEST(record.attempts == 0U);
    BOOST_TEST(record.deliveries == 0U);
    BOOST_TEST(record.crashes == 0U);
    BOOST_TEST((record.result + record.error + record.progress + record.consumer).empty());
    BOOST_TEST((record.submitted_at > time_point{}));
    BOOST_TEST((record.started_at == time_point{} && record.ended_at == time_point{}));
    BOOST_TEST(!record.cancel_requested);
    BOOST_TEST(!record.unclaimed);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_delivery_carries_what_was_submitted, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    auto task = on.task("resize", -5, run_policy{.timeout = 7s, .crash_limit = 9});
    task.payload = "[1,2]";
    task.own_id = "mine";
    const auto key = on.add(task);
    on.join();
    on.advance(5s);
    const auto got = on.fetch_one();
    BOOST_TEST(got.key == key);
    BOOST_TEST(got.queue == 0U);
    BOOST_TEST(got.attempt == 1U);
    BOOST_TEST(got.spec->name == "resize");
    BOOST_TEST(got.spec->priority == -5);
    BOOST_TEST((got.spec->policy == task.spec->policy));
    BOOST_TEST(got.payload == "[1,2]");
    BOOST_TEST(got.own_id == "mine");
    BOOST_TEST(((got.started_at - got.submitted_at) == 5s));
    BOOST_TEST((got.first_started_at == got.started_at));
    BOOST_TEST((on.record(key).started_at == got.started_at));
    BOOST_TEST(on.record(key).consumer == w);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(each_of_many_that_were_submitted_together_is_delivered_as_one_alone_would_be, Backend, backends) {
    for (const std::size_t count : {1U, 9U}) {
        fixture on(std::make_unique<Backend>());
        auto task = on.task("resize", -5, run_policy{.retry = retry_policy::fixed(1s).attempts(3).total_time(1min), .timeout = 7s});
        std::vector<new_task> tasks(count, task);
        for (std::size_t i = 0; i < count; ++i) tasks[i].payload = std::to_string(i);
        const auto stored = on.run(on.broker().submit(q, std::move(tasks)));
        on.join();
        on.advance(5s);
        const auto got = on.fetch(w, count);
        BOOST_REQUIRE_EQUAL(got.size(), count);
        for (std::size_t i = 0; i < count; ++i) {
            BOOST_TEST_CONTEXT(i << " of " << count) {
                BOOST_TEST(got[i].key == stored[i].key);
                BOOST_TEST(got[i].queue == 0U);
                BOOST_TEST(got[i].attempt == 1U);
                BOOST_TEST(got[i].spec->name == "resize");
                BOOST_TEST(got[i].spec->priority == -5);
                BOOST_TEST((got[i].spec->policy == task.spec->policy));
                BOOST_TEST(got[i].payload == std::to_string(i));
                BOOST_TEST(got[i].own_id.empty());
                BOOST_TEST(((got[i].started_at - got[i].submitted_at) == 5s));
                BOOST_TEST((got[i].first_started_at == got[i].started_at));
                BOOST_TEST((got[i].deadline_at == never));
                const auto record = on.record(stored[i].key);
                BOOST_TEST((record.submitted_at == got[i].submitted_at));
                BOOST_TEST((record.started_at == got[i].started_at));
                BOOST_TEST(record.deliveries == 1U);
                BOOST_TEST(record.consumer == w);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(keys_grow_and_are_never_given_twice, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    std::vector<task_key> keys;
    for (int i = 0; i < 20; ++i) {
        for (const auto key : on.add_many(std::size_t(i))) keys.push_back(key);
        if (i == 10) on.run(on.broker().clear(q, std::nullopt, 1000));
    }
    BOOST_TEST(std::ranges::is_sorted(keys));
    BOOST_TEST((std::ranges::adjacent_find(keys) == keys.end()));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(ten_thousand_tasks_go_in_and_out_in_one_batch, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto keys = on.add_many(10'000);
    BOOST_TEST(on.counts().waiting == 10'000U);
    on.join();
    std::vector<delivery> found;
    while (found.size() < keys.size()) {
        const auto some = on.fetch(w, 10'000);
        BOOST_REQUIRE(!some.empty());
        found.insert(found.end(), some.begin(), some.end());
    }
    BOOST_TEST((keys_of(found) == keys));
    BOOST_TEST(on.counts().running == 10'000U);
    std::vector<settlement> ends;
    for (const auto& one : found) ends.push_back(on.settled(one, kind::complete, to_string(one.key)));
    const auto effects = on.run(on.broker().settle(q, w, ends));
    BOOST_TEST(std::ranges::count(effects, effect::done) == 10'000);
    BOOST_TEST(on.counts().succeeded == 10'000U);
    BOOST_TEST(on.record(keys[4321]).result == to_string(keys[4321]));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_empty_batch_is_no_submission, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    BOOST_TEST(on.run(on.broker().submit(q, {})).empty());
    BOOST_TEST(on.run(on.broker().queues()).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_own_id_that_is_there_already_gives_the_first_task, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    auto task = on.task();
    task.own_id = "mine";
    task.payload = "first";
    const auto key = on.add(task);
    task.payload = "second";
    const auto again = on.submit(task);
    BOOST_TEST(again.duplicate);
    BOOST_TEST(again.key == key);
    BOOST_TEST(on.record(key).payload == "first");
    BOOST_TEST(on.counts().waiting == 1U);
    BOOST_TEST(!on.submit(task, "other").duplicate);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_own_id_is_taken_for_as_long_as_the_record_is_kept, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    auto task = on.task(run_policy{.retention = 10s});
    task.own_id = "mine";
    const auto key = on.add(task);
    const auto got = on.fetch_one();
    BOOST_TEST(on.submit(task).duplicate);
    on.settle(got, kind::complete);
    on.advance(9s);
    BOOST_TEST(on.submit(task).duplicate);
    on.advance(1s);
    const auto fresh = on.submit(task);
    BOOST_TEST(!fresh.duplicate);
    BOOST_TEST((fresh.key != key));
    BOOST_TEST(on.remove(fresh.key) == effect::done);
    BOOST_TEST(!on.submit(task).duplicate);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_batch_may_hold_fresh_tasks_and_duplicates_of_each_other, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    std::vector<new_task> batch(5, on.task());
    batch[1].own_id = batch[3].own_id = "same";
    batch[2].unique_key = batch[4].unique_key = "same";
    const auto answers = on.run(on.broker().submit(q, batch));
    BOOST_REQUIRE(answers.size() == 5U);
    BOOST_TEST((!answers[0].duplicate && !answers[1].duplicate && !answers[2].duplicate));
    BOOST_TEST((answers[3].duplicate && answers[4].duplicate));
    BOOST_TEST(answers[3].key == answers[1].key);
    BOOST_TEST(answers[4].key == answers[2].key);
    BOOST_TEST(on.counts().waiting == 3U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(find_gives_the_key_of_an_own_id, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    auto task = on.task();
    task.own_id = "mine";
    const auto key = on.add(task);
    BOOST_TEST((on.run(on.broker().find(q, "mine")) == key));
    BOOST_TEST(!on.run(on.broker().find(q, "theirs")).has_value());
    BOOST_TEST(!on.run(on.broker().find(q, "")).has_value());
    BOOST_TEST(!on.run(on.broker().find("other", "mine")).has_value());
    on.remove(key);
    BOOST_TEST(!on.run(on.broker().find(q, "mine")).has_value());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_unique_key_has_one_holder_until_it_has_ended, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    auto task = on.task();
    task.unique_key = "daily";
    const auto key = on.add(task);
    BOOST_TEST(on.submit(task).key == key);
    const auto first = on.fetch_one();
    BOOST_TEST(on.submit(task).duplicate);
    auto later = on.settled(first, kind::retry, "{}", 5s);
    on.settle(later);
    BOOST_TEST(on.submit(task).duplicate);
    on.advance(5s);
    on.settle(on.fetch_one(), kind::complete);
    BOOST_TEST(!on.submit(task).duplicate);
    BOOST_TEST(!on.submit(task, "other").duplicate);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_end_of_a_task_frees_its_unique_key, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    auto task = on.task(run_policy{.expires_in = 10s, .crash_limit = 1});
    task.unique_key = "k";
    on.add(task);
    on.settle(on.fetch_one(), kind::fail);
    on.cancel(on.add(task));
    on.remove(on.add(task));
    on.add(task);
    on.run(on.broker().clear(q, task_state::waiting, 10));
    on.add(task);
    on.advance(10s);  // expires
    on.add(task);
    on.fetch_one();
    on.advance(on.lease);  // crashes
    on.add(task);
    BOOST_TEST(on.counts().failed == 2U);
    BOOST_TEST(on.counts().expired == 1U);
    BOOST_TEST(on.counts().waiting == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_requeued_task_takes_its_unique_key_back_unless_it_is_taken, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    auto task = on.task();
    task.unique_key = "k";
    const auto first = on.add(task);
    on.cancel(first);
    const auto second = on.add(task);
    BOOST_TEST(on.requeue(first) == effect::wrong_state);
    BOOST_TEST(on.state(first) == task_state::cancelled);
    on.cancel(second);
    BOOST_TEST(on.requeue(first) == effect::done);
    BOOST_TEST(on.submit(task).key == first);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(whoever_made_it_the_printed_id_of_a_task_names_it_in_every_call, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    auto own = on.task(), unique = on.task();
    own.own_id = "mine";
    unique.unique_key = "key";
    // New ones and duplicates of them, in one call and in the next.
    const std::vector<new_task> all{on.task(), own, unique, own, unique};
    auto stored = on.run(on.broker().submit(q, all));
    for (const auto& one : on.run(on.broker().submit(q, {own, unique}))) stored.push_back(one);
    BOOST_REQUIRE_EQUAL(stored.size(), 7U);
    for (const std::size_t i : {3U, 5U}) BOOST_TEST(stored[i].key == stored[1].key);
    for (const std::size_t i : {4U, 6U}) BOOST_TEST(stored[i].key == stored[2].key);
    for (const auto& one : stored) {
        const auto text = to_string(task_id{q, one.key});
        const auto id = parse_task_id(text);
        BOOST_TEST((to_string(id) == text));
        BOOST_TEST(on.run(on.broker().get(id)).has_value());
        BOOST_TEST(!on.run(on.broker().wait(id, 0ms)).has_value());
        BOOST_TEST(on.update(id.key, "2") == effect::done);
        BOOST_TEST(on.run(on.broker().signal(id, "s", "1")) == effect::done);
    }
    for (const auto& one : stored) BOOST_TEST(on.cancel(one.key) != effect::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(names_and_tasks_out_of_bounds_are_refused, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto invalid = make_error_code(errc::invalid_argument);
    for (const auto& name : {std::string(), std::string("with space"), std::string("a:b"), std::string(129, 'a')}) {
        BOOST_TEST(on.error_of(on.broker().submit(name, {on.task()})) == invalid);
        BOOST_TEST(on.error_of(on.broker().join(w, {name}, 1s)) == invalid);
        BOOST_TEST(on.error_of(on.broker().pause(name)) == invalid);
        BOOST_TEST(on.error_of(on.broker().resume(name)) == invalid);
    }
    BOOST_TEST(on.error_of(on.broker().submit(q, {new_task()})) == invalid);  // no specification
    auto task = on.task();
    for (const auto* id : {"~1.1", "q:~1.1", "storm:~0.0"}) {
        task.own_id = id;
        BOOST_TEST(on.error_of(on.broker().submit(q, {on.task(), task})) == invalid);
    }
    task.own_id = std::string(1025, 'x');
    BOOST_TEST(on.error_of(on.broker().submit(q, {on.task(), task})) == invalid);
    BOOST_TEST(on.counts().waiting == 0U);  // all or none
    BOOST_TEST(on.run(on.broker().queues()).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(with_one_payload_among_many_that_is_too_large_nothing_is_stored, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const client caller(on.shared());
    static constexpr task<void(std::string)> work{"work", task_options().queue("q")};
    const auto payloads = [](int last) {
        return std::views::iota(0, last + 1) | std::views::transform([last](int i) {
                   return i == last ? std::string(64 << 20, 'x') : std::string("small");
               });
    };
    for (const int last : {0, 10, 2500}) {
        BOOST_TEST(on.error_of(caller.submit_all(work, payloads(last))) == errc::too_large, last);
        BOOST_TEST(on.counts().waiting == 0U, last);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_submission_of_many_that_fails_on_its_way_says_how_many_are_stored, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    using answers = std::vector<submitted>;
    const auto told = [&](auto failure, std::size_t stored) {  // as an error of the same type
        const auto fails = [](auto what) -> asio::awaitable<answers> {
            co_await asio::this_coro::executor;
            throw what;
        };
        try {
            on.run(detail::after_others(fails(failure), stored, 3000));
        } catch (const boost::system::system_error& e) {
            BOOST_TEST((typeid(e) == typeid(failure)));
            BOOST_TEST((e.code() == failure.code()));
            return std::string(e.what());
        }
        return std::string();
    };
    const error full(errc::queue_full, "no room");
    const detail::server_trouble trouble(full);
    const boost::system::system_error cancelled(asio::error::operation_aborted);
    const std::string so_far = "of the 3000 tasks the first 2000 are stored";
    BOOST_TEST(told(full, 0) == "no room");
    BOOST_TEST(told(full, 2000) == "no room; " + so_far);
    BOOST_TEST(told(trouble, 0) == "no room");
    BOOST_TEST(told(trouble, 2000) == "no room; " + so_far);
    BOOST_TEST(told(cancelled, 0) == cancelled.what());
    BOOST_TEST(told(cancelled, 2000).starts_with(so_far + ": "));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
