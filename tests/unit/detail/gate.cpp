#include <taskflux/detail/gate.hpp>
#include <taskflux/detail/given_function.hpp>
#include <taskflux/detail/live.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace detail_gate {

namespace asio = boost::asio;
using namespace taskflux;

}  // namespace detail_gate

BOOST_AUTO_TEST_SUITE(detail_gate)

BOOST_AUTO_TEST_CASE(what_has_entered_keeps_the_threads_and_nothing_enters_a_closed_gate) {
    asio::io_context io;
    detail::gate at;
    BOOST_TEST(!at.is_closed());
    auto inside = at.enter(io.get_executor());
    BOOST_TEST(bool(inside));
    io.poll();
    BOOST_TEST(!io.stopped());
    at.close();
    BOOST_TEST(at.is_closed());
    BOOST_TEST(!at.enter(io.get_executor()));
    io.poll();
    BOOST_TEST(!io.stopped());
    inside = {};
    io.poll();
    BOOST_TEST(io.stopped());
}

BOOST_AUTO_TEST_CASE(a_function_that_holds_nothing_is_refused_by_its_name) {
    const auto refusal = [](const auto& function, std::string_view name) {
        try {
            detail::require_given(function, "task", name);
        } catch (const error& e) {
            BOOST_TEST((e.code() == errc::invalid_argument));
            return std::string(e.what());
        }
        return std::string();
    };
    void (*const none)() = nullptr;
    BOOST_TEST(refusal(none, "render").starts_with("the function of task render is empty: give one that can be called"));
    BOOST_TEST(refusal(std::function<void()>(), "").starts_with("the function of task is empty:"));
    BOOST_TEST(refusal(std::function<void()>([] {}), "render").empty());
    BOOST_TEST(refusal(+[] {}, "render").empty());
    BOOST_TEST(refusal([] {}, "render").empty());
}

BOOST_AUTO_TEST_CASE(a_pool_has_as_many_threads_as_were_asked_for_and_at_least_one) {
    BOOST_TEST(detail::cpu_pool_size(1) == 1U);
    BOOST_TEST(detail::cpu_pool_size(7) == 7U);
    BOOST_TEST(detail::cpu_pool_size(0) >= 1U);
    BOOST_TEST(detail::cpu_pool_size(0) == (std::max)(std::thread::hardware_concurrency(), 1U));
}

BOOST_AUTO_TEST_SUITE_END()
