#include <taskflux/broker/memory/table.hpp>

#include <boost/test/unit_test.hpp>

#include <limits>

namespace broker_table {

using taskflux::memory::entry_table;

/// How many numbers `after` visits from `sequence` on.
std::size_t size_after(entry_table& table, std::uint64_t sequence) {
    std::size_t count = 0;
    for (auto* found = table.after(sequence); found; found = table.after(found->sequence)) ++count;
    return count;
}

}  // namespace broker_table

BOOST_AUTO_TEST_SUITE(broker_table)

BOOST_AUTO_TEST_CASE(numbers_start_at_one_and_grow) {
    entry_table table;
    BOOST_TEST(table.last() == 0U);
    for (std::uint64_t i = 1; i <= 1000; ++i) BOOST_TEST(table.add().sequence == i);
    BOOST_TEST(table.size() == 1000U);
    BOOST_TEST(table.last() == 1000U);
}

BOOST_AUTO_TEST_CASE(entries_are_found_where_they_were_and_only_there) {
    entry_table table;
    std::vector<taskflux::memory::entry*> places;
    for (int i = 0; i < 300; ++i) places.push_back(&table.add());
    for (std::uint64_t i = 1; i <= 300; ++i) BOOST_TEST(table.find(i) == places[i - 1]);
    BOOST_TEST(table.find(0) == nullptr);
    BOOST_TEST(table.find(301) == nullptr);
    BOOST_TEST(table.find((std::numeric_limits<std::uint64_t>::max)()) == nullptr);
    table.erase(*table.find(100));
    BOOST_TEST(table.find(100) == nullptr);
    BOOST_TEST(table.find(101) == places[100]);
    BOOST_TEST(table.size() == 299U);
}

BOOST_AUTO_TEST_CASE(after_gives_the_next_one_over_gaps_of_any_size) {
    entry_table table;
    for (int i = 0; i < 1000; ++i) table.add();
    for (std::uint64_t i = 1; i <= 1000; ++i) {
        if (i % 250 != 0) table.erase(*table.find(i));
    }
    std::vector<std::uint64_t> left;
    for (auto* found = table.after(0); found; found = table.after(found->sequence)) left.push_back(found->sequence);
    BOOST_TEST((left == std::vector<std::uint64_t>{250, 500, 750, 1000}));
    BOOST_TEST(table.after(499)->sequence == 500U);
    BOOST_TEST(table.after(500)->sequence == 750U);
    BOOST_TEST(table.after(1000) == nullptr);
    BOOST_TEST(table.after((std::numeric_limits<std::uint64_t>::max)()) == nullptr);
}

BOOST_AUTO_TEST_CASE(an_empty_table_has_nothing_after_anything) {
    entry_table table;
    BOOST_TEST(table.after(0) == nullptr);
    table.erase(table.add());
    BOOST_TEST(table.after(0) == nullptr);
    BOOST_TEST(table.size() == 0U);
    BOOST_TEST(table.add().sequence == 2U);
}

BOOST_AUTO_TEST_CASE(segments_vanish_with_their_last_task) {
    entry_table table;
    for (int i = 0; i < 100'000; ++i) table.erase(table.add());
    BOOST_TEST(table.segments() <= 1U);
    for (int i = 0; i < 1000; ++i) table.add();
    for (std::uint64_t i = 100'001; i <= 101'000; ++i) table.erase(*table.find(i));  // in order
    BOOST_TEST(table.segments() <= 1U);
    for (int i = 0; i < 1000; ++i) table.add();
    for (std::uint64_t i = 102'000; i > 101'000; --i) table.erase(*table.find(i));  // and backwards
    BOOST_TEST(table.segments() <= 1U);
    BOOST_TEST(table.size() == 0U);
}

BOOST_AUTO_TEST_CASE(one_old_task_keeps_no_more_than_its_own_segment) {
    entry_table table;
    table.add();
    for (int i = 0; i < 100'000; ++i) table.erase(table.add());
    BOOST_TEST(table.segments() <= 2U);
    BOOST_TEST(size_after(table, 0) == 1U);
    table.add();
    BOOST_TEST(table.after(1)->sequence == 100'002U);
}

BOOST_AUTO_TEST_CASE(numbers_that_no_entry_has_are_passed_over_and_keep_no_memory) {
    entry_table table;
    auto& first = table.add();
    for (int i = 0; i < 1000; ++i) table.skip();
    BOOST_TEST(table.last() == 1001U);
    BOOST_TEST(!table.find(500));
    BOOST_TEST(!table.after(1));
    auto& second = table.add();
    BOOST_TEST(second.sequence == 1002U);
    BOOST_TEST(table.after(1) == &second);
    table.erase(first);
    table.erase(second);
    for (int i = 0; i < 1000; ++i) table.skip();
    BOOST_TEST(table.segments() <= 1U);
    BOOST_TEST(table.add().sequence == 2003U);
    BOOST_TEST(table.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
