#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/broker/unserved.hpp>
#include <taskflux/core/error.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace taskflux;

namespace broker_checks {

using namespace std::chrono_literals;

bool is_invalid(const error& e) { return e.code() == errc::invalid_argument; }

new_task a_task(task_spec spec = {"work", 0, {}, {}}) {
    new_task made;
    made.spec = std::make_shared<const task_spec>(std::move(spec));
    return made;
}

/// Whether a batch with this task behind a good one is refused.
bool is_refused(new_task task) {
    std::vector<new_task> tasks{a_task(), std::move(task)};
    try {
        detail::check_tasks(tasks);
    } catch (const error& e) {
        BOOST_TEST(is_invalid(e), e.what());
        return true;
    }
    return false;
}

bool is_refused(const journal_write& what) {
    try {
        detail::check_writes(what);
    } catch (const error& e) {
        BOOST_TEST(is_invalid(e), e.what());
        return true;
    }
    return false;
}

task_record record_of(std::uint64_t number, std::string payload = {}) {
    task_record made;
    made.id = {"q", {number, 1}};
    made.payload = std::move(payload);
    return made;
}

}  // namespace broker_checks

BOOST_AUTO_TEST_SUITE(broker_checks)

BOOST_AUTO_TEST_CASE(a_payload_of_64_mebibytes_is_stored_and_a_byte_more_is_not) {
    std::vector<new_task> tasks(1);
    tasks[0].spec = std::make_shared<const task_spec>(task_spec{"work", 0, {}, {}});
    tasks[0].payload.assign(std::size_t(64) << 20, 'x');
    detail::check_tasks(tasks);
    tasks[0].payload += 'x';
    BOOST_CHECK_EXCEPTION(detail::check_tasks(tasks), error, [](const error& e) { return e.code() == errc::too_large; });
}

BOOST_AUTO_TEST_CASE(a_task_to_submit_is_checked_in_each_of_its_parts) {
    BOOST_TEST(!is_refused(a_task()));
    BOOST_TEST(is_refused(new_task()));
    BOOST_TEST(is_refused(a_task({"", 0, {}, {}})));
    BOOST_TEST(is_refused(a_task({"a\nb", 0, {}, {}})));
    BOOST_TEST(is_refused(a_task({"work", 101, {}, {}})));
    BOOST_TEST(is_refused(a_task({"work", -101, {}, {}})));
    BOOST_TEST(is_refused(a_task({"work", 0, {.deadline = -1ms}, {}})));
    BOOST_TEST(is_refused(a_task({"work", 0, {.expires_in = -1ms}, {}})));
    BOOST_TEST(is_refused(a_task({"work", 0, {.retention = -1ms}, {}})));
    BOOST_TEST(is_refused(a_task({"work", 0, {.failed_retention = -1ms}, {}})));
    BOOST_TEST(is_refused(a_task({"work", 0, {}, {{"", "value"}}})));
    BOOST_TEST(is_refused(a_task({"work", 0, {}, {{"name", "\xff"}}})));
    BOOST_TEST(!is_refused(a_task({"work", 100, {.deadline = 0ms, .expires_in = 0ms, .retention = 0ms, .failed_retention = 0ms}, {{"name", ""}}})));
    const auto with = [](auto change) {
        auto made = a_task();
        change(made);
        return is_refused(std::move(made));
    };
    BOOST_TEST(with([](new_task& task) { task.own_id = "~1.a"; }));
    BOOST_TEST(with([](new_task& task) { task.own_id.assign(1025, 'x'); }));
    BOOST_TEST(!with([](new_task& task) { task.own_id.assign(1024, 'x'); }));
    BOOST_TEST(with([](new_task& task) { task.unique_key.assign(1025, 'x'); }));
    BOOST_TEST(!with([](new_task& task) { task.unique_key.assign(1024, 'x'); }));
    BOOST_TEST(with([](new_task& task) { task.unique_window = -1ms; }));
    BOOST_TEST(!with([](new_task& task) { task.unique_window = 0ms; }));
    const auto replacing = [&](void (*change)(new_task&)) {
        return with([&](new_task& task) {
            task.unique_key = "k";
            task.on_duplicate = duplicate::replace;
            change(task);
        });
    };
    BOOST_TEST(!replacing([](new_task&) {}));
    BOOST_TEST(replacing([](new_task& task) { task.unique_key.clear(); }));
    BOOST_TEST(replacing([](new_task& task) { task.hold = true; }));
    BOOST_TEST(replacing([](new_task& task) { task.parent = parent_link{{"q", {1, 1}}, "c"}; }));
    BOOST_TEST(replacing([](new_task& task) { task.at_most = -1ms; }));
    const parent_link good{{"q", {1, 1}}, "ca"};
    BOOST_TEST(!with([&](new_task& task) { task.parent = good; }));
    BOOST_TEST(with([&](new_task& task) { task.parent = good, task.parent->id.queue = "no queue"; }));
    BOOST_TEST(with([&](new_task& task) { task.parent = good, task.parent->key.clear(); }));
}

