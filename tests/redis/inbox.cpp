#include <taskflux/broker/redis/inbox.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the messages of a server do to the coroutines of a process, without either.
namespace redis_inbox {

using namespace taskflux;
using namespace std::chrono_literals;
using redis::inbox;
using redis::message_letter;
using queues = std::vector<std::string>;

std::string message(char kind, std::string_view queue) {
    std::string made(1, kind);
    redis::put_text(made, queue);
    return made;
}

struct fixture {
    inbox in;
    redis::consumers all;

    /// A fetch that sleeps in these queues.
    struct fetch {
        fetch(inbox& in, const std::string& consumer, const queues& names, const std::string& wanted = "*")
            : place(std::make_shared<inbox::place>()), asleep(in.sleep(consumer, names, wanted, place)) {}
        std::shared_ptr<inbox::place> place;
        inbox::ticket asleep;
    };

    std::optional<redis::handed_task> look(const std::string& queue, const std::string& sleeper) {
        auto said = message(message_letter::look, queue);
        redis::put_text(said, sleeper);
        return in.deliver(said, all);
    }

    std::optional<redis::handed_task> hand(const std::string& queue, const std::string& sleeper, std::uint64_t sequence) {
        auto said = message(message_letter::task, queue);
        redis::put_text(said, sleeper);
        redis::put(said, static_cast<double>(sequence));
        redis::put_text(said, "record");
        return in.deliver(said + "state", all);
    }
};

}  // namespace redis_inbox

BOOST_FIXTURE_TEST_SUITE(redis_inbox, fixture)

BOOST_AUTO_TEST_CASE(what_is_handed_to_a_sleeper_reaches_it_and_counts_as_taken) {
    all.joined("w", "q", 1s);
    fetch sleeper(in, "w", {"p", "q"});
    BOOST_TEST(sleeper.place->sleeper == "1:w");
    BOOST_TEST(!hand("q", "1:w", 0x1234567890).has_value());
    BOOST_TEST(sleeper.asleep.is_called());
    BOOST_TEST(sleeper.place->looks->called() == std::vector<std::size_t>{1}, boost::test_tools::per_element());
    const auto handed = sleeper.asleep.take_handed();
    BOOST_REQUIRE(handed.size() == 1U);
    BOOST_TEST(handed[0].queue == "q");
    BOOST_TEST(handed[0].consumer == "w");
    BOOST_TEST(handed[0].sequence == 0x1234567890U);
    BOOST_TEST(handed[0].record == "record");
    BOOST_TEST(handed[0].state == "state");
    BOOST_TEST(sleeper.asleep.take_handed().empty());
    BOOST_TEST(all.unknown("w", "q", {{0x1234567890, 1}}).empty());
}

BOOST_AUTO_TEST_CASE(what_is_handed_to_nobody_comes_back) {
    all.joined("w", "q", 1s);
    {
        fetch gone(in, "w", {"q"});
        BOOST_TEST(hand("other", "1:w", 4).has_value());  // it does not sleep there
        hand("q", "1:w", 5);
        BOOST_TEST(gone.asleep.close().size() == 1U);
        BOOST_TEST(gone.asleep.close().empty());
    }
    const auto back = hand("q", "1:w", 6);
    BOOST_REQUIRE(back.has_value());
    BOOST_TEST(back->consumer == "w");
    BOOST_TEST(back->sequence == 6U);
    const auto to_wake = look("q", "1:w");
    BOOST_REQUIRE(to_wake.has_value());
    BOOST_TEST(to_wake->consumer.empty());
    BOOST_TEST(to_wake->queue == "q");
}

