#include <taskflux/core/task/failure.hpp>

#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>
#include <system_error>

using taskflux::errc;
using namespace taskflux::detail;

BOOST_AUTO_TEST_SUITE(flow_failure)

BOOST_AUTO_TEST_CASE(text_that_is_utf8_stays_as_it_is) {
    BOOST_TEST(as_utf8("") == "");
    BOOST_TEST(as_utf8("a\u00e9\u20ac\U0001f600") == "a\u00e9\u20ac\U0001f600");
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_are_replaced) {
    BOOST_TEST(as_utf8("a\xff" "b") == "a\xef\xbf\xbd" "b");
    BOOST_TEST(as_utf8("\xe2\x82") == "\xef\xbf\xbd\xef\xbf\xbd");
    BOOST_TEST(as_utf8("\xed\xa0\x80") == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

BOOST_AUTO_TEST_CASE(long_text_is_cut_between_characters) {
    std::string euros;
    for (int i = 0; i < 10'000; ++i) euros += "\u20ac";
    const auto cut = as_utf8(euros);
    BOOST_TEST(cut.size() <= 16U * 1024 + 3);
    BOOST_TEST(cut.ends_with("\u20ac\u2026"));
    BOOST_TEST(taskflux::decode<std::string>(taskflux::encode(cut)) == cut);
    const std::string just(16 * 1024 - 2, 'x');  // at the end there is still room for a mark of three bytes
    BOOST_TEST(as_utf8(just) == just);
    BOOST_TEST(as_utf8(just + 'x') == just + "\u2026");
}

BOOST_AUTO_TEST_CASE(an_exception_is_described_by_type_and_message) {
    const auto told = describe(std::make_exception_ptr(std::out_of_range("far")));
    BOOST_TEST(told.code == "task_failed");
    BOOST_TEST(told.type == "std::out_of_range");
    BOOST_TEST(told.message == "far");
    BOOST_TEST((code_of(told) == errc::task_failed));
}

BOOST_AUTO_TEST_CASE(a_code_of_ours_is_kept_and_one_of_others_is_not) {
    const auto ours = describe(std::make_exception_ptr(taskflux::error(errc::timed_out, "late")));
    BOOST_TEST(ours.code == "timed_out");
    BOOST_TEST((code_of(ours) == errc::timed_out));
    const boost::system::system_error theirs(boost::asio::error::operation_aborted);
    BOOST_TEST(describe(std::make_exception_ptr(theirs)).code == "task_failed");
    for (int code = 0; code < 30; ++code) {  // the numbers of ours, of another category: end of file, for instance
        const boost::system::error_code number(code, boost::asio::error::get_misc_category());
        const boost::system::system_error other(number);
        BOOST_TEST(describe(std::make_exception_ptr(other)).code == "task_failed", code);
    }
}

BOOST_AUTO_TEST_CASE(what_is_not_an_exception_is_described_too) {
    struct theirs {};
    const auto told = describe(std::make_exception_ptr(42));
#ifdef _LIBCPP_VERSION  // whose exceptions don't tell their types
    BOOST_TEST(told.message == "something that is not a std::exception was thrown");
#else
    BOOST_TEST(told.message == "an object of type int was thrown, which is not a std::exception");
    BOOST_TEST(told.type == "int");
    BOOST_TEST(describe(std::make_exception_ptr(theirs())).type.find("theirs") != std::string::npos);
#endif
    BOOST_TEST(describe(std::make_exception_ptr(std::string("x"))).code == "task_failed");
    BOOST_TEST(describe(std::make_exception_ptr(std::string("the disk is full"))).message == "the disk is full");
    BOOST_TEST(describe(std::make_exception_ptr<const char*>("the disk is full")).message == "the disk is full");
    BOOST_TEST(!describe(std::make_exception_ptr<const char*>(nullptr)).message.empty());
    const auto full = std::make_error_code(std::errc::no_space_on_device);
    BOOST_TEST(describe(std::make_exception_ptr(full)).message == full.message());
}

BOOST_AUTO_TEST_CASE(an_exception_without_a_message_is_described_by_its_type) {
    struct silent : std::exception {
        const char* what() const noexcept override { return nullptr; }
    };
    const auto told = describe(std::make_exception_ptr(silent()));
    BOOST_TEST(told.type.find("silent") != std::string::npos);
    BOOST_TEST(told.message == "a " + told.type + " without a message was thrown");
    BOOST_TEST(told.code == "task_failed");
}

BOOST_AUTO_TEST_CASE(a_bad_payload_keeps_its_place_and_what_was_expected) {
    const taskflux::decode_error cause(errc::bad_payload, "/a/b", "expected number");
    const auto told = describe(std::make_exception_ptr(bad_payload(cause, "the payload of task t can't be read", "{}")));
    BOOST_TEST(told.message == "the payload of task t can't be read: at /a/b: expected number");
    BOOST_TEST(told.code == "bad_payload");
    BOOST_TEST(told.pointer == "/a/b");
    BOOST_TEST(told.expected == "{}");
    BOOST_TEST(told.type == "taskflux::decode_error");
}

BOOST_AUTO_TEST_CASE(what_was_stored_is_read_again) {
    const auto told = describe(std::make_exception_ptr(std::out_of_range("far")));
    BOOST_TEST(read_failure(taskflux::encode(told)).message == "far");
    BOOST_TEST(read_failure("nonsense").code == "protocol");
    BOOST_TEST(read_failure("nonsense").message.find("nonsense") != std::string::npos);
    BOOST_TEST((code_of(read_failure(R"({"code":"of the future"})")) == errc::task_failed));
}

BOOST_AUTO_TEST_SUITE_END()
