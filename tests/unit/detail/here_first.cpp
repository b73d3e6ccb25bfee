#include <taskflux/detail/here_first.hpp>

#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <thread>

namespace detail_here_first {

namespace asio = boost::asio;
using taskflux::detail::here_first;

struct fixture {
    /// Whether it runs a function before `execute` returns. It is run in any case.
    bool runs_at_once(const here_first& on) {
        int runs = 0;
        on.execute([&runs] { ++runs; });
        const bool is_done = runs == 1;
        io.restart();
        io.run();
        BOOST_TEST(runs == 1);
        return is_done;
    }

    asio::io_context io;
    here_first here{std::this_thread::get_id(), io.get_executor()};
    here_first nowhere{std::thread::id(), io.get_executor()};
};

}  // namespace detail_here_first

BOOST_FIXTURE_TEST_SUITE(detail_here_first, fixture)

BOOST_AUTO_TEST_CASE(what_comes_from_its_thread_runs_at_once_and_all_else_elsewhere) {
    BOOST_TEST(runs_at_once(here));
    BOOST_TEST(!runs_at_once(nowhere));
}

BOOST_AUTO_TEST_CASE(what_may_not_block_runs_elsewhere_in_any_case) {
    const auto may_not = here.require(asio::execution::blocking.never);
    BOOST_TEST(!runs_at_once(may_not));
    BOOST_TEST(runs_at_once(may_not.require(asio::execution::blocking.possibly)));
    BOOST_TEST((may_not.query(asio::execution::blocking) == asio::execution::blocking.never));
    BOOST_TEST((here.query(asio::execution::blocking) == asio::execution::blocking.possibly));
}

BOOST_AUTO_TEST_CASE(those_are_equal_that_do_the_same) {
    BOOST_TEST((here == here_first(std::this_thread::get_id(), io.get_executor())));
    BOOST_TEST((here != nowhere));
    BOOST_TEST((here != here.require(asio::execution::blocking.never)));
    asio::io_context other;
    BOOST_TEST((here != here_first(std::this_thread::get_id(), other.get_executor())));
}

BOOST_AUTO_TEST_SUITE_END()
