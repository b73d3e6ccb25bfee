#include <taskflux/broker/redis/batch_items.hpp>
#include <taskflux/broker/redis/records.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

// What is stored of a task, and what is read of it again, without a server.
namespace redis_records {

using namespace taskflux;
using namespace std::chrono_literals;

constexpr time_point stored_at = time_point(1h);

/// A record as a server has it: with the time in front. Its texts must outlive what is read of it.
std::string stored_form(const new_task& task) {
    std::string record;
    redis::put<redis::stored_size::time>(record, static_cast<std::uint64_t>(stored_at.time_since_epoch().count()));
    return record += redis::encode_record(task, 7);
}

new_task task_of(const run_policy& policy) {
    new_task made;
    auto spec = std::make_shared<task_spec>();
    spec->name = "job";
    spec->policy = policy;
    made.spec = std::move(spec);
    made.payload = "5";
    return made;
}

run_policy read_again(const run_policy& policy) {
    const auto record = stored_form(task_of(policy));
    redis::record_reader records;
    const auto read = records.read(record);
    BOOST_TEST(read.payload == "5");
    return read.spec->policy;
}

/// When a task of that policy ends by time alone.
time_point end_by_time(const run_policy& policy, const redis::task_status& status) {
    const auto record = stored_form(task_of(policy));
    redis::record_reader records;
    return redis::limit_of(records.read(record), status);
}

}  // namespace redis_records

BOOST_AUTO_TEST_SUITE(redis_records)

BOOST_AUTO_TEST_CASE(each_rule_that_is_not_as_usual_is_stored_by_itself) {
    for (const auto& policy : {run_policy(), run_policy{.retry = retry_policy::linear(7s)}, run_policy{.timeout = 3s},
                               run_policy{.deadline = 4s}, run_policy{.expires_in = 5s}, run_policy{.retention = 6s},
                               run_policy{.failed_retention = 7s}, run_policy{.crash_limit = 8}, run_policy{.crash_limit = 0},
                               run_policy{.retention = 0s}, run_policy{.deadline = (duration::max)()}}) {
        BOOST_TEST((read_again(policy) == policy));
    }
}

BOOST_AUTO_TEST_CASE(what_identifies_a_task_and_its_parent_is_read_as_it_was_stored) {
    auto task = task_of({});
    task.own_id = "mine";
    task.unique_key = "one";
    task.unique_window = 9s;
    task.parent = parent_link{{"parents", {0x1234567890, 11}}, "ccall"};
    const auto record = stored_form(task);
    redis::record_reader records;
    const auto read = records.read(record);
    BOOST_TEST((read.submitted_at == stored_at));
    BOOST_TEST(read.nonce == 7U);
    BOOST_TEST(read.own_id == "mine");
    BOOST_REQUIRE(read.parent.has_value());
    BOOST_TEST((*read.parent == task_id{"parents", {0x1234567890, 11}}));
    BOOST_TEST(read.call == "ccall");
    BOOST_TEST(read.payload == "5");
}

BOOST_AUTO_TEST_CASE(tasks_of_one_kind_in_a_row_share_a_specification_and_others_do_not) {
    redis::record_reader records;
    const auto first = stored_form(task_of({})), other = stored_form(task_of({.timeout = 1s}));
    const auto spec = records.read(first).spec;
    BOOST_TEST((records.read(first).spec == spec));
    const auto different = records.read(other).spec;
    BOOST_TEST((different != spec));
    BOOST_TEST((different->policy.timeout == 1s));
    BOOST_TEST((records.read(first).spec->policy.timeout == 0s));
}

BOOST_AUTO_TEST_CASE(a_task_is_given_up_at_its_deadline_or_where_it_has_not_begun_when_it_expires) {
    const redis::task_status fresh;
    BOOST_TEST((end_by_time(run_policy(), fresh) == never));
    BOOST_TEST((end_by_time({.deadline = 10s}, fresh) == stored_at + 10s));
    BOOST_TEST((end_by_time({.expires_in = 20s}, fresh) == stored_at + 20s));
    BOOST_TEST((end_by_time({.deadline = 10s, .expires_in = 20s}, fresh) == stored_at + 10s));
    BOOST_TEST((end_by_time({.deadline = 30s, .expires_in = 20s}, fresh) == stored_at + 20s));
    auto begun = fresh;
    begun.first_started_at = stored_at + 1s;
    BOOST_TEST((end_by_time({.deadline = 30s, .expires_in = 20s}, begun) == stored_at + 30s));
    BOOST_TEST((end_by_time({.expires_in = 20s}, begun) == never));
}

