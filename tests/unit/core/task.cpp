#include <taskflux/core/task.hpp>

#include <boost/test/unit_test.hpp>

#include <type_traits>

namespace core_task {

using namespace taskflux;
using namespace std::chrono_literals;

inline constexpr task<int(std::string)> measure{"measure", task_options{}.queue("lab").timeout(5s)};
inline constexpr task<void()> tick{"tick"};

static_assert(std::is_same_v<decltype(measure)::result_type, int>);
static_assert(std::is_same_v<decltype(measure)::payload_type, std::string>);
static_assert(std::is_void_v<decltype(tick)::result_type> && std::is_void_v<decltype(tick)::payload_type>);
static_assert(measure.name() == "measure" && measure.options().queue() == "lab");
static_assert(tick.options().queue() == "default");

}  // namespace core_task

BOOST_AUTO_TEST_SUITE(core_task)

BOOST_AUTO_TEST_CASE(a_contract_with_a_bad_name_is_refused) {
    for (const auto* name : {"", "two words", "a:b"}) BOOST_CHECK_THROW(task<int(int)>{name}, error);
    BOOST_TEST(task<int(int)>{std::string_view("ok")}.name() == "ok");
}

BOOST_AUTO_TEST_CASE(a_failed_task_tells_what_went_wrong) {
    const task_failed thrown(errc::task_failed, failure{"task_failed", "std::runtime_error", "no paper", "", ""}, 3);
    BOOST_TEST((thrown.code() == errc::task_failed));
    BOOST_TEST(thrown.failure().type == "std::runtime_error");
    BOOST_TEST(thrown.attempts() == 3U);
    BOOST_TEST(std::string(thrown.what()).find("no paper") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_contract_tells_its_subject_in_errors) { BOOST_TEST(measure.subject() == "task measure"); }

BOOST_AUTO_TEST_SUITE_END()
