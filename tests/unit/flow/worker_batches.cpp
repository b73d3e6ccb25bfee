#include "fixture.hpp"

#include <taskflux/core/task/failure.hpp>
#include <taskflux/flow/batch.hpp>
#include <taskflux/flow/worker.hpp>
#include <taskflux/testing.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

using namespace test::flow;
using taskflux::batch_item;
using taskflux::batch_options;
using numbers = std::vector<int>;

namespace flow_worker_batches {

inline constexpr taskflux::task<int(int)> tried_twice{"tried_twice", task_options().retry(retry_policy::fixed(1s).attempts(2))};
inline constexpr taskflux::task<int(int)> in_time{"in_time", task_options().timeout(10s)};

/// A worker whose batches are seen, and wait at a gate if it is not opened.
struct batch_fixture : fixture {
    gate closed{here};
    std::vector<numbers> batches;
    std::optional<worker> w;
    std::shared_ptr<coroutine_end<void>> life;

    batch_fixture() { closed.open(); }

    worker& make(const worker_options& wanted) { return w.emplace(broker, wanted); }
    worker& make() { return make(options()); }
    void begin() { life = start(w->run()); }

    numbers seen(std::span<batch_item<int>> items) {
        numbers all;
        for (const auto& item : items) all.push_back(item.payload());
        batches.push_back(all);
        return all;
    }

    static asio::awaitable<numbers> doubled(batch_fixture& self, std::span<batch_item<int>> items) {
        auto all = self.seen(items);
        co_await self.closed.pass();
        for (auto& x : all) x *= 2;
        co_return all;
    }

    auto doubling() {
        return [this](std::span<batch_item<int>> items) { return doubled(*this, items); };
    }

    std::vector<job<int>> submit(const taskflux::task<int(int)>& which, const numbers& payloads) {
        auto jobs = now(client.submit_all(which, payloads));
        settle();
        return jobs;
    }

    task_state state(const job<int>& of) { return now(of.status()); }

    template <class R>
    taskflux::failure why(const job<R>& of) {
        return taskflux::detail::read_failure(now(of.record()).error);
    }
};

numbers range(int first, int count) {
    numbers all;
    for (int i = 0; i != count; ++i) all.push_back(first + i);
    return all;
}

}  // namespace flow_worker_batches

BOOST_FIXTURE_TEST_SUITE(flow_worker_batches, batch_fixture)

BOOST_AUTO_TEST_CASE(a_batch_takes_what_is_there_and_one_slot_and_gives_each_item_its_result) {
    make(options().concurrency(1)).on_batch(twice, batch_options{}.max(10), doubling());
    const auto jobs = submit(twice, range(0, 25));
    begin();
    BOOST_TEST(batches.size() == 3U);
    BOOST_TEST(batches.at(0) == range(0, 10));
    BOOST_TEST(batches.at(1) == range(10, 10));
    BOOST_TEST(batches.at(2) == range(20, 5));
    for (int i = 0; i != 25; ++i) BOOST_TEST(now(jobs.at(static_cast<std::size_t>(i)).result()) == 2 * i);
}

BOOST_AUTO_TEST_CASE(beside_other_tasks_a_batch_is_filled_with_its_own_and_no_slot_more_is_taken) {
    closed = gate(here);
    int ticks = 0;
    make(options().concurrency(2)).on_batch(twice, batch_options{}.max(5), doubling());
    w->on(note, [&](int) {
        ++ticks;
        return closed.pass();
    });
    now(client.submit(twice, 0));
    const auto notes = now(client.submit_all(note, range(0, 3)));
    submit(twice, range(1, 9));
    begin();
    BOOST_TEST(batches.size() == 1U);
    BOOST_TEST(batches.at(0) == range(0, 5));
    BOOST_TEST(ticks == 1);
    BOOST_TEST(counts().running == 6U);
    closed.open();
    settle();
    BOOST_TEST(ticks == 3);
    BOOST_TEST(counts().succeeded == 13U);
    for (const auto& each : notes) BOOST_TEST(now(each.record()).crashes == 0U);
}

BOOST_AUTO_TEST_CASE(a_plain_function_may_take_a_batch_and_return_nothing_for_void) {
    make().on_batch(note, batch_options{}.max(4), [&](std::span<batch_item<int>> items) { seen(items); });
    w->on_batch(tick, batch_options{}, [&](std::span<batch_item<void>> items) { batches.push_back(numbers(items.size(), -1)); });
    now(client.submit_all(note, range(0, 4)));
    const auto ticked = now(client.submit(tick));
    begin();
    BOOST_TEST(counts().succeeded == 5U);
    BOOST_TEST(batches.size() == 2U);
    now(ticked.result());
}

