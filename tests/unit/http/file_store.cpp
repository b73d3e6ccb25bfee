#include "folder.hpp"

#include <taskflux/core/error.hpp>
#include <taskflux/http/file_store.hpp>
#include <taskflux/http/on_pool.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace http_file_store {

using namespace taskflux::http;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

const taskflux::time_point now = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);

std::string all_of(const stored_file& file) {
    std::array<char, 7> buffer;
    std::string made;
    while (const auto count = file.read(made.size(), buffer)) made.append(buffer.data(), count);
    return made;
}

void store(const file_store& in, std::string_view name, std::string_view text) {
    auto upload = in.create(name);
    upload.write(text);
    upload.commit();
}

taskflux::errc code_of(auto call) {
    try {
        call();
    } catch (const taskflux::error& e) {
        return static_cast<taskflux::errc>(e.code().value());
    }
    return {};
}

struct fixture {
    test::folder outer, folder;
    file_store files{folder.path(), file_store_options().max_size(100).remove_after(60s).look_every(10s)};

    std::optional<std::string> read(std::string_view name) const {
        const auto file = files.open(name);
        return file ? std::optional(all_of(*file)) : std::nullopt;
    }
};

}  // namespace http_file_store

BOOST_FIXTURE_TEST_SUITE(http_file_store, fixture)

BOOST_AUTO_TEST_CASE(a_file_is_there_when_it_is_whole) {
    auto upload = files.create("a.txt");
    upload.write("hello ");
    BOOST_TEST(!read("a.txt").has_value());
    upload.write("world");
    BOOST_TEST(upload.size() == 11U);
    upload.commit();
    BOOST_TEST(read("a.txt").value() == "hello world");
    BOOST_TEST(folder.count() == 1);
    BOOST_TEST(bool((fs::status(folder.path("a.txt")).permissions() & fs::perms::others_all) == fs::perms::none));
}

BOOST_AUTO_TEST_CASE(an_upload_that_is_given_up_leaves_nothing) {
    {
        auto upload = files.create("a.txt");
        upload.write("x");
        auto moved = std::move(upload);
        BOOST_TEST(folder.count() == 1);
        for (const auto& entry : fs::directory_iterator(folder.path()))
            BOOST_TEST(!read(entry.path().filename().string()).has_value());
        moved = files.create("b.txt");
    }
    BOOST_TEST(folder.count() == 0);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_too_large_is_refused) {
    auto upload = files.create("a.txt");
    upload.write(std::string(99, 'x'));
    BOOST_TEST(bool(code_of([&] { upload.write("xx"); }) == taskflux::errc::too_large));
    upload.write("x");
    BOOST_TEST(upload.size() == 100U);
}

BOOST_AUTO_TEST_CASE(an_open_file_stays_as_it_is) {
    store(files, "a.txt", "old");
    const auto file = files.open("a.txt");
    store(files, "a.txt", "new text");
    BOOST_TEST(all_of(*file) == "old");
    BOOST_TEST(read("a.txt").value() == "new text");
    BOOST_TEST(file->tag().text() != files.open("a.txt")->tag().text());
    BOOST_TEST(files.remove("a.txt"));
    BOOST_TEST(!files.remove("a.txt"));
    BOOST_TEST(!read("a.txt").has_value());
}

BOOST_AUTO_TEST_CASE(a_file_has_size_time_and_tag) {
    folder.write("a.txt", "12345", now + 250ms);
    const auto file = files.open("a.txt");
    BOOST_TEST(file->size() == 5U);
    BOOST_TEST(bool(file->modified() == std::chrono::floor<std::chrono::seconds>(now)));
    BOOST_TEST(!file->tag().is_weak());
    BOOST_TEST(files.open("a.txt")->tag().text() == file->tag().text());
    folder.write("a.txt", "54321", now + 251ms);
    BOOST_TEST(files.open("a.txt")->tag().text() != file->tag().text());
    std::array<char, 10> buffer;
    BOOST_TEST(file->read(3, buffer) == 2U);
    BOOST_TEST(file->read(100, buffer) == 0U);
}

