#include <taskflux/broker/redis/batcher.hpp>
#include <taskflux/detail/event.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace redis_batcher {

namespace asio = boost::asio;
using namespace taskflux::redis;

/// An item of that many bytes.
struct sized {
    std::size_t bytes;
};
std::size_t bytes_of(const sized& item) { return item.bytes; }

asio::awaitable<std::vector<int>> fail(std::vector<int>, bool) {
    co_await asio::post(asio::deferred);  // more come meanwhile
    throw std::runtime_error("no luck");
}

/// Notes what is sent together, and how much is under way at once. What is sent first waits for all others.
struct line {
    asio::io_context io;
    taskflux::detail::event all_are_there;
    std::vector<std::size_t> sent;
    int under_way = 0, most_under_way = 0;
    std::shared_ptr<batcher<sized, int>> batches =
        std::make_shared<batcher<sized, int>>(io.get_executor(), [this](std::vector<sized> items, bool) { return send(*this, std::move(items)); });

    static asio::awaitable<std::vector<int>> send(line& in, std::vector<sized> items) {
        in.most_under_way = (std::max)(in.most_under_way, ++in.under_way);
        in.sent.push_back(items.size());
        if (in.sent.size() == 1) co_await in.all_are_there.wait();
        co_await asio::post(asio::deferred);
        --in.under_way;
        std::vector<int> answers;
        for (const auto& item : items) answers.push_back(int(item.bytes));
        co_return answers;
    }

    /// Has each of these sent for a caller of its own, the first one before the others come; what they are answered.
    std::vector<std::vector<int>> run(const std::vector<std::vector<sized>>& all) {
        std::vector<std::vector<int>> answered(all.size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            asio::co_spawn(io, batches->run(all[i]), [&answered, i](std::exception_ptr, std::vector<int> got) { answered[i] = std::move(got); });
            io.poll();
            io.restart();
        }
        all_are_there.set();
        io.run();
        return answered;
    }
};

}  // namespace redis_batcher

BOOST_AUTO_TEST_SUITE(redis_batcher)

BOOST_AUTO_TEST_CASE(a_batch_ends_before_it_has_too_many_items_or_bytes_and_has_one_at_least) {
    constexpr auto most = batcher_limits::max_bytes;
    using items = std::vector<sized>;
    const auto ends = [](const items& all, std::size_t from = 0) { return end_of_batch(all, from); };
    BOOST_TEST(ends({}) == 0U);
    BOOST_TEST(ends({{most - 1}, {1}, {1}}) == 2U);
    BOOST_TEST(ends({{most}, {1}}) == 1U);
    BOOST_TEST(ends({{1}, {most + 1}, {1}}) == 1U);
    BOOST_TEST(ends({{1}, {most + 1}, {1}}, 1) == 2U);
    const items many(batcher_limits::max_items + 1, sized{1});
    BOOST_TEST(ends(many) == batcher_limits::max_items);
    BOOST_TEST(ends(many, batcher_limits::max_items) == many.size());
}

BOOST_AUTO_TEST_CASE(callers_that_have_no_room_are_refused_and_the_others_sent_in_their_order) {
    for (const bool are_all_new : {true, false}) {
        asio::io_context io;
        std::vector<std::vector<int>> sent;
        std::size_t stored = 0;
        const auto send = [&](std::vector<int>& items, bool are_several) -> asio::awaitable<std::vector<int>> {
            sent.push_back(items);
            co_await asio::post(asio::deferred);
            if (stored + items.size() > 5) {
                const auto fresh = are_all_new || !are_several ? items.size() : items.size() - 1;  // with a duplicate or not
                throw taskflux::detail::backlog_full("q", fresh, stored, 5);
            }
            stored += items.size();
            co_return std::move(items);
        };
        const auto batches = std::make_shared<batcher<int, int>>(io.get_executor(), send);
        std::vector<std::vector<int>> answers(5);
        std::vector<std::string> refused(5);
        const std::vector<std::vector<int>> wanted{{0}, {1, 2}, {3, 4, 5}, {6}, {7}};
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            asio::co_spawn(io, batches->run(wanted[i]), [&, i](std::exception_ptr error, std::vector<int> got) {
                answers[i] = std::move(got);
                try {
                    if (error) std::rethrow_exception(error);
                } catch (const taskflux::detail::backlog_full& e) {
                    refused[i] = e.what();
                }
            });
        }
        io.run();
        for (const std::size_t i : {0U, 1U, 3U, 4U}) BOOST_TEST(answers[i] == wanted[i], boost::test_tools::per_element());
        BOOST_TEST(refused[2].find("no room for 3 more tasks: it has 3 that wait") != std::string::npos, refused[2]);
        for (const std::size_t i : {0U, 1U, 3U, 4U}) BOOST_TEST(refused[i] == "");
        BOOST_TEST(sent.size() <= (are_all_new ? 3U : wanted.size() + 2));
    }
}

BOOST_AUTO_TEST_CASE(what_goes_wrong_with_a_batch_is_thrown_to_all_that_had_a_part_in_it) {
    asio::io_context io;
    const auto batches = std::make_shared<batcher<int, int>>(io.get_executor(), fail);
    int failed = 0;
    for (int i = 0; i < 5; ++i) {
        std::vector<int> items(1, i);
        asio::co_spawn(io, batches->run(std::move(items)), [&](std::exception_ptr e, const std::vector<int>&) { failed += bool(e); });
    }
    io.run();
    BOOST_TEST(failed == 5);
}

BOOST_AUTO_TEST_CASE(what_comes_while_something_is_under_way_goes_next_as_much_as_may_go_together) {
    constexpr auto most = batcher_limits::max_bytes;
    const std::vector<std::vector<sized>> large{{{1}}, {{most - 1}}, {{1}}, {{1}, {2}}, {{most + 1}}, {{3}}};
    line by_bytes;
    const auto answers = by_bytes.run(large);
    BOOST_TEST(by_bytes.most_under_way == 1);
    BOOST_TEST(by_bytes.sent == (std::vector<std::size_t>{1, 2, 2, 1, 1}), boost::test_tools::per_element());
    for (std::size_t i = 0; i < large.size(); ++i) {
        BOOST_REQUIRE(answers[i].size() == large[i].size());
        for (std::size_t j = 0; j < large[i].size(); ++j) BOOST_TEST(answers[i][j] == int(large[i][j].bytes));
    }
    const std::vector<sized> many(batcher_limits::max_items, sized{0}), one(1, sized{0});
    line by_items;
    by_items.run({one, many, one, one});
    BOOST_TEST(by_items.sent == (std::vector<std::size_t>{1, batcher_limits::max_items, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
