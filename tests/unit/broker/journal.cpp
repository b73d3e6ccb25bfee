#include <taskflux/broker/journal.hpp>
#include <taskflux/broker/memory/journal.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <utility>
#include <vector>

namespace broker_journal {

using taskflux::child_place;

}  // namespace broker_journal

BOOST_AUTO_TEST_SUITE(broker_journal)

BOOST_AUTO_TEST_CASE(where_a_subtask_is_survives_its_text) {
    for (const std::string digest : {"", "0123456789abcdef"}) {  // older versions wrote none
        for (const std::string own_id : {"mine", "", "#mine", "two\nlines"}) {
            const auto read = child_place::parse(child_place{"queue", "name", own_id, digest}.text());
            BOOST_TEST(read.queue == "queue");
            BOOST_TEST(read.name == "name");
            BOOST_TEST(read.own_id == own_id);
            BOOST_TEST(read.digest == digest);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_text_that_is_no_place_is_nowhere) {
    for (const char* text : {"", "queue", "queue\nname", "\n"}) {
        const auto read = child_place::parse(text);
        BOOST_TEST(read.queue.empty(), "of " << text);
        BOOST_TEST(read.name.empty(), "of " << text);
        BOOST_TEST(read.own_id.empty(), "of " << text);
    }
}

BOOST_AUTO_TEST_CASE(a_digest_is_a_line_of_16_digits_and_nothing_else) {
    for (const std::string own_id : {"#0123456789abcde\nx", "#0123456789abcdef0\nx", "0123456789abcdef0\nx"}) {
        const auto read = child_place::parse("queue\nname\n" + own_id);
        BOOST_TEST(read.digest.empty());
        BOOST_TEST(read.own_id == own_id);
    }
    const auto read = child_place::parse("queue\nname\n#0123456789abcdef\nx");
    BOOST_TEST(read.digest == "0123456789abcdef");
    BOOST_TEST(read.own_id == "x");
}

BOOST_AUTO_TEST_CASE(a_key_of_a_journal_says_what_it_is_of) {
    BOOST_TEST(taskflux::child_key("a") == "ca");
    BOOST_TEST(taskflux::step_key("a") == "sa");
    BOOST_TEST(taskflux::signal_key("a", 7) == "ga#7");
}

namespace {

using namespace taskflux;
using mode = journal_write::mode;

/// Writes one item; whether that made the journal grow.
bool write(memory::journal& to, std::string key, std::string text, mode how = mode::add, bool is_spawned = false) {
    journal_write what;
    what.items.push_back({std::move(key), std::move(text), how, is_spawned});
    bool has_grown = false;
    to.write(what, has_grown);
    return has_grown;
}

bool is_too_large(const error& e) { return e.code() == errc::too_large; }

std::string child_text(const std::string& own_id) { return child_place{"queue", "name", own_id}.text(); }

task_outcome ended(task_state state) { return {state, "", "", 1}; }

std::vector<std::string> keys_of(const journal_page& page) {
    std::vector<std::string> keys;
    for (const auto& one : page.entries) keys.push_back(one.key);
    return keys;
}

}  // namespace

BOOST_AUTO_TEST_CASE(steps_and_signals_fill_a_journal_to_the_last_byte) {
    memory::journal steps;
    write(steps, "sa", std::string(max_journal_size - 2, 'x'));
    BOOST_CHECK_EXCEPTION(write(steps, "sb", ""), error, is_too_large);
    BOOST_TEST(!steps.has("sb"));
    write(steps, "sa", std::string(100, 'y'));          // is there already
    write(steps, "sb", std::string(100, 'y'), mode::set);  // notes are not counted
    write(steps, "ca", child_text("mine"));             // nor are subtasks
    BOOST_CHECK_EXCEPTION(steps.add_signal("g", "x"), error, is_too_large);
    BOOST_TEST(!steps.has("gg#1"));
    BOOST_TEST(steps.add_signal("g", "") == "gg#1");
    memory::journal signals;
    BOOST_TEST(signals.add_signal("g", std::string(max_journal_size - 3, 'x')) == "gg#1");
    BOOST_CHECK_EXCEPTION(write(signals, "sa", "xx"), error, is_too_large);
    write(signals, "sa", "x");
    BOOST_TEST(signals.has("sa"));
}

BOOST_AUTO_TEST_CASE(a_journal_grows_by_what_was_not_there) {
    memory::journal one;
    BOOST_TEST(write(one, "sa", "1"));
    BOOST_TEST(!write(one, "sa", "2"));
    BOOST_TEST(!write(one, "sa", "1", mode::set));
    BOOST_TEST(write(one, "sa", "2", mode::set));
    BOOST_TEST(!write(one, "sb", "2", mode::look));
    BOOST_TEST(!one.has("sb"));
    BOOST_TEST(write(one, "ca", child_text("mine")));
    BOOST_TEST(!write(one, "ca", child_text("mine")));
    BOOST_TEST(!write(one, "ca", "", mode::drop));
    BOOST_TEST(!one.has("ca"));
    BOOST_TEST(!write(one, "ca", "", mode::drop));
}

BOOST_AUTO_TEST_CASE(spawned_subtasks_are_counted_as_they_come_end_and_are_taken_out) {
    memory::journal one;
    BOOST_TEST(!one.is_judged());
    for (const auto* name : {"a", "b", "c"}) write(one, child_key(name), child_text(name), mode::add, true);
    write(one, "cd", child_text("d"));  // not spawned
    BOOST_TEST(one.is_judged());
    BOOST_TEST((one.counts() == children_counts{3, 0, 0}));
    BOOST_TEST(one.open_children().size() == 4U);
    BOOST_TEST(!one.end_child("ca", "other", ended(task_state::succeeded)));  // another has its place
    BOOST_TEST(!one.end_child("cx", "x", ended(task_state::succeeded)));
    BOOST_TEST(one.end_child("ca", "a", ended(task_state::succeeded)));
    BOOST_TEST(!one.end_child("ca", "a", ended(task_state::failed)));  // once
    BOOST_TEST((one.counts() == children_counts{3, 1, 0}));
    BOOST_TEST(one.end_child("cb", "b", ended(task_state::expired)));
    BOOST_TEST((one.counts() == children_counts{3, 2, 1}));
    BOOST_TEST(one.end_child("cd", "d", ended(task_state::failed)));
    BOOST_TEST((one.counts() == children_counts{3, 2, 1}));
    BOOST_TEST(one.has_open_children());
    BOOST_TEST(one.open_children().size() == 1U);
    BOOST_TEST(one.open_children()[0].own_id == "c");
    write(one, "cb", "", mode::drop);
    BOOST_TEST((one.counts() == children_counts{2, 1, 0}));
    write(one, "cc", "", mode::drop);
    BOOST_TEST((one.counts() == children_counts{1, 1, 0}));
    BOOST_TEST(!one.has_open_children());
    write(one, "ca", "", mode::drop);
    write(one, "cd", "", mode::drop);
    BOOST_TEST((one.counts() == children_counts{0, 0, 0}));
    BOOST_TEST(!one.is_judged());
    one.policy = children_policy::quorum(1);
    BOOST_TEST(one.is_judged());
}

BOOST_AUTO_TEST_CASE(a_subtask_gives_way_in_a_later_epoch_unless_it_succeeded_or_runs) {
    memory::journal one;
    for (const auto* name : {"good", "bad", "open"}) write(one, child_key(name), child_text(name), mode::add, true);
    one.end_child("cgood", "good", ended(task_state::succeeded));
    one.end_child("cbad", "bad", ended(task_state::cancelled));
    BOOST_TEST(!write(one, "cbad", child_text("again"), mode::add, true));  // of this epoch
    ++one.epoch;
    BOOST_TEST(!write(one, "cgood", child_text("again"), mode::add, true));
    BOOST_TEST(!write(one, "copen", child_text("again"), mode::add, true));
    BOOST_TEST(write(one, "cbad", child_text("again"), mode::add, true));
    BOOST_TEST(one.place_of("cbad").own_id == "again");
    BOOST_TEST((one.counts() == children_counts{3, 1, 0}));
    const auto seen = one.read({{"cbad"}, 1, ""}).entries.at(0);
    BOOST_TEST(seen.epoch == 1U);
    BOOST_TEST(seen.is_spawned);
    BOOST_TEST(!seen.outcome.has_value());
}

BOOST_AUTO_TEST_CASE(a_journal_is_read_by_keys_or_page_by_page) {
    memory::journal one;
    for (const auto* key : {"sa", "sb", "sc"}) write(one, key, "1");
    BOOST_TEST(keys_of(one.read({{"sc", "sx", "sa"}, 1, ""})) == (std::vector<std::string>{"sc", "sa"}), boost::test_tools::per_element());
    auto page = one.read({{}, 2, ""});
    BOOST_TEST(keys_of(page) == (std::vector<std::string>{"sa", "sb"}), boost::test_tools::per_element());
    BOOST_TEST(page.cursor == "sb");
    page = one.read({{}, 2, page.cursor});
    BOOST_TEST(keys_of(page) == (std::vector<std::string>{"sc"}), boost::test_tools::per_element());
    BOOST_TEST(page.cursor.empty());
    BOOST_TEST(one.read({{}, 3, ""}).cursor.empty());
    BOOST_TEST(one.read({{}, 0, ""}).entries.size() == 1U);
    for (const auto* cursor : {"", "ca", "sa", "ga#1"}) memory::journal::check_cursor(cursor);
    for (const auto* cursor : {"x", "#", "1"}) BOOST_CHECK_THROW(memory::journal::check_cursor(cursor), error);
}

BOOST_AUTO_TEST_CASE(a_parent_fails_with_how_its_first_subtask_ended) {
    const auto why = [](task_state state, std::string text) {
        return decode<failure>(memory::journal::reason("cname", {state, "", std::move(text), 1})).message;
    };
    BOOST_TEST(why(task_state::cancelled, "") == "subtask \"name\" was cancelled");
    BOOST_TEST(why(task_state::expired, "") == "subtask \"name\" expired");
    BOOST_TEST(why(task_state::failed, encode(failure{"task_failed", "", "no paper", "", ""})) == "subtask \"name\" failed: no paper");
    BOOST_TEST(why(task_state::failed, "nonsense") == "subtask \"name\" failed");
    memory::journal one;
    BOOST_TEST(decode<failure>(one.failure()).message == "it has fewer subtasks than must succeed");
    for (const auto* name : {"a", "b"}) write(one, child_key(name), child_text(name), mode::add, true);
    one.end_child("cb", "b", ended(task_state::expired));
    one.end_child("ca", "a", ended(task_state::cancelled));
    BOOST_TEST(decode<failure>(one.failure()).message == "subtask \"b\" expired");
}

BOOST_AUTO_TEST_SUITE_END()