BOOST_AUTO_TEST_CASE(no_name_leads_out_of_the_folder) {
    outer.write("secret", "secret", now);
    fs::create_symlink(outer.path("secret"), folder.path("link"));
    fs::create_directory_symlink(outer.path(), folder.path("folder"));
    fs::create_symlink(folder.path("inside"), folder.path("inner"));
    folder.write("inside", "x", now);
    fs::create_directory(folder.path("real"));
    folder.write("real/file", "below", now);
    fs::create_directory(folder.path("fasttask"));
    folder.write("fasttask/file", "system", now);
    for (const std::string& name : {std::string("link"), std::string("folder/secret"), std::string("folder"), std::string("inner"),
                                    "../" + fs::path(outer.path()).filename().string() + "/secret", outer.path("secret"),
                                    std::string("real/../../x"), std::string("fasttask/file"), std::string("real"),
                                    std::string("inside/x"), std::string("missing"), std::string("missing/x"), std::string()}) {
        BOOST_TEST_CONTEXT(name) {
            BOOST_TEST(!files.open(name).has_value());
            BOOST_TEST(!files.remove(name));
        }
    }
    BOOST_TEST(read("real/file").value() == "below");
    BOOST_TEST(outer.read("secret") == "secret");
    BOOST_TEST(folder.has("link"));
    BOOST_TEST(files.remove("real/file"));
}

BOOST_AUTO_TEST_CASE(a_name_that_is_a_link_is_replaced_and_not_followed) {
    outer.write("secret", "secret", now);
    fs::create_symlink(outer.path("secret"), folder.path("a.txt"));
    store(files, "a.txt", "mine");
    BOOST_TEST(outer.read("secret") == "secret");
    BOOST_TEST(read("a.txt").value() == "mine");
}

BOOST_AUTO_TEST_CASE(names_that_are_not_safe_are_not_created) {
    for (const std::string_view name : {"", "../a", "a/b", "/a", "fasttask", ".taskflux-upload-x"}) {
        BOOST_TEST_CONTEXT(name) BOOST_TEST(bool(code_of([&] { files.create(name); }) == taskflux::errc::invalid_argument));
    }
    BOOST_TEST(bool(code_of([] { file_store("/no/such/folder"); }) == taskflux::errc::unavailable));
}

BOOST_AUTO_TEST_CASE(old_files_are_removed_but_the_systems_stay) {
    fs::create_directories(folder.path("sub/below"));
    fs::create_directory(folder.path("fasttask"));
    fs::create_directory_symlink(outer.path(), folder.path("link"));
    for (const std::string_view name : {"old", "sub/old", "sub/below/old", "fasttask/old"}) folder.write(name, "x", now - 60s);
    outer.write("old", "x", now - 60s);
    folder.write("new", "x", now - 59s);
    BOOST_TEST(files.clean_up(now).value() == 3U);
    BOOST_TEST(!folder.has("old"));
    BOOST_TEST(!folder.has("sub/below/old"));
    BOOST_TEST(folder.has("fasttask/old"));
    BOOST_TEST(folder.has("new"));
    BOOST_TEST(folder.has("link"));
    BOOST_TEST(outer.has("old"));
    BOOST_TEST(!files.clean_up(now + 9s).has_value());
    BOOST_TEST(folder.has("new"));
    BOOST_TEST(files.clean_up(now + 10s).value() == 1U);
}

BOOST_AUTO_TEST_CASE(without_an_age_only_abandoned_uploads_are_removed) {
    file_store all(folder.path());
    folder.write("old", "x", now - 24h * 365);
    folder.write(".taskflux-upload-old", "x", now - 1h);
    folder.write(".taskflux-upload-new", "x", now - 59min);
    BOOST_TEST(all.clean_up(now).value() == 1U);
    BOOST_TEST(folder.has("old"));
    BOOST_TEST(folder.has(".taskflux-upload-new"));
    BOOST_TEST(bool(code_of([] { file_store_options().remove_after(0s); }) == taskflux::errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(calls_that_block_run_on_a_pool) {
    boost::asio::io_context context;
    boost::asio::thread_pool pool(1);
    auto body = [](boost::asio::any_io_executor on, const file_store* all,
                   std::thread::id here) -> boost::asio::awaitable<std::string> {
        auto create = [all] { return all->create("a.txt"); };
        auto upload = co_await on_pool(on, create);
        auto write = [&upload] {
            upload.write("text");
            upload.commit();
        };
        co_await on_pool(on, write);
        auto where = [] { return std::this_thread::get_id(); };
        const auto there = co_await on_pool(on, where);
        if (there == here || std::this_thread::get_id() != here) co_return "on the wrong thread";
        auto fail = []() -> int { throw std::runtime_error("thrown there"); };
        try {
            co_await on_pool(on, fail);
        } catch (const std::runtime_error& e) {
            co_return e.what();
        }
        co_return "not thrown";
    };
    auto made =
        boost::asio::co_spawn(context, body(pool.get_executor(), &files, std::this_thread::get_id()), boost::asio::use_future);
    context.run();
    BOOST_TEST(made.get() == "thrown there");
    BOOST_TEST(read("a.txt").value() == "text");
}

BOOST_AUTO_TEST_SUITE_END()