BOOST_AUTO_TEST_CASE(a_write_to_a_journal_is_checked_in_each_of_its_parts) {
    using mode = journal_write::mode;
    const auto of = [](std::string key, mode how, std::string consumer = {}) {
        journal_write what;
        what.consumer = std::move(consumer);
        what.items.push_back({"sfine", "", mode::add, false});
        what.items.push_back({std::move(key), "", how, false});
        return what;
    };
    for (const auto how : {mode::add, mode::set, mode::look}) {
        BOOST_TEST(!is_refused(of("sstep", how)));
        BOOST_TEST(!is_refused(of("csub", how)));
        BOOST_TEST(is_refused(of("#count", how)));
        BOOST_TEST(is_refused(of("", how)));
    }
    BOOST_TEST(!is_refused(of("csub", mode::drop)));
    BOOST_TEST(is_refused(of("sstep", mode::drop)));
    BOOST_TEST(is_refused(of("gsignal", mode::drop)));
    BOOST_TEST(!is_refused(of(std::string(2048, 's'), mode::add)));
    BOOST_TEST(is_refused(of(std::string(2049, 's'), mode::add)));
    BOOST_TEST(!is_refused(of("sstep", mode::add, std::string(255, 'w'))));
    BOOST_TEST(is_refused(of("sstep", mode::add, std::string(256, 'w'))));
}

BOOST_AUTO_TEST_CASE(a_journal_holds_a_mebibyte_and_no_byte_more) {
    detail::check_journal_size(1 << 20);
    BOOST_CHECK_EXCEPTION(detail::check_journal_size((1 << 20) + 1), error, [](const error& e) {
        BOOST_TEST(std::string(e.what()).find("would need 1048577 bytes in its journal; at most 1048576 are kept") != std::string::npos, e.what());
        return e.code() == errc::too_large;
    });
}

