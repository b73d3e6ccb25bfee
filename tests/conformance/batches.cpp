#include <conformance/fixture.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/event.hpp>
#include <taskflux/flow/batch.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

// Handlers that take several tasks at a time, on every broker.
namespace taskflux::conformance {

namespace conformance_batches {

inline constexpr task<int(int)> twice{"twice", task_options().queue("q").retry(retry_policy::fixed(1s).attempts(2))};
inline constexpr task<void(int)> other{"other", task_options().queue("q")};
inline constexpr task<int(std::string)> misread{"twice", task_options().queue("q")};

using numbers = std::vector<int>;

struct place : fixture {
    explicit place(std::unique_ptr<backend> on) : fixture(std::move(on)), client(shared()) {}
    ~place() {
        if (!working) return;
        open();
        worker->stop();
        let_work();
        try {
            working->get();
        } catch (const std::exception& e) {
            BOOST_ERROR(e.what());
        }
    }

    template <class Key>
    void begin(batch_options<Key> options, std::size_t concurrency = 1) {
        const auto wanted = worker_options().queues({"q"}).renewal_thread(false).lease(30s).concurrency(concurrency);
        worker.emplace(shared(), wanted);
        worker->on_batch(twice, options, [this](std::span<batch_item<int>> items) { return doubled(*this, items); });
        worker->on(other, [this](int value) -> asio::awaitable<void> { return noted(*this, value); });
        working.emplace(start(worker->run()));
        let_work();
    }

    static asio::awaitable<numbers> doubled(place& self, std::span<batch_item<int>> items) {
        numbers all;
        for (const auto& item : items) {
            all.push_back(item.payload());
            self.tokens.push_back(item.lease_token());
            if (item.payload() == self.fails_at) item.fail("no luck");
        }
        self.batches.push_back(all);
        if (self.is_held) co_await self.opened.wait();
        for (auto& x : all) x *= 2;
        co_return all;
    }

    static asio::awaitable<void> noted(place& self, int value) {
        self.others.push_back(value);
        co_return;
    }

    std::vector<job<int>> submit_all(const numbers& payloads) { return run(client.submit_all(twice, payloads)); }
    task_state state_of(const job<int>& of) { return run(of.status()); }

    taskflux::client client;
    std::optional<taskflux::worker> worker;
    std::vector<numbers> batches;
    std::vector<std::uint32_t> tokens;
    numbers others;
    int fails_at = -1;
    bool is_held = false;  // until it is opened
    detail::event opened;

