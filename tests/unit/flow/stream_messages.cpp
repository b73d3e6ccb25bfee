#include "fixture.hpp"

#include <taskflux/calls/rpc/messages.hpp>
#include <taskflux/calls/stream/inlet.hpp>
#include <taskflux/calls/stream/outlet.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <initializer_list>
#include <string>
#include <variant>

using namespace test::flow;
using taskflux::detail::call_message;
using taskflux::detail::inlet;
using taskflux::detail::outlet;
using kind = call_message::kind;

namespace flow_stream_messages {

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

    std::shared_ptr<coroutine_end<std::optional<std::string>>> next() { return start(inlet::next(in)); }

    std::string value() {
        const auto got = next();
        if (got->error) return got->what();
        return got->done ? got->value->value_or("the end") : "waits";
    }
};

/// A source, and a reader whose messages the test sends by hand.
struct emitting_fixture : fixture {
    emitting_fixture() : out(outlet::open(broker, reader->address(), 4, [this] { ++gone; })) {
        settle();
        for (const auto& one : heard) source = one.reply_to;
        heard.clear();
    }

    void send(kind what, std::uint64_t number, std::uint64_t taken) {
        call_message message;
        message.what = what;
        message.number = number;
        message.taken = taken;
        broker->post(source, message.text());
        settle();
    }

    static asio::awaitable<void> emit_all(std::shared_ptr<outlet> by, std::vector<std::string> values) {
        for (auto& value : values) co_await by->emit(std::move(value));
    }
    std::shared_ptr<coroutine_end<void>> emit(std::vector<std::string> values) { return start(emit_all(out, std::move(values))); }

    /// The messages since the last time: "0 a b" for the values from number 0 on, "end 2".
    std::vector<std::string> told() {
        std::vector<std::string> all;
        for (const auto& one : std::exchange(heard, {})) {
            auto& text = all.emplace_back((one.what == kind::end ? "end " : "") + std::to_string(one.number));
            for (const auto value : one.values_in()) (text += ' ') += value;
        }
        return all;
    }

    using texts = std::vector<std::string>;

    std::vector<call_message> heard;  // by the reader
    std::unique_ptr<taskflux::mailbox> reader =
        broker->open([this](std::string_view text) { heard.push_back(call_message::parse(text)); });
    int gone = 0;
    std::string source;
    std::shared_ptr<outlet> out;
};

}  // namespace flow_stream_messages

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

BOOST_AUTO_TEST_CASE(a_reader_leaves_a_source_that_is_over_in_peace_and_any_other_not) {
    for (const auto how : {kind::values, kind::end, kind::fault}) {
        in = inlet::open(broker, 8, {}, "task ticks");
        std::vector<bool> left;
        in->attach(taskflux::never, nullptr, [&](bool has_ended) { left.push_back(has_ended); });
        send(kind::values, 0, {"a"});
        if (how == kind::end) send(kind::end, 1);
        if (how == kind::fault) fail("no luck");
        BOOST_TEST(value() == "a");
        in->leave();
        in->leave();
        BOOST_TEST((left == std::vector<bool>{how != kind::values}));
    }
}

BOOST_AUTO_TEST_CASE(a_fault_comes_after_the_values_before_it_and_the_first_one_counts) {
    send(kind::values, 0, {"a", "b"});
    fail("no luck");
    fail("other luck");
    BOOST_TEST(value() == "a");
    BOOST_TEST(value() == "b");
    BOOST_TEST(value() == "no luck");
}

BOOST_AUTO_TEST_CASE(a_read_that_is_cancelled_at_any_step_of_a_values_way_takes_it_or_leaves_it) {
    int taken = 0, left = 0;
    for (std::uint64_t i = 0; i < 12; ++i) {
        const auto reading = next();
        call_message message;
        message.what = kind::values;
        message.reply_to = source->address();
        message.number = i;
        message.add(std::to_string(i));
        broker->post(in->address(), message.text());
        io.restart();
        for (std::uint64_t step = 0; step < i; ++step) io.poll_one();
        const bool was_over = reading->done;
        reading->cancel();
        settle();
        BOOST_REQUIRE(reading->done);
        BOOST_TEST(was_over == !reading->error);  // what is cancelled in time takes nothing
        const auto got = reading->error ? value() : reading->value->value();
        BOOST_TEST(got == std::to_string(i));
        ++(reading->error ? left : taken);
    }
    BOOST_TEST(taken > 0);
    BOOST_TEST(left > 0);
}

