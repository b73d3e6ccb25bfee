#include "unit/flow/fixture.hpp"

#include <taskflux/admin/directory.hpp>
#include <taskflux/admin/process_metrics.hpp>
#include <taskflux/app/app.hpp>
#include <taskflux/app/app/command_line.hpp>
#include <taskflux/broker/memory/broker.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/flow/queue_control.hpp>
#include <taskflux/flow/scheduler.hpp>
#include <taskflux/flow/tracer.hpp>
#include <taskflux/version.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>

#include <unistd.h>

using namespace test::flow;
using taskflux::app;
using taskflux::app_config;
using taskflux::config_error;

namespace flow_app {

inline constexpr taskflux::task<void(int)> mail{"mail", task_options().queue("mail")};
inline constexpr taskflux::method<int(int)> double_it{"math", "double_it"};
inline constexpr taskflux::method<int(int)> other_method{"other", "other"};

/// Apps on the embedded broker, in virtual time, whose log goes to a file.
struct app_fixture : fixture {
    watchdog guard;
    std::filesystem::path log = std::filesystem::temp_directory_path() / ("taskflux_app_" + std::to_string(getpid()) + ".log");
    app_config config = make_config();

    ~app_fixture() { std::filesystem::remove(log); }

    app_config make_config() const {
        app_config made;
        made.node = "web-1";
        made.log_path = log.string();
        return made;
    }

    std::string log_text() const {
        std::ostringstream text;
        text << std::ifstream(log).rdbuf();
        return text.str();
    }

    /// Until a coroutine has ended, in real time: an app's worker keeps its lease by a thread of its own.
    template <class End>
    void run_until(const End& end) {
        io.restart();
        while (!end->done) io.run_one();
    }

    template <class R>
    R result(asio::awaitable<R> coroutine) {
        auto end = start_on(here, std::move(coroutine));
        run_until(end);
        if (end->error) std::rethrow_exception(end->error);
        if constexpr (!std::is_void_v<R>) return std::move(*end->value);
    }

    std::string refusal(app& which) {
        try {
            start(which.run_on(broker));
        } catch (const config_error& e) {
            return e.what();
        }
        return "accepted";
    }
};

/// An embedded broker that can't be reached by who reads or writes schedules, as long as the test says so.
class absent_broker : public taskflux::memory::memory_broker {
public:
    using memory_broker::memory_broker;

    awaitable<taskflux::stored_schedules> schedules(std::string queue) override {
        check();
        co_return co_await memory_broker::schedules(std::move(queue));
    }
    awaitable<bool> set_schedule(std::string queue, std::string id, std::string from, std::string to,
                                 std::vector<taskflux::new_task> tasks) override {
        check();
        co_return co_await memory_broker::set_schedule(std::move(queue), std::move(id), std::move(from), std::move(to), std::move(tasks));
    }

    void check() {
        if (!is_absent) return;
        ++failures;
        throw taskflux::error(errc::unavailable, "no connection");
    }

    bool is_absent = true;
    int failures = 0;
};

asio::awaitable<int> twice_of(int number) { co_return 2 * number; }
asio::awaitable<void> nothing(int) { co_return; }

}  // namespace flow_app

BOOST_FIXTURE_TEST_SUITE(flow_app, app_fixture)

BOOST_AUTO_TEST_CASE(its_broker_is_there_once_it_runs) {
    app a{config};
    a.on(twice, twice_of);
    const auto has_none = [](const taskflux::error& e) {
        return e.code() == errc::wrong_state && std::string(e.what()).find("ask for it in a function of on_start") != std::string::npos;
    };
    BOOST_CHECK_EXCEPTION(a.broker(), taskflux::error, has_none);
    std::size_t waiting = 7;
    a.on_start([&](taskflux::client) -> asio::awaitable<void> {
        const taskflux::queue_control queue(a.broker(), "default");
        const auto counts = co_await queue.counts();
        waiting = counts.waiting;
        a.stop();
    });
    result(a.run_on(broker));
    BOOST_TEST(waiting == 0U);
    BOOST_TEST((a.broker() == broker));
}

