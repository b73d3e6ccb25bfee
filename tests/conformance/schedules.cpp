#include <conformance/fixture.hpp>
#include <taskflux/broker/memory.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/flow/scheduler.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>
#include <stdexcept>

// A scheduler on every broker.
namespace taskflux::conformance {

namespace conformance_schedules {

inline constexpr task<void(int)> report{"report", task_options().queue("q")};
inline constexpr task<void(int)> other_report{"other_report", task_options().queue("q")};
inline constexpr task<void()> sweep{"sweep", task_options().queue("q")};
const std::string each_ten = "*/10 * * * * *";

struct schedules_fixture : fixture {
    using fixture::fixture;

    scheduler_options options() {
        return scheduler_options().host("here").log([this](std::string_view line) { said.append(line) += '\n'; });
    }

    time_point now() { return broker().clock().now(); }

    /// To shortly before or after the next tick: of those at whole tens of seconds.
    void go_to(duration after_tick) {
        const auto tens = std::chrono::floor<std::chrono::seconds>(now().time_since_epoch()) / 10s;
        pass((tens + 1) * 10s + after_tick - now().time_since_epoch());
    }

    std::vector<std::string> ids() {
        list_query query;
        query.queue = q;
        std::vector<std::string> found;
        for (const auto& one : list(query)) found.push_back(one.own_id);
        return found;
    }

    std::string said;
};

/// A scheduler that runs.
class node {
public:
    explicit node(schedules_fixture& on) : node(on, on.options()) {}
    node(schedules_fixture& on, const scheduler_options& options) : on_(on), scheduler(on.shared(), options) {}
    ~node() { stop(); }
    node(const node&) = delete;
    node& operator=(const node&) = delete;

    void start() {
        running_.emplace(on_.start(scheduler.run()));
        on_.let_work();
    }
    void stop() {
        if (running_) scheduler.stop();
        if (running_) running_->get();
        running_.reset();
    }

private:
    schedules_fixture& on_;

public:
    taskflux::scheduler scheduler;

private:
    std::optional<started<void>> running_;
};

template <class Backend>
struct scheduling : schedules_fixture {
    scheduling() : schedules_fixture(std::make_unique<Backend>()), first(*this) {}

    /// Stores the schedule "report", of every ten seconds, in place of another one.
    void add(const schedule_options& with = schedule_options()) {
        run(first.scheduler.every(each_ten, "UTC", report, 7, schedule_options(with).id("report")));
    }
    taskflux::schedule only() {
        const auto all = run(first.scheduler.list());
        BOOST_REQUIRE_EQUAL(all.size(), 1U);
        return all[0];
    }
    node first;
};

/// Time that turns out to be another, of which no armed timer hears: as on Redis when an answer tells of the server's.
class corrected_clock final : public clock {
public:
    time_point now() const noexcept override { return base_.now() + ahead_; }
    void arm(asio::steady_timer& timer, time_point when) override { base_.arm(timer, when == never ? never : when - ahead_); }
    void disarm(asio::steady_timer& timer) noexcept override { base_.disarm(timer); }

    void advance(duration by) { base_.advance(by); }
    void correct(duration by) { ahead_ += by; }

private:
    manual_clock base_;
    duration ahead_{0};
};

class backend_with_corrected_clock final : public backend {
public:
    asio::io_context& context() override { return context_; }
    taskflux::broker& broker() override { return *broker_; }
    void advance(duration by) override { clock_.advance(by); }

private:
    corrected_clock clock_;
    asio::io_context context_;
    broker_ptr broker_ = make_memory_broker(context_.get_executor(), memory_options{}, clock_);
};

/// Step by step beside each other.
asio::awaitable<void> together(asio::awaitable<void> one, asio::awaitable<void> other) {
    using namespace asio::experimental::awaitable_operators;
    co_await (std::move(one) && std::move(other));
}

asio::awaitable<void> wait_for(clock& source, duration time, int& ended) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (const auto until = source.now() + time; source.now() < until;) {
        source.arm(timer, until);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        source.disarm(timer);
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) throw std::runtime_error("cancelled");
    }
    ++ended;
}

}  // namespace conformance_schedules

