#include "folder.hpp"

#include <taskflux/core/error.hpp>
#include <taskflux/http/secrets/login_memory.hpp>
#include <taskflux/http/users.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace http_users {

using namespace taskflux::http;
using namespace std::chrono_literals;
using secrets::password_hash;
using secrets::scrypt_cost;

const taskflux::time_point start = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
const scrypt_cost cheap(4, 1, 1);

struct fixture {
    test::folder folder;
    std::vector<std::string> lines;
    taskflux::time_point now = start;

    std::string file() const { return folder.path("users.json"); }
    void write(std::string_view text) { folder.write("users.json", text, now - 1h); }

    users open(users_options options = {}) {
        return users(file(), now, options, [this](std::string_view line) { lines.emplace_back(line); });
    }

    std::string refusal_of(std::string_view text) {
        write(text);
        try {
            open();
        } catch (const taskflux::error& e) {
            BOOST_TEST(bool(e.code() == taskflux::errc::invalid_argument));
            return e.what();
        }
        return "taken";
    }
};

}  // namespace http_users

BOOST_FIXTURE_TEST_SUITE(http_users, fixture)

BOOST_AUTO_TEST_CASE(a_password_is_known_by_its_hash) {
    const auto hash = password_hash::make("a password", cheap);
    BOOST_TEST(hash.text().starts_with("scrypt$ln=4,r=1,p=1$"));
    BOOST_TEST(hash.text().find("password") == std::string::npos);
    for (const auto& text : {hash.text(), '$' + hash.text()}) {
        const auto read = password_hash::parse(text);
        BOOST_TEST_REQUIRE(read.has_value());
        BOOST_TEST(read->is("a password"));
        BOOST_TEST(!read->is("a passwor"));
        BOOST_TEST(!read->is(""));
    }
    BOOST_TEST(password_hash::make("a password", cheap).text() != hash.text());
    BOOST_TEST(password_hash::make("x").text().starts_with("scrypt$ln=15,r=8,p=3$"));
}

BOOST_AUTO_TEST_CASE(a_hash_of_another_program_is_read) {
    // RFC 7914, section 12: "pleaseletmein", "SodiumChloride", N 16384, r 8, p 1.
    const auto read = password_hash::parse(
        "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/"
        "2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw");
    BOOST_TEST_REQUIRE(read.has_value());
    BOOST_TEST(read->is("pleaseletmein"));
    BOOST_TEST(!read->is("pleaseletmeout"));
}

BOOST_AUTO_TEST_CASE(what_is_no_hash_or_takes_too_much_is_refused) {
    const std::string salt = "MDEyMzQ1Njc4OWFiY2RlZg", hash = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",
                      end = '$' + salt + '$' + hash;
    BOOST_TEST(password_hash::parse("scrypt$ln=4,r=1,p=1" + end).has_value());
    BOOST_TEST(password_hash::parse("scrypt$ln=18,r=8,p=4" + end).has_value());  // 256 MiB, four times
    for (const std::string& text :
         {"scrypt$ln=18,r=8,p=5" + end, "scrypt$ln=18,r=9,p=1" + end, "scrypt$ln=0,r=8,p=1" + end, "scrypt$ln=4,r=8" + end,
          "scrypt$ln=4,r=8,p=-1" + end, "scrypt$ln=4,r=8,p=1,x=1" + end, "scrypt$ln=99999999999,r=8,p=1" + end,
          "scrypt$ln=4,r=1,p=1$" + salt, "scrypt$ln=4,r=1,p=1$" + salt + "$", "scrypt$ln=4,r=1,p=1$AAAA$" + hash,
          "scrypt$ln=4,r=1,p=1$" + salt + "$AAAA", "scrypt$ln=4,r=1,p=1$" + salt + "$!" + hash, std::string("bcrypt$x"),
          std::string()}) {
        BOOST_TEST_CONTEXT(text) BOOST_TEST(!password_hash::parse(text).has_value());
    }
}

