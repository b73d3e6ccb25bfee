#include <taskflux/core/error/signature.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

namespace taskflux {

using detail::signature_of;

BOOST_AUTO_TEST_SUITE(core_signature)

BOOST_AUTO_TEST_CASE(a_message_without_numbers_is_its_own_signature) {
    BOOST_TEST(signature_of("") == "");
    BOOST_TEST(signature_of("connection refused: can't reach the server") == "connection refused: can't reach the server");
}

BOOST_AUTO_TEST_CASE(numbers_are_taken_out) {
    BOOST_TEST(signature_of("took 30 ms, limit 25") == "took # ms, limit #");
    BOOST_TEST(signature_of("took 30ms") == "took #ms");
    BOOST_TEST(signature_of("1.5 of -3") == "#.# of -#");
    BOOST_TEST(signature_of("1234567890") == "#");
}

BOOST_AUTO_TEST_CASE(ids_are_taken_out) {
    BOOST_TEST(signature_of("no user 6f1c9a52-8a2b-4f0e-9d5b-0a1b2c3d4e5f here") == "no user # here");
    BOOST_TEST(signature_of("at 0xdeadBEEF01") == "at #");
    BOOST_TEST(signature_of("hash deadbeef") == "hash #");
    BOOST_TEST(signature_of("order_8f3kZ is gone") == "# is gone");
    BOOST_TEST(signature_of("the facade") == "the facade");
    BOOST_TEST(signature_of("a ---------- line") == "a ---------- line");
}

BOOST_AUTO_TEST_CASE(what_is_quoted_is_taken_out) {
    BOOST_TEST(signature_of("no file 'a b.txt' in \"/tmp/x\"") == "no file * in *");
    BOOST_TEST(signature_of("`it's`, he can't") == "*, he can't");
    BOOST_TEST(signature_of("'it isn't here' ends") == "* ends");
    BOOST_TEST(signature_of("an open 'quote") == "an open 'quote");
}

BOOST_AUTO_TEST_CASE(blanks_are_one_blank) {
    BOOST_TEST(signature_of("  a \n\t b\r\n") == "a b");
}

BOOST_AUTO_TEST_CASE(it_is_cut_at_120_bytes) {
    BOOST_TEST(signature_of(std::string(120, 'x')) == std::string(120, 'x'));
    BOOST_TEST(signature_of(std::string(121, 'x')) == std::string(120, 'x'));
}

BOOST_AUTO_TEST_CASE(it_is_cut_between_characters) {
    const std::string ae = "\xC3\xA4", euro = "\xE2\x82\xAC";
    std::string many;
    for (int i = 0; i < 100; ++i) many += ae;
    BOOST_TEST(signature_of(many).size() == 120U);
    BOOST_TEST(signature_of("x" + many) == "x" + many.substr(0, 118));
    std::string euros;
    for (int i = 0; i < 100; ++i) euros += euro;
    BOOST_TEST(signature_of("xx" + euros) == "xx" + euros.substr(0, 117));
}

BOOST_AUTO_TEST_CASE(what_is_quoted_and_goes_on_behind_what_is_read_is_taken_out) {
    BOOST_TEST(signature_of("bad payload '" + std::string(3000, 'x') + "'") == "bad payload *");
    BOOST_TEST(signature_of("can't " + std::string(3000, ' ') + "'") == "can't");
}

BOOST_AUTO_TEST_CASE(what_is_read_ends_between_characters) {
    BOOST_TEST(signature_of(std::string(2047, ' ') + "\xC3\xA4") == "");
}

BOOST_AUTO_TEST_CASE(two_messages_of_a_kind_have_one_signature) {
    BOOST_TEST(signature_of("order 17 of 'Ann' timed out after 3.2 s") == signature_of("order 1812 of 'Bob' timed out after 10.7 s"));
    BOOST_TEST(signature_of("order 17 timed out") != signature_of("order 17 was lost"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux
