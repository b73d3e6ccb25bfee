#include <taskflux/http/content_disposition.hpp>
#include <taskflux/http/file_type.hpp>
#include <taskflux/http/safe_name.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

namespace http_safe_name {

using namespace taskflux::http;

unsigned status_of(std::string_view name) {
    const auto refused = refused_file_name(name);
    return refused ? refused->status() : 200;
}

unsigned upload_status_of(std::string_view name) {
    const auto refused = refused_upload_name(name);
    return refused ? refused->status() : 200;
}

}  // namespace http_safe_name

BOOST_AUTO_TEST_SUITE(http_safe_name)

BOOST_AUTO_TEST_CASE(plain_names_and_paths_are_taken) {
    for (const std::string_view name : {"a", "a.txt", "a b;c", "\xE6\x96\x87.bin", ".hidden", "dir/a.txt", "fasttask.txt",
                                        "my fasttask/x", "a/fasttask/b", "C:x"}) {
        BOOST_TEST_CONTEXT(name) BOOST_TEST(status_of(name) == 200U);
    }
    BOOST_TEST(status_of(std::string(255, 'a') + '/' + std::string(255, 'b')) == 200U);
}

BOOST_AUTO_TEST_CASE(what_leads_elsewhere_is_refused) {
    for (const std::string_view name : {"", "..", "../a", "a/../b", "a..b", "/a", "/", "\\a", "a\\b", "a//b", "a/", "./a", "a/./b",
                                        ".", "a\nb", "a\x7f", "a\xFF"}) {
        BOOST_TEST_CONTEXT(name) BOOST_TEST(status_of(name) == 400U);
    }
    BOOST_TEST(status_of(std::string_view("a\0b", 3)) == 400U);
    BOOST_TEST(status_of(std::string(256, 'a')) == 400U);
    BOOST_TEST(status_of(std::string(200, 'a') + '/' + std::string(1000, 'a')) == 400U);
    BOOST_TEST(refused_file_name("../\n").value().text().find("\"../\\n\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_systems_folder_is_forbidden_by_every_name_of_it) {
    for (const std::string_view name : {"fasttask/x", "fasttask", "FastTask/x"}) BOOST_TEST(status_of(name) == 403U);
    for (const std::string_view name : {"./fasttask/x", "a/../fasttask/x", "/fasttask/x", "fasttask\\x", "fasttask//x"}) {
        BOOST_TEST_CONTEXT(name) BOOST_TEST(status_of(name) == 400U);
    }
}

BOOST_AUTO_TEST_CASE(an_upload_has_one_part_and_may_have_no_name) {
    BOOST_TEST(upload_status_of("") == 200U);
    BOOST_TEST(upload_status_of("a.txt") == 200U);
    BOOST_TEST(upload_status_of("dir/a.txt") == 400U);
    BOOST_TEST(upload_status_of("../a") == 400U);
    BOOST_TEST(upload_status_of("fasttask/a") == 403U);
    BOOST_TEST(upload_status_of(std::string(218, 'a')) == 200U);
    BOOST_TEST(upload_status_of(std::string(219, 'a')) == 400U);
    BOOST_TEST(upload_name("id", "a.txt") == "id_a.txt");
    BOOST_TEST(upload_name("id", "") == "id_files");
}

BOOST_AUTO_TEST_CASE(types_are_known_by_endings) {
    BOOST_TEST(file_type("a.tar.GZ") == "application/gzip");
    BOOST_TEST(file_type("a.json") == "application/json");
    BOOST_TEST(file_type("json") == "application/octet-stream");
    BOOST_TEST(file_type("a.unknown") == "application/octet-stream");
    BOOST_TEST(file_type("a.") == "application/octet-stream");
}

BOOST_AUTO_TEST_CASE(an_attachment_has_its_name_for_old_and_new_clients) {
    BOOST_TEST(attachment("a b.txt") == "attachment; filename=\"a b.txt\"");
    BOOST_TEST(attachment("a\"\\b") == "attachment; filename=\"a\\\"\\\\b\"");
    BOOST_TEST(attachment("a\r\nX: b") == "attachment; filename=\"a__X: b\"");
    BOOST_TEST(attachment("\xE6\x96\x87 *'%.txt") ==
               "attachment; filename=\"_ *'%.txt\"; filename*=UTF-8''%E6%96%87%20%2A%27%25.txt");
    for (const std::string_view name : {"a.txt", "\xE6\x96\x87 *'%\"\\;=.txt", "100%22", "a\\b"}) {
        BOOST_TEST_CONTEXT(name) {
            const auto read = parse_content_disposition(attachment(name));
            BOOST_TEST(read.value().type == "attachment");
            if (name != "100%22") BOOST_TEST(read.value().file_name.value() == name);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