BOOST_AUTO_TEST_CASE(the_limits_of_a_task_that_runs_again_begin_when_it_was_begun_again) {
    redis::task_status again;
    again.limits_from = stored_at + 1h;
    BOOST_TEST((end_by_time({.deadline = 10s}, again) == stored_at + 1h + 10s));
    BOOST_TEST((end_by_time({.expires_in = 20s}, again) == stored_at + 1h + 20s));
}

BOOST_AUTO_TEST_CASE(a_record_says_what_its_state_makes_of_a_time) {
    auto task = task_of({.deadline = 10s});
    task.parent = parent_link{{"parents", {3, 11}}, "ccall"};
    const auto bytes = stored_form(task);
    redis::record_reader records;
    const auto record = records.read(bytes);
    for (std::size_t n = 0; n < task_state_count; ++n) {
        redis::task_status status;
        status.state = static_cast<task_state>(n);
        status.when = stored_at + 5s;
        status.started_at = stored_at + 2s;
        status.failed_attempts = 2;
        status.deliveries = 4;
        status.crashes = 1;
        const auto made = redis::full_record("q", 9, record, status, "1", "");
        BOOST_TEST_CONTEXT("state " << n) {
            const bool is_due = status.state == task_state::scheduled || status.state == task_state::held;
            const bool has_ended = is_terminal(status.state);
            BOOST_TEST((made.due_at == (is_due ? status.when : time_point{})));
            BOOST_TEST((made.ended_at == (has_ended ? status.when : time_point{})));
            BOOST_TEST((made.limit_at == (has_ended ? time_point{} : stored_at + 10s)));
            BOOST_TEST((made.submitted_at == stored_at && made.started_at == status.started_at));
            BOOST_TEST(made.attempts == (has_unfailed_attempt(status.state) ? 3U : 2U));
            BOOST_TEST(made.deliveries == 4U);
            BOOST_TEST(made.crashes == 1U);
        }
        BOOST_TEST((made.id == task_id{"q", {9, 7}}));
        BOOST_TEST(made.parent == "parents:~3.b");
        BOOST_TEST(made.call == "call");
        BOOST_TEST(made.progress == "1");
    }
}

BOOST_AUTO_TEST_CASE(the_end_of_an_attempt_that_is_not_put_off_has_no_delay) {
    settlement end;
    end.how = settlement::kind::retry;
    end.key = {0x1234567890, 11};
    end.token = 3;
    const auto delay_of = [&](duration delay) {
        end.delay = delay;
        return redis::byte_reader(redis::ending_of(end).substr(redis::ending_layout::delay)).real();
    };
    BOOST_TEST(delay_of(5s) == 5000.0);
    BOOST_TEST(delay_of(0s) == 0.0);
    BOOST_TEST(delay_of(-1ms) == 0.0);
    BOOST_TEST(delay_of((duration::max)()) == redis::stored_time::never);
}

BOOST_AUTO_TEST_CASE(a_task_that_is_to_run_at_once_has_no_place_and_one_that_is_not_has_all_of_it) {
    auto task = task_of({});
    task.delay = -1s;
    BOOST_TEST(redis::task_item(task, 7).place.empty());
    const auto with = [&](auto change) {
        auto made = task_of({});
        change(made);
        return redis::task_item(made, 7).place;
    };
    const auto place = [](bool hold, double delay, double at) {
        std::string out;
        redis::put(out, std::uint8_t(hold));
        redis::put(out, delay);
        redis::put(out, at);
        return out;
    };
    BOOST_TEST((with([](new_task& one) { one.hold = true; }) == place(true, 0, 0)));
    BOOST_TEST((with([](new_task& one) { one.delay = 1ms; }) == place(false, 1, 0)));
    BOOST_TEST((with([](new_task& one) { one.at = time_point(2ms); }) == place(false, 0, 2)));
}

BOOST_AUTO_TEST_SUITE_END()
