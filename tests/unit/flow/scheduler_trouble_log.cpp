#include <taskflux/flow/scheduler/trouble_log.hpp>

#include <boost/test/unit_test.hpp>

#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

namespace flow_scheduler_trouble_log {

using namespace taskflux;
using place = detail::trouble_log::place;

struct fixture {
    std::string lines;
    detail::trouble_log of{log_sink([this](const log_line& line, const task_id*) {
        lines += line.text + (line.level == log_level::warning ? "; " : "? ");
    })};

    std::string told() { return std::exchange(lines, {}); }
};

template <class Error>
std::exception_ptr made(Error error) {
    return std::make_exception_ptr(std::move(error));
}

}  // namespace flow_scheduler_trouble_log

BOOST_FIXTURE_TEST_SUITE(flow_scheduler_trouble_log, fixture)

BOOST_AUTO_TEST_CASE(a_line_is_logged_until_it_changes_or_is_over) {
    const place a("q", "a"), b("q", "b");
    of.log(a, "one");
    of.log(a, "one");
    BOOST_TEST(told() == "one; ");
    of.log(b, "one");
    of.log(a, "two");
    of.log(a, "one");
    BOOST_TEST(told() == "one; two; one; ");
    of.is_over(a);
    of.log(a, "one");
    of.log(b, "one");
    BOOST_TEST(told() == "one; ");
}

BOOST_AUTO_TEST_CASE(what_ends_the_scheduler_is_thrown_again_and_all_else_is_logged) {
    const place a("q", "a");
    of.log_failure(a, "reading", made(error(errc::unavailable, "no server")));
    of.log_failure(a, "reading", made(std::runtime_error("no luck")));
    BOOST_TEST(told() == "reading: no server; reading: no luck; ");
    BOOST_CHECK_THROW(of.log_failure(a, "reading", made(error(errc::shut_down, "closed"))), error);
    BOOST_CHECK_THROW(of.log_failure(a, "reading", made(boost::system::system_error(asio::error::operation_aborted))),
                      boost::system::system_error);
    BOOST_TEST(told() == "");
}

BOOST_AUTO_TEST_CASE(a_queue_that_stays_full_is_told_of_once_however_full_it_is) {
    const place a("q", "a");
    of.log_failure(a, "firing", made(detail::backlog_full("q", 1, 5, 5)));
    BOOST_TEST(told().starts_with("firing: queue q has no room for 1 more task: it has 5 "));
    of.log_failure(a, "firing", made(detail::backlog_full("q", 1, 7, 5)));
    of.log_failure(a, "firing", made(detail::backlog_full("q", 2, 7, 6)));
    BOOST_TEST(told() == "");
    of.log_failure(a, "firing", made(error(errc::unavailable, "no server")));
    BOOST_TEST(told() == "firing: no server; ");
    of.log_failure(a, "firing", made(detail::backlog_full("q", 1, 7, 5)));
    BOOST_TEST(told() != "");
    of.is_over(a);
    of.log_failure(a, "firing", made(detail::backlog_full("q", 1, 7, 5)));
    BOOST_TEST(told() != "");
}

BOOST_AUTO_TEST_CASE(rows_and_queues_that_are_gone_are_forgotten_and_no_others) {
    const place nowhere, queue("q", ""), row("q", "a"), other_row("q", "b"), elsewhere("r", "a");
    const auto log_all = [&] {
        for (const auto& where : {nowhere, queue, row, other_row, elsewhere}) of.log(where, where.first + '/' + where.second);
        return told();
    };
    BOOST_TEST(log_all() == "/; q/; q/a; q/b; r/a; ");
    of.keep_rows("q", [](const std::string& one) { return one == "b"; });
    BOOST_TEST(log_all() == "q/a; ");
    of.keep_queues({"r"});
    BOOST_TEST(log_all() == "q/; q/a; q/b; ");
}

BOOST_AUTO_TEST_SUITE_END()