    void open() {
        is_held = false;
        opened.set();
    }

private:
    std::optional<started<void>> working;
};

}  // namespace conformance_batches

BOOST_AUTO_TEST_SUITE(conformance_batches)

BOOST_AUTO_TEST_CASE_TEMPLATE(each_item_of_a_batch_ends_as_a_task_of_its_own, Backend, backends) {
    place on(std::make_unique<Backend>());
    on.fails_at = 2;
    const auto jobs = on.submit_all({0, 1, 2, 3});
    const auto bad = on.run(on.client.submit(misread, "no number"));
    on.begin(batch_options{}.max(10));
    for (const auto i : {0U, 1U, 3U}) BOOST_TEST(on.run(jobs[i].result()) == static_cast<int>(2 * i));
    BOOST_TEST(on.state_of(jobs[2]) == task_state::scheduled);
    BOOST_TEST(on.state_of(bad) == task_state::failed);
    BOOST_TEST(detail::read_failure(on.run(bad.record()).error).code == "bad_payload");
    BOOST_REQUIRE_EQUAL(on.batches.size(), 1U);
    BOOST_TEST(on.batches[0] == (numbers{0, 1, 2, 3}), boost::test_tools::per_element());
    on.pass(1s);
    BOOST_TEST(on.state_of(jobs[2]) == task_state::failed);  // a dead letter, with two attempts
    BOOST_TEST(on.run(jobs[2].record()).attempts == 2U);
    BOOST_TEST((on.tokens == std::vector<std::uint32_t>{1, 1, 1, 1, 2}));
    on.fails_at = -1;
    BOOST_TEST(on.requeue(jobs[2].id().key) == effect::done);
    BOOST_TEST(on.run(jobs[2].result()) == 4);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_batch_takes_tasks_of_its_name_from_between_others_which_keep_their_order, Backend, backends) {
    place on(std::make_unique<Backend>());
    numbers expected;
    for (int i = 0; i < 5; ++i) {
        on.run(on.client.submit(twice, i));
        on.run(on.client.submit(other, 10 + i));
        expected.push_back(10 + i);
    }
    on.begin(batch_options{}.max(4));
    on.let_work();
    BOOST_REQUIRE_EQUAL(on.batches.size(), 2U);
    BOOST_TEST(on.batches[0] == (numbers{0, 1, 2, 3}), boost::test_tools::per_element());
    BOOST_TEST(on.batches[1] == numbers{4}, boost::test_tools::per_element());
    BOOST_TEST(on.others == expected, boost::test_tools::per_element());
    BOOST_TEST(on.counts().succeeded == 10U);
    BOOST_TEST(on.counts().unclaimed == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_worker_without_another_slot_fills_a_batch_that_lingers, Backend, backends) {
    place on(std::make_unique<Backend>());
    on.begin(batch_options{}.max(3).linger(5s));
    const auto first = on.submit_all({0});
    on.let_work();
    const auto second = on.submit_all({1});
    on.let_work();
    BOOST_TEST(on.batches.empty());
    BOOST_TEST(on.counts().running == 2U);
    on.pass(4s);
    BOOST_TEST(on.batches.empty());
    on.pass(1s);
    BOOST_TEST(on.run(second[0].result()) == 2);
    const auto third = on.submit_all({2, 3, 4});
    BOOST_TEST(on.run(third[2].result()) == 8);  // full: without time
    BOOST_TEST(on.batches.size() == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(items_of_other_keys_wait_in_batches_of_their_own, Backend, backends) {
    place on(std::make_unique<Backend>());
    const auto jobs = on.submit_all({0, 1, 2, 3, 4});
    on.begin(batch_options{}.by([](int x) { return std::to_string(x % 2); }));
    for (std::size_t i = 0; i < jobs.size(); ++i) BOOST_TEST(on.run(jobs[i].result()) == static_cast<int>(2 * i));
    BOOST_REQUIRE_EQUAL(on.batches.size(), 2U);
    BOOST_TEST(on.batches[0] == (numbers{0, 2, 4}), boost::test_tools::per_element());
    BOOST_TEST(on.batches[1] == (numbers{1, 3}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancelled_item_ends_so_and_its_batch_goes_on, Backend, backends) {
    place on(std::make_unique<Backend>());
    on.is_held = true;
    const auto jobs = on.submit_all({0, 1, 2});
    on.begin(batch_options{});
    BOOST_TEST(on.cancel(jobs[1].id().key) == effect::requested);
    on.let_work();
    BOOST_TEST(on.counts().running == 3U);
    on.open();
    BOOST_TEST(on.run(jobs[0].result()) == 0);
    BOOST_TEST(on.run(jobs[2].result()) == 4);
    BOOST_TEST(on.state_of(jobs[1]) == task_state::cancelled);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_items_of_a_lost_lease_go_to_others_and_count_no_attempt, Backend, backends) {
    place on(std::make_unique<Backend>());
    on.is_held = true;
    const auto jobs = on.submit_all({0, 1});
    on.begin(batch_options{});
    on.advance(31s);
    on.is_held = false;
    on.let_work();
    for (const auto& each : jobs) {
        on.run(each.result());
        const auto record = on.run(each.record());
        BOOST_TEST(record.attempts == 1U);
        BOOST_TEST(record.crashes == 1U);
    }
    BOOST_TEST((on.tokens == std::vector<std::uint32_t>{1, 1, 2, 2}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_worker_that_stops_runs_what_lingers, Backend, backends) {
    place on(std::make_unique<Backend>());
    on.begin(batch_options{}.linger(5s));
    const auto jobs = on.submit_all({1, 2});
    on.let_work();
    on.worker->stop();
    BOOST_TEST(on.run(jobs[0].result()) == 2);
    BOOST_TEST(on.run(jobs[1].result()) == 4);
    BOOST_TEST(on.batches.size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_batch_has_no_more_items_of_a_key_than_its_limit_lets_run, Backend, backends) {
    place on(std::make_unique<Backend>());
    on.run(on.broker().set_key_limit(q, "", limit_kind::declared, limit().running(2), ""));
    for (int i = 1; i <= 5; ++i) on.run(on.client.submit(twice, submit_options().key("a"), i));
    on.submit_all({100, 101, 102});
    on.begin(batch_options{}.max(10));
    on.pass(1s);
    std::size_t all = 0;
    for (const auto& batch : on.batches) {
        BOOST_TEST(std::ranges::count_if(batch, [](int value) { return value < 100; }) <= 2);
        all += batch.size();
    }
    BOOST_TEST(all == 8U);
    BOOST_TEST(on.counts().succeeded == 8U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