BOOST_AUTO_TEST_CASE(only_who_was_told_to_look_answers_for_others) {
    fetch sleeper(in, "w", {"p", "q"});
    for (const std::size_t i : {0U, 1U}) sleeper.place->looks->ask(i);
    BOOST_TEST(!look("p", "1:w").has_value());
    hand("q", "1:w", 5);
    BOOST_TEST(sleeper.place->looks->take_unanswered() == queues{"p"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(sleepers_at_a_time_have_names_of_their_own_and_the_next_one_goes_on_with_what_the_last_knew) {
    const auto first = std::make_unique<fetch>(in, "w", queues{"q"});
    const fetch second(in, "w", {"q"}), other(in, "v", {"q"});
    BOOST_TEST(second.place->sleeper == "2:w");
    BOOST_TEST(other.place->sleeper == "1:v");
    const auto known = first->place->looks;
    first->asleep.close();
    const fetch next(in, "w", {"q"});
    BOOST_TEST(next.place->sleeper == "1:w");
    BOOST_TEST((next.place->looks == known));
    BOOST_TEST(next.place->replaced.empty());
    BOOST_TEST(!in.retire(*first->place).has_value());  // another fetch goes on with it
    BOOST_TEST(in.retire(*next.place).has_value());
    BOOST_TEST(!in.retire(*next.place).has_value());
}

BOOST_AUTO_TEST_CASE(a_fetch_from_other_queues_or_for_other_tasks_retires_the_sleeper_before_it) {
    std::string wanted = "*";
    queues names{"q"};
    for (const bool by_name : {true, false}) {
        fetch(in, "w", names, wanted).asleep.close();
        if (by_name) wanted = "1";
        else names.emplace_back("other");
        const fetch next(in, "w", names, wanted);
        BOOST_REQUIRE(next.place->replaced.size() == 1U);
        const auto name = next.place->replaced.front().name;
        BOOST_TEST(name == "1:w");
        BOOST_TEST(next.place->sleeper == "2:w");  // the other name is reserved
        BOOST_TEST((next.place->looks != next.place->replaced.front().looks));
        in.release(name);
        in.retire(*next.place);
        in.release("2:w");
        BOOST_TEST(fetch(in, "w", names, wanted).place->sleeper == "1:w");
        in.retire_all("w");
        in.release("1:w");
    }
}

BOOST_AUTO_TEST_CASE(a_consumer_that_leaves_retires_its_own_sleepers) {
    const fetch mine(in, "w", {"q"}), too(in, "w", {"q"}), other(in, "v:w", {"q"});
    const auto retired = in.retire_all("w");
    BOOST_REQUIRE(retired.size() == 2U);
    BOOST_TEST(retired[0].name == "1:w");
    BOOST_TEST(retired[1].name == "2:w");
    BOOST_TEST(in.retire(*other.place).has_value());
}

BOOST_AUTO_TEST_CASE(a_call_that_is_awaited_is_of_one_queue) {
    const auto place = std::make_shared<inbox::place>();
    auto waiting = in.await_call("w", "q", place);
    BOOST_TEST(place->sleeper == "call 1:w");
    BOOST_TEST(look("other", place->sleeper).has_value());
    BOOST_TEST(!waiting.is_called());
    BOOST_TEST(!look("q", place->sleeper).has_value());
    BOOST_TEST(waiting.is_called());
}

BOOST_AUTO_TEST_CASE(what_is_to_be_cancelled_is_news_until_a_renewal_has_told_of_it) {
    auto said = message(message_letter::renew, "q");
    redis::put_text(said, "w");
    BOOST_TEST(!in.has_news("w"));
    in.deliver(said, all);
    BOOST_TEST(in.has_news("w"));
    BOOST_TEST(!in.has_news("v"));
    in.renewed("v");
    BOOST_TEST(in.has_news("w"));
    in.renewed("w");
    BOOST_TEST(!in.has_news("w"));
}

BOOST_AUTO_TEST_CASE(the_end_of_a_task_is_told_to_who_waits_for_that_one) {
    constexpr std::uint64_t large = (std::uint64_t(1) << 32) + 5;
    const task_id of_large{"q", {large, 3}}, of_small{"q", {5, 3}};
    redis::awaited_ends::ticket mine(in.ends(), of_large), other(in.ends(), of_small);
    auto said = message(message_letter::ended, "q");
    redis::put(said, static_cast<double>(large));
    redis::put(said, std::uint32_t(3));
    redis::put(said, static_cast<std::uint8_t>(task_state::failed));
    redis::put(said, std::uint32_t(2));
    redis::put_text(said, "result");
    redis::put_text(said, "error");
    BOOST_TEST(!in.deliver(said, all).has_value());
    const auto told = mine.look();
    BOOST_REQUIRE(told.outcome != nullptr);
    BOOST_TEST((told.outcome->state == task_state::failed));
    BOOST_TEST(told.outcome->attempts == 2U);
    BOOST_TEST(told.outcome->result == "result");
    BOOST_TEST(told.outcome->error == "error");
    BOOST_TEST((other.look().outcome == nullptr));
}

BOOST_AUTO_TEST_CASE(when_messages_were_lost_each_sleeper_asks_all_its_queues) {
    fetch sleeper(in, "w", {"p", "q"});
    auto& looks = *sleeper.place->looks;
    looks.next(time_point(1h), 6s);
    for (const std::size_t i : {0U, 1U}) looks.fell_asleep(i, looks.ask(i), never);
    BOOST_TEST(looks.unknown().empty());
    in.lost_messages();
    BOOST_TEST(looks.unknown().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_message_of_another_version_is_refused) {
    BOOST_CHECK_THROW(in.deliver(message('?', "q"), all), error);
    BOOST_CHECK_THROW(in.deliver(std::string(1, message_letter::look), all), error);
}

BOOST_AUTO_TEST_SUITE_END()
