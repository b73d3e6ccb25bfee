#include <taskflux/detail/small_function.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>

namespace {
using taskflux::detail::small_function;
}

BOOST_AUTO_TEST_SUITE(detail_small_function)

BOOST_AUTO_TEST_CASE(a_call_takes_the_callable_out) {
    small_function stored;
    BOOST_TEST(!stored);
    int calls = 0;
    stored.emplace([&calls, owned = std::make_unique<int>(2)] { calls += *owned; });
    BOOST_TEST(bool(stored));
    stored();
    BOOST_TEST(calls == 2);
    BOOST_TEST(!stored);
}

BOOST_AUTO_TEST_CASE(it_can_be_filled_again_from_inside_the_call) {
    small_function stored;
    int calls = 0;
    stored.emplace([&] {
        ++calls;
        stored.emplace([&calls] { calls += 10; });
    });
    stored();
    stored();
    BOOST_TEST(calls == 11);
}

BOOST_AUTO_TEST_CASE(what_is_not_called_is_destroyed) {
    const auto alive = std::make_shared<int>(0);
    int calls = 0;
    {
        small_function kept, replaced, reset;
        kept.emplace([alive, &calls] { ++calls; });
        replaced.emplace([alive, &calls] { ++calls; });
        replaced.emplace([] {});
        reset.emplace([alive, &calls] { ++calls; });
        reset.reset();
        BOOST_TEST(!reset);
        BOOST_TEST(alive.use_count() == 2);
    }
    BOOST_TEST(alive.use_count() == 1);
    BOOST_TEST(calls == 0);
}

BOOST_AUTO_TEST_SUITE_END()
