#include "fixture.hpp"

#include <support/exposition.hpp>
#include <taskflux/admin/events.hpp>
#include <taskflux/admin/metrics.hpp>
#include <taskflux/admin/node.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/flow/queue_control.hpp>
#include <taskflux/flow/scheduler.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace taskflux {

using namespace std::chrono_literals;

namespace flow_metrics {

using test::exposition;

inline constexpr method<int(int)> add{"numbers", "add"};

queue_metrics mail() {
    queue_metrics made;
    made.queue = "mail";
    made.counts.waiting = 7;
    made.counts.paused = true;
    made.statistics.oldest_waiting = 1500ms;
    named_statistics send;
    send.name = "send \"all\"\\\n";
    send.counts.submitted = 9;
    send.counts.ended.failed = 2;
    send.counts.attempts.lost = 3;
    send.counts.run.add(5ms);
    send.counts.run.add(7ms);
    send.counts.run.add(2h);
    made.statistics.tasks.push_back(send);
    made.counts.running = 2;
    made.counts.scheduled = 3;
    made.counts.held = 1;
    made.limits.declared.emplace(limit().running(9), "", time_point());
    made.limits.live.emplace(limit().running(5).rate(100, 10s).max_waiting(50), "", time_point());
    made.limits.each_key.declared.emplace(limit().running(1), "", time_point());
    schedule_metrics nightly;
    nightly.id = "nightly";
    nightly.last = time_point(1'500ms);
    nightly.next = time_point(90s);
    made.schedules.push_back(nightly);
    schedule_metrics paused;
    paused.id = "paused";
    made.schedules.push_back(paused);
    return made;
}

std::vector<node_info> two_nodes() {
    std::vector<node_info> made(2);
    made[0].concurrency = 16;
    made[0].running = 5;
    made[1].concurrency = 4;
    made[1].running = 6;  // its slots were just made fewer
    return made;
}

/// Has counted something of each kind.
std::shared_ptr<process_metrics> busy_process() {
    const auto made = std::make_shared<process_metrics>(std::make_shared<manual_clock>(time_point(90'500ms)));
    made->on_call("fetch", 700us, false);
    made->on_call("fetch", 3s, true);
    made->on_reconnect();
    made->on_throttled("mail", 1s);
    made->on_blocked({}, 1s);
    made->on_missed("mail", "nightly", time_point());
    made->on_events_lost("mail", 12);
    ended_call call;
    call.service = "numbers";
    call.method = "add";
    call.code = "ok";
    call.took = 20'000us;
    made->on_called(call);
    call.code = "busy";
    made->on_served(call);
    return made;
}

/// The rows of the tables of docs/statistics.md that say what metrics there are: type, whose, and labels, by name.
std::map<std::string, std::string> documented() {
    std::ifstream file(TASKFLUX_ROOT "/docs/statistics.md");
    const std::regex row(R"(\| `(taskflux_\w+)` \| (\w+) \| (\w+) \| ([a-z, ]*) ?\|.*)");
    std::map<std::string, std::string> all;
    std::smatch found;
    for (std::string line; std::getline(file, line);) {
        if (!std::regex_match(line, found, row)) continue;
        auto labels = found[4].str();
        while (labels.ends_with(' ')) labels.pop_back();
        all[found[1]] = found[2].str() + ' ' + found[3].str() + ' ' + labels;
    }
    return all;
}

/// The same of what is given.
std::map<std::string, std::string> described(const exposition& read) {
    std::map<std::string, std::string> all;
    for (const auto& [name, type] : read.types) {
        const auto& help = read.helps.at(name);
        std::set<std::string> labels;
        for (const auto& one : read.samples) {
            const bool is_of_it = one.name == name || (type == "histogram" && one.name.starts_with(name + '_'));
            for (const auto& [label, value] : one.of) {
                if (is_of_it && label != "le") labels.insert(label);
            }
        }
        std::string listed;
        for (const auto& one : labels) listed += (listed.empty() ? "" : ", ") + one;
        all[name] = type + (help.ends_with("Of the cluster: use max.") ? " cluster " : " process ") + listed;
    }
    return all;
}

}  // namespace flow_metrics

BOOST_AUTO_TEST_SUITE(flow_metrics)

BOOST_AUTO_TEST_CASE(metrics_keep_to_the_exposition_format) {
    auto other = mail();
    other.queue = "other";
    const exposition read(metrics_text({mail(), other}, two_nodes()) + busy_process()->text());
    BOOST_TEST(read.types.size() == read.helps.size());
    for (const auto& [name, help] : read.helps) {
        const bool is_latest = name.find("_last_") != name.npos && help.ends_with("Of the process: use max.");
        BOOST_TEST((help.ends_with("Of the cluster: use max.") || help.ends_with("Of the process: use sum.") || is_latest), name);
    }
    for (const auto& one : read.samples) BOOST_TEST(!one.of.contains("node"));
}

BOOST_AUTO_TEST_CASE(values_come_with_their_labels) {
    const exposition read(metrics_text({mail()}));
    const std::string task = "send \"all\"\\\n";
    BOOST_TEST(read.value("taskflux_tasks", {{"queue", "mail"}, {"state", "waiting"}}) == 7);
    BOOST_TEST(read.value("taskflux_tasks", {{"queue", "mail"}, {"state", "failed"}}) == 0);
    BOOST_TEST(read.value("taskflux_queue_paused", {{"queue", "mail"}}) == 1);
    BOOST_TEST(read.value("taskflux_queue_oldest_age_seconds", {{"queue", "mail"}}) == 1.5);
    BOOST_TEST(read.value("taskflux_tasks_submitted_total", {{"queue", "mail"}, {"task", task}}) == 9);
    BOOST_TEST(read.value("taskflux_tasks_finished_total", {{"queue", "mail"}, {"task", task}, {"outcome", "failed"}}) == 2);
    BOOST_TEST(read.value("taskflux_attempts_total", {{"queue", "mail"}, {"task", task}, {"outcome", "lost"}}) == 3);
}

BOOST_AUTO_TEST_CASE(buckets_of_a_histogram_add_up) {
    const exposition read(metrics_text({mail()}));
    const std::string task = "send \"all\"\\\n";
    const auto bucket = [&](const std::string& le) {
        return read.value("taskflux_task_run_seconds_bucket", {{"queue", "mail"}, {"task", task}, {"le", le}});
    };
    BOOST_TEST(bucket("0.005") == 1);
    BOOST_TEST(bucket("0.01") == 2);
    BOOST_TEST(bucket("3600") == 2);
    BOOST_TEST(bucket("+Inf") == 3);
    BOOST_TEST(read.value("taskflux_task_run_seconds_count", {{"queue", "mail"}, {"task", task}}) == 3);
    BOOST_TEST(read.value("taskflux_task_run_seconds_sum", {{"queue", "mail"}, {"task", task}}) == 7200.012);
}

BOOST_AUTO_TEST_CASE(the_page_on_statistics_lists_all_metrics_with_their_labels) {
    const auto given = described(exposition(metrics_text({mail()}, two_nodes()) + busy_process()->text()));
    const auto listed = documented();
    for (const auto& [name, what] : given) BOOST_TEST((listed.contains(name) && listed.at(name) == what), name << " is " << what);
    for (const auto& [name, what] : listed) BOOST_TEST(given.contains(name), name << " is listed and not given");
}

BOOST_AUTO_TEST_CASE(limits_are_told_by_rule) {
    const exposition read(metrics_text({mail()}));
    const auto value = [&](const std::string& name, const std::string& rule) {
        return read.value("taskflux_limit_" + name, {{"queue", "mail"}, {"rule", rule}});
    };
    BOOST_TEST(value("bound", "running") == 5);  // the live one
    BOOST_TEST(value("bound", "rate") == 10);    // a second
    auto slow = mail();
    slow.limits.live->value = limit().rate(1, 24h * 30);
    BOOST_TEST(exposition(metrics_text({slow})).value("taskflux_limit_bound", {{"queue", "mail"}, {"rule", "rate"}}) > 0);
    BOOST_TEST(value("bound", "max_waiting") == 50);
    BOOST_TEST(value("bound", "key_running") == 1);
    BOOST_TEST(value("running", "running") == 2);
    BOOST_TEST(value("waiting", "rate") == 7);
    BOOST_TEST(value("waiting", "max_waiting") == 11);
    for (const auto& one : read.samples) {  // how many a key has is not known
        BOOST_TEST((!one.of.contains("rule") || !one.of.at("rule").starts_with("key_") || one.name == "taskflux_limit_bound"));
    }
}

BOOST_AUTO_TEST_CASE(ticks_are_told_where_there_are_any) {
    const exposition read(metrics_text({mail()}));
    const test::labels nightly{{"queue", "mail"}, {"schedule", "nightly"}};
    BOOST_TEST(read.value("taskflux_schedule_last_tick_timestamp_seconds", nightly) == 1.5);
    BOOST_TEST(read.value("taskflux_schedule_next_tick_timestamp_seconds", nightly) == 90);
    for (const auto& one : read.samples) BOOST_TEST((!one.of.contains("schedule") || one.of.at("schedule") == "nightly"));
}

BOOST_AUTO_TEST_CASE(slots_are_those_of_all_nodes) {
    const exposition read(metrics_text({}, two_nodes()));
    BOOST_TEST(read.value("taskflux_nodes", {}) == 2);
    BOOST_TEST(read.value("taskflux_worker_slots", {{"state", "busy"}}) == 9);
    BOOST_TEST(read.value("taskflux_worker_slots", {{"state", "free"}}) == 11);
}

BOOST_AUTO_TEST_CASE(a_process_tells_what_it_has_seen) {
    const exposition read(busy_process()->text());
    BOOST_TEST(read.value("taskflux_broker_call_seconds_count", {{"call", "fetch"}}) == 2);
    BOOST_TEST(read.value("taskflux_broker_call_seconds_bucket", {{"call", "fetch"}, {"le", "0.0005"}}) == 0);
    BOOST_TEST(read.value("taskflux_broker_call_seconds_bucket", {{"call", "fetch"}, {"le", "0.001"}}) == 1);
    BOOST_TEST(read.value("taskflux_broker_call_seconds_bucket", {{"call", "fetch"}, {"le", "+Inf"}}) == 2);
    BOOST_TEST(read.value("taskflux_broker_call_seconds_sum", {{"call", "fetch"}}) == 3.0007);
    BOOST_TEST(read.value("taskflux_broker_errors_total", {{"call", "fetch"}}) == 1);
    BOOST_TEST(read.value("taskflux_broker_reconnects_total", {}) == 1);
    const auto calls = [&](const std::string& side, const std::string& code) {
        return read.value("taskflux_rpc_" + side + "_seconds_count", {{"service", "numbers"}, {"method", "add"}, {"code", code}});
    };
    BOOST_TEST(calls("client", "ok") == 1);
    BOOST_TEST(calls("server", "busy") == 1);
    BOOST_TEST(read.value("taskflux_schedule_missed_total", {{"queue", "mail"}, {"schedule", "nightly"}}) == 1);
    BOOST_TEST(read.value("taskflux_schedule_last_missed_timestamp_seconds", {{"queue", "mail"}, {"schedule", "nightly"}}) == 90.5);
    BOOST_TEST(read.value("taskflux_events_lost_total", {{"queue", "mail"}}) == 12);
    BOOST_TEST(read.value("taskflux_throttled_total", {{"queue", "mail"}}) == 1);
    BOOST_TEST(read.value("taskflux_blocked_total", {}) == 1);
}

BOOST_FIXTURE_TEST_CASE(counters_are_zero_before_what_they_count_happens, ::test::flow::fixture) {
    const auto of = std::make_shared<process_metrics>();
    worker w{broker, options().observer(of)};
    w.on(::test::flow::twice, [](int n) { return n; });
    scheduler plan(broker, scheduler_options().observer(of));
    now(plan.every("0 0 1 1 *", "UTC", ::test::flow::twice, 1, schedule_options().id("yearly")));
    service serves(broker, service_options().observer(of).cpu(here));
    serves.on(add, [](int n) { return n; });
    const events reads(broker, "mail", events_options().observer(of));
    BOOST_TEST(of->text().find("default") == std::string::npos);  // nothing runs yet
    start(w.run());
    start(plan.run());
    start(serves.run());
    pass(2s, 1s);
    const exposition read(of->text());
    BOOST_TEST(read.value("taskflux_throttled_total", {{"queue", "default"}}) == 0);
    BOOST_TEST(read.value("taskflux_events_lost_total", {{"queue", "mail"}}) == 0);
    BOOST_TEST(read.value("taskflux_schedule_missed_total", {{"queue", "default"}, {"schedule", "yearly"}}) == 0);
    for (const auto* const code : {"ok", "task_failed"}) {
        BOOST_TEST(read.value("taskflux_rpc_server_seconds_count", {{"service", "numbers"}, {"method", "add"}, {"code", code}}) == 0);
    }
    for (const auto& one : read.samples) BOOST_TEST(one.name.find("_last_missed_") == std::string::npos);  // it has missed none
    plan.stop();
    serves.stop();
    settle();
}

BOOST_AUTO_TEST_CASE(a_call_that_succeeds_has_a_zero_among_the_errors) {
    process_metrics of;
    of.on_call("fetch", 1ms, false);
    BOOST_TEST(exposition(of.text()).value("taskflux_broker_errors_total", {{"call", "fetch"}}) == 0);
}

BOOST_AUTO_TEST_CASE(a_text_is_of_one_moment_while_calls_go_on) {
    process_metrics of;
    std::thread calls([&] {
        for (int i = 0; i < 2'000; ++i) of.on_call("fetch" + std::to_string(i % 20), std::chrono::microseconds(i), i % 3 == 0);
    });
    for (int i = 0; i < 20; ++i) exposition(of.text());  // which checks that its parts agree
    calls.join();
    BOOST_TEST(exposition(of.text()).value("taskflux_broker_call_seconds_count", {{"call", "fetch7"}}) == 100);
}

BOOST_AUTO_TEST_CASE(process_metrics_need_a_clock) {
    BOOST_CHECK_THROW(process_metrics(std::shared_ptr<const clock>()), error);
}

BOOST_AUTO_TEST_CASE(a_call_as_long_as_a_bound_is_in_its_bucket) {
    process_metrics of;
    of.on_call("fetch", 500us, false);
    of.on_call("fetch", 501us, false);
    of.on_call("fetch", 10s, false);
    const exposition read(of.text());
    const auto below = [&](const std::string& le) { return read.value("taskflux_broker_call_seconds_bucket", {{"call", "fetch"}, {"le", le}}); };
    BOOST_TEST(below("0.0005") == 1);
    BOOST_TEST(below("0.001") == 2);
    BOOST_TEST(below("10") == 3);
}

BOOST_AUTO_TEST_CASE(of_many_labels_those_beyond_a_hundred_are_one) {
    process_metrics of;
    ended_call call;
    call.code = "ok";
    for (int i = 0; i < 150; ++i) {
        call.service = "s" + std::to_string(i);
        call.method = "m";
        of.on_called(call);
        of.on_throttled(call.service, 1s);
    }
    call.service = "s0";
    call.code = "timed_out";
    of.on_called(call);  // a method that is known has all its codes
    const exposition read(of.text());
    const auto count = [&](const std::string& service, const std::string& method, const std::string& code) {
        return read.value("taskflux_rpc_client_seconds_count", {{"service", service}, {"method", method}, {"code", code}});
    };
    BOOST_TEST(count("s99", "m", "ok") == 1);
    BOOST_TEST(count("s149", "other", "ok") == 1);
    BOOST_TEST(count("s0", "m", "timed_out") == 1);
    BOOST_TEST(read.value("taskflux_throttled_total", {{"queue", "other"}}) == 50);
}

BOOST_AUTO_TEST_CASE(what_only_was_announced_takes_no_place_of_what_has_happened) {
    process_metrics of;
    const auto name = [](int i) { return "user_" + std::to_string(i); };
    for (int i = 0; i < 150; ++i) of.on_schedule("mail", name(i));
    for (int i = 0; i < 150; ++i) of.on_queue(name(i));
    of.on_missed("mail", name(120), time_point{});
    of.on_missed("mail", name(7), time_point{});
    of.on_throttled(name(149), 1s);
    const exposition read(of.text());
    const auto missed = [&](int i) { return read.value("taskflux_schedule_missed_total", {{"queue", "mail"}, {"schedule", name(i)}}); };
    BOOST_TEST(missed(120) == 1);
    BOOST_TEST(missed(7) == 1);
    BOOST_TEST(missed(99) == 0);
    BOOST_TEST(!read.has("taskflux_schedule_missed_total", {{"queue", "mail"}, {"schedule", name(121)}}));
    BOOST_TEST(!read.has("taskflux_schedule_missed_total", {{"queue", "mail"}, {"schedule", "other"}}));
    BOOST_TEST(read.value("taskflux_throttled_total", {{"queue", name(149)}}) == 1);
}

BOOST_AUTO_TEST_CASE(of_what_has_happened_too_often_the_queue_is_told_and_nothing_twice) {
    process_metrics of;
    const auto name = [](int i) { return "user_" + std::to_string(i); };
    of.on_schedule("mail", "late");
    for (int i = 0; i < 100; ++i) of.on_missed("mail", name(i), time_point{});
    of.on_missed("mail", "late", time_point{});
    of.on_missed("mail", "later", time_point{});
    of.on_missed("news", "late", time_point{});
    const exposition read(of.text());
    const auto missed = [&](const std::string& queue, const std::string& schedule) {
        return read.value("taskflux_schedule_missed_total", {{"queue", queue}, {"schedule", schedule}});
    };
    BOOST_TEST(missed("mail", "other") == 2);
    BOOST_TEST(missed("news", "other") == 1);
    BOOST_TEST(!read.has("taskflux_schedule_missed_total", {{"queue", "mail"}, {"schedule", "late"}}), "it is no zero");
    for (int i = 0; i < 150; ++i) of.on_missed(name(i), "late", time_point{});
    BOOST_TEST(exposition(of.text()).value("taskflux_schedule_missed_total", {{"queue", "other"}, {"schedule", "other"}}) == 52);
}

BOOST_AUTO_TEST_CASE(a_call_that_fails_counts_whether_it_was_known_or_not) {
    process_metrics of;
    of.on_call("fetch", 1ms, true);
    of.on_call("fetch", 1ms, false);
    of.on_call("settle", 1ms, false);
    of.on_call("settle", 1ms, true);
    of.on_call("counts", 1ms, false);
    const exposition read(of.text());
    const auto errors = [&](const std::string& call) { return read.value("taskflux_broker_errors_total", {{"call", call}}); };
    BOOST_TEST(errors("fetch") == 1);
    BOOST_TEST(errors("settle") == 1);
    BOOST_TEST(errors("counts") == 0);
}

BOOST_FIXTURE_TEST_CASE(what_is_read_is_of_queues_limits_schedules_nodes_and_this_process, ::test::flow::fixture) {
    worker w{broker, options()};
    w.on(::test::flow::twice, [](int n) { return n; });
    node shown(broker, w);
    start(shown.run());
    scheduler plan(broker);
    now(plan.every("0 0 1 1 *", "UTC", ::test::flow::twice, 1));
    const queue_control control(broker, "default");
    now(control.set_limit(limit().running(3), "a test"));
    now(client.submit(::test::flow::twice, 1));
    settle();
    const exposition read(now(read_metrics(broker, {}, busy_process())));
    BOOST_TEST(read.value("taskflux_limit_bound", {{"queue", "default"}, {"rule", "running"}}) == 3);
    BOOST_TEST(read.value("taskflux_schedule_next_tick_timestamp_seconds", {{"queue", "default"}, {"schedule", "twice"}}) > 0);
    BOOST_TEST(read.value("taskflux_nodes", {}) == 1);
    BOOST_TEST(read.value("taskflux_worker_slots", {{"state", "free"}}) == 16);
    BOOST_TEST(read.value("taskflux_events_lost_total", {{"queue", "mail"}}) == 12);
    shown.stop();
    settle();
}

BOOST_FIXTURE_TEST_CASE(without_the_broker_a_process_tells_what_it_knows, ::test::flow::fixture) {
    broker->close();
    const exposition read(now(read_metrics(broker, {}, busy_process())));
    BOOST_TEST(read.value("taskflux_broker_errors_total", {{"call", "fetch"}}) == 1);
    BOOST_TEST(!read.types.contains("taskflux_tasks"));
    BOOST_CHECK_THROW(now(read_metrics(broker)), error);
}

BOOST_FIXTURE_TEST_CASE(of_many_schedules_of_a_queue_the_first_hundred_are_told, ::test::flow::fixture) {
    scheduler plan(broker);
    for (int n = 100; n < 205; ++n) {
        const auto named = schedule_options().id("s" + std::to_string(n));
        now(plan.every("0 0 1 1 *", "UTC", ::test::flow::twice, 1, named));
    }
    const exposition read(now(read_metrics(broker)));
    std::set<std::string> told;
    for (const auto& one : read.samples) {
        if (one.of.contains("schedule")) told.insert(one.of.at("schedule"));
    }
    BOOST_TEST(told.size() == 100U);
    BOOST_TEST((told.contains("s199") && !told.contains("s200")));
}

BOOST_AUTO_TEST_CASE(no_queue_has_no_samples) {
    BOOST_TEST(exposition(metrics_text({})).samples.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux
