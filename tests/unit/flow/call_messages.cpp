#include <taskflux/calls/rpc/messages.hpp>
#include <taskflux/core/error.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <vector>

using taskflux::detail::call_message;
using kind = call_message::kind;

BOOST_AUTO_TEST_SUITE(flow_call_messages)

BOOST_AUTO_TEST_CASE(a_request_is_read_as_it_was_written) {
    call_message written;
    written.id = 7;
    written.reply_to = "me";
    written.service = "sums";
    written.method = "add";
    written.deadline = taskflux::time_point(taskflux::duration(5));
    written.headers = {{"trace", "1\n2"}};
    written.window = 3;
    written.payload = "1\n2";
    const auto read = call_message::parse(written.text());
    BOOST_TEST((read.what == kind::request && read.id == 7 && read.window == 3 && read.deadline == written.deadline));
    BOOST_TEST(read.reply_to + read.service + read.method == "mesumsadd");
    BOOST_TEST((read.headers == written.headers));
    BOOST_TEST(read.payload == "1\n2");
}

BOOST_AUTO_TEST_CASE(values_may_be_empty_and_hold_any_byte) {
    call_message message;
    const std::vector<std::string_view> values{"a\nb", "", std::string_view("\0", 1)};
    for (const auto value : values) message.add(value);
    BOOST_TEST((message.values_in() == values));
}

BOOST_AUTO_TEST_CASE(a_message_that_is_cut_or_has_something_else_in_the_place_of_a_number_is_refused) {
    const auto refuses = [](std::string_view text) {
        try {
            call_message::parse(text);
        } catch (const taskflux::error& e) {
            return e.code() == taskflux::errc::protocol;
        }
        return false;
    };
    BOOST_TEST(!refuses("X1\nme\n"));
    for (const std::string_view wrong : {"", "X", "X1", "X1\nme", "X\nme\n", "X1x\nme\n", "X 1\nme\n", "X-1\nme\n", "?1\n",
                                         "X18446744073709551616\nme\n", "C1\n2\n", "C1\n2\n3"}) {
        BOOST_TEST(refuses(wrong), wrong);
    }
    for (const std::string_view wrong : {"1", "1x\na", "2\na", "-1\na"}) {
        call_message message;
        message.payload = wrong;
        BOOST_CHECK_THROW(message.values_in(), taskflux::error);
    }
}

BOOST_AUTO_TEST_SUITE_END()
