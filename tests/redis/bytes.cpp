#include <taskflux/broker/redis/bytes.hpp>
#include <taskflux/broker/redis/records.hpp>
#include <taskflux/core/retry_delay.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace redis_bytes {

using namespace taskflux;

const std::vector<double> no_numbers{std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                                     -std::numeric_limits<double>::infinity(), -1, 1e300, -1e300, 1.1e15};

/// A state whose time at that offset is another.
std::string state_with(std::size_t offset, double value) {
    std::string state(redis::state_layout::holder + redis::stored_size::text_length, '\0');
    std::string bytes;
    redis::put(bytes, value);
    return state.replace(offset, bytes.size(), bytes);
}

}  // namespace redis_bytes

BOOST_AUTO_TEST_SUITE(redis_bytes)

BOOST_AUTO_TEST_CASE(what_is_no_time_and_no_number_of_a_task_is_refused_and_never_cast) {
    for (const auto value : no_numbers) {
        BOOST_TEST_CONTEXT(value) {
            std::string bytes;
            redis::put(bytes, value);
            BOOST_CHECK_THROW(redis::byte_reader(bytes).whole(), error);
            BOOST_CHECK_THROW(redis::to_time(value), error);
            BOOST_CHECK_THROW(redis::to_duration(value), error);
        }
    }
    BOOST_TEST(redis::to_whole(0) == 0);
    BOOST_TEST(redis::to_whole(9007199254740.0) == 9007199254740);
    BOOST_CHECK((redis::to_time(redis::stored_time::never) == never));
    BOOST_CHECK((redis::to_duration(redis::stored_time::never) == (duration::max)()));
}

BOOST_AUTO_TEST_CASE(a_state_with_a_time_that_is_none_is_refused) {
    for (const auto offset : {redis::state_layout::when, redis::state_layout::first, redis::state_layout::started,
                              redis::state_layout::from}) {
        BOOST_CHECK_NO_THROW(redis::read_status(state_with(offset, 1)));
        for (const auto value : no_numbers) BOOST_CHECK_THROW(redis::read_status(state_with(offset, value)), error);
    }
}

BOOST_AUTO_TEST_CASE(a_record_whose_limits_or_parent_hold_no_number_is_refused) {
    new_task made;
    task_spec spec;
    spec.name = "job";
    spec.policy.deadline = std::chrono::hours(1);
    made.spec = std::make_shared<const task_spec>(spec);
    made.parent = parent_link{{"p", {7, 7}}, "c1"};
    const auto with_time = std::string(redis::stored_size::time, '\0') + redis::encode_record(made, 5);
    redis::record_reader reader;
    BOOST_TEST(reader.read(with_time).parent->key.sequence == 7U);
    const auto limits = redis::record_layout::name + spec.name.size();
    const auto parent = limits + redis::stored_size::limits + 1 + 1;  // behind the queue's name
    for (const auto offset : {limits, limits + redis::limits_layout::retention, parent}) {
        for (const auto value : no_numbers) {
            std::string bytes;
            redis::put(bytes, value);
            auto damaged = with_time;
            damaged.replace(offset, bytes.size(), bytes);
            BOOST_CHECK_THROW(redis::record_reader().read(damaged), error);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_end_of_an_unknown_state_is_refused) {
    const std::string bytes("\x63\0\0\0\0\0\0\0\0\0\0\0\0", 13);
    redis::byte_reader from(bytes);
    BOOST_CHECK_THROW(redis::read_outcome(from), error);
}

BOOST_AUTO_TEST_SUITE_END()
