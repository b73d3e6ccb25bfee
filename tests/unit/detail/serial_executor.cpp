#include <taskflux/detail/serial_executor.hpp>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <stdexcept>
#include <vector>

namespace detail_serial_executor {

namespace asio = boost::asio;
using taskflux::detail::serial_executor;
using taskflux::detail::serial_queue;

struct fixture {
    asio::io_context io;
    std::shared_ptr<serial_queue> queue = std::make_shared<serial_queue>(io.get_executor());
    asio::any_io_executor executor = serial_executor(queue);
    std::vector<int> order;
};

}  // namespace detail_serial_executor

BOOST_FIXTURE_TEST_SUITE(detail_serial_executor, fixture)

BOOST_AUTO_TEST_CASE(what_is_posted_runs_in_order_and_dispatch_from_inside_at_once) {
    asio::post(executor, [this] {
        asio::post(executor, [this] { order.push_back(3); });
        asio::dispatch(executor, [this] { order.push_back(1); });
        order.push_back(2);
    });
    io.run();
    BOOST_TEST((order == std::vector{1, 2, 3}));
}

BOOST_AUTO_TEST_CASE(one_that_may_not_block_says_so_and_posts_from_inside) {
    const serial_executor may(queue);
    const auto may_not = may.require(asio::execution::blocking.never);
    BOOST_TEST((may.query(asio::execution::blocking) == asio::execution::blocking.possibly));
    BOOST_TEST((may_not.query(asio::execution::blocking) == asio::execution::blocking.never));
    BOOST_TEST((may_not.require(asio::execution::blocking.possibly) == may));
    BOOST_TEST((may_not != may));
    BOOST_TEST(queue->try_enter());
    may_not.execute([this] { order.push_back(1); });
    BOOST_TEST(order.empty());
    queue->leave();
    io.run();
    BOOST_TEST((order == std::vector{1}));
}

BOOST_AUTO_TEST_CASE(whoever_is_inside_keeps_others_out_until_it_leaves) {
    BOOST_TEST(queue->try_enter());
    BOOST_TEST(!queue->try_enter());
    asio::dispatch(executor, [this] { order.push_back(1); });
    asio::post(executor, [this] { order.push_back(2); });
    io.poll();
    BOOST_TEST((order == std::vector{1}));
    queue->leave();
    io.restart();
    io.poll();
    BOOST_TEST((order == std::vector{1, 2}));
    BOOST_TEST(queue->try_enter());
    queue->leave();
}

BOOST_AUTO_TEST_CASE(an_exception_comes_out_of_run_and_the_rest_still_runs) {
    asio::post(executor, [] { throw std::runtime_error("out"); });
    asio::post(executor, [this] { order.push_back(1); });
    BOOST_CHECK_THROW(io.run(), std::runtime_error);
    io.run();
    BOOST_TEST((order == std::vector{1}));
}

BOOST_AUTO_TEST_CASE(a_destroyed_context_takes_along_what_waits) {
    const auto alive = std::make_shared<int>(0);
    {
        asio::io_context gone;
        const asio::any_io_executor on = serial_executor(std::make_shared<serial_queue>(gone.get_executor()));
        asio::post(on, [alive, on] { asio::post(on, [alive] {}); });
        gone.run_one();
        BOOST_TEST(alive.use_count() > 1);
    }
    BOOST_TEST(alive.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(on_several_threads_only_one_is_inside) {
    asio::thread_pool threads(4);
    const asio::any_io_executor on = serial_executor(std::make_shared<serial_queue>(threads.get_executor()));
    int unguarded = 0;
    for (int i = 0; i < 4000; ++i) {
        asio::post(threads, [&] { asio::post(on, [&] { ++unguarded; }); });
    }
    threads.join();
    BOOST_TEST(unguarded == 4000);
}

BOOST_AUTO_TEST_CASE(a_thread_that_has_left_is_outside_again) {
    BOOST_TEST(queue->try_enter());
    queue->leave();
    asio::dispatch(executor, [this] { order.push_back(1); });
    BOOST_TEST(order.empty());
    io.run();
    BOOST_TEST((order == std::vector{1}));
    asio::dispatch(executor, [this] { order.push_back(2); });
    BOOST_TEST((order == std::vector{1}));
}

BOOST_AUTO_TEST_SUITE_END()
