#include "folder.hpp"

#include <taskflux/http/file_store.hpp>
#include <taskflux/http/users.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace http_logins_threads {

using namespace taskflux::http;
using namespace std::chrono_literals;

const taskflux::time_point now = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);

}  // namespace http_logins_threads

BOOST_AUTO_TEST_SUITE(http_logins_threads)

BOOST_AUTO_TEST_CASE(a_file_changes_while_many_log_in) {
    const test::folder folder;
    const secrets::scrypt_cost cheap(4, 1, 1);
    const auto file = folder.path("users");
    add_user(file, "ann", "always the same", permission::read, cheap);
    users all(file, now, users_options().look_every(0s).remember_most(2), nullptr);
    std::atomic<int> wrong = 0;
    std::vector<std::jthread> running;
    for (int i = 0; i < 3; ++i) {
        running.emplace_back([&] {
            for (int k = 0; k < 50; ++k) {
                if (!all.verify("ann", "always the same", now)) ++wrong;
                if (all.remembered("ann", "another", now)) ++wrong;
                if (all.verify("bob", "number 0 of many", now) && all.find("bob", now)->may != permission::admin) ++wrong;
            }
        });
    }
    for (int i = 0; i < 20; ++i) add_user(file, "bob", "number " + std::to_string(i) + " of many", permission::admin, cheap);
    running.clear();
    BOOST_TEST(wrong == 0);
    BOOST_TEST(all.verify("bob", "number 19 of many", now).has_value());
}

BOOST_AUTO_TEST_CASE(files_are_read_and_replaced_at_the_same_time) {
    const test::folder folder;
    file_store files(folder.path(), file_store_options().remove_after(1ms).look_every(1ms));
    const auto store = [&](char c) {
        auto upload = files.create("a.txt");
        for (int i = 0; i < 10; ++i) upload.write(std::string(100, c));
        upload.commit();
    };
    store('x');
    std::atomic<int> wrong = 0;
    std::vector<std::jthread> running;
    for (const char c : {'a', 'b'}) {
        running.emplace_back([&, c] {
            for (int k = 0; k < 10; ++k) store(c);
        });
    }
    running.emplace_back([&] {
        std::string text(2000, '\0');
        for (int k = 0; k < 200; ++k) {
            const auto file = files.open("a.txt");
            const auto size = file ? file->read(0, text) : 0;
            if (size != 1000 || text.find_first_not_of(text[0]) != size) ++wrong;
            files.clean_up(taskflux::time_point(k * 1s));  // nothing is that old
        }
    });
    running.clear();
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_SUITE_END()