BOOST_AUTO_TEST_CASE(an_item_that_is_failed_alone_is_tried_again_alone) {
    std::map<int, std::vector<unsigned>> attempts;
    make().on_batch(tried_twice, batch_options{}, [&](std::span<batch_item<int>> items) {
        for (const auto& item : items) {
            attempts[item.payload()].push_back(item.attempt());
            if (item.payload() == 1) item.fail("no luck");
            if (item.payload() == 2) item.fail(taskflux::discard("never"));
            if (item.payload() == 3 && batches.empty()) item.fail(taskflux::retry_after(1s));
            BOOST_TEST(item.has_failed() == (item.payload() == 1 || item.payload() == 2 || (item.payload() == 3 && batches.empty())));
        }
        return seen(items);
    });
    const auto jobs = submit(tried_twice, range(0, 4));
    begin();
    BOOST_TEST(now(jobs[0].result()) == 0);
    BOOST_TEST((state(jobs[1]) == task_state::scheduled));
    BOOST_TEST((state(jobs[2]) == task_state::failed));
    BOOST_TEST((state(jobs[3]) == task_state::scheduled));
    advance(1s);
    BOOST_TEST((state(jobs[1]) == task_state::failed));
    BOOST_TEST(why(jobs[1]).message == "no luck");
    BOOST_TEST(now(jobs[3].result()) == 3);
    BOOST_TEST((attempts[0] == std::vector<unsigned>{1}));
    BOOST_TEST((attempts[1] == std::vector<unsigned>{1, 2}));
    BOOST_TEST((attempts[2] == std::vector<unsigned>{1}));
    BOOST_TEST((attempts[3] == std::vector<unsigned>{1, 1}));
}

BOOST_AUTO_TEST_CASE(a_batch_that_is_tried_again_at_once_or_given_back_keeps_its_order) {
    for (const bool throttles : {false, true}) {
        batches.clear();
        w.reset();
        make().on_batch(twice, batch_options{}, [&](std::span<batch_item<int>> items) {
            auto all = seen(items);
            if (batches.size() == 1 && throttles) throw taskflux::throttled(1s);
            if (batches.size() == 1) throw taskflux::retry_after(0s);
            return all;
        });
        const auto jobs = submit(twice, range(0, 4));
        begin();
        settle();
        advance(1s);
        BOOST_REQUIRE_EQUAL(batches.size(), 2U);
        BOOST_TEST(batches[1] == range(0, 4), boost::test_tools::per_element());
        w->stop();
        settle();
        BOOST_TEST(life->done);
    }
}

BOOST_AUTO_TEST_CASE(an_exception_fails_those_that_have_not_been_failed_before) {
    make().on_batch(twice, batch_options{}, [](std::span<batch_item<int>> items) -> numbers {
        items[0].fail(std::runtime_error("its own"));
        throw std::runtime_error("that of all");
    });
    const auto jobs = submit(twice, range(0, 3));
    begin();
    BOOST_TEST(why(jobs[0]).message == "its own");
    BOOST_TEST(why(jobs[1]).message == "that of all");
    BOOST_TEST(why(jobs[2]).message == "that of all");
    BOOST_TEST(w->counts().failed == 3U);
}

BOOST_AUTO_TEST_CASE(a_wrong_number_of_results_fails_all_and_says_so) {
    make().on_batch(twice, batch_options{}, [](std::span<batch_item<int>>) { return numbers(2); });
    const auto jobs = submit(twice, range(0, 3));
    begin();
    for (const auto& each : jobs) {
        const auto message = why(each).message;
        BOOST_TEST(message.find("returned 2 results for 3 items") != message.npos);
    }
}

BOOST_AUTO_TEST_CASE(a_null_pointer_is_no_failure) {
    std::optional<boost::system::error_code> refused;
    make().on_batch(twice, batch_options{}, [&](std::span<batch_item<int>> items) {
        try {
            items[0].fail(std::exception_ptr());
        } catch (const taskflux::error& e) {
            refused = e.code();
        }
        return seen(items);
    });
    const auto jobs = submit(twice, {5});
    begin();
    BOOST_TEST((refused == make_error_code(errc::invalid_argument)));
    BOOST_TEST(now(jobs[0].result()) == 5);
}

