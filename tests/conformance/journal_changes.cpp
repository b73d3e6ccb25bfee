#include <conformance/workflow_site.hpp>

#include <functional>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskflux::conformance {

namespace conformance_journal_changes {

/// A parent whose first run makes the calls of `before` and then gives up, and whose later runs make those of `after`.
struct changed_handler {
    using calls = std::function<asio::awaitable<int>(context&)>;

    explicit changed_handler(fixture& f) : on(f), all(f) {}

    static asio::awaitable<int> body(changed_handler& self, context& ctx) {
        if (self.runs++ == 0) {
            co_await self.before(ctx);
            throw retry_after(0s);
        }
        co_return co_await self.after(ctx);
    }

    /// How the parent ends.
    job_outcome<int> end(calls first, calls then) {
        before = std::move(first);
        after = std::move(then);
        runs = 0;
        all.parent_body = [this](context& ctx, int) -> asio::awaitable<int> { return body(*this, ctx); };
        if (!all.running) all.begin();
        const auto options = submit_options().retry(retry_policy::fixed(0s).attempts(3));
        const auto job = all.result(all.client.submit(parent, submit_options(options).hold(), 0));
        for (const auto name : {"go", "halt"}) all.result(all.client.signal(job.id(), name, 1));
        all.result(job.start());
        return *all.result(job.outcome());
    }

    void check_mismatch(calls first, calls then, std::string_view words) {
        const auto ended = end(std::move(first), std::move(then));
        BOOST_TEST_CONTEXT(words) {
            BOOST_TEST_REQUIRE(ended.failure.has_value());
            BOOST_TEST(ended.failure->code == "journal_mismatch");
            BOOST_TEST(ended.failure->message.find(words) != std::string::npos, ended.failure->message);
            BOOST_TEST(ended.attempts == 1U);
        }
    }

    fixture& on;
    site all;
    calls before, after;
    int runs = 0;
};

asio::awaitable<int> called(context& ctx, int value) { co_return co_await ctx.call(twice, value); }

asio::awaitable<int> mapped(context& ctx, int count) {
    const auto all = co_await ctx.map(twice, std::views::iota(0, count));
    co_return static_cast<int>(all.size());
}

asio::awaitable<int> noted(context& ctx, int count) {
    co_await ctx.map(note, std::views::iota(0, count));
    co_return count;
}

asio::awaitable<int> spawned_notes(context& ctx, int count) {
    co_await ctx.spawn(note, std::views::iota(0, count));
    co_return count;
}

inline constexpr task<std::string(int)> note_with_result{"note", here()};

asio::awaitable<int> noted_with_results(context& ctx, int count) {
    const auto all = co_await ctx.map(note_with_result, std::views::iota(0, count));
    co_return static_cast<int>(all.size());
}

asio::awaitable<int> spawned_one(context& ctx, int value) {
    co_await ctx.spawn_one(twice, submit_options(), value);
    co_return value;
}

asio::awaitable<int> slept(context& ctx, duration by) {
    co_await ctx.sleep_for(by);
    co_return 0;
}

asio::awaitable<int> waited(context& ctx, const char* name) {
    const auto got = co_await ctx.wait_signal<int>(name, 1h);
    co_return got.value_or(0);
}

asio::awaitable<int> chosen(context& ctx, int value) {
    co_await ctx.any(ctx.call_as("only", twice, submit_options(), value));
    co_return value;
}

}  // namespace conformance_journal_changes

BOOST_AUTO_TEST_SUITE(conformance_journal_changes)