BOOST_AUTO_TEST_CASE(it_runs_tasks_until_it_is_stopped) {
    app a{config};
    a.on(twice, twice_of);
    const auto life = start_on(here, a.run_on(broker));
    BOOST_TEST(result(client.run(twice, 21)) == 42);
    BOOST_TEST(!life->done);
    a.stop();
    run_until(life);
    BOOST_TEST(!life->error);
}

BOOST_AUTO_TEST_CASE(handlers_end_within_the_drain_time) {
    app a{config};
    gate closed{here};
    a.on(note, [&](int) { return closed.pass(); });
    const auto life = start_on(here, a.run_on(broker));
    const auto job = result(client.submit(note, 1));
    while (closed.waiting == 0) io.run_one();
    a.stop();
    settle();
    BOOST_TEST(!life->done);
    closed.open();
    run_until(life);
    BOOST_TEST(result(job.record()).state == task_state::succeeded);
}

BOOST_AUTO_TEST_CASE(what_takes_longer_than_its_drain_time_is_cancelled) {
    config.drain_for = 5s;
    app a{config};
    gate task{here}, call{here};
    a.on(note, [&](int) { return task.pass(); });
    a.serve(double_it, [&](int) -> asio::awaitable<int> {
        co_await call.pass();
        co_return 1;
    });
    const auto life = start_on(here, a.run_on(broker));
    result(client.submit(note, 1));
    taskflux::directory directory{broker};
    while (result(directory.services("math")).empty()) io.poll();
    taskflux::rpc caller{broker};
    const auto called = start_on(here, caller.call(double_it, 21));
    while (task.waiting + call.waiting < 2) io.run_one();
    a.stop();
    settle();
    advance(4999ms);
    BOOST_TEST(task.cancelled + call.cancelled == 0);
    advance(1ms);
    BOOST_TEST(task.cancelled == 1);
    BOOST_TEST(call.cancelled == 1);
    task.open();
    call.open();
    run_until(life);
    BOOST_TEST(!life->error);
}

BOOST_AUTO_TEST_CASE(its_worker_gives_up_on_a_server_that_is_not_there_after_start_timeout) {
    struct away : taskflux::memory::memory_broker {
        using memory_broker::memory_broker;
        asio::awaitable<void> join(std::string, std::vector<std::string>, taskflux::duration) override {
            throw taskflux::error(errc::unavailable, "no connection");
        }
    };
    config.start_timeout = 3s;
    app a{config};
    a.on(note, nothing);
    const auto life = start(a.run_on(std::make_shared<away>(here, taskflux::memory_options(), time)));
    advance(2999ms);
    BOOST_TEST(!life->done);
    pass(10s, 1s);
    BOOST_TEST(life->done);
    BOOST_TEST(life->code() == errc::unavailable);
}

BOOST_AUTO_TEST_CASE(a_task_that_is_not_enabled_gets_no_handler) {
    const auto handled = [&](std::vector<std::string> enabled, std::vector<std::string> disabled) {
        auto some = config;
        some.enabled_tasks = std::move(enabled);
        some.disabled_tasks = std::move(disabled);
        app a{some};
        a.on(note, nothing).on(mail, nothing);
        return a.start_line().substr(a.start_line().find("queues="));
    };
    BOOST_TEST(handled({}, {}) == "queues=default,mail slots=16");
    BOOST_TEST(handled({}, {"mail"}) == "queues=default slots=16");
    BOOST_TEST(handled({"mail"}, {}) == "queues=mail slots=16");
    BOOST_TEST(handled({"mail"}, {"mail", "note"}) == "queues=mail slots=16");
    BOOST_TEST(handled({}, {"mail", "note"}) == "queues= slots=0");

    config.disabled_tasks = {"note"};
    app a{config};
    a.on(note, nothing).on(twice, twice_of);
    const auto life = start_on(here, a.run_on(broker));
    result(client.submit(note, 1));
    BOOST_TEST(result(client.run(twice, 1)) == 2);
    BOOST_TEST(result(broker->counts("default")).waiting == 1U);
    a.stop();
    run_until(life);
}

