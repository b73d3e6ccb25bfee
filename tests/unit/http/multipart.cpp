#include <taskflux/http/media_type.hpp>
#include <taskflux/http/multipart.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace http_multipart {

using namespace taskflux::http;

struct read_part {
    multipart_part head;
    std::string text;
};

struct read_form {
    std::vector<read_part> parts;
    std::optional<refusal> failure;
    bool has_ended = false;
};

/// What a form has, arriving in pieces of this many bytes.
read_form read(std::string_view body, std::size_t piece, multipart_limits limits = {}) {
    multipart_reader reader("XX", limits);
    read_form made;
    const auto drain = [&] {
        for (;;) {
            switch (reader.next()) {
                case multipart_event::part: made.parts.push_back({reader.part(), {}}); break;
                case multipart_event::bytes:
                    BOOST_TEST(!reader.bytes().empty());
                    made.parts.back().text += reader.bytes();
                    break;
                case multipart_event::end: made.has_ended = true; break;
                case multipart_event::more: return;
                case multipart_event::failed: made.failure = reader.failure(); return;
            }
        }
    };
    while (!body.empty()) {
        // A copy, so that a view that outlives its piece shows.
        const std::string bytes(body.substr(0, piece));
        body.remove_prefix(bytes.size());
        reader.put(bytes);
        drain();
    }
    reader.finish();
    drain();
    return made;
}

read_form read(std::string_view body, multipart_limits limits = {}) {
    return read(body, body.size() + 1, limits);
}

std::string head(std::string_view disposition) {
    return "--XX\r\nContent-Disposition: " + std::string(disposition) + "\r\n\r\n";
}

std::optional<std::string> file_name(std::string_view parameters) {
    const auto form = read(head("form-data; name=\"file\"; " + std::string(parameters)) + "x\r\n--XX--\r\n");
    if (form.failure) return "refused";
    return form.parts.at(0).head.file_name;
}

bool has(const read_form& form, unsigned status, std::string_view text) {
    if (!form.failure) return false;
    BOOST_TEST_INFO(form.failure->text());
    return form.failure->status() == status && form.failure->text().find(text) != std::string::npos;
}

}  // namespace http_multipart

BOOST_AUTO_TEST_SUITE(http_multipart)