BOOST_AUTO_TEST_CASE(a_payload_that_can_not_be_read_fails_by_itself_and_does_not_reach_the_handler) {
    const taskflux::task<std::string(std::string)> other{"twice"};
    make().on_batch(twice, batch_options{}, doubling());
    const auto good = now(client.submit(twice, 1));
    const auto bad = now(client.submit(other, "not a number"));
    begin();
    BOOST_TEST(batches.size() == 1U);
    BOOST_TEST(batches.at(0) == numbers{1});
    BOOST_TEST(now(good.result()) == 2);
    BOOST_TEST(why(bad).code == "bad_payload");
    BOOST_TEST(w->counts().succeeded == 1U);
    BOOST_TEST(w->counts().failed == 1U);
}

BOOST_AUTO_TEST_CASE(a_batch_lingers_for_more_items_from_its_first_one_on) {
    make(options().concurrency(1)).on_batch(twice, batch_options{}.max(10).linger(2s), doubling());
    begin();
    submit(twice, {1});
    advance(1s);
    submit(twice, {2});
    BOOST_TEST(batches.empty());
    advance(999ms);
    BOOST_TEST(batches.empty());
    advance(1ms);
    BOOST_TEST(batches.size() == 1U);
    BOOST_TEST(batches.at(0) == (numbers{1, 2}));
    BOOST_TEST(counts().succeeded == 2U);
}

BOOST_AUTO_TEST_CASE(a_batch_that_is_full_lingers_no_longer) {
    make(options().concurrency(1)).on_batch(twice, batch_options{}.max(2).linger(2s), doubling());
    begin();
    submit(twice, {1});
    submit(twice, {2});
    BOOST_TEST(batches.size() == 1U);
}

BOOST_AUTO_TEST_CASE(other_tasks_run_while_a_batch_lingers) {
    int notes = 0;
    make(options().concurrency(2)).on_batch(twice, batch_options{}.linger(5s), doubling());
    w->on(note, [&](int) { ++notes; });
    begin();
    submit(twice, {1});
    now(client.submit_all(note, range(0, 3)));
    settle();
    BOOST_TEST(notes == 3);
    BOOST_TEST(batches.empty());
}

BOOST_AUTO_TEST_CASE(a_batch_lingers_for_a_third_of_the_lease_at_most) {
    make(options().lease(30s)).on_batch(twice, batch_options{}.linger(1min), doubling());
    begin();
    submit(twice, {1});
    pass(9s, 1s);
    BOOST_TEST(batches.empty());
    advance(1s);
    BOOST_TEST(batches.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_batch_lingers_for_half_of_the_time_before_a_deadline_at_most) {
    make().on_batch(twice, batch_options{}.linger(9s), doubling());
    begin();
    const auto urgent = now(client.submit(twice, submit_options().deadline(4s), 1));
    settle();
    advance(1999ms);
    BOOST_TEST(batches.empty());
    advance(1ms);
    BOOST_TEST(batches.size() == 1U);
    BOOST_TEST(now(urgent.result()) == 2);
}

BOOST_AUTO_TEST_CASE(a_worker_that_stops_runs_the_batch_that_lingers) {
    make().on_batch(twice, batch_options{}.linger(5s), doubling());
    begin();
    const auto jobs = submit(twice, {1});
    w->stop();
    settle();
    BOOST_TEST(life->done);
    BOOST_TEST(batches.size() == 1U);
    BOOST_TEST(now(jobs[0].result()) == 2);
}

BOOST_AUTO_TEST_CASE(a_worker_that_stops_now_gives_back_the_batch_that_lingers) {
    make().on_batch(twice, batch_options{}.linger(5s), doubling());
    begin();
    const auto jobs = submit(twice, {1});
    w->stop_now();
    settle();
    BOOST_TEST(life->done);
    BOOST_TEST(batches.empty());
    BOOST_TEST((state(jobs[0]) == task_state::waiting));
    BOOST_TEST(now(jobs[0].record()).attempts == 0U);
}

BOOST_AUTO_TEST_CASE(a_worker_that_pauses_runs_the_batch_that_lingers) {
    make().on_batch(twice, batch_options{}.linger(5s), doubling());
    begin();
    const auto jobs = submit(twice, {1});
    w->pause();
    settle();
    BOOST_TEST(now(jobs[0].result()) == 2);
}

BOOST_AUTO_TEST_CASE(a_batch_has_no_more_bytes_than_it_may_and_a_large_item_comes_alone) {
    const taskflux::task<void(std::string)> store{"store"};
    std::vector<std::vector<std::size_t>> sizes;
    make().on_batch(store, batch_options{}.max_bytes(100), [&](std::span<batch_item<std::string>> items) {
        auto& batch = sizes.emplace_back();
        for (const auto& item : items) batch.push_back(item.payload().size());
    });
    std::vector<std::string> payloads;
    for (const std::size_t size : {40U, 40U, 40U, 300U, 10U}) payloads.emplace_back(size, 'x');
    now(client.submit_all(store, payloads));
    begin();
    const std::vector<std::vector<std::size_t>> wanted{{40, 40}, {40}, {300}, {10}};
    BOOST_TEST((sizes == wanted));
}

BOOST_AUTO_TEST_CASE(all_items_of_a_batch_have_one_key) {
    make(options().concurrency(1)).on_batch(twice, batch_options{}.by([](int x) { return x % 2 == 0 ? "even" : "odd"; }), doubling());
    const auto jobs = submit(twice, range(0, 6));
    begin();
    BOOST_TEST(batches.size() == 2U);
    BOOST_TEST(batches.at(0) == (numbers{0, 2, 4}));
    BOOST_TEST(batches.at(1) == (numbers{1, 3, 5}));
    BOOST_TEST(now(jobs[5].result()) == 10);
}

BOOST_AUTO_TEST_CASE(batches_of_more_keys_than_there_are_slots_linger_for_more_items_too) {
    const auto key = [](int x) { return x % 2; };
    make(options().concurrency(1)).on_batch(twice, batch_options{}.linger(2s).by(key), doubling());
    submit(twice, {0, 1});
    begin();
    advance(1s);
    submit(twice, {2});
    advance(1s);
    BOOST_TEST(batches.size() == 2U);
    BOOST_TEST(batches.at(0) == (numbers{0, 2}));
    BOOST_TEST(batches.at(1) == numbers{1});
}

BOOST_AUTO_TEST_CASE(weighted_queues_fill_batches_by_their_weights) {
    std::size_t seldom = 0;
    make(options().weighted_queues({{"seldom", 1}, {"often", 9}}).concurrency(1));
    w->on_batch(note, batch_options{}.max(4), [&](std::span<batch_item<int>> items) {
        const auto some = seen(items);
        if (batches.size() <= 100) seldom += static_cast<std::size_t>(std::ranges::count(some, 2));
    });
    w->on(tick, [] {});  // so that a batch is begun with one item, and filled
    now(client.submit_all(note, submit_options().queue("often"), numbers(500, 1)));
    now(client.submit_all(note, submit_options().queue("seldom"), numbers(500, 2)));
    begin();
    BOOST_TEST(batches.size() == 250U);
    BOOST_TEST(seldom > 5U);
    BOOST_TEST(seldom < 100U);  // of 400
}

BOOST_AUTO_TEST_CASE(what_a_key_throws_fails_its_item) {
    const auto key = [](int x) {
        if (x == 1) throw std::runtime_error("no key");
        return std::string("all");
    };
    make().on_batch(twice, batch_options{}.by(key), doubling());
    const auto jobs = submit(twice, range(0, 2));
    begin();
    BOOST_TEST(now(jobs[0].result()) == 0);
    BOOST_TEST(why(jobs[1]).message == "no key");
    BOOST_TEST(w->counts().failed == 1U);
}

BOOST_AUTO_TEST_CASE(a_cancelled_item_is_told_and_the_others_go_on) {
    closed = gate(here);
    std::vector<bool> told;
    make().on_batch(twice, batch_options{}, [&](std::span<batch_item<int>> items) -> asio::awaitable<numbers> {
        auto all = seen(items);
        co_await closed.pass();
        for (const auto& item : items) told.push_back(item.cancelled());
        co_return all;
    });
    const auto jobs = submit(twice, range(0, 3));
    begin();
    BOOST_TEST(now(jobs[1].cancel()) == effect::requested);
    settle();
    BOOST_TEST(closed.cancelled == 0);
    closed.open();
    settle();
    BOOST_TEST((told == std::vector<bool>{false, true, false}));
    BOOST_TEST(now(jobs[0].result()) == 0);
    BOOST_TEST((state(jobs[1]) == task_state::cancelled));
    BOOST_TEST(now(jobs[2].result()) == 2);
}

BOOST_AUTO_TEST_CASE(the_handler_is_cancelled_when_all_its_items_are) {
    closed = gate(here);
    make().on_batch(twice, batch_options{}, doubling());
    const auto jobs = submit(twice, range(0, 2));
    begin();
    now(jobs[0].cancel());
    settle();
    BOOST_TEST(closed.cancelled == 0);
    now(jobs[1].cancel());
    settle();
    BOOST_TEST(closed.cancelled == 1);
    for (const auto& each : jobs) BOOST_TEST((state(each) == task_state::cancelled));
    BOOST_TEST(w->counts().cancelled == 2U);
}

BOOST_AUTO_TEST_CASE(an_item_that_is_cancelled_while_its_batch_lingers_leaves_it_at_once) {
    make().on_batch(twice, batch_options{}.linger(5s), doubling());
    begin();
    const auto jobs = submit(twice, range(0, 2));
    now(jobs[0].cancel());
    settle();
    BOOST_TEST((state(jobs[0]) == task_state::cancelled));
    advance(5s);
    BOOST_TEST(batches.at(0) == numbers{1});
    BOOST_TEST(now(jobs[1].result()) == 2);
}

BOOST_AUTO_TEST_CASE(an_item_that_has_left_bounds_the_others_no_more) {
    closed = gate(here);
    taskflux::duration left{};
    make().on_batch(in_time, batch_options{}.linger(5s), [&](std::span<batch_item<int>> items) {
        left = items[0].remaining();
        return doubled(*this, items);
    });
    begin();
    const auto urgent = now(client.submit(in_time, submit_options().deadline(3s).timeout(1s), 1));
    const auto patient = now(client.submit(in_time, 2));
    settle();
    now(urgent.cancel());
    advance(4999ms);
    BOOST_TEST(batches.empty());
    advance(1ms);
    BOOST_TEST(batches.size() == 1U);
    BOOST_TEST((left == 10s));
    advance(3s);
    BOOST_TEST(closed.cancelled == 0);
    closed.open();
    settle();
    BOOST_TEST(now(patient.result()) == 4);
}

BOOST_AUTO_TEST_CASE(the_place_and_the_bytes_of_an_item_that_has_left_are_free_again) {
    const taskflux::task<void(std::string)> store{"store"};
    std::vector<std::vector<std::size_t>> sizes;
    make(options().concurrency(2)).on_batch(store, batch_options{}.max_bytes(100).linger(5s), [&](std::span<batch_item<std::string>> items) {
        auto& batch = sizes.emplace_back();
        for (const auto& item : items) batch.push_back(item.payload().size());
    });
    w->on_batch(twice, batch_options{}.max(2).linger(5s), doubling());
    begin();
    const auto large = now(client.submit(store, std::string(30, 'x')));
    const auto first = submit(twice, {1});
    now(large.cancel());
    now(first[0].cancel());
    settle();
    for (const std::size_t size : {40U, 30U}) now(client.submit(store, std::string(size, 'x')));
    submit(twice, {2});
    BOOST_TEST(batches.empty());
    submit(twice, {3});
    BOOST_TEST(batches.size() == 1U);
    BOOST_TEST(batches.at(0) == (numbers{2, 3}));
    advance(5s);
    BOOST_TEST((sizes == std::vector<std::vector<std::size_t>>{{40, 30}}));
}

BOOST_AUTO_TEST_CASE(a_batch_whose_items_are_all_cancelled_while_it_lingers_is_not_run) {
    make().on_batch(twice, batch_options{}.linger(5s), doubling());
    begin();
    const auto jobs = submit(twice, {1});
    now(jobs[0].cancel());
    advance(5s);
    BOOST_TEST(batches.empty());
    BOOST_TEST(w->counts().running == 0U);
    w->stop();
    settle();
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_CASE(a_lost_lease_cancels_the_batch_and_its_items_run_again) {
    closed = gate(here);
    make(options().lease(30s)).on_batch(twice, batch_options{}, doubling());
    const auto jobs = submit(twice, range(0, 3));
    begin();
    advance(31s);  // as if the machine had slept
    BOOST_TEST(closed.cancelled == 1);
    closed.open();
    settle();
    for (const auto& each : jobs) BOOST_TEST(now(each.outcome())->attempts == 1U);
    BOOST_TEST(batches.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_batch_has_the_shortest_timeout_of_its_items) {
    closed = gate(here);
    taskflux::duration left{};
    make().on_batch(in_time, batch_options{}, [&](std::span<batch_item<int>> items) {
        left = items[0].remaining();
        return doubled(*this, items);
    });
    const auto slow = now(client.submit(in_time, 1));
    const auto quick = now(client.submit(in_time, submit_options().timeout(2s), 2));
    begin();
    BOOST_TEST((left == 2s));
    advance(2s);
    BOOST_TEST(closed.cancelled == 1);
    for (const auto* each : {&slow, &quick}) {
        const auto record = now(each->record());
        BOOST_TEST((record.state == task_state::failed));
        BOOST_TEST(why(*each).code == "timed_out");
    }
}

BOOST_AUTO_TEST_CASE(at_the_earliest_deadline_that_item_ends_and_the_others_are_tried_again) {
    closed = gate(here);
    make().on_batch(tried_twice, batch_options{}, doubling());
    const auto patient = now(client.submit(tried_twice, 1));
    const auto urgent = now(client.submit(tried_twice, submit_options().deadline(2s), 2));
    begin();
    advance(2s);
    BOOST_TEST(closed.cancelled == 1);
    BOOST_TEST((state(urgent) == task_state::failed));
    BOOST_TEST((state(patient) == task_state::scheduled));
    closed.open();
    advance(1s);
    BOOST_TEST(now(patient.result()) == 2);
}

BOOST_AUTO_TEST_CASE(each_item_has_a_log_and_progress_of_its_own) {
    make().on_batch(twice, batch_options{}, [&](std::span<batch_item<int>> items) {
        for (const auto& item : items) {
            item.log(taskflux::log_level::info, "item " + std::to_string(item.payload()));
            item.progress(item.payload());
        }
        return seen(items);
    });
    const auto jobs = submit(twice, range(0, 2));
    begin();
    const auto record = now(jobs[1].record());
    BOOST_REQUIRE_EQUAL(record.log.size(), 1U);
    BOOST_TEST(record.log[0].text == "item 1");
    BOOST_TEST(record.progress == "1");
}

BOOST_AUTO_TEST_CASE(each_item_counts_as_itself) {
    closed = gate(here);
    make(options().concurrency(2)).on_batch(twice, batch_options{}.max(3), doubling());
    submit(twice, range(0, 5));
    begin();
    BOOST_TEST(w->counts().running == 5U);
    BOOST_TEST(w->counts().queued == 0U);
    closed.open();
    settle();
    const auto ended = w->counts();
    BOOST_TEST(ended.running == 0U);
    BOOST_TEST(ended.succeeded == 5U);
}

BOOST_AUTO_TEST_CASE(a_batch_that_has_not_begun_is_given_back_when_its_worker_stops) {
    closed = gate(here);
    make(options().concurrency(1).prefetch(1)).on_batch(twice, batch_options{}.max(2), doubling());
    const auto jobs = submit(twice, range(0, 4));
    begin();
    BOOST_TEST(counts().running == 4U);
    w->stop();
    settle();
    BOOST_TEST(counts().running == 2U);
    BOOST_TEST((state(jobs[3]) == task_state::waiting));
    closed.open();
    settle();
    BOOST_TEST(life->done);
}

BOOST_AUTO_TEST_CASE(any_number_is_a_limit_of_items) {
    make().on_batch(twice, batch_options{}.max((std::numeric_limits<std::size_t>::max)() / 2 + 1), doubling());
    const auto jobs = submit(twice, range(0, 3));
    begin();
    BOOST_TEST(batches.size() == 1U);
    BOOST_TEST(now(jobs[2].result()) == 4);
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_refused) {
    BOOST_CHECK_THROW(batch_options{}.max(0), taskflux::error);
    BOOST_CHECK_THROW(batch_options{}.linger(-1ms), taskflux::error);
}

BOOST_AUTO_TEST_CASE(a_test_sees_batches_linger_in_virtual_time) {
    taskflux::testing::environment test;
    worker lingering{test.broker(), test.options()};
    lingering.on_batch(twice, batch_options{}.linger(3s), doubling());
    test.start(lingering.run());
    const auto begun = test.clock().now();
    BOOST_TEST(test.run(taskflux::client{test.broker()}.run(twice, 3)) == 6);
    BOOST_TEST((test.clock().now() - begun == 3s));
    lingering.stop();
    test.run_until_idle();
}

BOOST_AUTO_TEST_SUITE_END()
