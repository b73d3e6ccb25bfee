#include <taskflux/flow/worker/pending_reports.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>

using taskflux::detail::pending_reports;

namespace flow_pending_reports {

const auto me = std::make_shared<const std::string>("me");

taskflux::settlement end_of(std::uint64_t task) {
    taskflux::settlement end;
    end.key = {task, 0};
    return end;
}

taskflux::attempt_report report_of(std::uint64_t task, std::optional<std::string> progress, const char* line = nullptr) {
    taskflux::attempt_report news;
    news.key = {task, 0};
    news.progress = std::move(progress);
    if (line) news.log.push_back({{}, taskflux::log_level::info, line, {}});
    return news;
}

}  // namespace flow_pending_reports

BOOST_AUTO_TEST_SUITE(flow_pending_reports)

BOOST_AUTO_TEST_CASE(it_says_when_somebody_must_be_told) {
    pending_reports reports;
    BOOST_TEST(reports.add("q", me, end_of(1)));
    BOOST_TEST(!reports.add("q", me, end_of(2)));
    BOOST_TEST(reports.add("other", me, report_of(3, "1")));
    BOOST_TEST(!reports.empty());
    BOOST_TEST(reports.take({}).size() == 2U);
    BOOST_TEST(reports.take({}).empty());
    BOOST_TEST(reports.empty());
    BOOST_TEST(reports.add("q", me, end_of(4)));
}

BOOST_AUTO_TEST_CASE(a_busy_queue_s_batch_stays_and_grows) {
    pending_reports reports;
    reports.add("slow", me, end_of(1));
    reports.add("q", me, end_of(2));
    const auto others = reports.take({"slow"});
    BOOST_REQUIRE(others.size() == 1U);
    BOOST_TEST(others[0].queue == "q");
    BOOST_TEST(!reports.add("slow", me, end_of(3)));
    BOOST_TEST(reports.take({"slow"}).empty());
    const auto rest = reports.take({"q"});
    BOOST_REQUIRE(rest.size() == 1U);
    BOOST_TEST(rest[0].settlements.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_batch_is_for_one_queue_and_one_consumer) {
    pending_reports reports;
    const auto later_me = std::make_shared<const std::string>("me");
    reports.add("q", me, end_of(1));
    reports.add("q", later_me, end_of(2));
    reports.add("r", me, end_of(3));
    reports.add("q", me, end_of(4));
    const auto batches = reports.take({});
    BOOST_REQUIRE(batches.size() == 3U);
    BOOST_TEST(batches[0].settlements.size() == 2U);
    BOOST_TEST((batches[1].consumer == later_me));
    BOOST_TEST(batches[2].queue == "r");
}

BOOST_AUTO_TEST_CASE(newer_progress_replaces_older_and_lines_add_up) {
    pending_reports reports;
    reports.add("q", me, report_of(1, "1", "one"));
    reports.add("q", me, report_of(2, "5"));
    reports.add("q", me, report_of(1, "2", "two"));
    reports.add("q", me, report_of(1, std::nullopt, "three"));
    const auto batches = reports.take({});
    BOOST_REQUIRE(batches.size() == 1U);
    BOOST_REQUIRE(batches[0].reports.size() == 2U);
    const auto& first = batches[0].reports[0];
    BOOST_TEST(*first.progress == "2");
    BOOST_REQUIRE(first.log.size() == 3U);
    BOOST_TEST(first.log[2].text == "three");
}

BOOST_AUTO_TEST_CASE(reports_of_two_attempts_at_a_task_stay_apart) {
    pending_reports reports;
    auto again = report_of(1, "2", "two");
    again.token = 2;
    reports.add("q", me, report_of(1, "1", "one"));
    reports.add("q", me, std::move(again));
    const auto batches = reports.take({});
    BOOST_REQUIRE(batches.size() == 1U);
    BOOST_REQUIRE(batches[0].reports.size() == 2U);
    BOOST_TEST(*batches[0].reports[0].progress == "1");
    BOOST_TEST(batches[0].reports[1].log.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