BOOST_AUTO_TEST_CASE(a_form_has_the_same_parts_however_its_bytes_arrive) {
    const std::string body =
        "a preamble --XX \r\n--X\r\n--XX \t\r\nContent-Disposition: form-data; name=\"a\"\r\nX-Other: 1\r\n\r\n"
        "\r\r\n-\r\n--X\r\n--\r\n\r\n--XX\r\ncontent-type: text/plain\r\n"
        "CONTENT-DISPOSITION: form-data; name=\"file\"; filename=\"b.txt\"\r\n\r\n\r\n--XX--\r\nan epilogue\r\n--XX\r\n";
    for (std::size_t piece = 1; piece <= body.size(); ++piece) {
        const auto form = read(body, piece);
        BOOST_TEST_CONTEXT(piece) {
            BOOST_TEST(!form.failure.has_value());
            BOOST_TEST(form.has_ended);
            BOOST_TEST_REQUIRE(form.parts.size() == 2U);
            BOOST_TEST(form.parts[0].head.name == "a");
            BOOST_TEST(!form.parts[0].head.file_name.has_value());
            BOOST_TEST(form.parts[0].head.content_type.empty());
            BOOST_TEST(form.parts[0].text == "\r\r\n-\r\n--X\r\n--\r\n");
            BOOST_TEST(form.parts[1].head.file_name.value() == "b.txt");
            BOOST_TEST(form.parts[1].head.content_type == "text/plain");
            BOOST_TEST(form.parts[1].text.empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_part_may_be_empty_with_one_line_end_or_two) {
    for (const std::string_view rest : {"--XX--", "\r\n--XX--"}) {
        const auto form = read(head("form-data; name=\"a\"") + std::string(rest));
        BOOST_TEST(form.has_ended);
        BOOST_TEST(form.parts.at(0).text.empty());
    }
}

BOOST_AUTO_TEST_CASE(what_requests_sends_is_read) {
    const auto form = read(
        "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\xE6\x96\x87.bin\"\r\n\r\n\n\xFF\x01\r\n--XX--\r\n");
    BOOST_TEST(!form.failure.has_value());
    BOOST_TEST(form.parts.at(0).head.file_name.value() == "\xE6\x96\x87.bin");
    BOOST_TEST(form.parts.at(0).head.content_type.empty());
}

BOOST_AUTO_TEST_CASE(file_names_are_read_as_clients_write_them) {
    BOOST_TEST(file_name("filename=\"a.txt\"").value() == "a.txt");
    BOOST_TEST(file_name("filename=\"\"").value().empty());
    BOOST_TEST(file_name("filename=a.txt").value() == "a.txt");
    BOOST_TEST(file_name("filename=a b.txt ; x=1").value() == "a b.txt");
    BOOST_TEST(file_name("filename=\"a;b.txt\"").value() == "a;b.txt");
    BOOST_TEST(file_name("filename=\"a%22b%0d%0A%41%.txt\"").value() == "a\"b\r\n%41%.txt");
    BOOST_TEST(file_name("filename=\"a\\\"b.txt\"").value() == "a\"b.txt");
    BOOST_TEST(file_name("filename=\"C:\\dir\\\\a.txt\"").value() == "C:\\dir\\a.txt");
    BOOST_TEST(file_name("filename=\"C:\\\"").value() == "C:\\");
    BOOST_TEST(file_name("filename*=UTF-8''na%C3%AFve%20.txt").value() == "na\xC3\xAFve .txt");
    BOOST_TEST(file_name("filename=\"naive.txt\"; filename*=utf-8'en'na%c3%afve.txt").value() == "na\xC3\xAFve.txt");
    BOOST_TEST(file_name("filename*=iso-8859-1''%A3; filename=\"x\"").value() == "\xC2\xA3");
    BOOST_TEST(!file_name("other=1").has_value());
}

BOOST_AUTO_TEST_CASE(file_names_that_are_not_valid_are_refused) {
    for (const std::string_view given : {"filename=\"a", "filename", "filename=\"a\"b", "filename=\"\xFF\"", "filename*=UTF-8''%FF",
                                         "filename*=UTF-8''%4", "filename*=UTF-16''a", "filename*=a", "filename*=UTF-8''a b"}) {
        BOOST_TEST_CONTEXT(given) BOOST_TEST(file_name(given).value() == "refused");
    }
}

BOOST_AUTO_TEST_CASE(a_form_that_ends_early_has_failed) {
    const auto body = head("form-data; name=\"a\"") + "data\r\n--XX--";
    for (std::size_t size = 1; size < body.size(); ++size) {
        const auto form = read(body.substr(0, size));
        BOOST_TEST_CONTEXT(size) {
            BOOST_TEST(has(form, 400, "at byte " + std::to_string(size)));
            BOOST_TEST(!form.has_ended);
        }
    }
    BOOST_TEST(has(read(""), 400, "none of the boundaries"));
    BOOST_TEST(has(read("--YY\r\n"), 400, "none of the boundaries"));
}

BOOST_AUTO_TEST_CASE(what_is_no_form_is_refused_with_its_place) {
    BOOST_TEST(has(read("--XXY\r\n"), 400, "at byte 5 of the body: a boundary is followed by neither"));
    BOOST_TEST(has(read("--XX-\r\n"), 400, "neither"));
    BOOST_TEST(has(read("--XX\rx"), 400, "neither"));
    BOOST_TEST(has(read("--XX\r\nContent-Disposition: form-data; name=\"a\"\n\r\n"), 400, "LF alone"));
    BOOST_TEST(has(read("--XX\r\na:b\rc"), 400, "CR alone"));
    BOOST_TEST(has(read("--XX\r\na:\x01"), 400, "control character"));
    BOOST_TEST(has(read("--XX\r\nno field\r\n"), 400, "is no field (name: value): \"no field\""));
    BOOST_TEST(has(read("--XX\r\na: b\r\n folded\r\n"), 400, "is no field"));
    BOOST_TEST(has(read("--XX\r\n\r\n"), 400, "no Content-Disposition"));
    BOOST_TEST(has(read(head("attachment; name=\"a\"")), 400, "not the one Content-Disposition"));
    BOOST_TEST(has(read(head("form-data")), 400, "not the one Content-Disposition"));
    BOOST_TEST(has(read(head("form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"b\"")), 400, "not the one"));
}

BOOST_AUTO_TEST_CASE(heads_and_parts_are_bounded) {
    const auto one = head("form-data; name=\"a\"") + "x\r\n";
    BOOST_TEST(!read(one + one + "--XX--", multipart_limits().parts(2)).failure.has_value());
    BOOST_TEST(has(read(one + one + one + "--XX--", multipart_limits().parts(2)), 413, "more than 2 parts"));
    const auto size = one.size() - 6 - 3;  // without the boundary's line and the data
    BOOST_TEST(!read(one + "--XX--", multipart_limits().head(size)).failure.has_value());
    BOOST_TEST(
        has(read(one + "--XX--", multipart_limits().head(size - 1)), 400, "more than " + std::to_string(size - 1) + " bytes"));
    BOOST_TEST(has(read("--XX" + std::string(10'000, ' ')), 400, "neither"));
}

BOOST_AUTO_TEST_CASE(a_form_that_has_failed_stays_so) {
    multipart_reader reader("XX");
    reader.put("--XX!");
    BOOST_TEST(bool(reader.next() == multipart_event::failed));
    reader.put("\r\n--XX--");
    BOOST_TEST(bool(reader.next() == multipart_event::failed));
    const auto text = reader.failure().text();
    reader.finish();
    BOOST_TEST(reader.failure().text() == text);
}

BOOST_AUTO_TEST_CASE(the_boundary_is_in_the_content_type) {
    const auto of = [](std::string_view type) { return multipart_boundary::of(media_type::parse(type)); };
    BOOST_TEST(of("multipart/form-data; boundary=abc").text() == "abc");
    BOOST_TEST(of("Multipart/Form-Data;charset=x; Boundary=\"a:b c\"").text() == "a:b c");
    BOOST_TEST(of("multipart/form-data; boundary=" + std::string(70, 'x')).text().size() == 70U);
    BOOST_TEST(of("multipart/mixed; boundary=abc").refused().value().status() == 415U);
    BOOST_TEST(multipart_boundary::of(std::nullopt).refused().value().status() == 415U);
    for (const std::string_view parameter :
         {"", "; boundary=\"\"", "; boundary=\"a \"", "; boundary=\"a\tb\"", "; boundary=\"a;b\""}) {
        BOOST_TEST_CONTEXT(parameter)
        BOOST_TEST(of("multipart/form-data" + std::string(parameter)).refused().value().status() == 400U);
    }
    BOOST_TEST(of("multipart/form-data; boundary=" + std::string(71, 'x')).refused().value().status() == 400U);
}

BOOST_AUTO_TEST_SUITE_END()