BOOST_AUTO_TEST_CASE(users_log_in_with_plain_passwords_and_with_hashes) {
    write(R"({"ann": "plain", "bob": ")" + password_hash::make("hashed", cheap).text() +
          R"(", "cid": {"password": "third", "permission": "admin"}})");
    auto all = open(users_options().default_permission(permission::control));
    BOOST_TEST(bool(all.verify("ann", "plain", now) == permission::control));
    BOOST_TEST(bool(all.verify("bob", "hashed", now) == permission::control));
    BOOST_TEST(bool(all.verify("cid", "third", now) == permission::admin));
    for (const std::string_view name : {"ann", "bob", "cid", "dan", ""}) {
        for (const std::string_view password : {"", "x", "Plain", "plain ", "scrypt$", "thir"})
            BOOST_TEST(!all.verify(name, password, now).has_value());
    }
    BOOST_TEST(!all.verify("bob", "plain", now).has_value());
    BOOST_TEST(lines.size() == 1U);
    BOOST_TEST(lines.at(0).find("plain passwords") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(hashes_alone_are_not_warned_of) {
    add_user(file(), "ann", "long enough", permission::read, cheap);
    BOOST_TEST(bool(open().verify("ann", "long enough", now) == permission::read));
    BOOST_TEST(lines.empty());
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_valid_is_refused_without_its_secrets) {
    for (const std::string_view text :
         {"[]", "{", R"({"ann": 1})", R"({"ann": ""})", R"({"": "secret"})", R"({"a:b": "secret"})", R"({"a\u0001": "secret"})",
          R"({"ann": {"permission": "read"}})", R"({"ann": {"password": "secret", "permission": "none"}})",
          R"({"ann": {"password": "secret", "permission": 1}})", R"({"ann": {"password": "secret", "admin": true}})",
          R"({"ann": "scrypt$secret"})", R"({"ann": null})"}) {
        BOOST_TEST_CONTEXT(text) {
            const auto refused = refusal_of(text);
            BOOST_TEST(refused != "taken");
            BOOST_TEST(refused.find("secret") == std::string::npos);
        }
    }
    BOOST_TEST(refusal_of(R"({"ann": {"password": "x", "permission": "root"}})").find("\"ann\"") != std::string::npos);
    BOOST_CHECK_EXCEPTION(users(folder.path("missing"), now), taskflux::error,
                          [](const auto& e) { return e.code() == taskflux::errc::unavailable; });
    BOOST_CHECK_THROW(users(folder.path(), now), taskflux::error);
}

BOOST_AUTO_TEST_CASE(a_file_is_read_again_when_it_changes) {
    write(R"({"ann": "one"})");
    auto all = open();
    folder.write("users.json", R"({"ann": "two"})", now - 30min);
    BOOST_TEST(bool(all.verify("ann", "one", now + 999ms).has_value()));
    now += 1s;
    BOOST_TEST(!all.verify("ann", "one", now).has_value());
    BOOST_TEST(all.verify("ann", "two", now).has_value());
    BOOST_TEST(all.find("ann", now).has_value());
    BOOST_TEST(!all.find("bob", now).has_value());
}

BOOST_AUTO_TEST_CASE(a_second_change_at_the_same_time_with_the_same_size_is_seen) {
    folder.write("users.json", R"({"ann": "one"})", now);
    auto all = open();
    folder.write("users.json", R"({"ann": "two"})", now);
    now += 1s;
    BOOST_TEST(all.verify("ann", "two", now).has_value());
}

BOOST_AUTO_TEST_CASE(a_broken_or_missing_file_leaves_the_users_as_they_were_and_is_logged_once) {
    add_user(file(), "ann", "long enough", permission::read, cheap);
    auto all = open();
    folder.write("users.json", "{", now);
    for (int i = 0; i < 3; ++i) BOOST_TEST(all.verify("ann", "long enough", now += 1s).has_value());
    BOOST_TEST(lines.size() == 1U);
    BOOST_TEST(lines.back().find("still holds") != std::string::npos);
    std::filesystem::remove(file());
    for (int i = 0; i < 3; ++i) BOOST_TEST(all.verify("ann", "long enough", now += 1s).has_value());
    BOOST_TEST(lines.size() == 2U);
    folder.write("users.json", "{}", now);
    BOOST_TEST(!all.verify("ann", "long enough", now += 1s).has_value());
}

BOOST_AUTO_TEST_CASE(a_right_password_is_remembered_until_the_time_or_the_file_changes) {
    write(R"({"ann": "one", "bob": "one"})");
    auto all = open(users_options().remember_for(60s));
    BOOST_TEST(!all.remembered("ann", "one", now).has_value());
    BOOST_TEST(!all.verify("ann", "two", now).has_value());
    BOOST_TEST(!all.remembered("ann", "two", now).has_value());
    all.verify("ann", "one", now);
    BOOST_TEST(bool(all.remembered("ann", "one", now + 59s) == permission::submit));
    BOOST_TEST(!all.remembered("ann", "two", now).has_value());
    BOOST_TEST(!all.remembered("bob", "one", now).has_value());
    BOOST_TEST(!all.remembered("ann", "one", now + 60s).has_value());
    all.verify("ann", "one", now);
    write(R"({"ann": "three", "bob": "one"})");
    BOOST_TEST(!all.remembered("ann", "one", now + 2s).has_value());
    auto never = open(users_options().remember_for(0s));
    never.verify("bob", "one", now);
    BOOST_TEST(!never.remembered("bob", "one", now).has_value());
}

BOOST_AUTO_TEST_CASE(what_is_remembered_is_bounded_and_the_oldest_goes_first) {
    secrets::login_memory memory(60s, 3);
    for (int i = 0; i < 5; ++i) memory.add(memory.key("ann", std::to_string(i)), now + std::chrono::seconds(i));
    BOOST_TEST(memory.size() == 3U);
    BOOST_TEST(!memory.has(memory.key("ann", "1"), now));
    BOOST_TEST(memory.has(memory.key("ann", "2"), now));
    memory.add(memory.key("ann", "4"), now + 30s);
    BOOST_TEST(memory.size() <= 3U);
    BOOST_TEST(memory.has(memory.key("ann", "4"), now + 80s));
    memory.add(memory.key("ann", "9"), now + 200s);
    BOOST_TEST(memory.size() == 1U);
    BOOST_TEST(memory.key("a", "bc") != memory.key("ab", "c"));
    BOOST_TEST(secrets::login_memory(60s, 3).key("a", "b") != memory.key("a", "b"));
}

BOOST_AUTO_TEST_CASE(a_stamp_changes_with_the_password_alone) {
    write(R"({"ann": "one", "bob": "one"})");
    auto all = open();
    const auto stamp = all.find("ann", now)->stamp;
    BOOST_TEST(stamp.find("one") == std::string::npos);
    write(R"({"ann": {"password": "one", "permission": "admin"}})");
    BOOST_TEST(all.find("ann", now += 2s)->stamp == stamp);
    BOOST_TEST(bool(all.find("ann", now)->may == permission::admin));
    write(R"({"ann": "two"})");
    BOOST_TEST(all.find("ann", now += 2s)->stamp != stamp);
}

BOOST_AUTO_TEST_CASE(users_are_added_replaced_and_removed_in_a_file) {
    write(R"({"old": "kept as it is"})");
    add_user(file(), "ann", "first password", permission::read, cheap);
    add_user(file(), "ann", "second password", permission::admin, cheap);
    auto all = open();
    BOOST_TEST(bool(all.verify("ann", "second password", now) == permission::admin));
    BOOST_TEST(!all.verify("ann", "first password", now).has_value());
    BOOST_TEST(all.verify("old", "kept as it is", now).has_value());
    BOOST_TEST(folder.read("users.json").find("second password") == std::string::npos);
    BOOST_TEST(folder.count() == 1);
    BOOST_TEST(
        bool((std::filesystem::status(file()).permissions() & std::filesystem::perms::others_all) == std::filesystem::perms::none));
    BOOST_TEST(remove_user(file(), "ann"));
    BOOST_TEST(!remove_user(file(), "ann"));
    BOOST_TEST(!open().find("ann", now).has_value());
    for (const std::string_view name : {"", "a:b", "a\n"})
        BOOST_CHECK_THROW(add_user(file(), name, "long enough", permission::read, cheap), taskflux::error);
    BOOST_CHECK_THROW(add_user(file(), "ann", "short", permission::read, cheap), taskflux::error);
}

BOOST_AUTO_TEST_SUITE_END()