BOOST_AUTO_TEST_CASE(it_serves_methods_and_is_shown_in_the_directory) {
    config.services = {"math"};
    app a{config};
    a.on(note, nothing).serve(double_it, twice_of).serve(other_method, twice_of);
    const auto life = start_on(here, a.run_on(broker));
    taskflux::rpc caller{broker};
    taskflux::directory directory{broker};
    std::vector<taskflux::node_info> nodes;
    while (nodes.empty()) nodes = result(directory.nodes());
    BOOST_TEST(nodes.front().name == "web-1");
    while (result(directory.services("math")).empty()) io.poll();
    BOOST_TEST(result(caller.call(double_it, 21)) == 42);
    BOOST_TEST(result(directory.services("other")).empty());
    a.stop();
    run_until(life);
    BOOST_TEST(!life->error);
    BOOST_TEST(result(directory.nodes()).empty());
}

BOOST_AUTO_TEST_CASE(a_config_that_does_not_fit_the_program_is_refused) {
    const auto with = [&](auto change) {
        auto some = config;
        change(some);
        app a{some};
        a.on(mail, nothing);
        return refusal(a);
    };
    BOOST_TEST(with([](auto& c) { c.enabled_tasks = {"mial"}; }) ==
               "config: /enabled_tasks/0: this program has no task \"mial\"; did you mean \"mail\"? Allowed: \"mail\"");
    BOOST_TEST(with([](auto& c) { c.disabled_tasks = {"mail", "note"}; }).starts_with("config: /disabled_tasks/1: this program has no task"));
    BOOST_TEST(with([](auto& c) { c.services = {"calculator"}; }).starts_with("config: /services/0: this program has no service"));
    const auto scheduled = [&](const std::string& task, boost::json::value payload) {
        return with([&](auto& c) {
            auto& one = c.schedules.emplace_back();
            one.task = task;
            one.cron = "@daily";
            one.payload = std::move(payload);
        });
    };
    BOOST_TEST(scheduled("mial", 1).starts_with("config: /schedules/0/task: this program has no task \"mial\"; did you mean"));
    BOOST_TEST(scheduled("mail", "x").starts_with("config: /schedules/0/payload: expected an integer"));
    app none{config};
    BOOST_TEST(refusal(none) == "config: there is nothing to run: no task is enabled, and no service, no schedule and no local job is set; enable one");
}

BOOST_AUTO_TEST_CASE(schedules_of_program_and_config_are_stored) {
    auto& one = config.schedules.emplace_back();
    one.id = "from_config";
    one.task = "mail";
    one.cron = "@every 1h";
    one.payload = 7;
    auto& other = config.schedules.emplace_back();
    other.id = "night";
    other.task = "note";
    other.cron = "@daily";
    other.payload = 1;
    other.enabled = false;
    config.retention = 5min;
    config.failed_retention = 7min;
    config.deadline = 9min;
    static constexpr taskflux::task<void(int)> stored_long{"stored_long", task_options().queue("store").retention(2h).timeout(3s)};
    app a{config};
    a.on(note, nothing).on(mail, nothing).on(stored_long, nothing);
    a.every("*/10 * * * * *", note, 1);
    a.every("@hourly", stored_long, 4);
    a.every("0 3 * * *", note, 2, taskflux::schedule_options().id("night").zone("Europe/Berlin"));
    BOOST_CHECK_THROW(a.every("@daily", note, 3), taskflux::error);      // there is one of that id
    BOOST_CHECK_THROW(a.every("often", mail, 3), taskflux::error);
    std::vector<taskflux::schedule> stored;
    bool is_ready = false;
    a.on_start([&](taskflux::client with) -> asio::awaitable<void> {
        stored = co_await taskflux::scheduler(with.get_broker()).list();
        is_ready = true;
    });
    const auto life = start_on(here, a.run_on(broker));
    while (!is_ready && !life->done) io.run_one();
    BOOST_REQUIRE(stored.size() == 3U);  // "night" is the config's, which is not enabled
    BOOST_TEST(stored[0].queue == "default");
    BOOST_TEST(stored[0].definition.id == "note");
    BOOST_TEST(stored[0].definition.task->payload.bytes == "1");
    BOOST_TEST(stored[1].queue == "mail");
    BOOST_TEST(stored[1].definition.id == "from_config");
    BOOST_TEST(stored[1].definition.task->payload.bytes == "7");
    BOOST_TEST((stored[1].definition.task->retention == 5min));
    BOOST_TEST((stored[1].definition.task->failed_retention == 7min));
    BOOST_TEST((stored[1].definition.task->deadline == 9min));
    BOOST_TEST(stored[2].queue == "store");  // a contract's own options hold for its schedules, too
    BOOST_TEST((stored[2].definition.task->retention == 2h));
    BOOST_TEST((stored[2].definition.task->timeout == 3s));
    BOOST_TEST((stored[2].definition.task->failed_retention == 7min));
    a.stop();
    run_until(life);
}

