#include "frozen.hpp"

#include <conformance/fixture.hpp>
#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/redis/relay.hpp>
#include <taskflux/core/error.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The ends of tasks whose subtasks are in another queue are carried there.
namespace redis_relay {

using namespace taskflux;
using namespace taskflux::conformance;

/// A running parent.
struct relaying : test::frozen_fixture {
    relaying() {
        join();
        parent.queue = q;
        parent.key = add();
        last = fetch_one();
    }

    /// Notes subtasks in another queue and submits them.
    void add_children(int count, const std::string& prefix) {
        journal_write what;
        what.consumer = w;
        what.token = last.token;
        std::vector<new_task> tasks;
        for (int i = 0; i != count; ++i) {
            const auto name = prefix + std::to_string(i);
            what.items.push_back({child_key(name), child_place{"elsewhere", "work", name}.text(), journal_write::mode::add, true});
            tasks.push_back(task());
            tasks.back().own_id = name;
            tasks.back().parent = parent_link{parent, child_key(name)};
        }
        run(broker().write_journal(parent, std::move(what)));
        run(broker().submit("elsewhere", std::move(tasks)));
    }

    task_id parent;
    delivery last;
};

}  // namespace redis_relay

BOOST_FIXTURE_TEST_SUITE(redis_relay, relaying)

BOOST_AUTO_TEST_CASE(all_open_subtasks_of_a_task_that_was_cancelled_are_cancelled_however_many) {
    add_children(600, "c");  // more than a server keeps in one piece
    BOOST_TEST((cancel(parent.key) == effect::requested));
    settle(last, settlement::kind::cancel);
    for (int i = 0; i < 50 && counts("elsewhere").waiting > 0; ++i) let_work();
    BOOST_TEST(counts("elsewhere").cancelled == 600U);
}

BOOST_AUTO_TEST_CASE(cancelling_many_subtasks_takes_fewer_calls_than_there_are_of_them) {
    add_children(100, "c");
    BOOST_TEST((cancel(parent.key) == effect::requested));
    const auto calls = [&] {
        const auto told = server.command({"INFO", "commandstats"}).text;
        constexpr std::string_view name = "cmdstat_evalsha:calls=";
        return std::stoul(told.substr(told.find(name) + name.size()));
    };
    const auto before = calls();
    settle(last, settlement::kind::cancel);
    for (int i = 0; i < 50 && server.command({"EXISTS", "tf:{q}:o"}).integer() != 0; ++i) let_work();
    BOOST_TEST(calls() - before < 100U);
    BOOST_TEST(counts("elsewhere").cancelled == 100U);
}

BOOST_AUTO_TEST_CASE(no_call_about_subtasks_is_large_where_the_server_gives_all_of_them_at_once) {
    add_children(500, "c");  // kept in one piece
    BOOST_TEST((cancel(parent.key) == effect::requested));
    server.command({"CONFIG", "SET", "slowlog-max-len", "100000"});
    server.command({"CONFIG", "SET", "slowlog-log-slower-than", "0"});
    settle(last, settlement::kind::cancel);
    for (int i = 0; i < 50 && server.command({"EXISTS", "tf:{q}:o", "tf:{elsewhere}:o"}).integer() != 0; ++i) let_work();
    std::size_t most = 0;
    for (const auto& entry : server.command({"SLOWLOG", "GET", "-1"}).items) {
        const auto words = entry.items.at(3).texts();
        if (words.front() != "EVALSHA") continue;
        constexpr std::string_view more = "... (";  // and how many
        const auto& end = words.back();
        most = (std::max)(most, words.size() + (end.starts_with(more) ? std::stoul(end.substr(more.size())) : 0));
    }
    BOOST_TEST(most > 100U);
    BOOST_TEST(most < 900U);
    BOOST_TEST(counts("elsewhere").cancelled == 500U);
}

BOOST_AUTO_TEST_CASE(only_what_is_wrong_with_one_queue_lets_those_after_it_be_tried) {
    const auto goes_on = [](errc code) { return redis::is_of_one_queue(std::make_exception_ptr(error(code, "why"))); };
    for (const auto code : {errc::protocol, errc::invalid_argument, errc::queue_full}) BOOST_TEST(goes_on(code));
    for (const auto code : {errc::unavailable, errc::shut_down, errc::unsupported}) BOOST_TEST(!goes_on(code));
}

BOOST_AUTO_TEST_CASE(subtasks_are_cancelled_while_the_queue_of_others_is_damaged) {
    add_children(3, "c");
    journal_write what;
    what.consumer = w;
    what.token = last.token;
    what.items.push_back({child_key("a"), child_place{"damaged", "work", "a"}.text(), journal_write::mode::add, true});
    run(broker().write_journal(parent, std::move(what)));
    server.command({"SET", "tf:{damaged}:d", "foreign"});
    BOOST_TEST((cancel(parent.key) == effect::requested));
    settle(last, settlement::kind::cancel);
    for (int i = 0; i < 50 && counts("elsewhere").waiting > 0; ++i) let_work();
    BOOST_TEST(counts("elsewhere").cancelled == 3U);
    BOOST_TEST(server.command({"EXISTS", "tf:{q}:o"}).integer() == 1);  // to be tried again
    server.command({"DEL", "tf:{damaged}:d"});
    renew();
    for (int i = 0; i < 50 && server.command({"EXISTS", "tf:{q}:o"}).integer() != 0; ++i) let_work();
    BOOST_TEST(server.command({"EXISTS", "tf:{q}:o"}).integer() == 0);
}

BOOST_AUTO_TEST_CASE(the_end_of_an_older_attempt_that_is_carried_late_cancels_no_subtasks_of_a_later_one) {
    add_children(1, "old");
    settle(last, settlement::kind::retry);
    last = fetch_one();
    add_children(1, "new");
    const auto number = std::to_string(parent.key.sequence);
    server.command({"HSET", "tf:{q}:o", "X" + number, std::to_string(parent.key.nonce) + " 0"});
    renew();
    let_work();
    BOOST_TEST(server.command({"EXISTS", "tf:{q}:o"}).integer() == 0);  // it has been carried
    BOOST_TEST(counts("elsewhere").cancelled == 1U);
    BOOST_TEST(counts("elsewhere").waiting == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