BOOST_AUTO_TEST_CASE(a_line_of_a_log_that_can_not_be_written_is_mended_and_a_good_one_stays) {
    std::vector<attempt_report> reports(1);
    const time_point first = std::chrono::sys_days(std::chrono::year(0) / 1 / 1);
    const time_point past = std::chrono::sys_days(std::chrono::year(10'000) / 1 / 1);
    auto& log = reports[0].log;
    log.push_back({time_point(5s), log_level::trace, "größe", {{"näme", "välue"}}});
    log.push_back({first - 1ms, static_cast<log_level>(99), "a\xff", {{"k\xff", "v\xff"}}});
    log.push_back({past, static_cast<log_level>(-1), "", {}});
    log.push_back({past - 1ms, log_level::error, "", {}});
    log.push_back({first, log_level::warning, "", {}});
    detail::make_valid(reports);
    BOOST_TEST((log[0].at == time_point(5s) && log[0].level == log_level::trace));
    BOOST_TEST(log[0].text == "größe");
    BOOST_TEST((log[0].fields == header_map{{"näme", "välue"}}));
    BOOST_TEST((log[1].at == first && log[1].level == log_level::error));
    BOOST_TEST(log[1].text == "a\ufffd");
    BOOST_TEST((log[1].fields == header_map{{"k\ufffd", "v\ufffd"}}));
    BOOST_TEST((log[2].at == past - 1ms && log[2].level == log_level::trace));
    BOOST_TEST((log[3].at == past - 1ms && log[3].level == log_level::error));
    BOOST_TEST((log[4].at == first && log[4].level == log_level::warning));
}

BOOST_AUTO_TEST_CASE(a_list_has_the_tasks_of_a_state_a_name_and_a_time_from_its_beginning_to_before_its_end) {
    list_query query;
    const auto is_in = [&](duration submitted_at, task_state state = task_state::waiting, std::string_view name = "work") {
        return detail::matches(query, state, name, time_point(submitted_at));
    };
    BOOST_TEST(is_in(0s));
    query.since = time_point(5s);
    query.until = time_point(9s);
    BOOST_TEST(!is_in(5s - 1ms));
    BOOST_TEST(is_in(5s));
    BOOST_TEST(is_in(9s - 1ms));
    BOOST_TEST(!is_in(9s));
    query.state = task_state::waiting;
    BOOST_TEST(is_in(5s));
    BOOST_TEST(!is_in(5s, task_state::running));
    query.name = "work";
    BOOST_TEST(is_in(5s));
    BOOST_TEST(!is_in(5s, task_state::waiting, "play"));
}

BOOST_AUTO_TEST_CASE(a_list_begins_behind_the_task_of_its_cursor) {
    list_query query;
    query.queue = "mine";
    BOOST_TEST(detail::start_of(query).queue == "mine");
    BOOST_TEST(detail::start_of(query).sequence == 0U);
    query.cursor = to_string(task_id{"other", {17, 3}});
    BOOST_TEST(detail::start_of(query).queue == "other");
    BOOST_TEST(detail::start_of(query).sequence == 17U);
}

BOOST_AUTO_TEST_CASE(a_page_is_full_with_as_many_tasks_as_are_wanted_or_with_16_mebibytes) {
    list_query query;
    query.limit = 2;
    detail::page_filler few(query);
    BOOST_TEST(!few.is_full());
    few.add(record_of(1));
    BOOST_TEST(!few.is_full());
    few.add(record_of(2));
    BOOST_TEST(few.is_full());
    const auto page = few.take();
    BOOST_TEST(page.tasks.size() == 2U);
    BOOST_TEST(page.cursor == "q:~2.1");

    query.limit = 100;
    constexpr std::size_t most = std::size_t(16) << 20;
    for (auto task_record::*const part : {&task_record::payload, &task_record::result, &task_record::error, &task_record::progress}) {
        detail::page_filler large(query);
        auto record = record_of(1);
        record.*part = std::string(most - 1, 'x');
        large.add(std::move(record));
        BOOST_TEST(!large.is_full());
        record = record_of(2);
        record.*part = "x";
        large.add(std::move(record));
        BOOST_TEST(large.is_full());
    }
}

BOOST_AUTO_TEST_CASE(a_caller_hopes_longer_for_a_worker_that_has_lost_its_lease_than_for_one_that_has_stopped) {
    const detail::desertion left{time_point(1h), true}, lost{time_point(1h), false};
    BOOST_TEST((left.patience() == 3s));
    BOOST_TEST((lost.patience() == 30s));
    BOOST_TEST((detail::unserved_after == 10s));
    const std::string stopped = detail::no_worker_left({"q", {1, 1}}, left).what(), unheard = detail::no_worker_left({"q", {1, 1}}, lost).what();
    BOOST_TEST(stopped.starts_with("task q:~1.1 can't end: the last worker of queue q has stopped, and no other was started within 3 s;"));
    BOOST_TEST(unheard.starts_with("task q:~1.1 can't end: a worker of queue q has lost its lease, and was not heard since, and no other "
                                   "was started within 30 s;"));
    BOOST_TEST(detail::unserved_text("q", 12'900ms).starts_with("no worker serves queue q, and a caller has waited 12 s for the result"));
}

BOOST_AUTO_TEST_SUITE_END()