BOOST_AUTO_TEST_CASE(limits_are_for_tasks_that_have_none_of_their_own) {
    static constexpr taskflux::task<void(int)> kept{"kept", task_options().retention(2h).timeout(3s)};
    config.timeout = 1s;
    config.retention = 5min;
    app a{config};
    std::vector<taskflux::duration> left;
    const auto look = [&](taskflux::context& ctx, int) -> asio::awaitable<void> {
        left.push_back(ctx.remaining());
        co_return;
    };
    a.on(note, look).on(kept, look);
    taskflux::job<void> short_lived{broker, {}}, long_lived{broker, {}};
    bool is_over = false;
    a.on_start([&](taskflux::client with) -> asio::awaitable<void> {
        short_lived = co_await with.submit(note, 1);
        co_await short_lived.result();
        long_lived = co_await with.submit(kept, 1);
        co_await long_lived.result();
        is_over = true;
    });
    const auto life = start_on(here, a.run_on(broker));
    while (!is_over && !life->done) io.run_one();
    a.stop();
    run_until(life);
    BOOST_REQUIRE(left.size() == 2U);
    BOOST_TEST((left[0] == 1s));
    BOOST_TEST((left[1] == 3s));
    advance(10min);
    BOOST_TEST((start(short_lived.record())->code() == errc::not_found));
    BOOST_TEST(now(long_lived.record()).state == task_state::succeeded);
}

