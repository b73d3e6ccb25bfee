#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/core/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

using namespace taskflux;

BOOST_AUTO_TEST_SUITE(broker_checks)

BOOST_AUTO_TEST_CASE(a_payload_of_64_mebibytes_is_stored_and_a_byte_more_is_not) {
    std::vector<new_task> tasks(1);
    tasks[0].spec = std::make_shared<const task_spec>(task_spec{"work", 0, {}, {}});
    tasks[0].payload.assign(std::size_t(64) << 20, 'x');
    detail::check_tasks(tasks);
    tasks[0].payload += 'x';
    BOOST_CHECK_EXCEPTION(detail::check_tasks(tasks), error, [](const error& e) { return e.code() == errc::too_large; });
}

BOOST_AUTO_TEST_SUITE_END()
