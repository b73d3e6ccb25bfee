#include <taskflux/detail/context_end.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace detail_context_end {

namespace asio = boost::asio;
using taskflux::detail::context_end;

/// Notes at its end whether what it looks at is still there.
struct witness {
    ~witness() { has_seen = !of.expired(); }

    std::weak_ptr<int> of;
    bool& has_seen;
};

}  // namespace detail_context_end

BOOST_AUTO_TEST_SUITE(detail_context_end)

BOOST_AUTO_TEST_CASE(those_are_told_of_the_end_who_are_still_there) {
    int told = 0;
    const auto there = std::make_shared<int>();
    std::optional<asio::io_context> context(std::in_place);
    context_end::listen(context->get_executor(), there, [&] { ++told; });
    context_end::listen(context->get_executor(), std::make_shared<int>(), [&] { told += 10; });
    context_end::listen(context->get_executor(), there, [&] { ++told; });
    BOOST_TEST(told == 0);
    context.reset();
    BOOST_TEST(told == 2);
}

BOOST_AUTO_TEST_CASE(what_is_kept_is_there_until_the_context_has_let_go_of_all_that_waits) {
    bool has_seen = false;
    std::optional<asio::io_context> context(std::in_place);
    auto kept = std::make_shared<int>();
    const std::weak_ptr<int> left = kept;
    asio::post(*context, [one = std::shared_ptr<witness>(new witness{left, has_seen})] {});
    for (int times = 0; times < 2; ++times) context_end::keep(context->get_executor(), kept);
    BOOST_TEST(kept.use_count() == 2);
    kept.reset();
    BOOST_TEST(!left.expired());
    context.reset();
    BOOST_TEST(has_seen);
    BOOST_TEST(left.expired());
}

BOOST_AUTO_TEST_SUITE_END()