BOOST_AUTO_TEST_CASE(queues_are_served_by_their_weights) {
    config.queues = {"default", "mail"};
    config.weights = {{"mail", 100'000}};
    config.concurrency = 1;
    std::string order;
    app a{config};
    const auto adds = [&order](char letter) {
        return [&order, letter](int) -> asio::awaitable<void> {
            order += letter;
            co_return;
        };
    };
    a.on(note, adds('n')).on(mail, adds('m'));
    for (int i = 0; i < 20; ++i) {
        result(client.submit(note, 1));
        result(client.submit(mail, 1));
    }
    const auto life = start_on(here, a.run_on(broker));
    io.restart();
    while (order.size() < 40) io.run_one();
    a.stop();
    run_until(life);
    BOOST_TEST(std::ranges::count(order.substr(0, 20), 'm') >= 19, order);
}

BOOST_AUTO_TEST_CASE(an_app_that_starts_before_its_broker_is_there_goes_on_when_it_is) {
    const auto absent = std::make_shared<absent_broker>(io.get_executor(), taskflux::memory_options(), time);
    app a{config};
    a.on(note, nothing).every("@daily", note, 1);
    bool has_started = false;
    a.on_start([&](taskflux::client) -> asio::awaitable<void> {
        has_started = true;
        co_return;
    });
    const auto life = start_on(here, a.run_on(absent));
    pass(10s, 500ms);
    BOOST_TEST(absent->failures > 1);
    BOOST_TEST((!has_started && !life->done));
    absent->is_absent = false;
    while (!has_started && !life->done) advance(1s);
    BOOST_TEST(has_started);
    a.stop();
    run_until(life);
    BOOST_TEST(!life->error);
}

BOOST_AUTO_TEST_CASE(what_a_part_throws_ends_it) {
    app a{config};
    a.on(note, nothing);
    a.on_start([](taskflux::client) -> asio::awaitable<void> {
        throw std::runtime_error("no such table");
        co_return;
    });
    const auto life = start_on(here, a.run_on(broker));
    run_until(life);
    BOOST_TEST(life->what() == "no such table");
}

BOOST_AUTO_TEST_CASE(what_throws_before_it_is_a_coroutine_ends_it_and_all_its_parts_first) {
    auto a = std::make_unique<app>(config);
    gate closed{here};
    a->on(note, nothing);
    a->on_start([&](taskflux::client) { return closed.pass(); });
    a->on_start([](taskflux::client) -> asio::awaitable<void> { throw std::runtime_error("no such table"); });
    const auto life = start_on(here, a->run_on(broker));
    run_until(life);
    BOOST_TEST(life->what() == "no such table");
    BOOST_TEST(closed.cancelled == 1);
    a.reset();
    io.poll();  // nothing is left that it could call
}

BOOST_AUTO_TEST_CASE(what_was_begun_at_the_start_is_cancelled_at_the_stop) {
    app a{config};
    gate closed{here};
    a.on(note, nothing);
    a.on_start([&](taskflux::client) { return closed.pass(); });
    const auto life = start_on(here, a.run_on(broker));
    while (closed.waiting == 0) io.run_one();
    a.stop();
    run_until(life);
    BOOST_TEST(!life->error);
    BOOST_TEST(closed.cancelled == 1);
}

BOOST_AUTO_TEST_CASE(an_empty_function_is_refused_when_it_is_given) {
    app program;
    BOOST_CHECK_THROW(program.on_start({}), taskflux::error);
    BOOST_CHECK_THROW(program.local("tidy", std::function<void()>()), taskflux::error);
    BOOST_CHECK_THROW(program.on(twice, std::function<int(int)>()), taskflux::error);
}

BOOST_AUTO_TEST_CASE(an_app_that_is_destroyed_while_it_runs_says_so_and_stops) {
    auto program = std::make_unique<app>(config);
    program->on(twice, twice_of);
    const auto life = start(program->run_on(broker));
    BOOST_TEST(result(client.run(twice, 21)) == 42);
    program.reset();
    run_until(life);
    BOOST_TEST(!life->error);
    BOOST_TEST(log_text().find("it was destroyed while run() was under way: its parts are stopped") != std::string::npos);

    config.log_path += ".ended";
    program = std::make_unique<app>(config);
    program->on(twice, twice_of);
    program->stop();
    const auto short_life = start(program->run_on(broker));
    run_until(short_life);
    program.reset();
    std::ifstream ended(config.log_path);
    BOOST_TEST(std::string(std::istreambuf_iterator<char>(ended), {}).find("destroyed") == std::string::npos);
    std::filesystem::remove(config.log_path);
}

BOOST_AUTO_TEST_CASE(an_app_that_is_destroyed_before_its_run_begins_says_so_unless_it_was_stopped) {
    const auto path = config.log_path;
    for (const bool is_stopped : {false, true}) {
        config.log_path = path + (is_stopped ? ".stopped" : "");
        auto program = std::make_unique<app>(config);
        program->on(twice, twice_of);
        const auto life = start_on(here, program->run_on(broker));
        if (is_stopped) program->stop();
        program.reset();
        run_until(life);
        BOOST_TEST(!life->error);
        std::ifstream written(config.log_path);
        const std::string text(std::istreambuf_iterator<char>(written), {});
        BOOST_TEST((text.find("it was destroyed before its run() had begun") == std::string::npos) == is_stopped, text);
        std::filesystem::remove(config.log_path);
    }
}

BOOST_AUTO_TEST_CASE(an_app_does_not_run_on_no_broker) {
    app program{config};
    program.on(twice, twice_of);
    BOOST_CHECK_EXCEPTION(start(program.run_on(nullptr)), taskflux::error, [](const taskflux::error& e) { return e.code() == errc::invalid_argument; });
}

BOOST_AUTO_TEST_CASE(it_is_set_up_before_it_runs_and_runs_once) {
    app a{config};
    a.on(note, nothing);
    BOOST_CHECK_THROW(a.on(note, nothing), taskflux::error);
    const auto life = start_on(here, a.run_on(broker));
    BOOST_CHECK_THROW(a.on(twice, twice_of), taskflux::error);
    BOOST_CHECK_THROW(a.every("@daily", note, 1), taskflux::error);
    BOOST_CHECK_THROW(start(a.run_on(broker)), taskflux::error);
    a.stop();
    run_until(life);
}

BOOST_AUTO_TEST_CASE(a_log_line_has_time_level_task_and_fields_and_no_end_inside) {
    app a{config};
    a.on(twice, [](taskflux::context& ctx, int number) -> asio::awaitable<int> {
        taskflux::header_map fields{{"number", std::to_string(number)}};
        ctx.log(taskflux::log_level::info, "of the least level");
        ctx.log(taskflux::log_level::warning, "two\nlines", std::move(fields));
        ctx.log(taskflux::log_level::debug, "left out");
        co_return number;
    });
    const auto life = start_on(here, a.run_on(broker));
    const auto job = result(client.submit(twice, 5));
    BOOST_TEST(result(job.result()) == 5);
    a.stop();
    run_until(life);
    BOOST_TEST(log_text() == "2026-05-27T00:00:00Z info of the least level task=\"" + to_string(job.id()) + "\"\n"
                             "2026-05-27T00:00:00Z warning two\\nlines task=\"" + to_string(job.id()) + "\" number=\"5\"\n");
}

BOOST_AUTO_TEST_CASE(a_log_file_that_cannot_be_opened_is_refused) {
    config.log_path = "/nowhere/app.log";
    app a{config};
    a.on(note, nothing);
    BOOST_TEST(refusal(a) == "config: /log_path: the log file /nowhere/app.log can't be opened: No such file or directory");
}

BOOST_AUTO_TEST_CASE(the_start_line_shows_no_password) {
    config.url = "redis://user:secret@host/1";
    config.queues = {"default", "mail"};
    config.weights = {{"mail", 3}};
    config.concurrency = 64;
    config.env = taskflux::app_environment::STAGE;
    app a{config};
    a.on(note, nothing);
    BOOST_TEST(a.start_line() == std::string("taskflux ") + taskflux::version +
                                     " node=web-1 backend=redis://user:***@host:6379/1 queues=default,mail:3 slots=64 env=STAGE");
}

BOOST_AUTO_TEST_CASE(the_start_line_of_a_config_without_queues_names_those_of_the_tasks_that_run_each_once) {
    config.disabled_tasks = {"mail"};
    app a{config};
    a.on(note, nothing).on(twice, twice_of).on(mail, nothing);
    BOOST_TEST(a.start_line() == std::string("taskflux ") + taskflux::version + " node=web-1 backend=memory:// queues=default slots=16");
    config.disabled_tasks = {"mail", "note"};
    app none{config};
    none.on(note, nothing).on(mail, nothing);
    BOOST_TEST(none.start_line().ends_with(" queues= slots=0"));
}

BOOST_AUTO_TEST_CASE(a_wrong_command_line_is_refused_with_what_is_meant) {
    using taskflux::detail::parse_command_line;
    const auto line = parse_command_line({"--config=a.json", "--env", "TEST", "--check-config"});
    BOOST_TEST(line.config == "a.json");
    BOOST_TEST(line.env == "TEST");
    BOOST_TEST(line.check);
    const auto refused = [](const std::vector<std::string>& words) {
        try {
            parse_command_line(words);
        } catch (const config_error& e) {
            return std::string(e.what());
        }
        return std::string("accepted");
    };
    BOOST_TEST(refused({"--confg", "x"}).starts_with("command line: unknown option \"--confg\"; did you mean \"--config\"?"));
    BOOST_TEST(refused({"--config"}) == "command line: --config needs a value");
    BOOST_TEST(refused({"--config="}) == "command line: --config needs a value");
    BOOST_TEST(refused({"--env", ""}) == "command line: --env needs a value");
    BOOST_TEST(refused({"--help=x"}) == "command line: --help takes no value");
    BOOST_TEST(refused({"x"}).starts_with("command line: unknown option \"x\"; allowed: \"--config\""));
}

BOOST_AUTO_TEST_CASE(the_config_of_the_command_line_is_read_and_not_that_of_the_variable) {
    ::setenv("TASKFLUX_CONFIG", "/nowhere/variable.json", 1);
    std::ostringstream said;
    auto* const before = std::cerr.rdbuf(said.rdbuf());
    app a{config};
    const std::vector<const char*> words{"app", "--config", "/nowhere/line.json"};
    const int code = a.run(static_cast<int>(words.size()), words.data());
    const int without = a.run(1, words.data());
    std::cerr.rdbuf(before);
    ::unsetenv("TASKFLUX_CONFIG");
    BOOST_TEST(code == 2);
    BOOST_TEST(without == 2);
    const std::string why = ": the config file can't be read: No such file or directory\n";
    BOOST_TEST(said.str() == "app: /nowhere/line.json" + why + "app: /nowhere/variable.json" + why);
}

BOOST_AUTO_TEST_CASE(local_jobs_run_in_this_process_as_the_config_says) {
    int swept = 0, probed = 0, never = 0;
    const auto count = [](int& what) {
        return [&what]() -> asio::awaitable<void> {
            ++what;
            co_return;
        };
    };
    taskflux::job_config probe;
    probe.job = "probe";
    probe.cron = "*/20 * * * * *";
    taskflux::job_config off;
    off.job = "off";
    off.enabled = false;
    auto some = config;
    some.jobs = {probe, off};
    app a{some};
    a.local("sweep", "*/10 * * * * *", count(swept)).local("probe", count(probed)).local("idle", count(never));
    a.local("off", "* * * * * *", count(never));
    BOOST_CHECK_THROW(a.local("sweep", "@daily", count(never)), taskflux::error);
    BOOST_CHECK_THROW(a.local("other", "often", count(never)), taskflux::error);
    const auto life = start_on(here, a.run_on(broker));
    settle();
    for (int i = 0; i < 6; ++i) {
        time.advance(10s);
        settle();
    }
    BOOST_TEST(swept == 6);
    BOOST_TEST(probed == 3);
    BOOST_TEST(never == 0);
    a.stop();
    run_until(life);
    BOOST_TEST(!life->error);
}

BOOST_AUTO_TEST_CASE(a_local_job_that_the_program_has_not_is_refused) {
    const auto said = [&](taskflux::job_config job) {
        auto some = config;
        some.jobs = {std::move(job)};
        app a{some};
        a.local("sweep", [] {});
        return refusal(a);
    };
    taskflux::job_config job;
    job.job = "swep";
    job.cron = "@daily";
    BOOST_TEST(said(job).find("/jobs/0/job: this program has no local job \"swep\"; did you mean \"sweep\"?") != std::string::npos);
    job.job = "sweep";
    job.cron.clear();
    BOOST_TEST(said(job).find("/jobs/0/cron: the cron expression is missing") != std::string::npos);
    job.cron = "often";
    BOOST_TEST(said(job).find("/jobs/0/cron: ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_app_counts_and_traces_what_it_does) {
    struct counting_tracer final : taskflux::tracer {
        std::unique_ptr<taskflux::send_span> on_send(const std::string&, taskflux::task_spec&, std::size_t) override {
            ++sent;
            return nullptr;
        }
        std::unique_ptr<taskflux::attempt_span> on_process(const taskflux::running_task&, bool) override {
            ++processed;
            return nullptr;
        }
        int sent = 0, processed = 0;
    };
    const auto seen = std::make_shared<taskflux::process_metrics>();
    const auto traces = std::make_shared<counting_tracer>();
    app a{config};
    a.metrics(seen).tracing(traces);
    a.on(mail, [](context&, int) -> asio::awaitable<void> { co_return; });
    a.serve(double_it, [](int n) { return 2 * n; });
    a.every("0 0 1 1 *", mail, 1, taskflux::schedule_options().id("yearly"));
    a.on_start([](taskflux::client sender) -> asio::awaitable<void> { co_await sender.submit(mail, 3); });
    const auto life = start_on(here, a.run_on(broker));
    for (int i = 0; i < 5; ++i) {
        settle();
        time.advance(1s);
    }
    settle();
    BOOST_TEST(traces->sent == 1);
    BOOST_TEST(traces->processed == 1);
    const auto text = seen->text();
    BOOST_TEST(text.find("taskflux_throttled_total{queue=\"mail\"} 0") != std::string::npos);
    BOOST_TEST(text.find("taskflux_schedule_missed_total{queue=\"mail\",schedule=\"yearly\"} 0") != std::string::npos);
    BOOST_TEST(text.find("taskflux_rpc_server_seconds_count{service=\"math\",method=\"double_it\",code=\"ok\"} 0") != std::string::npos);
    BOOST_CHECK_THROW(a.metrics(seen), taskflux::error);
    BOOST_CHECK_THROW(a.tracing(traces), taskflux::error);
    a.stop();
    run_until(life);
    BOOST_TEST(!life->error);
}

BOOST_AUTO_TEST_SUITE_END()
