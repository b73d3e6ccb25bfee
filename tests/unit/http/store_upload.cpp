#include "folder.hpp"

#include <taskflux/core/error.hpp>
#include <taskflux/http/store_upload.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace http_store_upload {

using namespace taskflux::http;
using kind = upload_end::kind;

/// A body that arrives in pieces.
class source {
public:
    source(std::string body, std::size_t piece, bool breaks) : body_(std::move(body)), piece_(piece), breaks_(breaks) {}

    boost::asio::awaitable<std::string> read() {
        if (breaks_ && at_ >= body_.size()) throw std::runtime_error("the client is gone");
        auto piece = body_.substr((std::min)(at_, body_.size()), piece_);
        at_ += piece.size();
        co_return piece;
    }

private:
    std::string body_;
    std::size_t piece_, at_ = 0;
    bool breaks_;
};

struct fixture {
    test::folder folder;
    boost::asio::thread_pool pool{1};
    std::shared_ptr<const file_store> files =
        std::make_shared<const file_store>(folder.path(), file_store_options().max_size(1'000'000));

    upload_end send(std::string body, std::size_t piece = 50'000, bool breaks = false,
                    std::string_view type = "multipart/form-data; boundary=b") {
        boost::asio::io_context context;
        source from(std::move(body), piece, breaks);
        auto stored = store_upload(
            media_type::parse(type), [&from] { return from.read(); }, upload_target(files, pool.get_executor(), "id"));
        auto made = boost::asio::co_spawn(context, std::move(stored), boost::asio::use_future);
        context.run();
        return made.get();
    }
};

std::string part(std::string_view name, std::string_view text) {
    return "--b\r\nContent-Disposition: form-data; " + std::string(name) + "\r\n\r\n" + std::string(text) + "\r\n";
}

}  // namespace http_store_upload

BOOST_FIXTURE_TEST_SUITE(http_store_upload, fixture)

BOOST_AUTO_TEST_CASE(a_file_of_a_form_is_stored) {
    std::string text(700'000, 'x');
    for (std::size_t i = 0; i < text.size(); i += 7) text[i] = static_cast<char>(i % 256);
    const auto made = send(part("name=\"other\"", "first") + part("name=\"file\"; filename=\"a.txt\"", text) +
                           part("name=\"last\"", "x") + "--b--\r\n");
    BOOST_TEST(bool(made.is() == kind::stored));
    BOOST_TEST(made.name() == "id_a.txt");
    BOOST_TEST(made.size() == text.size());
    BOOST_TEST(bool(folder.read("id_a.txt") == text));
    BOOST_TEST(send(part("name=\"file\"", "") + "--b--", 1).name() == "id_files");
    BOOST_TEST(folder.has("id_files"));
    BOOST_TEST(folder.count() == 2);
}

BOOST_AUTO_TEST_CASE(what_is_refused_leaves_nothing) {
    const auto status = [&](std::string body) {
        const auto made = send(std::move(body));
        return made.is() == kind::refused ? made.refused().status() : 0U;
    };
    const auto good = part("name=\"file\"; filename=\"a.txt\"", "text");
    BOOST_TEST(status(good) == 400U);  // the last boundary is missing
    BOOST_TEST(status(good + good + "--b--") == 400U);
    BOOST_TEST(status(part("name=\"file\"; filename=\"../a\"", "text") + "--b--") == 400U);
    BOOST_TEST(status(part("name=\"file\"; filename=\"fasttask/a\"", "text") + "--b--") == 403U);
    BOOST_TEST(send(good + "--b--", 10, false, "application/json").refused().status() == 415U);
    BOOST_TEST(bool(send(part("name=\"other\"", "text") + "--b--").is() == kind::missing));
    BOOST_CHECK_EXCEPTION(send(part("name=\"file\"", std::string(1'000'001, 'x')) + "--b--"), taskflux::error,
                          [](const auto& e) { return e.code() == taskflux::errc::too_large; });
    BOOST_CHECK_THROW(send(part("name=\"file\"", std::string(300'000, 'x')), 10'000, true), std::runtime_error);
    pool.join();
    BOOST_TEST(folder.count() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
