#include "damage.hpp"

#include <taskflux/admin/inspector.hpp>
#include <taskflux/core/error.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <vector>

// Searches and operations where what a server has is damaged.
namespace redis_operations {

using namespace test;

struct operations_fixture : damage_fixture {
    search_filter all_of_q() const {
        search_filter made;
        made.queue = "q";
        return made;
    }

    operation begin(const std::string& id) {
        operation_options options;
        options.id(id);
        return run(look.begin_operation(bulk_verb::cancel, all_of_q(), options));
    }

    template <class Call>
    bool is_refused_as_damaged(Call call) {
        try {
            call();
        } catch (const error& e) {
            return e.code() == errc::protocol && std::string_view(e.what()).find("is damaged") != std::string_view::npos;
        }
        return false;
    }

    const inspector look{broker};
};

}  // namespace redis_operations

BOOST_FIXTURE_TEST_SUITE(redis_operations, redis_operations::operations_fixture)

using namespace test;

BOOST_AUTO_TEST_CASE(a_damaged_operation_is_left_as_it_is_and_is_in_no_others_way) {
    add(3);
    begin("whole");
    begin("cut");
    auto cut = server.command({"HGET", "tf:{q}:O", "cut"}).text;
    cut.resize(cut.size() / 2);
    server.command({"HSET", "tf:{q}:O", "cut", cut, "foreign", "what is this", "empty", ""});
    server.command({"HSET", "tf:{q}:U", "old", "\x93\x01\x02\x03"});  // a list
    const auto all = run(look.operations("q"));
    BOOST_REQUIRE(all.size() == 1U);
    BOOST_TEST(all[0].id == "whole");
    for (const std::string id : {"cut", "foreign", "empty", "old"}) {
        BOOST_TEST(is_refused_as_damaged([&] { begin(id); }), id);
        BOOST_TEST(is_refused_as_damaged([&] { run(look.stop_operation("q", id)); }), id);
    }
    for (int i = 0; i < 19; ++i) begin("more" + std::to_string(i));  // 20 with the whole one
    BOOST_CHECK_EXCEPTION(begin("too many"), error, [](const error& e) { return e.code() == errc::queue_full; });
    BOOST_TEST(run(look.run_operation("q", "whole")).done == 3U);
    BOOST_TEST(server.command({"HGET", "tf:{q}:O", "cut"}).text == cut);
    BOOST_TEST(server.command({"HGET", "tf:{q}:O", "foreign"}).text == "what is this");
    BOOST_TEST(server.command({"HGET", "tf:{q}:U", "old"}).text == "\x93\x01\x02\x03");
}

BOOST_AUTO_TEST_CASE(a_worker_passes_over_damaged_operations) {
    add(1);
    run(broker->join("w", queue_names, 1h));
    server.command({"HSET", "tf:{q}:O", "foreign", "what is this"});
    const auto told = run(broker->renew("w", queue_names, 1h));
    BOOST_TEST(told.operating.size() == 1U);
    BOOST_TEST(run(broker->operations("q")).empty());
}

BOOST_AUTO_TEST_CASE(of_an_operation_whose_numbers_are_damaged_nothing_is_done) {
    add(3);
    begin("one");
    auto text = server.command({"HGET", "tf:{q}:O", "one"}).text;
    const auto at = text.find("next");
    BOOST_REQUIRE(at != std::string::npos);
    text[at + 4] = '\xc0';  // nil, in place of 3
    server.command({"HSET", "tf:{q}:O", "one", text});
    BOOST_TEST(run(look.operations("q")).empty());
    operation_step step;
    step.from = 3;
    BOOST_TEST(is_refused_as_damaged([&] { run(broker->step_operation("q", "one", step)); }));
    BOOST_TEST(counts().waiting == 3U);
}

BOOST_AUTO_TEST_CASE(a_search_finds_tasks_whatever_the_counters_say) {
    add(3);
    add_together(5);
    for (const std::string_view value : {"x", "-7", "0", "1e400"}) {
        server.command({"HSET", "tf:{q}:c", "n2", std::string(value)});
        if (value == "0" || value == "-7") continue;  // what can be read is believed
        for (const auto* const filter : {"queue:q", "queue:q state:waiting", "queue:q task:job", "queue:q error:x"}) {
            const bool has_error = std::string_view(filter).ends_with("error:x");
            BOOST_TEST(run(look.search(std::string(filter))).tasks.size() == (has_error ? 0U : 8U), value << ' ' << filter);
        }
        BOOST_TEST(run(look.search(std::string("queue:q state:failed"))).tasks.empty());
    }
    server.command({"HDEL", "tf:{q}:c", "n2"});
    server.command({"HSET", "tf:{q}:c", "n2", "x", "low", "99", "gaps", "foreign"});
    BOOST_TEST(run(look.search(std::string("queue:q"))).tasks.size() == 8U);
    BOOST_TEST(begin("all").from == 8U);
    BOOST_TEST(run(look.run_operation("q", "all")).done == 8U);
}

BOOST_AUTO_TEST_CASE(a_queue_whose_last_number_is_damaged_begins_no_operation_and_says_why) {
    add(1);
    server.command({"HSET", "tf:{q}:c", "seq", "x"});
    BOOST_TEST(is_refused_as_damaged([&] { begin("one"); }));
    BOOST_TEST(is_refused_as_damaged([&] { run(look.search(std::string("queue:q"))); }));
    BOOST_TEST(server.command({"HLEN", "tf:{q}:O"}).text == "0");
}

BOOST_AUTO_TEST_SUITE_END()
