#include <taskflux/detail/waiters.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <vector>

namespace detail_waiters {

namespace asio = boost::asio;
using taskflux::detail::waiters;

struct fixture {
    void add(int number, std::uint64_t id) {
        const auto note = [this, number](boost::system::error_code ec) { heard.push_back(ec ? -number : number); };
        auto one = waiters::make(note, io.get_executor());
        all.add(one, id);
    }

    asio::io_context io;
    std::vector<int> heard;
    waiters all;
};

}  // namespace detail_waiters

BOOST_FIXTURE_TEST_SUITE(detail_waiters, fixture)

BOOST_AUTO_TEST_CASE(all_are_woken_in_the_order_in_which_they_came) {
    for (const int number : {1, 2, 3}) add(number, 0);
    BOOST_TEST(!all.empty());
    waiters::complete(all.take());
    BOOST_TEST(all.empty());
    BOOST_TEST(heard.empty());  // they are posted
    io.run();
    BOOST_TEST((heard == std::vector{1, 2, 3}));
}

BOOST_AUTO_TEST_CASE(one_is_taken_by_its_id_and_once) {
    for (const int number : {1, 2, 3}) add(number, static_cast<std::uint64_t>(number));
    for (int times = 0; times < 2; ++times) waiters::complete(all.take(2), asio::error::operation_aborted);
    waiters::complete(all.take());
    io.run();
    BOOST_TEST((heard == std::vector{-2, 1, 3}));
    BOOST_TEST(all.take(1).empty());
}

BOOST_AUTO_TEST_CASE(the_context_of_one_that_waits_has_work) {
    add(1, 0);
    io.poll();
    BOOST_TEST(!io.stopped());
    waiters::complete(all.take());
    io.run();
    BOOST_TEST(io.stopped());
}

BOOST_AUTO_TEST_SUITE_END()
