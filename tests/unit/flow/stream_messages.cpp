#include "fixture.hpp"

#include <taskflux/calls/rpc/messages.hpp>
#include <taskflux/calls/stream/inlet.hpp>
#include <taskflux/calls/stream/outlet.hpp>

#include <initializer_list>

using namespace test::flow;
using taskflux::detail::call_message;
using taskflux::detail::inlet;
using kind = call_message::kind;

namespace {

/// A reader, and a source whose messages the test sends by hand.
struct reading_fixture : fixture {
    std::vector<call_message> heard;  // by the source
    std::unique_ptr<taskflux::mailbox> source = broker->open([this](std::string_view text) { heard.push_back(call_message::parse(text)); });
    std::shared_ptr<inlet> in = inlet::open(broker, 8, {}, "task ticks");

    void send(kind what, std::uint64_t number, std::initializer_list<std::string_view> values = {}) {
        call_message message;
        message.what = what;
        message.reply_to = source->address();
        message.number = number;
        for (const auto value : values) message.add(value);
        broker->post(in->address(), message.text());
        settle();
    }

    void fail(const char* why) {
        call_message message;
        message.what = kind::fault;
        message.payload = taskflux::encode(taskflux::failure{"task_failed", "", why, "", ""});
        broker->post(in->address(), message.text());
        settle();
    }

    std::shared_ptr<ending<std::optional<std::string>>> next() { return start(inlet::next(in)); }

    std::string value() {
        const auto got = next();
        if (got->error) return got->what();
        return got->done ? got->value->value_or("the end") : "waits";
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(flow_stream_messages, reading_fixture)

BOOST_AUTO_TEST_CASE(the_end_does_not_come_before_values_that_were_lost) {
    send(kind::values, 0, {"a"});
    send(kind::end, 3);
    BOOST_TEST(value() == "a");
    const auto waiting = next();
    BOOST_TEST(!waiting->done);
    BOOST_REQUIRE(!heard.empty());
    BOOST_TEST((heard.back().what == kind::again || heard.back().what == kind::credit));
    BOOST_TEST(heard.back().number == 1U);
    send(kind::values, 1, {"b", "c"});
    BOOST_TEST((waiting->done && waiting->value && *waiting->value == "b"));
    BOOST_TEST(value() == "c");
    send(kind::end, 3);
    BOOST_TEST(value() == "the end");
}

// A task may be run, and send, before its submitter knows its id.
BOOST_AUTO_TEST_CASE(an_answer_in_place_of_values_names_its_source_from_the_start) {
    send(kind::answer, 0);
    BOOST_TEST(value() == "the answer of task ticks can't be read as a stream: it is one result; call it by a method<R(P)>");
}

BOOST_AUTO_TEST_CASE(a_fault_after_the_end_does_not_count) {
    send(kind::values, 0, {"a"});
    send(kind::end, 1);
    fail("no luck");
    BOOST_TEST(value() == "a");
    BOOST_TEST(value() == "the end");
    BOOST_TEST(value() == "the end");
}

BOOST_AUTO_TEST_CASE(a_fault_comes_after_the_values_before_it_and_the_first_one_counts) {
    send(kind::values, 0, {"a", "b"});
    fail("no luck");
    fail("other luck");
    BOOST_TEST(value() == "a");
    BOOST_TEST(value() == "b");
    BOOST_TEST(value() == "no luck");
}

BOOST_AUTO_TEST_CASE(values_that_come_twice_are_read_once_and_those_behind_a_gap_are_asked_for_once) {
    send(kind::values, 0, {"a", "b"});
    send(kind::values, 1, {"b", "c"});
    send(kind::values, 5, {"f"});
    send(kind::values, 6, {"g"});
    std::size_t asked = 0;
    for (const auto& one : heard) asked += one.what == kind::again;
    BOOST_TEST(asked == 1U);
    for (const auto* const expected : {"a", "b", "c"}) BOOST_TEST(value() == expected);
    BOOST_TEST(!next()->done);
}

BOOST_AUTO_TEST_CASE(no_more_values_are_kept_than_the_window_has) {
    send(kind::values, 0, {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
    for (const auto* const expected : {"0", "1", "2", "3", "4", "5", "6", "7"}) BOOST_TEST(value() == expected);
    BOOST_TEST(!next()->done);
    BOOST_REQUIRE(!heard.empty());
    BOOST_TEST(heard.back().number == 8U);
    send(kind::values, 8, {"8", "9"});
}

BOOST_AUTO_TEST_CASE(credit_is_given_for_half_a_window) {
    send(kind::values, 0, {"0", "1", "2", "3", "4"});
    heard.clear();
    for (int i = 0; i < 3; ++i) value();
    BOOST_TEST(heard.empty());
    value();
    BOOST_REQUIRE_EQUAL(heard.size(), 1U);
    BOOST_TEST((heard[0].what == kind::credit));
    BOOST_TEST(heard[0].taken == 4U);
    BOOST_TEST(heard[0].number == 5U);
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_refused_before_its_first_value_has_not_begun) {
    const auto begun = start(inlet::begun(in));
    BOOST_TEST(!begun->done);
    send(kind::refused, 0);
    BOOST_REQUIRE(begun->value.has_value());
    BOOST_TEST(!*begun->value);
}

BOOST_AUTO_TEST_CASE(a_value_that_was_cut_is_not_read) {
    call_message message;
    message.add("whole");
    BOOST_TEST(message.values_in().size() == 1U);
    message.payload.pop_back();
    BOOST_CHECK_EXCEPTION(message.values_in(), taskflux::error, [](const auto& e) { return e.code() == errc::protocol; });
}

BOOST_AUTO_TEST_CASE(a_source_has_credit_for_what_was_received_alone) {
    const auto out = taskflux::detail::outlet::open(broker, source->address(), 2, nullptr);
    for (const auto* const value : {"0", "1"}) now(out->emit(value));
    settle();
    BOOST_REQUIRE(!heard.empty());
    call_message credit;
    credit.what = kind::credit;
    credit.number = 1;
    credit.taken = 100;
    broker->post(heard.front().reply_to, credit.text());
    settle();
    now(out->emit("2"));
    const auto fourth = start(out->emit("3"));
    BOOST_TEST(!fourth->done);
    fourth->cancel();
    settle();
}

BOOST_AUTO_TEST_CASE(what_the_reader_has_of_an_earlier_attempt_is_not_sent_again) {
    const auto out = taskflux::detail::outlet::open(broker, source->address(), 8, nullptr);
    now(out->emit("0"));
    settle();
    BOOST_REQUIRE(!heard.empty());
    call_message credit;
    credit.what = kind::credit;
    credit.number = credit.taken = 3;
    broker->post(heard.front().reply_to, credit.text());
    settle();
    heard.clear();
    for (const auto* const value : {"1", "2", "3"}) now(out->emit(value));
    settle();
    BOOST_REQUIRE_EQUAL(heard.size(), 1U);
    BOOST_TEST(heard[0].number == 3U);
    BOOST_TEST(heard[0].values_in().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
