#include <conformance/fixture.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/id/limits.hpp>
#include <taskflux/core/task/failure.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// What has a name: each with names of every kind, on its way through the broker. A name is refused at once, with
// `invalid_argument`, or works wherever it goes.
namespace taskflux::conformance {

namespace conformance_limits {

namespace limits = detail::limits;
using detail::name_limit;
using detail::name_rule;

struct named_thing {
    const char* what;
    const name_limit& limit;
    bool is_optional;  ///< an empty one means none
    void (*use)(fixture&, const std::string& name);
};

new_task with_spec(task_spec spec) {
    new_task made;
    made.spec = std::make_shared<const task_spec>(std::move(spec));
    return made;
}

/// Hands out and ends all that waits in a queue.
std::vector<delivery> run_all(fixture& on, const std::string& consumer = w, const std::string& queue = q) {
    on.join(consumer, {queue});
    auto request = on.request(consumer, 10);
    request.queues = {queue};
    auto found = on.run(on.broker().fetch(request));
    std::vector<settlement> ends;
    for (const auto& one : found) ends.push_back(on.settled(one, kind::complete, "1"));
    for (const auto done : on.run(on.broker().settle(queue, consumer, ends))) BOOST_TEST(done == effect::done);
    return found;
}

void use_queue(fixture& on, const std::string& name) {
    const auto key = on.add(on.task(), name);
    BOOST_TEST(run_all(on, w, name).size() == 1U);
    const auto parsed = parse_task_id(to_string(task_id{name, key}));
    BOOST_TEST(on.run(on.broker().get(parsed)).has_value());
}

void use_task(fixture& on, const std::string& name) {
    const auto key = on.add(on.task(name));
    BOOST_TEST(on.record(key).name == name);
    for (int i = 0; i < 5; ++i) on.add(on.task(name));
    BOOST_TEST(run_all(on).size() == 6U);
}

void use_own_id(fixture& on, const std::string& name) {
    auto task = on.task();
    task.own_id = name;
    const auto key = on.add(task);
    BOOST_TEST(on.submit(task).duplicate == !name.empty());
    if (name.empty()) return;
    BOOST_CHECK((on.run(on.broker().find(q, name)) == key));
    const auto found = run_all(on);
    BOOST_REQUIRE_EQUAL(found.size(), 1U);
    BOOST_TEST((found[0].own_id == name));
    BOOST_TEST((on.record(key).own_id == name));
}

void use_unique_key(fixture& on, const std::string& name) {
    auto task = on.task();
    task.unique_key = name;
    on.add(task);
    BOOST_TEST(on.submit(task).duplicate == !name.empty());
    run_all(on);
    BOOST_TEST(!on.submit(task).duplicate);
}

void use_key(fixture& on, const std::string& name) {
    auto task = on.task();
    task.key = name;
    const auto key = on.add(task);
    BOOST_TEST((on.record(key).key == name));
    on.run(on.broker().set_key_limit(q, name, limit_kind::live, limit().running(1), ""));
    on.add(task);
    BOOST_TEST(run_all(on).size() == (name.empty() ? 2U : 1U));
}

void use_header(fixture& on, const std::string& name) {
    const auto key = on.add(with_spec({"work", 0, {}, {{name, "value"}}}));
    BOOST_TEST(on.record(key).headers.contains(name));
}

void use_header_value(fixture& on, const std::string& value) {
    const auto key = on.add(with_spec({"work", 0, {}, {{"name", value}}}));
    BOOST_TEST((on.record(key).headers.at("name") == value));
}

void use_consumer(fixture& on, const std::string& name) {
    on.add_many(5);  // which share what is stored of them
    on.add();
    on.join(name);
    const auto one = on.fetch_one(name);
    BOOST_TEST((on.record(one.key).consumer == name));
    BOOST_TEST(on.settle(one, kind::release, name) == effect::done);
    on.add();
    const auto found = run_all(on, name);
    BOOST_TEST(found.size() == 7U);
    for (const auto& each : found) BOOST_TEST(on.state(each.key) == task_state::succeeded);
    on.add();
    on.fetch_one(name);
    BOOST_TEST(!on.renew(name).lost);
    on.run(on.broker().leave(name, {q}));
    BOOST_TEST(on.counts().waiting == 1U);
}

void use_signal(fixture& on, const std::string& name) {
    const auto key = on.add();
    for (int i = 0; i < 2; ++i) BOOST_TEST(on.run(on.broker().signal({q, key}, name, "1")) == effect::done);
    journal_query both;
    both.keys = {signal_key(name, 1), signal_key(name, 2)};
    BOOST_TEST(on.run(on.broker().journal({q, key}, both)).entries.size() == 2U);
}

void use_journal_key(fixture& on, const std::string& name) {
    const auto key = on.add();
    journal_write write;
    auto& item = write.items.emplace_back();
    item.key = name;
    item.text = "1";
    on.run(on.broker().write_journal({q, key}, write));
    journal_query one;
    one.keys = {name};
    const auto page = on.run(on.broker().journal({q, key}, one));
    BOOST_TEST(page.entries.size() == 1U);
}

void use_parent(fixture& on, const std::string& name) {
    const auto parent = on.add(on.task(), name);
    auto child = on.task();
    child.parent = parent_link{{name, parent}, "cx"};
    const auto key = on.add(child);
    BOOST_TEST(on.record(key).parent == to_string(task_id{name, parent}));
}

void use_schedule(fixture& on, const std::string& name) {
    BOOST_TEST(on.run(on.broker().set_schedule(q, name, "", "text", {})));
    const auto rows = on.run(on.broker().schedules(q)).rows;
    BOOST_REQUIRE_EQUAL(rows.size(), 1U);
    BOOST_TEST((rows[0].id == name));
}

void use_board(fixture& on, const std::string& name) {
    on.run(on.broker().announce(name, "id", "text", 1h));
    BOOST_TEST(on.run(on.broker().announced(name)).size() == 1U);
}

void use_board_row(fixture& on, const std::string& name) {
    on.run(on.broker().announce("board", name, "text", 1h));
    const auto rows = on.run(on.broker().announced("board"));
    BOOST_REQUIRE_EQUAL(rows.size(), 1U);
    BOOST_TEST((rows[0].id == name));
}

const named_thing things[] = {
    {"queue", limits::queue, false, use_queue},
    {"queue of a parent", limits::queue, false, use_parent},
    {"task", limits::task, false, use_task},
    {"own id", limits::own_id, true, use_own_id},
    {"unique key", limits::unique_key, true, use_unique_key},
    {"key", limits::key, true, use_key},
    {"header", limits::header, false, use_header},
    {"header's value", limits::header_value, true, use_header_value},
    {"consumer", limits::consumer, false, use_consumer},
    {"signal", limits::call, false, use_signal},
    {"key in a journal", limits::journal_key, false, use_journal_key},
    {"schedule", limits::schedule, false, use_schedule},
    {"board", limits::board, false, use_board},
    {"row on a board", limits::board_row, false, use_board_row},
};

std::vector<std::string> names_for(const name_limit& limit) {
    return {
        std::string(limit.most, 'a'),
        std::string(limit.most + 1, 'a'),
        "",
        "a",
        std::string("a\n\0\x01\x7f", 5),
        "\xff\xfe\x80",
        "größe",
        "~a",
        "q:~1.a",
        "storm:~0.0",
        "#a",
        std::string(70'000, 'b'),
    };
}

bool is_allowed(const name_limit& limit, bool is_optional, const std::string& name) {
    if (name.empty()) return is_optional;
    if (&limit == &limits::journal_key && name.starts_with('#')) return false;
    return name.size() <= limit.most && detail::follows(limit.rule, name);
}

}  // namespace conformance_limits

BOOST_AUTO_TEST_SUITE(conformance_limits)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_name_is_refused_at_once_or_works_wherever_it_goes, Backend, backends) {
    for (const auto& [what, limit, is_optional, use] : things) {
        for (const auto& name : names_for(limit)) {
            BOOST_TEST_CONTEXT(what << ' ' << detail::in_quotes(name) << " of " << name.size() << " bytes") {
                fixture on(std::make_unique<Backend>());
                if (is_allowed(limit, is_optional, name)) {
                    BOOST_CHECK_NO_THROW(use(on, name));
                    continue;
                }
                try {
                    use(on, name);
                    BOOST_ERROR("it was not refused");
                } catch (const error& e) {
                    BOOST_TEST(e.code() == errc::invalid_argument);
                    BOOST_TEST(std::string(e.what()).size() < 700U);
                }
                BOOST_TEST(on.run(on.broker().queues()).size() <= 1U);  // nothing hangs, and nothing is half done
                BOOST_TEST(on.counts().running == 0U);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(one_bad_name_among_many_tasks_and_nothing_is_stored, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    std::vector<new_task> tasks(500, on.task());
    tasks[450].unique_key = std::string(70'000, 'a');
    BOOST_TEST(on.error_of(on.broker().submit(q, tasks)) == boost::system::error_code(errc::invalid_argument));
    BOOST_TEST(on.counts().waiting == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(text_of_a_log_that_is_not_utf8_is_mended_and_other_reports_are_kept, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.add_many(3);
    const auto running = on.fetch(w, 3);
    BOOST_REQUIRE_EQUAL(running.size(), 3U);
    std::vector<attempt_report> reports(3);
    for (std::size_t i = 0; i < 3; ++i) {
        reports[i].key = running[i].key;
        reports[i].token = running[i].token;
        reports[i].progress = std::to_string(i);
        auto& line = reports[i].log.emplace_back();
        line.text = i == 1 ? "bad \xff text" : "good";
        line.fields[i == 1 ? "na\xc3me" : "name"] = i == 1 ? "\x80" : "value";
    }
    for (const auto done : on.run(on.broker().report(q, w, reports))) BOOST_TEST(done == effect::done);
    for (std::size_t i = 0; i < 3; ++i) {
        const auto record = on.record(running[i].key);
        BOOST_TEST(record.progress == std::to_string(i));
        BOOST_REQUIRE_EQUAL(record.log.size(), 1U);
        BOOST_TEST(record.log[0].text == (i == 1 ? "bad \xef\xbf\xbd text" : "good"));
        BOOST_TEST(record.log[0].fields.count(i == 1 ? "na\xef\xbf\xbdme" : "name") == 1U);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_would_be_cut_to_fewer_bits_is_refused, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    for (const int priority : {-101, 101, 155, 256}) {
        BOOST_TEST(on.error_of(on.broker().submit(q, {on.task("work", priority)})) == boost::system::error_code(errc::invalid_argument));
    }
    for (const int priority : {-100, 100}) {
        const auto key = on.add(on.task("work", priority));
        BOOST_TEST(on.record(key).priority == priority);
    }
    run_policy backwards;
    backwards.retention = -1ms;
    BOOST_TEST(on.error_of(on.broker().submit(q, {on.task(backwards)})) == boost::system::error_code(errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_line_of_a_log_that_cannot_be_written_is_mended_and_other_reports_are_kept, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.add_many(2);
    const auto held = on.fetch(w, 2);
    std::vector<attempt_report> news(2);
    for (std::size_t i = 0; i != 2; ++i) {
        news[i].key = held[i].key;
        news[i].token = held[i].token;
        news[i].progress = "1";
    }
    for (const auto at : {(time_point::min)(), never, on.broker().clock().now()}) {
        log_line line;
        line.at = at;
        line.level = static_cast<log_level>(99);
        line.text = "said";
        news[0].log.push_back(line);
    }
    const std::vector done(2, effect::done);
    BOOST_TEST((on.run(on.broker().report(q, w, news)) == done));
    const auto kept = on.record(held[0].key);
    BOOST_TEST_REQUIRE(kept.log.size() == 3U);
    BOOST_TEST((kept.log[2].at == news[0].log[2].at));
    BOOST_TEST((kept.log[0].level == log_level::error));
    BOOST_TEST((kept.log[0].at < kept.log[2].at && kept.log[2].at < kept.log[1].at));
    BOOST_TEST(on.record(held[1].key).progress == "1");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_payload_is_as_long_when_it_is_updated_as_when_it_is_submitted, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto key = on.add();
    BOOST_TEST(on.error_of(on.broker().update({q, key}, std::string((64 << 20) + 1, 'x'))) == errc::too_large);
    auto large = on.task();
    large.payload.assign((64 << 20) + 1, 'x');
    std::vector<new_task> tasks(1, std::move(large));
    BOOST_TEST(on.error_of(on.broker().submit(q, std::move(tasks))) == errc::too_large);
    BOOST_TEST(on.record(key).payload.empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_result_that_is_too_large_fails_its_own_task_and_no_other_of_the_batch, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto keys = on.add_many(3);
    const auto held = on.fetch(w, 3);
    BOOST_TEST_REQUIRE(held.size() == 3U);
    constexpr std::size_t most = 64 << 20;
    std::vector<settlement> ends;
    ends.push_back(on.settled(held[0], kind::complete, "1"));
    ends.push_back(on.settled(held[1], kind::complete, std::string(most + 1, '1')));
    ends.push_back(on.settled(held[2], kind::complete, "3"));
    const std::vector done(3, effect::done);
    BOOST_TEST((on.run(on.broker().settle(q, w, ends)) == done));
    BOOST_TEST(on.record(keys[0]).result == "1");
    BOOST_TEST(on.record(keys[2]).result == "3");
    const auto failed = on.record(keys[1]);
    BOOST_TEST((failed.state == task_state::failed));
    BOOST_TEST(failed.result.empty());
    const auto why = detail::read_failure(failed.error);
    BOOST_TEST(why.code == "too_large");
    BOOST_TEST(why.message == "a result of 67108865 bytes is not stored: at most 67108864 are; return a reference to it");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_failure_that_is_too_large_is_retried_as_it_would_have_been, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add();
    const auto held = on.fetch_one();
    BOOST_TEST((on.settle(on.settled(held, kind::retry, std::string((64 << 20) + 1, 'x'), 5s)) == effect::done));
    const auto record = on.record(key);
    BOOST_TEST((record.state == task_state::scheduled));
    BOOST_TEST(record.attempts == 1U);
    BOOST_TEST(detail::read_failure(record.error).message.starts_with("a failure of 67108865 bytes is not stored"));
    on.advance(5s);
    BOOST_TEST(on.fetch_one().attempt == 2U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_progress_that_is_too_large_is_refused_with_all_of_its_batch, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    const auto key = on.add();
    const auto held = on.fetch_one();
    const std::string fits(700'000, '1');
    BOOST_TEST((on.report_progress(held, fits) == effect::done));
    std::vector<attempt_report> news(2);
    for (auto& one : news) {
        one.key = held.key;
        one.token = held.token;
    }
    news[0].progress = "1";
    news[1].progress = std::string((1 << 20) + 1, '1');
    BOOST_TEST(on.error_of(on.broker().report(q, w, news)) == errc::too_large);
    BOOST_TEST((on.record(key).progress == fits));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(every_call_refuses_the_name_of_a_queue_that_cannot_be, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    auto& broker = on.broker();
    const std::string none = "a b";
    auto fetch = on.request();
    fetch.queues = {none};
    list_query list;
    list.queue = none;
    const task_id id{none, {}};
    const auto refused = [&](const char* call, const boost::system::error_code& told) {
        BOOST_TEST(told == errc::invalid_argument, call);
    };
    refused("fetch", on.error_of(broker.fetch(fetch)));
    refused("list", on.error_of(broker.list(list)));
    refused("cancel", on.error_of(broker.cancel(none, {})));
    refused("start", on.error_of(broker.start(none, {})));
    refused("promote", on.error_of(broker.promote(none, {})));
    refused("requeue", on.error_of(broker.requeue(none, {})));
    refused("remove", on.error_of(broker.remove(none, {})));
    refused("report", on.error_of(broker.report(none, w, {})));
    refused("settle", on.error_of(broker.settle(none, w, {})));
    refused("clear", on.error_of(broker.clear(none, std::nullopt, 1)));
    refused("get", on.error_of(broker.get(id)));
    refused("wait", on.error_of(broker.wait(id, 0s)));
    refused("find", on.error_of(broker.find(none, "id")));
    refused("update", on.error_of(broker.update(id, "")));
    refused("signal", on.error_of(broker.signal(id, "go", "1")));
    refused("journal", on.error_of(broker.journal(id, {})));
    refused("counts", on.error_of(broker.counts(none)));
    refused("pause", on.error_of(broker.pause(none)));
    refused("schedules", on.error_of(broker.schedules(none)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