BOOST_AUTO_TEST_CASE_TEMPLATE(another_payload_at_the_same_place_is_told_of, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    changed_handler one(on);
    one.check_mismatch([](context& ctx) { return called(ctx, 1); }, [](context& ctx) { return called(ctx, 2); }, "another payload");
    const auto from = [](int first) {
        return [first](context& ctx) -> asio::awaitable<int> {
            const auto all = co_await ctx.map(twice, std::views::iota(first, 5));
            co_return static_cast<int>(all.size());
        };
    };
    one.check_mismatch(from(0), from(1), "\"1.0\" had another payload");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(another_kind_of_call_at_the_same_place_is_told_of, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    changed_handler one(on);
    struct variant {
        const char* words;
        changed_handler::calls make;
    };
    const std::vector<variant> kinds{
        {"a subtask", [](context& ctx) { return called(ctx, 1); }},
        {"several subtasks", [](context& ctx) { return mapped(ctx, 2); }},
        {"a sleep", [](context& ctx) { return slept(ctx, 0s); }},
        {"a wait for a signal", [](context& ctx) { return waited(ctx, "go"); }},
        {"a choice of several", [](context& ctx) { return chosen(ctx, 1); }},
    };
    // A second call, so that what need not be written at once is written too.
    const auto with_more = [](const variant& which) {
        return [make = which.make](context& ctx) -> asio::awaitable<int> {
            const int got = co_await make(ctx);
            co_await called(ctx, 100);
            co_return got;
        };
    };
    for (const auto& before : kinds) {
        for (const auto& after : kinds) {
            if (&before == &after) {
                BOOST_TEST(!one.end(with_more(before), with_more(after)).failure, before.words);
            } else {
                one.check_mismatch(with_more(before), with_more(after), std::string("was ") + before.words);
            }
        }
    }
    one.check_mismatch([](context& ctx) { return noted(ctx, 2); }, [](context& ctx) { return called(ctx, 0); }, "was a map");
    one.check_mismatch([](context& ctx) { return noted(ctx, 2); }, [](context& ctx) { return spawned_notes(ctx, 2); }, "was a map");
    one.check_mismatch([](context& ctx) { return noted(ctx, 2); }, [](context& ctx) { return noted_with_results(ctx, 2); }, "was a map");
    BOOST_TEST(!one.end([](context& ctx) { return noted(ctx, 2); }, [](context& ctx) { return noted(ctx, 2); }).failure);
    one.check_mismatch([](context& ctx) { return called(ctx, 1); }, [](context& ctx) { return spawned_one(ctx, 1); }, "spawned");
    const auto wait_for = [](const char* name) { return [name](context& ctx) { return waited(ctx, name); }; };
    one.check_mismatch(wait_for("go"), wait_for("halt"), "\"halt\" now");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_subtask_that_has_moved_to_another_queue_or_task_is_told_of, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    changed_handler one(on);
    static constexpr task<int(int)> moved{"twice", task_options().queue("far")};
    static constexpr task<int(int)> renamed{"thrice", here()};
    const auto moves = [](context& ctx) -> asio::awaitable<int> { co_return co_await ctx.call(moved, 1); };
    const auto renames = [](context& ctx) -> asio::awaitable<int> { co_return co_await ctx.call(renamed, 1); };
    const auto calls = [](context& ctx) { return called(ctx, 1); };
    one.check_mismatch(calls, moves, "was twice in queue q, awaited, when this task ran before, and is twice in queue far");
    one.check_mismatch(calls, renames, "and is thrice in queue q");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_name_of_two_hundred_bytes_is_taken_and_one_of_more_is_not, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.parent_body = [](context& ctx, int length) -> asio::awaitable<int> {
        const std::string name(static_cast<std::size_t>(length), 'n');
        const auto step = [] { return 1; };
        co_return co_await ctx.step(name, step);
    };
    all.begin();
    BOOST_TEST(all.result(all.client.run(parent, 200)) == 1);
    BOOST_TEST(on.error_of(all.client.run(parent, 201)) == errc::invalid_argument);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_for_a_signal_that_was_given_up_stays_so, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on, 1);
    int begins = 0;
    all.parent_body = [&begins](context& ctx, int) -> asio::awaitable<int> {
        ++begins;
        const auto got = co_await ctx.wait_signal<int>("go", 10s);
        if (begins == 2) throw retry_after(5s);  // the signal comes meanwhile
        co_return got.value_or(-1);
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 1));
    all.until(job.id(), task_state::scheduled);
    on.advance(10s);
    while (begins < 2) on.run(on.broker().counts(q));
    all.until(job.id(), task_state::scheduled);
    all.result(all.client.signal(job.id(), "go", 42));
    on.advance(5s);
    BOOST_TEST(all.result(job.result()) == -1);
    BOOST_TEST(begins == 3);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_refused_write_carried_along_is_written_with_the_next, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    all.parent_body = [](context& ctx, int) -> asio::awaitable<int> {
        const auto large = [] { return std::string(max_journal_size, 'x'); };
        const auto small = [] { return 1; };
        bool was_refused = false;
        co_await ctx.sleep_for(0s);  // which is not written at once
        try {
            co_await ctx.step("large", large);
        } catch (const error& e) {
            was_refused = e.code() == errc::too_large;
        }
        co_await ctx.step("small", small);
        co_return was_refused;
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 1));
    BOOST_TEST(all.result(job.result()) == 1);
    std::vector<std::string> keys;
    for (const auto& one : all.result(on.broker().journal(job.id(), {})).entries) keys.push_back(one.key);
    const std::vector<std::string> expected{step_key("small"), step_key("~sleep/1")};
    BOOST_TEST(keys == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_that_was_removed_before_a_sleep_is_told_of, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    bool is_new = false;
    all.parent_body = [&is_new](context& ctx, int value) -> asio::awaitable<int> {
        if (!is_new) co_await ctx.call(twice, value);
        co_await ctx.sleep_for(10s);
        co_return 1;
    };
    all.begin();
    const auto job = all.result(all.client.submit(parent, 1));
    all.until(job.id(), task_state::scheduled);
    is_new = true;
    on.advance(10s);
    const auto end = all.result(job.outcome());
    BOOST_TEST_REQUIRE((end && end->failure));
    BOOST_TEST(end->failure->code == "journal_mismatch");
    BOOST_TEST(end->failure->message.find("was a subtask") != std::string::npos, end->failure->message);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_step_whose_result_has_another_type_is_told_of, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    changed_handler one(on);
    const auto number = [](context& ctx) -> asio::awaitable<int> {
        const auto step = [] { return 1; };
        co_return co_await ctx.step("a", step);
    };
    const auto text = [](context& ctx) -> asio::awaitable<int> {
        const auto step = [] { return std::string("x"); };
        const auto got = co_await ctx.step("a", step);
        co_return static_cast<int>(got.size());
    };
    one.check_mismatch(number, text, "step \"a\"");
    BOOST_TEST(!one.end(number, number).failure);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_version_keeps_the_old_calls_of_tasks_that_have_passed_it, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    bool is_new = false;
    all.parent_body = [&is_new](context& ctx, int) -> asio::awaitable<int> {
        int sum = co_await ctx.call(twice, 1);
        unsigned version = 0;
        if (is_new) version = co_await ctx.version("another value", 1);
        if (version == 0) sum += co_await ctx.call(twice, 10);
        else sum += co_await ctx.call(twice, 100);
        co_await ctx.sleep_for(10s);
        if (is_new) sum += 1000 * static_cast<int>(co_await ctx.version("another value", 1));
        co_return sum;
    };
    all.begin();
    const auto old = all.result(all.client.submit(parent, 1));
    all.until(old.id(), task_state::scheduled);
    is_new = true;
    const auto fresh = all.result(all.client.submit(parent, 1));
    all.until(fresh.id(), task_state::scheduled);
    on.advance(10s);
    BOOST_TEST(all.result(old.result()) == 22);
    BOOST_TEST(all.result(fresh.result()) == 1202);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_version_is_the_newest_where_a_task_has_not_passed_it, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    site all(on);
    bool is_new = false, has_step = false;
    all.parent_body = [&](context& ctx, int) -> asio::awaitable<int> {
        const auto step = [] { return 1; };
        co_await ctx.sleep_for(10s);
        unsigned version = 0;
        if (is_new) version = co_await ctx.version("v", 3);
        if (has_step) co_await ctx.step("named", step);
        co_await ctx.sleep_for(10s);
        co_return static_cast<int>(version);
    };
    all.begin();
    const auto run = [&](bool passes_by_step) {
        is_new = false;
        has_step = passes_by_step;
        const auto job = all.result(all.client.submit(parent, 1));
        all.until(job.id(), task_state::scheduled);
        is_new = true;
        on.advance(10s);
        on.let_work();
        all.until(job.id(), task_state::scheduled);
        on.advance(10s);
        return all.result(job.result());
    };
    BOOST_TEST(run(false) == 3);
    BOOST_TEST(run(true) == 3);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_version_sees_that_a_task_has_passed_it_by_a_named_step_alone, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    changed_handler one(on);
    const auto old = [](context& ctx) -> asio::awaitable<int> {
        const auto step = [] { return 1; };
        co_return co_await ctx.step("named", step);
    };
    const auto with_version = [](context& ctx) -> asio::awaitable<int> {
        const auto version = co_await ctx.version("v", 3);
        co_return static_cast<int>(version);
    };
    BOOST_TEST(one.end(old, with_version).value.value() == 0);
    const auto older_handler = [](context& ctx) -> asio::awaitable<int> {
        const auto version = co_await ctx.version("v", 2);
        co_return static_cast<int>(version);
    };
    one.check_mismatch(with_version, older_handler, "is 3, and this handler knows versions up to 2");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_version_that_was_asked_for_before_is_no_call_that_another_one_has_passed, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    changed_handler one(on);
    const auto old = [](context& ctx) -> asio::awaitable<int> {
        const auto version = co_await ctx.version("9 lives", 1);
        co_return static_cast<int>(version);
    };
    const auto with_another = [](context& ctx) -> asio::awaitable<int> {
        const auto version = co_await ctx.version("other", 3);
        co_return static_cast<int>(version);
    };
    BOOST_TEST(one.end(old, with_another).value.value() == 3);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_journal_of_an_older_version_is_read, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    task_id id{q, on.add(on.task("parent"))};
    const auto held = on.fetch_one();
    journal_write what;
    what.consumer = w;
    what.token = held.token;
    const auto own_id = to_string(id) + "/1";
    what.items.push_back({child_key("1"), "q\ntwice\n" + own_id, journal_write::mode::add, false});
    what.items.push_back({step_key("~signal/2"), "0", journal_write::mode::add, false});
    on.run(on.broker().write_journal(id, std::move(what)));
    auto child = on.task("twice");
    child.own_id = own_id;
    child.payload = "21";
    child.parent = parent_link{id, child_key("1")};
    on.add(std::move(child));
    on.settle(held, kind::release);

    site all(on);
    all.parent_body = [](context& ctx, int) -> asio::awaitable<int> {
        const int got = co_await ctx.call(twice, 1);  // another payload: the old journal does not say which it was
        const auto none = co_await ctx.wait_signal<int>("go", 1h);
        co_return none ? -1 : got;
    };
    const auto update = on.run(on.broker().update(id, "0"));
    BOOST_TEST((update == effect::done));
    all.begin();
    BOOST_TEST(all.result(all.client.attach(parent, id).result()) == 42);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
