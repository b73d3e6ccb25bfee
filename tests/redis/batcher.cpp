#include <taskflux/broker/redis/batcher.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace taskflux::redis;

/// An item of that many bytes.
struct sized {
    std::size_t bytes;
};
std::size_t bytes_of(const sized& item) { return item.bytes; }

asio::awaitable<std::vector<int>> fail(std::vector<int>) {
    co_await asio::post(asio::deferred);  // more come meanwhile
    throw std::runtime_error("no luck");
}

}  // namespace

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

BOOST_AUTO_TEST_SUITE_END()