BOOST_AUTO_TEST_SUITE(conformance_schedules)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_schedule_submits_one_task_per_tick_over_all_nodes, Backend, backends) {
    scheduling<Backend> on;
    node second(on);
    on.add();
    on.first.start();
    second.start();
    const auto ticks = on.run(on.first.scheduler.next("report", 3));
    BOOST_REQUIRE_EQUAL(ticks.size(), 3U);
    on.pass(ticks[0] - on.now() - 1ms);
    BOOST_TEST(on.ids().empty());
    on.pass(1ms);
    BOOST_TEST(on.ids().size() == 1U);
    on.pass(10s);
    on.pass(10s);
    std::vector<std::string> expected;
    for (const auto tick : ticks) expected.push_back(tick_id("report", tick));
    BOOST_TEST(on.ids() == expected, boost::test_tools::per_element());
    const auto record = on.list({}).at(0);
    BOOST_TEST(record.name == "report");
    BOOST_TEST(record.payload == "7");
    BOOST_TEST(record.headers.at("taskflux-schedule") == "report");
    BOOST_TEST(record.headers.at("taskflux-tick") == to_text(ticks[0]));
    BOOST_TEST(on.said == "");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_schedule_that_another_node_adds_is_noticed_within_a_second, Backend, backends) {
    scheduling<Backend> on;
    node second(on);
    second.start();
    on.go_to(1s);
    on.add();
    on.pass(1s);
    on.go_to(0s);
    BOOST_TEST(on.ids().size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_has_the_options_of_its_contract_and_of_its_schedule, Backend, backends) {
    scheduling<Backend> on;
    const auto options = schedule_options().id("mine").submit(submit_options().priority(5).header("a", "b"));
    on.run(on.first.scheduler.every(each_ten, "Europe/Berlin", sweep, options));
    on.first.start();
    on.go_to(0s);
    const auto all = on.list({});
    BOOST_REQUIRE_EQUAL(all.size(), 1U);
    BOOST_TEST(all[0].name == "sweep");
    BOOST_TEST(all[0].payload == "null");
    BOOST_TEST(all[0].priority == 5);
    BOOST_TEST(all[0].headers.at("a") == "b");
    BOOST_TEST(all[0].own_id.starts_with("mine@"));
    BOOST_TEST(on.only().definition.zone == "Europe/Berlin");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_keeps_all_of_its_policy_on_its_way_through_a_schedule, Backend, backends) {
    scheduling<Backend> on;
    const auto policy = retry_policy::exponential(3s, 1.5).attempts(7).max_delay(1min).total_time(1h).full_jitter();
    const auto wanted = submit_options().retry(policy).timeout(11s).deadline(12h).expires_in(13h).retention(14h, 15h).crash_limit(16);
    on.run(on.first.scheduler.every(each_ten, "UTC", sweep, schedule_options().id("mine").submit(wanted)));
    on.first.start();
    on.go_to(0s);
    on.join();
    const auto got = on.fetch_one();
    const auto& carried = got.spec->policy;
    BOOST_TEST((carried.retry == policy));
    BOOST_TEST((carried.timeout == 11s));
    BOOST_TEST((carried.deadline == 12h));
    BOOST_TEST((carried.expires_in == 13h));
    BOOST_TEST((carried.retention == 14h));
    BOOST_TEST((carried.failed_retention == 15h));
    BOOST_TEST(carried.crash_limit == 16U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_was_missed_while_no_node_ran_follows_the_policy, Backend, backends) {
    const auto catching_up = schedule_options().misfire(misfire_policy::catch_up, 3);
    const auto skipping = schedule_options().misfire(misfire_policy::skip);
    for (const auto& [with, many] : {std::pair(schedule_options(), 1U), {skipping, 0U}, {catching_up, 3U}}) {
        scheduling<Backend> on;
        on.add(with);
        on.go_to(0s);
        on.pass(57s);  // the last tick was 7 s ago
        on.first.start();
        BOOST_TEST(on.ids().size() == many);
        on.pass(3s);
        BOOST_TEST(on.ids().size() == many + 1);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_comes_due_while_a_node_looks_is_not_missed, Backend, backends) {
    scheduling<Backend> on;
    on.add(schedule_options().misfire(misfire_policy::skip));
    node slow(on, on.options().log([&on](std::string_view) { on.advance(20s); }));  // as if the call had taken so long
    slow.start();
    on.go_to(1s);
    BOOST_TEST(on.ids().size() == 1U);
    on.run(on.broker().set_schedule(q, "broken", "", "no json", {}));
    on.pass(1s);
    BOOST_TEST(on.ids().size() == 3U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(no_more_than_a_minute_in_which_a_node_waits_does_not_count, Backend, backends) {
    scheduling<Backend> on;
    on.add(schedule_options().misfire(misfire_policy::skip).grace(5s));
    node slow(on, on.options().log([&on](std::string_view) { on.advance(5min); }));
    slow.start();
    on.go_to(1s);
    BOOST_TEST(on.ids().size() == 1U);
    on.run(on.broker().set_schedule(q, "broken", "", "no json", {}));
    on.pass(1s);
    BOOST_TEST(on.ids().size() == 8U);  // those of the last 65 s
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_program_that_starts_again_shifts_and_repeats_nothing, Backend, backends) {
    scheduling<Backend> on;
    on.add();
    const auto before = on.only();
    on.go_to(1s);
    on.add();
    BOOST_TEST((on.only().state.next == before.state.next));
    on.first.start();
    BOOST_TEST(on.ids().size() == 1U);
    on.add();
    on.pass(1s);
    BOOST_TEST(on.ids().size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(another_definition_takes_its_place_from_now_on, Backend, backends) {
    scheduling<Backend> on;
    on.add();
    on.go_to(1s);
    on.run(on.first.scheduler.every("*/20 * * * * *", "UTC", report, 8, schedule_options().id("report")));
    BOOST_TEST(on.only().definition.cron == "*/20 * * * * *");
    BOOST_TEST((*on.only().state.next > on.now()));  // what was due is not any more
    on.first.start();
    on.pass(20s);
    const auto all = on.list({});
    BOOST_REQUIRE_EQUAL(all.size(), 1U);
    BOOST_TEST(all[0].payload == "8");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_second_schedule_of_a_task_needs_an_id, Backend, backends) {
    scheduling<Backend> on;
    on.run(on.first.scheduler.every(each_ten, "UTC", report, 7));
    on.run(on.first.scheduler.every(each_ten, "UTC", report, 7));  // the same one
    const auto refused = [&](const schedule_options& with) {
        BOOST_CHECK_EXCEPTION(on.run(on.first.scheduler.every("*/20 * * * * *", "UTC", report, 8, with)), error, [](const error& e) {
            BOOST_TEST(std::string(e.what()).find("a second schedule of task report is not stored") == 0U, e.what());
            return e.code() == errc::invalid_argument;
        });
    };
    refused(schedule_options());
    refused(schedule_options().submit(submit_options().queue("r")));
    BOOST_TEST(on.only().definition.cron == each_ten);
    on.run(on.first.scheduler.every("*/20 * * * * *", "UTC", report, 8, schedule_options().id("second")));
    BOOST_TEST(on.run(on.first.scheduler.list()).size() == 2U);
    // Another program, or this one after its next start, says what it is from then on.
    node later(on);
    on.run(later.scheduler.every("*/20 * * * * *", "UTC", report, 8));
    BOOST_TEST(on.run(on.first.scheduler.list()).size() == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_schedule_does_not_take_the_place_of_another_tasks, Backend, backends) {
    scheduling<Backend> on;
    on.run(on.first.scheduler.every(each_ten, "UTC", report, 7));
    const auto under_its_id = schedule_options().id("report");
    BOOST_CHECK_EXCEPTION(on.run(on.first.scheduler.every(each_ten, "UTC", other_report, 7, under_its_id)), error, [](const error& e) {
        const std::string text = e.what();
        BOOST_TEST(text.find("schedule \"report\" of task other_report is not stored") == 0U, text);
        return e.code() == errc::invalid_argument;
    });
    BOOST_TEST(on.only().definition.task->name == "report");
    on.run(on.first.scheduler.remove("report"));
    on.run(on.first.scheduler.every(each_ten, "UTC", other_report, 7, under_its_id));
    BOOST_TEST(on.only().definition.task->name == "other_report");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_two_schedules_of_a_task_that_are_stored_at_the_same_time_one_is_refused, Backend, backends) {
    scheduling<Backend> on;
    auto one = on.begin(on.first.scheduler.every(each_ten, "UTC", report, 7));
    auto same = on.begin(on.first.scheduler.every(each_ten, "UTC", report, 7));
    auto other = on.begin(on.first.scheduler.every("*/20 * * * * *", "UTC", report, 8));
    BOOST_TEST(on.error_of(std::move(other)) == errc::invalid_argument);
    one.get();
    same.get();
    BOOST_TEST(on.only().definition.cron == each_ten);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_schedule_that_could_not_be_stored_is_in_nobodys_way, Backend, backends) {
    scheduling<Backend> on;
    on.run(on.broker().set_schedule(q, "report", "", "no json", {}));
    BOOST_TEST(on.error_of(on.first.scheduler.every(each_ten, "UTC", report, 7)) == errc::protocol);
    on.run(on.first.scheduler.remove("report"));
    on.run(on.first.scheduler.every("*/20 * * * * *", "UTC", report, 8));
    BOOST_TEST(on.only().definition.cron == "*/20 * * * * *");
    BOOST_TEST(on.error_of(on.first.scheduler.every(each_ten, "UTC", report, 7)) == errc::invalid_argument);
    BOOST_TEST(on.error_of(on.first.scheduler.every(each_ten, "UTC", report, 7)) == errc::invalid_argument);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_schedule_that_was_removed_leaves_its_task_to_another, Backend, backends) {
    scheduling<Backend> on;
    on.run(on.first.scheduler.every(each_ten, "UTC", report, 7));
    on.run(on.first.scheduler.remove("report"));
    on.run(on.first.scheduler.every("*/20 * * * * *", "UTC", report, 8));
    BOOST_TEST(on.only().definition.cron == "*/20 * * * * *");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_schedule_moves_with_its_task_to_another_queue, Backend, backends) {
    scheduling<Backend> on;
    on.add();
    on.run(on.first.scheduler.pause("report"));
    on.run(on.first.scheduler.resume("report"));
    const auto before = on.only();
    on.go_to(1s);  // a tick is due, and no node has fired it
    node moved(on);
    const auto elsewhere = schedule_options().submit(submit_options().queue("r"));
    on.run(moved.scheduler.every(each_ten, "UTC", report, 7, elsewhere));
    BOOST_TEST(on.only().queue == "r");
    BOOST_TEST((on.only().state.next == before.state.next));
    BOOST_TEST(on.said == "schedule report has moved from queue q to queue r, as an id names one schedule: where both are meant, "
                          "give one another id\n");
    moved.start();
    on.go_to(1s);
    BOOST_TEST(on.counts("q").waiting == 0U);
    BOOST_TEST(on.counts("r").waiting == 2U);
    moved.stop();
    node back(on);
    on.run(back.scheduler.pause("report"));
    on.run(back.scheduler.every("5 0 0 * * *", "UTC", report, 7));
    BOOST_TEST(on.only().queue == "q");
    BOOST_TEST(on.only().state.paused);
    BOOST_TEST(on.only().definition.cron == "5 0 0 * * *");
    const auto next = on.only().state.next->time_since_epoch();
    BOOST_TEST((next % 24h == 5s));  // of that cron
    node abroad(on);
    on.run(abroad.scheduler.every("5 0 0 * * *", "Asia/Tokyo", report, 7, elsewhere));
    BOOST_TEST((on.only().state.next->time_since_epoch() % 24h == 15h + 5s));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_paused_schedule_stays_so_and_misses_nothing, Backend, backends) {
    scheduling<Backend> on;
    on.add();
    on.first.start();
    on.run(on.first.scheduler.pause("report"));
    const auto writes = on.only().state.revision;
    on.run(on.first.scheduler.pause("report"));
    BOOST_TEST(on.only().state.revision == writes);
    on.go_to(1s);
    on.add(schedule_options().jitter(1ms));  // another definition
    BOOST_TEST(on.only().state.paused);
    on.go_to(1s);
    BOOST_TEST(on.ids().empty());
    const auto next = on.run(on.first.scheduler.next("report", 1)).at(0);
    BOOST_TEST((next > on.now()));
    on.run(on.first.scheduler.resume("report"));
    on.pass(2s);
    BOOST_TEST(on.ids().empty());
    on.go_to(1s);
    BOOST_TEST(on.ids().size() == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(no_tick_fires_again_where_the_clock_is_behind, Backend, backends) {
    scheduling<Backend> on;
    on.add();
    const auto row = on.run(on.broker().schedules(q)).rows.at(0);
    auto fired = decode<stored_schedule>(row.text);
    const auto tick = *fired.state.next;
    fired.state.last = tick;  // by a node whose clock is ahead
    fired.state.next = tick + 10s;
    on.run(on.broker().set_schedule(q, row.id, row.text, encode(fired), {}));
    on.add(schedule_options().jitter(1ms));  // another definition
    BOOST_TEST((on.only().state.next == tick + 10s));
    on.run(on.first.scheduler.pause("report"));
    BOOST_TEST((on.run(on.first.scheduler.next("report", 1)).at(0) == tick + 10s));
    on.run(on.first.scheduler.resume("report"));
    BOOST_TEST((on.only().state.next == tick + 10s));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_schedule_that_was_removed_fires_no_more, Backend, backends) {
    scheduling<Backend> on;
    on.add();
    on.first.start();
    on.run(on.first.scheduler.remove("report"));
    on.go_to(1s);
    BOOST_TEST(on.ids().empty());
    BOOST_TEST(on.run(on.first.scheduler.list()).empty());
    BOOST_TEST(on.error_of(on.first.scheduler.remove("report")) == errc::not_found);
    BOOST_TEST(on.error_of(on.first.scheduler.pause("report")) == errc::not_found);
    BOOST_TEST(on.error_of(on.first.scheduler.resume("report")) == errc::not_found);
    BOOST_TEST(on.error_of(on.first.scheduler.run_now("report")) == errc::not_found);
    BOOST_TEST(on.error_of(on.first.scheduler.next("report", 1)) == errc::not_found);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_schedule_can_be_run_now_and_keeps_its_ticks, Backend, backends) {
    scheduling<Backend> on;
    on.add();
    const auto next = on.only().state.next;
    on.run(on.first.scheduler.run_now("report"));
    on.run(on.first.scheduler.run_now("report"));
    BOOST_TEST(on.ids().size() == 2U);
    BOOST_TEST((on.only().state.next == next));
    on.first.start();
    on.go_to(0s);
    BOOST_TEST(on.ids().size() == 3U);
    on.run(on.first.scheduler.pause("report"));
    on.run(on.first.scheduler.run_now("report"));
    BOOST_TEST(on.ids().size() == 4U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_run_now_hides_no_task_of_a_tick, Backend, backends) {
    scheduling<Backend> on;
    on.add(schedule_options().overlap(overlap_policy::skip));
    on.first.start();
    on.go_to(1s);
    const auto before = on.only().state;
    on.run(on.first.scheduler.run_now("report"));
    BOOST_TEST(on.ids().size() == 2U);
    BOOST_TEST((on.only().state.last == before.last));
    BOOST_TEST(on.only().state.last_task == before.last_task);
    on.go_to(0s);
    BOOST_TEST(on.ids().size() == 2U);  // the task of the first tick lives still
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_local_job_that_is_run_now_runs_at_once_and_keeps_its_ticks, Backend, backends) {
    scheduling<Backend> on;
    int runs = 0;
    const auto with = schedule_options().jitter(500ms).misfire(misfire_policy::skip).scope(local_scope::once_per_cluster);
    on.first.scheduler.local("job", each_ten, [&]() -> asio::awaitable<void> {
        ++runs;
        co_return;
    }, with);
    on.first.start();
    on.go_to(1s);
    BOOST_TEST(runs == 1);
    const auto before = on.only().state;
    on.first.stop();
    on.run(on.first.scheduler.run_now("job"));
    on.run(on.first.scheduler.run_now("job"));
    on.go_to(3s);  // so late a tick would be missed
    BOOST_TEST((on.only().state.next == before.next));
    node again(on);
    again.scheduler.local("job", each_ten, [&]() -> asio::awaitable<void> {
        ++runs;
        co_return;
    }, with);
    again.start();
    BOOST_TEST(runs == 3);  // a tick that is on time, and the run that was asked for
    BOOST_TEST(!on.only().state.run_at.has_value());
    BOOST_TEST((on.only().state.next == *before.next + 10s));
    on.run(again.scheduler.pause("job"));
    on.run(again.scheduler.run_now("job"));
    on.pass(1s);
    BOOST_TEST(runs == 4);  // paused or not
    on.pass(60s);
    BOOST_TEST(runs == 4);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_loses_a_race_for_one_of_two_schedules_runs_the_other_once, Backend, backends) {
    scheduling<Backend> on;
    on.add();
    const auto rows = on.run(on.broker().schedules(q)).rows;
    on.run(on.broker().set_schedule("r", "report", "", rows.at(0).text, {}));  // as another program might
    taskflux::scheduler of_one(on.shared(), on.options().queues({q}));
    for (std::size_t i = 1; i <= 10; ++i) {
        on.run(together(on.first.scheduler.run_now("report"), of_one.run_now("report")));
        BOOST_TEST(on.counts("q").waiting == 2 * i);
        BOOST_TEST(on.counts("r").waiting == i);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_tick_is_passed_over_while_the_last_task_lives, Backend, backends) {
    scheduling<Backend> on;
    on.add(schedule_options().overlap(overlap_policy::skip));
    on.first.start();
    on.join();
    on.go_to(0s);
    on.go_to(0s);
    BOOST_TEST(on.ids().size() == 1U);  // it waits
    on.renew();
    const auto running = on.fetch_one();
    on.go_to(0s);
    BOOST_TEST(on.ids().size() == 1U);
    on.settle(running, kind::complete);
    on.go_to(0s);
    BOOST_TEST(on.ids().size() == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_tick_cancels_what_still_lives_of_the_last, Backend, backends) {
    scheduling<Backend> on;
    on.add(schedule_options().overlap(overlap_policy::cancel_previous));
    on.first.start();
    on.join();
    on.go_to(0s);
    on.go_to(0s);
    auto all = on.list({});
    BOOST_REQUIRE_EQUAL(all.size(), 2U);
    BOOST_TEST(all[0].state == task_state::cancelled);
    on.renew();
    BOOST_TEST(on.fetch_one().key == all[1].id.key);
    on.go_to(0s);
    all = on.list({});
    BOOST_REQUIRE_EQUAL(all.size(), 3U);
    BOOST_TEST(all[1].cancel_requested);
    BOOST_TEST(all[2].state == task_state::waiting);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_tick_that_is_not_taken_cancels_nothing, Backend, backends) {
    for (const bool is_removed : {false, true}) {
        scheduling<Backend> on;
        on.add(schedule_options().overlap(overlap_policy::cancel_previous));
        on.first.start();
        on.go_to(0s);
        on.go_to(-500ms);
        on.run(is_removed ? on.first.scheduler.remove("report") : on.first.scheduler.pause("report"));
        on.pass(500ms);  // before it looks again
        const auto all = on.list({});
        BOOST_REQUIRE_EQUAL(all.size(), 1U);
        BOOST_TEST(all[0].state == task_state::waiting);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(only_hosts_that_are_named_fire, Backend, backends) {
    scheduling<Backend> on;
    node there(on, on.options().host("there"));
    on.add(schedule_options().hosts({"there", "elsewhere"}));
    on.first.start();
    on.go_to(1s);
    BOOST_TEST(on.ids().empty());
    there.start();
    BOOST_TEST(on.ids().size() == 1U);
    BOOST_TEST((on.only().definition.hosts == std::vector<std::string>{"there", "elsewhere"}));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_job_of_every_process_runs_on_hosts_that_are_named, Backend, backends) {
    scheduling<Backend> on;
    int here = 0, elsewhere = 0;
    const auto count = [](int& what) {
        return [&what]() -> asio::awaitable<void> {
            ++what;
            co_return;
        };
    };
    on.first.scheduler.local("here", each_ten, count(here), schedule_options().hosts({"there", "here"}));
    on.first.scheduler.local("elsewhere", each_ten, count(elsewhere), schedule_options().hosts({"there"}));
    on.first.start();
    on.go_to(0s);
    BOOST_TEST(here == 1);
    BOOST_TEST(elsewhere == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_schedule_shows_its_last_tick_and_task, Backend, backends) {
    scheduling<Backend> on;
    on.add();
    on.first.start();
    BOOST_TEST(!on.only().state.last.has_value());
    const auto ticks = on.run(on.first.scheduler.next("report", 2));
    for (const auto tick : ticks) {
        on.pass(tick - on.now());
        BOOST_TEST((on.only().state.last == tick));
        BOOST_TEST(on.only().state.last_task == tick_id("report", tick));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_wrong_with_a_schedule_shows_when_it_is_added, Backend, backends) {
    scheduling<Backend> on;
    auto& scheduler = on.first.scheduler;
    const auto refused = [](errc code, auto call, const std::string& says) {
        BOOST_CHECK_EXCEPTION(call(), error, [&](const error& e) {
            BOOST_TEST(std::string(e.what()).find(says) != std::string::npos, e.what());
            return e.code() == code;
        });
    };
    refused(errc::invalid_argument, [&] { on.run(scheduler.every("61 * * * *", "UTC", sweep)); }, "minute");
    refused(errc::invalid_argument, [&] { on.run(scheduler.every("* * * * *", "Nowhere/Atall", sweep)); }, "Nowhere/Atall");
    refused(errc::invalid_argument, [&] { schedule_options().id("a b"); }, "name");
    refused(errc::invalid_argument, [&] { schedule_options().jitter(-1ms); }, "jitter");
    refused(errc::invalid_argument, [&] { schedule_options().submit(submit_options().id("x")); }, "submit");
    refused(errc::invalid_argument, [&] { schedule_options().misfire(misfire_policy::catch_up, 0); }, "limit");
    refused(errc::invalid_argument, [&] { schedule_options().misfire(misfire_policy::catch_up, 1001); }, "1000");
    refused(errc::invalid_argument, [&] { schedule_options().grace(365 * 24h + 1ms); }, "grace");
    refused(errc::invalid_argument, [&] { schedule_options().jitter((duration::max)()); }, "jitter");
    refused(errc::invalid_argument, [&] { scheduler.local("a", "x", [] {}); }, "cron");
    scheduler.local("a", each_ten, [] {});
    refused(errc::invalid_argument, [&] { scheduler.local("a", each_ten, [] {}); }, "there is one with this id");
    on.first.start();
    refused(errc::wrong_state, [&] { scheduler.local("b", each_ten, [] {}); }, "run()");
    refused(errc::wrong_state, [&] { on.run(scheduler.run()); }, "runs once");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_row_that_cannot_be_read_is_told_of_once_and_stops_no_other, Backend, backends) {
    scheduling<Backend> on;
    on.run(on.broker().set_schedule(q, "foreign", "", "{\"x\":1}", {}));
    on.run(on.broker().set_schedule(q, "broken", "", "no json", {}));
    on.add();
    on.first.start();
    on.go_to(0s);
    on.go_to(0s);
    BOOST_TEST(on.ids().size() == 2U);
    BOOST_TEST(on.only().definition.id == "report");
    BOOST_TEST(std::ranges::count(on.said, '\n') == 2);
    BOOST_TEST(on.said.find("schedule foreign of queue q is left as it is: a stored schedule can't be read: its version is 0") != std::string::npos);
    BOOST_TEST(on.said.find("schedule broken of queue q is left as it is: a stored schedule can't be read: ") != std::string::npos);
    BOOST_TEST(on.error_of(on.first.scheduler.pause("broken")) == errc::protocol);
    const auto over = schedule_options().id("broken");
    BOOST_TEST(on.error_of(on.first.scheduler.every(each_ten, "UTC", report, 7, over)) == errc::protocol);
    on.run(on.first.scheduler.remove("broken"));
    on.run(on.first.scheduler.every(each_ten, "UTC", report, 7, over));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_wrong_with_a_row_is_told_of_again_when_it_changes, Backend, backends) {
    scheduling<Backend> on;
    const auto change = [&](const std::string& from, const std::string& to) {
        BOOST_REQUIRE(on.run(on.broker().set_schedule(q, "it", from, to, {})));
        on.pass(1s);
        return std::ranges::count(on.said, '\n');
    };
    on.first.start();
    BOOST_TEST(change("", R"({"version":2,"news":1})") == 1);
    BOOST_TEST(change(R"({"version":2,"news":1})", R"({"version":2,"news":2})") == 1);  // another node fires it
    BOOST_TEST(change(R"({"version":2,"news":2})", R"({"version":3})") == 2);
    BOOST_TEST(change(R"({"version":3})", "") == 2);
    BOOST_TEST(change("", R"({"version":3})") == 3);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_row_of_a_local_job_that_cannot_be_read_slows_nothing, Backend, backends) {
    scheduling<Backend> on;
    int runs = 0;
    on.run(on.broker().set_schedule("taskflux/local", "job", "", "no json", {}));
    on.first.scheduler.local("job", each_ten, [&]() -> asio::awaitable<void> {
        ++runs;
        co_return;
    }, schedule_options().scope(local_scope::once_per_cluster));
    on.first.start();
    for (int i = 1; i <= 20; ++i) {
        on.run(on.broker().set_schedule(q, "broken" + std::to_string(i), "", "no json", {}));
        on.pass(1s);
        BOOST_TEST(std::ranges::count(on.said, '\n') == i + 1);  // it looks each second
    }
    BOOST_TEST(runs == 0);
    on.run(on.first.scheduler.remove("job"));
    on.pass(1s);
    on.go_to(0s);
    BOOST_TEST(runs == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_change_that_is_sent_again_counts_once, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto set = [&](const std::string& from, const std::string& to) {
        std::vector<new_task> tasks;
        tasks.push_back(fixture::task());
        tasks.back().own_id = "tick";
        return on.run(on.broker().set_schedule(q, "it", from, to, std::move(tasks)));
    };
    BOOST_TEST(set("", "1"));
    BOOST_TEST(set("", "1"));
    BOOST_TEST(!set("", "2"));
    BOOST_TEST(!set("2", "3"));
    BOOST_TEST(on.run(on.broker().schedule(q, "it")) == "1");
    BOOST_TEST(on.run(on.broker().schedule(q, "other")).empty());
    BOOST_TEST(on.counts().waiting == 1U);
    BOOST_TEST(set("1", ""));  // its task is there already
    BOOST_TEST(set("1", ""));
    BOOST_TEST(on.counts().waiting == 1U);
    BOOST_TEST(on.run(on.broker().schedules(q)).rows.empty());
    BOOST_TEST(on.run(on.broker().queues()) == std::vector<std::string>(1, q), boost::test_tools::per_element());
    BOOST_TEST(on.run(on.broker().schedule(q, "it")).empty());
    BOOST_TEST(on.error_of(on.broker().schedule("no queue", "it")) == errc::invalid_argument);
    BOOST_TEST(on.error_of(on.broker().set_schedule("no queue", "it", "", "1", {})) == errc::invalid_argument);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(many_schedules_are_listed_by_their_ids, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    for (int i = 100; i < 400; ++i) on.run(on.broker().set_schedule(q, std::to_string(i), "", "{}", {}));
    const auto rows = on.run(on.broker().schedules(q)).rows;
    BOOST_REQUIRE_EQUAL(rows.size(), 300U);
    BOOST_TEST(rows.front().id == "100");
    BOOST_TEST(rows.back().id == "399");
    BOOST_TEST(std::ranges::is_sorted(rows, {}, &schedule_row::id));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_local_job_runs_where_its_scope_says, Backend, backends) {
    scheduling<Backend> on;
    node same_host(on), another(on, on.options().host("there"));
    int of_cluster = 0, of_host = 0, of_process = 0;
    for (auto* one : {&on.first, &same_host, &another}) {
        const auto count = [](int& what) {
            return [&what]() -> asio::awaitable<void> {
                ++what;
                co_return;
            };
        };
        one->scheduler.local("cluster", each_ten, count(of_cluster), schedule_options().scope(local_scope::once_per_cluster));
        one->scheduler.local("host", each_ten, count(of_host), schedule_options().scope(local_scope::once_per_host));
        one->scheduler.local("process", each_ten, count(of_process));
        one->start();
    }
    on.go_to(0s);
    on.go_to(0s);
    BOOST_TEST(of_cluster == 2);
    BOOST_TEST(of_host == 4);
    BOOST_TEST(of_process == 6);
    const auto all = on.run(on.first.scheduler.list());
    BOOST_REQUIRE_EQUAL(all.size(), 3U);
    BOOST_TEST(all[1].definition.id == "host@here");
    on.run(on.first.scheduler.run_now("host"));
    on.pass(1s);
    BOOST_TEST(of_host == 6);
    on.run(on.first.scheduler.remove("host"));
    on.go_to(0s);
    BOOST_TEST(of_host == 6);
    BOOST_TEST(of_cluster == 3);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_local_job_whose_scope_has_changed_runs_once_per_tick, Backend, backends) {
    scheduling<Backend> on;
    node changed(on);
    int before = 0, after = 0;
    on.first.scheduler.local("job", each_ten, [&before]() -> asio::awaitable<void> {
        ++before;
        co_return;
    }, schedule_options().scope(local_scope::once_per_cluster));
    changed.scheduler.local("job", each_ten, [&after]() -> asio::awaitable<void> {
        ++after;
        co_return;
    }, schedule_options().scope(local_scope::every_process));
    on.first.start();
    on.go_to(0s);
    on.first.stop();
    changed.start();
    on.go_to(0s);
    on.go_to(0s);
    BOOST_TEST(before == 1);
    BOOST_TEST(after == 2);
}

BOOST_AUTO_TEST_CASE(a_job_of_every_process_heeds_it_within_a_second_when_the_time_is_another) {
    scheduling<backend_with_corrected_clock> on;
    int runs = 0;
    on.first.scheduler.local("job", each_ten, [&runs]() -> asio::awaitable<void> {
        ++runs;
        co_return;
    }, schedule_options().scope(local_scope::every_process));
    on.first.start();
    on.go_to(1s);
    BOOST_TEST(runs == 1);
    static_cast<corrected_clock&>(on.broker().clock()).correct(8s);
    on.pass(1s);
    BOOST_TEST(runs == 2);
}

BOOST_AUTO_TEST_CASE(a_schedule_follows_the_wall_clock_when_it_is_set) {
    manual_clock time;
    asio::io_context io;
    const auto broker = make_memory_broker(io.get_executor(), memory_options(), time);
    taskflux::scheduler scheduler(broker);
    std::vector<time_point> ticks;
    scheduler.local("job", "0 * * * *", [&]() -> asio::awaitable<void> {
        ticks.push_back(std::chrono::floor<std::chrono::hours>(time.wall()));
        co_return;
    });
    const auto go_on = [&] {
        io.restart();
        while (io.poll() != 0) io.restart();
    };
    std::exception_ptr failed;
    bool has_ended = false;
    const auto next_hour = std::chrono::ceil<std::chrono::hours>(time.wall() + 1ms);
    asio::co_spawn(io, scheduler.every("0 * * * *", "UTC", sweep), [&](std::exception_ptr e) { failed = e; });
    go_on();
    asio::co_spawn(io, scheduler.run(), [&](std::exception_ptr e) {
        failed = e;
        has_ended = true;
    });
    go_on();
    time.set_wall(next_hour - time.wall());
    time.advance(1s);  // within which it looks again
    go_on();
    BOOST_TEST((ticks == std::vector<time_point>{next_hour}));
    time.set_wall(-30min);
    time.advance(40min);  // shows that hour again
    go_on();
    BOOST_TEST(ticks.size() == 1U);
    for (int i = 0; i < 50; ++i) {
        time.advance(1min);
        go_on();
    }
    BOOST_TEST((ticks == std::vector<time_point>{next_hour, next_hour + 1h}));
    scheduler.stop();
    go_on();
    broker->close();
    go_on();
    BOOST_TEST(!failed);
    BOOST_TEST(has_ended);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_long_local_job_delays_no_other, Backend, backends) {
    scheduling<Backend> on;
    int ended = 0, ticks = 0;
    on.first.scheduler.local("long", each_ten, [&]() { return wait_for(on.broker().clock(), 25s, ended); },
                             schedule_options().overlap(overlap_policy::skip));
    on.first.scheduler.local("replaced", each_ten, [&]() { return wait_for(on.broker().clock(), 25s, ended); },
                             schedule_options().overlap(overlap_policy::cancel_previous));
    on.first.scheduler.local("short", each_ten, [&]() -> asio::awaitable<void> {
        ++ticks;
        co_return;
    });
    on.add();
    on.first.start();
    on.go_to(0s);
    for (int i = 1; i <= 6; ++i) {
        on.pass(10s);
        BOOST_TEST(ticks == i + 1);
    }
    BOOST_TEST(ended == 2);  // the long one began at 0 and 30; the replaced one never ends
    BOOST_TEST(on.ids().size() == 7U);
    on.first.stop();  // what still runs is cancelled
    BOOST_TEST(ended == 2);
    BOOST_TEST(on.said == "");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_local_job_may_end_its_scheduler, Backend, backends) {
    for (const auto scope : {local_scope::once_per_cluster, local_scope::every_process}) {
        scheduling<Backend> on;
        int runs = 0;
        auto one = std::make_unique<taskflux::scheduler>(on.shared(), on.options().cpu(on.broker().get_executor()));
        for (const auto* id : {"a", "b"}) {
            one->local(id, each_ten, [&] {
                ++runs;
                one.reset();
            }, schedule_options().scope(scope));
        }
        auto running = on.start(one->run());
        on.let_work();
        on.go_to(0s);
        running.get();
        BOOST_TEST(runs == 1);  // the other was not begun, and is not after that
        BOOST_TEST(!one);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_local_job_throws_is_told_and_it_goes_on, Backend, backends) {
    scheduling<Backend> on;
    asio::io_context elsewhere;
    node second(on, on.options().cpu(elsewhere.get_executor()));
    int calls = 0;
    second.scheduler.local("plain", each_ten, [&] {
        ++calls;
        throw std::runtime_error("no luck");
    });
    second.start();
    on.go_to(0s);
    BOOST_TEST(calls == 0);
    elsewhere.run();
    on.let_work();
    on.go_to(0s);
    elsewhere.restart();
    elsewhere.run();
    on.let_work();
    BOOST_TEST(calls == 2);
    BOOST_TEST(on.said == "local job plain failed: no luck\nlocal job plain failed: no luck\n");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_scheduler_ends_when_it_is_cancelled_and_when_its_broker_is_closed, Backend, backends) {
    scheduling<Backend> on;
    taskflux::scheduler one(on.shared(), on.options()), other(on.shared(), on.options()), never_ran(on.shared());
    auto running = on.start(one.run());
    on.let_work();
    running.cancel();
    running.get();
    never_ran.stop();
    on.run(never_ran.run());
    auto closed = on.start(other.run());
    on.let_work();
    on.broker().close();
    on.advance(1s);
    BOOST_TEST(on.error_of(std::move(closed)) == errc::shut_down);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
