#include <taskflux/core/task.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

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

struct order {
    std::string customer;
    std::uint64_t number = 0;
    std::string text() const { return "order " + std::to_string(number); }
};

/// What a contract with this key takes from an order of ann's.
template <class Key>
std::string taken(Key key, std::uint64_t number = 7) {
    const auto contract = task<void(order)>{"ship"}.key(key);
    const order from{"ann", number};
    return detail::taken_key(contract.keys(), &from, [] { return std::string("an order"); });
}

// A contract with a key is a contract, and a literal, too.
inline constexpr auto ship = task<int(order)>{"ship", task_options{}.queue("dock")}.key(&order::customer);
static_assert(ship.name() == "ship" && ship.options().queue() == "dock");
static_assert(std::is_same_v<decltype(ship)::payload_type, order> && std::is_base_of_v<task<int(order)>, decltype(ship)>);

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

BOOST_AUTO_TEST_CASE(a_key_is_taken_by_a_member_or_a_function_and_is_text_or_an_integer) {
    BOOST_TEST(taken(&order::customer) == "ann");
    BOOST_TEST(taken(&order::text) == "order 7");
    BOOST_TEST(taken(&order::number, (std::numeric_limits<std::uint64_t>::max)()) == "18446744073709551615");
    BOOST_TEST(taken([](const order&) { return -3; }) == "-3");
    BOOST_TEST(taken([](const order& of) { return std::string_view(of.customer).substr(1); }) == "nn");
    BOOST_TEST(taken([](const order&) { return std::string(); }) == "");
}

BOOST_AUTO_TEST_CASE(only_a_contract_with_a_key_has_one_and_the_last_counts) {
    BOOST_TEST(!measure.keys());
    BOOST_TEST(!tick.keys());
    const order from{"ann", 7};
    BOOST_TEST(ship.key(&order::number).keys()(&from) == "7");
}

BOOST_AUTO_TEST_CASE(what_can_be_no_key_is_refused_without_telling_it) {
    const std::pair<std::string, std::string_view> wrong[]{
        {"secret\nb", "has control characters: leave them out, or escape them"},
        {"secret" + std::string(251, 'x'), "has 257 bytes: use at most 256"},
        {"secret\xff", "is not UTF-8: use its base64, or an id"},
    };
    for (const auto& [text, why] : wrong) {
        BOOST_CHECK_EXCEPTION(taken([&](const order&) { return text; }), error, [&](const error& e) {
            return e.code() == errc::invalid_argument && e.what() == "the key that is taken from an order " + std::string(why);
        });
    }
    BOOST_TEST(taken([](const order&) { return std::string(256, 'x'); }).size() == 256U);
}

BOOST_AUTO_TEST_CASE(a_contract_tells_its_subject_in_errors) { BOOST_TEST(measure.subject() == "task measure"); }

BOOST_AUTO_TEST_SUITE_END()