BOOST_AUTO_TEST_CASE(of_two_streams_that_are_awaited_together_the_one_that_is_not_taken_keeps_its_value) {
    using namespace asio::experimental::awaitable_operators;
    const auto other = inlet::open(broker, 8, {}, "task tocks");
    send(kind::values, 0, {"a", "b"});
    call_message message;
    message.what = kind::values;
    message.reply_to = source->address();
    message.add("c");
    broker->post(other->address(), message.text());
    settle();
    const auto first = now(inlet::next(in) || inlet::next(other));
    BOOST_REQUIRE(first.index() == 0U);
    BOOST_TEST(*std::get<0>(first) == "a");
    const auto second = now(inlet::next(other) || inlet::next(in));
    BOOST_REQUIRE(second.index() == 0U);
    BOOST_TEST(*std::get<0>(second) == "c");
    BOOST_TEST(value() == "b");
}

BOOST_AUTO_TEST_CASE(a_second_reader_is_refused_and_the_first_goes_on) {
    const auto first = next();
    const auto second = next();
    BOOST_TEST((second->code() == errc::wrong_state));
    BOOST_TEST(second->what() == "a second coroutine can't read the stream of task ticks: one reads it already; read it in one, "
                                 "which may hand out the values");
    send(kind::values, 0, {"a"});
    BOOST_TEST((first->done && first->value && *first->value == "a"));
    BOOST_TEST(!next()->done);  // as the first no longer reads
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
    const auto waiting = next();
    BOOST_TEST(!waiting->done);
    BOOST_REQUIRE(!heard.empty());
    BOOST_TEST(heard.back().number == 8U);
    send(kind::values, 8, {"8", "9"});
    BOOST_TEST((waiting->done && waiting->value && *waiting->value == "8"));
    BOOST_TEST(value() == "9");
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
    send(kind::values, 5, {"5", "6", "7"});
    for (int i = 0; i < 3; ++i) value();
    BOOST_TEST(heard.size() == 1U);  // it counts from the last credit
    value();
    BOOST_TEST(heard.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_stream_without_values_tells_its_source_that_it_has_heard_of_the_end) {
    send(kind::end, 0);
    BOOST_REQUIRE_EQUAL(heard.size(), 1U);
    BOOST_TEST((heard[0].what == kind::credit));
    BOOST_TEST(heard[0].number == 1U);
    BOOST_TEST(value() == "the end");
}

BOOST_AUTO_TEST_CASE(credit_is_given_for_large_values_at_once) {
    const std::string large(taskflux::detail::stream_bytes / 4, 'x');
    send(kind::values, 0, {large.substr(1), large});
    heard.clear();
    value();
    BOOST_TEST(heard.empty());
    value();
    BOOST_REQUIRE_EQUAL(heard.size(), 1U);
    BOOST_TEST(heard[0].taken == 2U);
    send(kind::values, 2, {"a", "b"});
    value();
    value();
    BOOST_TEST(heard.size() == 1U);  // bytes count from the last credit
}

BOOST_AUTO_TEST_CASE(another_attempt_is_told_where_its_reader_is) {
    send(kind::values, 0, {"a", "b"});
    std::vector<call_message> second;
    const auto other = broker->open([&](std::string_view text) { second.push_back(call_message::parse(text)); });
    call_message first;
    first.what = kind::values;
    first.reply_to = other->address();
    first.add("a");
    broker->post(in->address(), first.text());
    settle();
    BOOST_REQUIRE_EQUAL(second.size(), 1U);
    BOOST_TEST((second[0].what == kind::credit));
    BOOST_TEST(second[0].number == 2U);
    BOOST_TEST(value() == "a");
    BOOST_TEST(value() == "b");
}

BOOST_AUTO_TEST_CASE(a_stream_that_has_begun_is_not_refused_and_one_that_has_failed_says_so) {
    send(kind::values, 0, {"a"});
    send(kind::refused, 0);
    BOOST_TEST(now(inlet::begun(in)));
    BOOST_TEST(value() == "a");
    in = inlet::open(broker, 8, {}, "task ticks");
    fail("no luck");
    BOOST_TEST(start(inlet::begun(in))->what() == "no luck");
}

BOOST_AUTO_TEST_CASE(an_answer_and_a_message_that_can_not_be_read_change_nothing_once_values_have_come) {
    send(kind::values, 0, {"a"});
    send(kind::answer, 0);
    broker->post(in->address(), "no message");
    settle();
    BOOST_TEST(value() == "a");
    BOOST_TEST(value() == "waits");
}

BOOST_AUTO_TEST_CASE(a_closed_broker_ends_a_read_and_what_has_failed_before_stays_the_reason) {
    const auto other = inlet::open(broker, 8, {}, "task tocks");
    const auto waiting = next();
    call_message message;
    message.what = kind::fault;
    message.payload = taskflux::encode(taskflux::failure{"task_failed", "", "no luck", "", ""});
    broker->post(other->address(), message.text());
    settle();
    broker->close();
    settle();
    BOOST_TEST((waiting->code() == errc::shut_down));
    BOOST_TEST(start(inlet::next(other))->what() == "no luck");
}

BOOST_AUTO_TEST_CASE(values_are_asked_for_again_after_each_second_without_a_message) {
    send(kind::values, 0, {"a", "b"});
    BOOST_TEST(value() == "a");
    heard.clear();
    BOOST_TEST(value() == "b");
    const auto waiting = next();
    for (int times = 0; times < 2; ++times) {
        advance(999ms);
        BOOST_TEST(heard.empty());
        advance(1ms);
        BOOST_REQUIRE_EQUAL(heard.size(), 1U);
        BOOST_TEST((heard[0].what == kind::again));
        BOOST_TEST(heard[0].number == 2U);
        BOOST_TEST(heard[0].taken == 2U);
        heard.clear();
    }
    advance(500ms);
    send(kind::values, 2);  // it lives
    advance(999ms);
    BOOST_TEST(heard.empty());
    advance(1ms);
    BOOST_TEST(heard.size() == 1U);
    send(kind::values, 3, {"d"});  // what is missing has been asked for just now
    BOOST_TEST(heard.size() == 1U);
    BOOST_TEST(!waiting->done);
    waiting->cancel();
    settle();
}

BOOST_AUTO_TEST_CASE(a_message_that_comes_with_the_very_second_is_heard_first) {
    send(kind::values, 0, {"a"});
    BOOST_TEST(value() == "a");
    const auto waiting = next();
    heard.clear();
    call_message alive;
    alive.what = kind::values;
    alive.reply_to = source->address();
    alive.number = 1;
    broker->post(in->address(), alive.text());
    advance(1s);
    BOOST_TEST(heard.empty());
    BOOST_TEST(!waiting->done);
}

BOOST_AUTO_TEST_CASE(a_reader_looks_for_its_source_each_second_and_tells_whether_that_was_refused) {
    std::vector<bool> looks;
    const auto look = [&](bool is_lost) -> asio::awaitable<void> {
        looks.push_back(is_lost);
        co_return;
    };
    in->attach(time.now() + 4500ms, look, nullptr);
    send(kind::values, 0, {"a"});
    BOOST_TEST(value() == "a");
    const auto waiting = next();
    advance(1s);
    BOOST_TEST((looks == std::vector<bool>{false}));
    advance(1s);
    BOOST_TEST((looks == std::vector<bool>{false, false}));
    send(kind::refused, 0);  // what a process sends back for a source that is gone
    advance(1s);
    BOOST_TEST((looks == std::vector<bool>{false, false, true}));
    send(kind::values, 1);  // of another attempt
    advance(1s);
    BOOST_TEST((looks == std::vector<bool>{false, false, true, false}));
    BOOST_TEST(!waiting->done);
    advance(499ms);
    BOOST_TEST(!waiting->done);
    advance(1ms);
    BOOST_TEST((waiting->code() == errc::timed_out));
    BOOST_TEST(waiting->what() == "the stream of task ticks timed out: it has not been read to its end within the call's timeout; "
                                  "allow a longer call_options::timeout");
}

BOOST_AUTO_TEST_CASE(a_source_that_has_not_heard_of_its_end_is_told_again) {
    send(kind::values, 0, {"a"});
    send(kind::end, 1);
    for (const auto how : {kind::values, kind::end}) {
        heard.clear();
        send(how, how == kind::end ? 1 : 0);
        BOOST_REQUIRE_EQUAL(heard.size(), 1U);
        BOOST_TEST((heard[0].what == kind::credit));
        BOOST_TEST(heard[0].number == 2U);
    }
    BOOST_TEST(value() == "a");
    BOOST_TEST(value() == "the end");
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_refused_before_its_first_value_has_not_begun) {
    const auto begun = start(inlet::begun(in));
    BOOST_TEST(!begun->done);
    send(kind::refused, 0);
    BOOST_REQUIRE(begun->value.has_value());
    BOOST_TEST(!*begun->value);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(flow_stream_sources, flow_stream_messages::emitting_fixture)

using namespace flow_stream_messages;

BOOST_AUTO_TEST_CASE(values_that_were_lost_are_sent_again_until_they_are_received) {
    emit({"a", "b", "c"});
    told();
    for (int times = 0; times < 2; ++times) {
        send(kind::again, 1, 0);
        BOOST_TEST(told() == texts({"1 b c"}), boost::test_tools::per_element());
    }
    send(kind::credit, 2, 0);
    BOOST_TEST(told().empty());
    send(kind::again, 0, 0);  // older than what it has said since
    BOOST_TEST(told() == texts({"2 c"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(no_more_is_emitted_than_was_taken_and_the_window) {
    const auto emitting = emit({"a", "b", "c", "d", "e", "f"});
    BOOST_TEST(!emitting->done);
    send(kind::credit, 4, 1);
    BOOST_TEST(!emitting->done);
    send(kind::credit, 5, 2);
    BOOST_TEST(emitting->done);
}

BOOST_AUTO_TEST_CASE(a_source_has_credit_for_what_was_received_alone) {
    const auto emitting = emit({"a", "b", "c", "d", "e", "f"});
    send(kind::credit, 1, 100);
    BOOST_TEST(told() == texts({"0 a", "1 b c d", "4 e"}), boost::test_tools::per_element());
    BOOST_TEST(!emitting->done);
}

BOOST_AUTO_TEST_CASE(what_the_reader_has_of_an_earlier_attempt_is_not_sent_again) {
    emit({"a"});
    told();
    send(kind::credit, 3, 3);
    emit({"b", "c", "d"});
    BOOST_TEST(told() == texts({"3 d"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_end_is_over_when_it_has_been_received) {
    emit({"a", "b"});
    told();
    const auto end = start(out->end());
    BOOST_TEST(told() == texts({"end 2"}), boost::test_tools::per_element());
    send(kind::credit, 2, 2);
    BOOST_TEST(!end->done);
    send(kind::again, 2, 2);
    BOOST_TEST(told() == texts({"end 2"}), boost::test_tools::per_element());
    send(kind::credit, 3, 2);
    BOOST_TEST(end->done);
    BOOST_TEST(gone == 0);
}

BOOST_AUTO_TEST_CASE(a_source_whose_reader_has_not_heard_for_ten_seconds_is_told_and_blocks_no_more) {
    reader.reset();
    const auto emitting = emit({"a", "b", "c", "d", "e"});
    BOOST_TEST(!emitting->done);
    pass(9s, 1s);
    BOOST_TEST(gone == 0);
    BOOST_TEST(!emitting->done);
    pass(2s, 1s);
    BOOST_TEST(gone == 1);
    BOOST_TEST(emitting->done);
}

BOOST_AUTO_TEST_CASE(a_reader_that_was_heard_again_has_ten_seconds_again) {
    reader.reset();
    const auto emitting = emit({"a", "b", "c", "d", "e"});
    pass(9s, 1s);
    send(kind::again, 0, 0);
    pass(9s, 1s);
    BOOST_TEST(gone == 0);
    BOOST_TEST(!emitting->done);
    pass(2s, 1s);
    BOOST_TEST(gone == 1);
    BOOST_TEST(emitting->done);
}

BOOST_AUTO_TEST_CASE(a_reader_that_does_not_read_is_asked_whether_it_is_there) {
    const auto emitting = emit({"a", "b", "c", "d", "e"});
    told();
    advance(999ms);
    BOOST_TEST(told().empty());
    advance(1ms);
    BOOST_TEST(told() == texts({"4"}), boost::test_tools::per_element());
    send(kind::cancel, 0, 0);
    BOOST_TEST(emitting->done);
    BOOST_TEST(gone == 1);
}

BOOST_AUTO_TEST_CASE(a_second_coroutine_that_emits_is_refused_and_the_first_goes_on) {
    const auto first = emit({"a", "b", "c", "d", "e", "f"});
    BOOST_TEST(!first->done);
    const auto second = emit({"x"});
    BOOST_TEST((second->code() == errc::wrong_state));
    BOOST_TEST(second->what() == "a second coroutine can't emit a value: one emits already; emit in one, which may be handed the "
                                 "values of others");
    send(kind::credit, 4, 4);
    BOOST_TEST((first->done && !first->error));
    BOOST_TEST(!emit({"g", "h", "i"})->error);
}

BOOST_AUTO_TEST_CASE(a_source_that_waits_shows_itself_after_each_second_in_which_it_has_heard_nothing) {
    const auto emitting = emit({"a", "b", "c", "d", "e"});
    told();
    advance(500ms);
    send(kind::credit, 4, 0);
    advance(999ms);
    BOOST_TEST(told().empty());
    for (int times = 0; times < 2; ++times) {
        advance(1ms);
        BOOST_TEST(told() == texts({"4"}), boost::test_tools::per_element());
        advance(999ms);
        BOOST_TEST(told().empty());
    }
    BOOST_TEST(!emitting->done);
    send(kind::cancel, 0, 0);
}

BOOST_AUTO_TEST_CASE(a_source_that_hears_of_its_reader_with_the_very_second_does_not_ask) {
    const auto emitting = emit({"a", "b", "c", "d", "e"});
    told();
    call_message alive;
    alive.what = kind::credit;
    alive.number = 4;
    broker->post(source, alive.text());
    advance(1s);
    BOOST_TEST(told().empty());
    BOOST_TEST(!emitting->done);
    send(kind::cancel, 0, 0);
}

BOOST_AUTO_TEST_CASE(what_was_taken_stays_taken_though_older_news_come_later) {
    emit({"a", "b", "c", "d"});
    send(kind::credit, 4, 2);
    send(kind::credit, 4, 1);
    broker->post(source, "no message");
    BOOST_TEST(emit({"e", "f"})->done);
    BOOST_TEST(!emit({"g"})->done);
    send(kind::cancel, 0, 0);
}

BOOST_AUTO_TEST_CASE(a_reader_that_goes_is_told_of_once_and_not_at_all_when_it_has_received_everything) {
    const auto emitting = emit({"a"});
    const auto end = start(out->end());
    send(kind::credit, 1, 1);
    send(kind::cancel, 0, 0);
    BOOST_TEST(gone == 1);
    BOOST_TEST((end->done && !end->error));
    send(kind::cancel, 0, 0);
    BOOST_TEST(gone == 1);
    BOOST_TEST((start(out->end())->done && emit({"b"})->done));

    out = outlet::open(broker, reader->address(), 4, [this] { ++gone; });
    settle();
    source = heard.back().reply_to;
    emit({"a"});
    const auto whole = start(out->end());
    send(kind::credit, 2, 1);
    BOOST_TEST(whole->done);
    send(kind::cancel, 0, 0);
    BOOST_TEST(gone == 1);
}

BOOST_AUTO_TEST_CASE(a_source_without_a_window_emits_one_value_at_a_time) {
    out = outlet::open(broker, reader->address(), 0);
    settle();
    BOOST_TEST(emit({"a"})->done);
    const auto second = emit({"b"});
    BOOST_TEST(!second->done);
    broker->close();
    settle();
    BOOST_TEST((second->code() == errc::shut_down));
    BOOST_TEST((start(out->end())->code() == errc::shut_down));
}

BOOST_AUTO_TEST_CASE(values_share_a_message_of_no_more_than_64_kib) {
    const std::string first(30'000, 'x');
    const auto rest = 64 * 1024 - first.size() - std::to_string(first.size()).size() - 1;
    std::uint64_t emitted = 0;
    for (const std::size_t beyond : {0U, 1U}) {
        told();
        emit({"small", first, std::string(rest + beyond, 'y')});  // the first is on its way before the others come
        BOOST_TEST(heard.size() == 2U + beyond);
        emitted += 3;
        send(kind::credit, emitted, emitted);
    }
}

BOOST_AUTO_TEST_CASE(the_largest_value_fits_into_a_message_and_a_larger_one_is_refused) {
    const auto most = taskflux::exchange::max_message_size - 512;
    const auto large = emit({std::string(most, 'x')});
    BOOST_TEST((large->done && !large->error));
    BOOST_TEST(heard.back().values_in().at(0).size() == most);
    const auto larger = emit({std::string(most + 1, 'x')});
    BOOST_TEST((larger->code() == errc::too_large));
    BOOST_TEST(larger->what() == "a value is not emitted: it has " + std::to_string(most + 1) + " bytes, and at most " +
                                     std::to_string(most) + " fit into a message; emit smaller values");
}

BOOST_AUTO_TEST_CASE(large_values_go_each_in_a_message_of_its_own_and_no_more_than_may_be_unread) {
    const std::string large(40 * 1024, 'x');
    emit({large, large, large, "a"});  // the first is on its way before the others come
    std::size_t values = 0;
    for (const auto& one : heard) {
        BOOST_TEST(one.payload.size() < 64U * 1024 + 16);
        values += one.values_in().size();
    }
    BOOST_TEST(values == 4U);
    send(kind::credit, 4, 4);
    const auto emitting = emit({std::string(taskflux::detail::stream_bytes - 1, 'x'), "a", "b"});
    BOOST_TEST(!emitting->done);
    send(kind::credit, 6, 5);
    BOOST_TEST(emitting->done);
    BOOST_TEST((start(out->emit(std::string(taskflux::exchange::max_message_size, 'x')))->code() == errc::too_large));
}

BOOST_AUTO_TEST_SUITE_END()
