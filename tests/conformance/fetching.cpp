#include <conformance/fixture.hpp>

#include <boost/test/unit_test.hpp>

namespace taskflux::conformance {

namespace conformance_fetching {

std::shared_ptr<const name_set> names(name_set some) { return std::make_shared<const name_set>(std::move(some)); }

std::vector<std::string> names_of(const std::vector<delivery>& found) {
    std::vector<std::string> all;
    for (const auto& one : found) all.push_back(one.spec->name);
    return all;
}

}  // namespace conformance_fetching

BOOST_AUTO_TEST_SUITE(conformance_fetching)

BOOST_AUTO_TEST_CASE_TEMPLATE(tasks_come_in_the_order_of_their_submission, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    std::vector<task_key> keys;
    for (int i = 0; i < 10; ++i) {
        for (const auto key : on.add_many(3)) keys.push_back(key);
    }
    std::vector<task_key> got;
    for (std::size_t max = 1; got.size() < keys.size(); ++max) {
        for (const auto& one : on.fetch(w, max)) got.push_back(one.key);
    }
    BOOST_TEST((got == keys));
    BOOST_TEST(on.fetch().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_higher_priority_comes_first_and_fifo_holds_within_each, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    std::vector<task_key> low, middle, high;
    for (int i = 0; i < 4; ++i) {
        middle.push_back(on.add(on.task("m", 0)));
        high.push_back(on.add(on.task("h", 100)));
        low.push_back(on.add(on.task("l", -100)));
    }
    const auto got = keys_of(on.fetch(w, 12));
    BOOST_REQUIRE(got.size() == 12U);
    BOOST_TEST((std::vector(got.begin(), got.begin() + 4) == high));
    BOOST_TEST((std::vector(got.begin() + 4, got.begin() + 8) == middle));
    BOOST_TEST((std::vector(got.begin() + 8, got.end()) == low));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_fetch_takes_at_most_what_it_asks_for, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.add_many(5);
    BOOST_TEST(on.fetch(w, 0).empty());
    BOOST_TEST(on.run(on.broker().fetch(on.request(w, 0, 10s))).empty());
    BOOST_TEST(on.fetch(w, 2).size() == 2U);
    BOOST_TEST(on.fetch(w, 9).size() == 3U);
    BOOST_TEST(on.counts().running == 5U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(queues_are_looked_at_in_the_order_of_the_request, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join(w, {"a", "b"});
    on.add(on.task("1", 100), "a");
    on.add(on.task("2", -100), "b");
    on.add(on.task("3"), "b");
    auto request = on.request(w, 2);
    request.queues = {"b", "a"};
    const auto got = on.run(on.broker().fetch(request));
    BOOST_TEST((names_of(got) == std::vector<std::string>{"3", "2"}));
    BOOST_TEST(got[0].queue == 0U);
    const auto rest = on.run(on.broker().fetch(request));
    BOOST_REQUIRE(rest.size() == 1U);
    BOOST_TEST(rest[0].queue == 1U);
    BOOST_TEST(rest[0].spec->name == "1");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(one_fetch_may_be_filled_from_several_queues, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join(w, {"a", "b"});
    on.add_many(2, "a");
    on.add_many(2, "b");
    auto request = on.request(w, 3);
    request.queues = {"a", "b"};
    const auto got = on.run(on.broker().fetch(request));
    BOOST_REQUIRE(got.size() == 3U);
    BOOST_TEST((got[0].queue == 0U && got[1].queue == 0U && got[2].queue == 1U));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_many_queues_those_with_tasks_are_taken_from_in_the_order_of_the_request, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    std::vector<std::string> queues;
    for (int i = 0; i < 300; ++i) queues.push_back("q" + std::to_string(i));
    on.join(w, queues);
    const auto from_each = [&](std::size_t most, bool from_the_last) {
        for (const auto i : {290, 3, 150}) on.add(on.task(), queues[std::size_t(i)]);
        auto request = on.request(w, most);
        request.queues = queues;
        if (from_the_last) request.order = [](std::vector<std::size_t>& places) { std::ranges::reverse(places); };
        std::vector<std::size_t> places;
        for (const auto& one : on.run(on.broker().fetch(request))) places.push_back(one.queue);
        return places;
    };
    using places = std::vector<std::size_t>;
    BOOST_TEST(from_each(3, false) == (places{3, 150, 290}), boost::test_tools::per_element());
    BOOST_TEST(from_each(3, true) == (places{290, 150, 3}), boost::test_tools::per_element());
    BOOST_TEST(from_each(2, false) == (places{3, 150}), boost::test_tools::per_element());
    BOOST_TEST(from_each(4, true) == (places{290, 290, 150, 3}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_many_queues_only_those_that_may_have_tasks_are_asked, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    std::vector<std::string> queues;
    for (int i = 0; i < 300; ++i) queues.push_back("q" + std::to_string(i));
    on.join(w, queues);
    std::size_t asked = 0;
    auto request = on.request(w, 9);
    request.queues = queues;
    request.order = [&](const std::vector<std::size_t>& places) { asked = places.size(); };
    using places = std::vector<std::size_t>;
    const auto fetch = [&] {
        places found;
        for (const auto& one : on.run(on.broker().fetch(request))) found.push_back(one.queue);
        return found;
    };
    BOOST_TEST(fetch().empty());
    BOOST_TEST(asked == 0U);
    for (const auto i : {290, 3, 150}) on.add(on.task(), queues[std::size_t(i)]);
    on.run(on.broker().pause("q150"));
    auto later = on.task();
    later.delay = 10s;
    on.add(later, "q77");
    BOOST_TEST(fetch() == (places{3, 290}), boost::test_tools::per_element());
    BOOST_TEST(asked == 2U);
    on.advance(10s);
    BOOST_TEST(fetch() == places{77}, boost::test_tools::per_element());
    BOOST_TEST(asked <= 3U);  // perhaps where there were some before
    on.run(on.broker().resume("q150"));
    BOOST_TEST(fetch() == places{150}, boost::test_tools::per_element());
    BOOST_TEST(asked <= 4U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_consumer_that_is_gone_from_one_of_many_queues_is_told_so_whatever_it_is_asked_for, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    std::vector<std::string> queues;
    for (int i = 0; i < 30; ++i) queues.push_back("q" + std::to_string(i));
    on.join(w, queues);
    auto request = on.request(w, 9);
    request.queues = queues;
    on.add(on.task(), "q3");
    BOOST_TEST(on.run(on.broker().fetch(request)).size() == 1U);
    on.run(on.broker().leave(w, {"q7"}));
    on.add(on.task(), "q3");
    BOOST_TEST(on.error_of(on.broker().fetch(request)) == errc::lease_lost);
    on.join(w, {"q7"});
    BOOST_TEST(on.run(on.broker().fetch(request)).size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_fetch_by_a_consumer_unknown_on_one_queue_takes_nothing_anywhere, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join(w, {"a"});
    on.add_many(1, "a");
    on.add_many(1, "b");
    auto request = on.request(w, 5);
    request.queues = {"a", "b"};
    BOOST_TEST(on.error_of(on.broker().fetch(request)) == errc::lease_lost);
    BOOST_TEST(on.counts("a").waiting == 1U);
    BOOST_TEST(on.counts("b").waiting == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_fetch_waits_for_the_first_task, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    auto waiting = on.start(on.broker().fetch(on.request(w, 5, 10s)));
    on.advance(9s);
    BOOST_TEST(on.still_waiting(waiting));
    const auto key = on.add();
    BOOST_TEST((keys_of(waiting.get()) == std::vector{key}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_fetch_ends_empty_when_its_wait_is_over, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    auto waiting = on.start(on.broker().fetch(on.request(w, 5, 10s)));
    on.advance(9999ms);
    BOOST_TEST(on.still_waiting(waiting));
    on.advance(1ms);
    BOOST_TEST(waiting.get().empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_waiting_fetch_gets_whatever_becomes_ready, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.join("other");
    auto held = on.task(), later = on.task();
    held.hold = true;
    later.delay = 1h;
    const auto wait = [&] { return on.start(on.broker().fetch(on.request(w, 1, 24h))); };

    const auto first = on.add(held);
    auto waiting = wait();
    on.start_held(first);
    BOOST_TEST(waiting.get().at(0).key == first);

    const auto second = on.add(later);
    waiting = wait();
    on.promote(second);
    const auto got = waiting.get();
    BOOST_TEST(got.at(0).key == second);

    waiting = wait();
    on.settle(got[0], kind::retry);
    const auto again = waiting.get();
    BOOST_TEST(again.at(0).key == second);

    waiting = wait();
    on.settle(again[0], kind::fail);
    BOOST_TEST(on.still_waiting(waiting));
    on.requeue(second);
    BOOST_TEST(waiting.get().at(0).attempt == 1U);

    const auto third = on.add();
    const auto theirs = on.fetch_one("other");
    waiting = wait();
    on.settle(theirs, kind::release, "other");
    BOOST_TEST(waiting.get().at(0).key == third);

    const auto fourth = on.add();
    on.fetch_one("other");
    waiting = wait();
    on.run(on.broker().leave("other", {q}));
    BOOST_TEST(waiting.get().at(0).key == fourth);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_paused_queue_takes_tasks_but_hands_none_out, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto before = on.add();
    on.run(on.broker().pause(q));
    const auto key = on.add();
    BOOST_TEST(on.counts().paused);
    BOOST_TEST(on.fetch(w, 5).empty());
    auto waiting = on.start(on.broker().fetch(on.request(w, 5, 1h)));
    on.add_many(1);
    BOOST_TEST(on.still_waiting(waiting));
    BOOST_TEST(on.counts().waiting == 3U);
    BOOST_TEST(on.cancel(key) == effect::done);
    on.run(on.broker().resume(q));
    const auto got = waiting.get();
    BOOST_TEST(got.size() == 2U);
    BOOST_TEST(got.at(0).key == before);
    BOOST_TEST(!on.counts().paused);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_runs_can_end_while_its_queue_is_paused, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add();
    const auto got = on.fetch_one();
    on.run(on.broker().pause(q));
    on.run(on.broker().pause(q));
    BOOST_TEST(on.settle(got, kind::complete) == effect::done);
    BOOST_TEST(on.state(key) == task_state::succeeded);
    on.run(on.broker().resume(q));
    on.add();
    BOOST_TEST(on.fetch().size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_without_handler_stays_for_a_worker_that_knows_it, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.join("other");
    const auto strange = on.add(on.task("strange"));
    const auto known = on.add(on.task("known"));
    BOOST_TEST(!on.record(strange).unclaimed);
    auto request = on.request(w, 10);
    request.names = names({"known"});
    BOOST_TEST((keys_of(on.run(on.broker().fetch(request))) == std::vector{known}));

    BOOST_TEST(on.record(strange).state == task_state::waiting);
    BOOST_TEST(on.record(strange).unclaimed);
    BOOST_TEST(on.counts().waiting == 1U);
    BOOST_TEST(on.counts().unclaimed == 1U);

    request = on.request("other", 10);
    request.names = names({"strange", "more"});
    const auto got = on.run(on.broker().fetch(request));
    BOOST_TEST((keys_of(got) == std::vector{strange}));
    BOOST_TEST(!on.record(strange).unclaimed);
    BOOST_TEST(on.counts().unclaimed == 0U);
    BOOST_TEST(on.settle(got[0], kind::complete, "other") == effect::done);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(unclaimed_tasks_keep_their_place_among_those_that_are_known, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    for (const auto* name : {"a", "b", "a", "b"}) on.add(on.task(name));
    on.add(on.task("b", 5));
    auto picky = on.request(w, 10);
    picky.names = names({"none"});
    BOOST_TEST(on.run(on.broker().fetch(picky)).empty());
    BOOST_TEST(on.counts().unclaimed == 5U);
    on.add(on.task("c"));
    picky.names = names({"c", "b"});
    picky.max = 2;
    BOOST_TEST((names_of(on.run(on.broker().fetch(picky))) == std::vector<std::string>{"b", "b"}));
    on.add(on.task("d", 7));
    BOOST_TEST((names_of(on.fetch(w, 10)) == std::vector<std::string>{"d", "a", "a", "b", "c"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(unclaimed_tasks_can_be_steered_like_others, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto cancelled = on.add(), removed = on.add(), updated = on.add(), expires = on.add(on.task(run_policy{.expires_in = 5s}));
    auto picky = on.request();
    picky.names = names({"none"});
    BOOST_TEST(on.run(on.broker().fetch(picky)).empty());
    BOOST_TEST(on.counts().unclaimed == 4U);
    BOOST_TEST(on.cancel(cancelled) == effect::done);
    BOOST_TEST(on.remove(removed) == effect::done);
    BOOST_TEST(on.update(updated, "new") == effect::done);
    on.advance(5s);
    BOOST_TEST(on.state(expires) == task_state::expired);
    BOOST_TEST(on.counts().unclaimed == 1U);
    BOOST_TEST(on.fetch_one().payload == "new");
    BOOST_TEST(on.counts().unclaimed == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(many_unclaimed_tasks_do_not_block_the_one_behind_them, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.add_many(5000);
    const auto key = on.add(on.task("known", -100));
    auto request = on.request();
    request.names = names({"known"});
    BOOST_TEST((keys_of(on.run(on.broker().fetch(request))) == std::vector{key}));
    BOOST_TEST(on.counts().unclaimed == 5000U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_has_a_handler_for_no_name_gets_nothing, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.add();
    auto request = on.request(w, 5);
    request.names = std::make_shared<const name_set>();
    BOOST_TEST(on.run(on.broker().fetch(request)).empty());
    request.wait = 10s;
    auto waiting = on.start(on.broker().fetch(request));
    const auto key = on.add();
    BOOST_TEST(on.still_waiting(waiting));
    on.advance(10s);
    BOOST_TEST(waiting.get().empty());
    BOOST_TEST((on.state(key) == task_state::waiting));
    BOOST_TEST(on.fetch(w, 5).size() == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_fetch_on_no_queues_ends_when_its_wait_is_over, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.add();
    auto request = on.request(w, 5, 10s);
    request.queues.clear();
    auto waiting = on.start(on.broker().fetch(request));
    BOOST_TEST(on.still_waiting(waiting));
    on.advance(10s);
    BOOST_TEST(waiting.get().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
