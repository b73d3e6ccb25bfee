#include <taskflux/core/error.hpp>
#include <taskflux/core/snowflake.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace core_snowflake {

using namespace taskflux;
using namespace std::chrono_literals;

constexpr auto epoch = snowflake_generator::epoch;

/// Expects `call` to be refused with a text that contains `part`.
template <class Call>
void refuses(Call call, const std::string& part) {
    BOOST_CHECK_EXCEPTION(call(), error, [&](const error& e) {
        BOOST_TEST(std::string(e.what()).find(part) != std::string::npos, e.what());
        return e.code() == errc::invalid_argument;
    });
}

}  // namespace core_snowflake

BOOST_AUTO_TEST_SUITE(core_snowflake)

BOOST_AUTO_TEST_CASE(an_id_has_the_bits_that_the_layout_says) {
    snowflake_generator make(5);
    make.next(epoch + 3ms);
    BOOST_TEST(make.next(epoch + 3ms) == (std::int64_t(3) << 22 | 5 << 12 | 1));
}

BOOST_AUTO_TEST_CASE(an_id_tells_when_where_and_as_which_it_was_made) {
    snowflake_generator make(1023);
    const auto now = epoch + 24h * 365 * 30;
    make.next(now);
    const auto id = make.next(now);
    BOOST_TEST(id > 0);
    const auto by_text = std::to_string(id);
    for (const auto& parts : {snowflake_generator::parts(id), snowflake_generator::parts(by_text)}) {
        BOOST_TEST((parts.at == now));
        BOOST_TEST(parts.node == 1023U);
        BOOST_TEST(parts.sequence == 1U);
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_id_is_refused) {
    BOOST_TEST((snowflake_generator::parts(0).at == epoch));
    BOOST_TEST((snowflake_generator::parts("0").at == epoch));
    refuses([] { (void)snowflake_generator::parts(-1); }, "not a snowflake id: -1");
    for (const std::string text : {"", "x", "12x", " 12", "9223372036854775808"}) {
        refuses([&] { (void)snowflake_generator::parts(text); }, "not a snowflake id: \"" + text + '"');
    }
}

BOOST_AUTO_TEST_CASE(a_wrong_node_is_told_with_what_would_be_right) {
    refuses([] { snowflake_generator{1024}; }, "node 1024 of a snowflake generator is out of range: use 0 to 1023");
    refuses([] { snowflake_generator{-1}; }, "node -1 of a snowflake generator is out of range: use 0 to 1023");
}

BOOST_AUTO_TEST_CASE(ids_grow_and_never_repeat_when_the_clock_stands_or_steps_back) {
    snowflake_generator make(7);
    auto now = epoch + 1h;
    std::int64_t last = 0;
    const auto grows = [&](int count) {
        for (int i = 0; i < count; ++i) {
            const auto id = make.next(now);
            if (id <= last || snowflake_generator::parts(id).node != 7) return false;
            last = id;
        }
        return true;
    };
    BOOST_TEST(grows(3 * 4096 + 1));  // more than a millisecond has room for
    BOOST_TEST((snowflake_generator::parts(last).at == now + 3ms));
    now -= 30min;
    BOOST_TEST(grows(10));
    now += 24h;
    BOOST_TEST(grows(10));
    BOOST_TEST((snowflake_generator::parts(last).at == now));
    now = epoch - 1h;
    BOOST_TEST(grows(10));
}

BOOST_AUTO_TEST_CASE(there_are_ids_until_the_milliseconds_are_used_up) {
    snowflake_generator make(0);
    const auto end = epoch + duration((std::int64_t(1) << 41) - 1);
    BOOST_TEST((snowflake_generator::parts(make.next(end)).at == end));
    for (int i = 1; i < 4096; ++i) make.next(end);
    refuses([&] { make.next(end); }, "2093");
    refuses([&] { make.next(never); }, "2093");
    BOOST_TEST(snowflake_generator().next(end) > 0);
}

BOOST_AUTO_TEST_CASE(a_generator_has_the_wall_clock_and_a_node_by_itself) {
    snowflake_generator make;
    const auto before = std::chrono::floor<duration>(std::chrono::system_clock::now());
    const auto id = make();
    const auto parts = snowflake_generator::parts(make.text());
    BOOST_TEST((snowflake_generator::parts(id).at >= before));
    BOOST_TEST(parts.node == make.node());
    BOOST_TEST((parts.at >= snowflake_generator::parts(id).at));

    std::set<unsigned> nodes;
    for (int i = 0; i < 20; ++i) nodes.insert(snowflake_generator().node());
    BOOST_TEST(nodes.size() > 1U);  // 1 in 10^57 that they are all the same
    BOOST_TEST(*nodes.rbegin() <= snowflake_generator::max_node);
}

BOOST_AUTO_TEST_SUITE_END()
