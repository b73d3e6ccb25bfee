#include <conformance/fixture.hpp>
#include <taskflux/admin/directory.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/rpc/messages.hpp>
#include <taskflux/calls/service.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/describe/class.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <latch>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

// Calls between an `rpc` and services on every broker.
namespace taskflux::conformance {

struct add_args {
    int a = 0;
    int b = 0;
};
BOOST_DESCRIBE_STRUCT(add_args, (), (a, b))

/// A class of a user's.
class accumulator {
public:
    int add(int by) { return sum_ += by; }
    asio::awaitable<int> sum() const { co_return sum_; }
    std::string who(call_context& ctx) { return std::string(ctx.header("name")); }

private:
    BOOST_DESCRIBE_CLASS(accumulator, (), (add, sum, who), (), ())

    int sum_ = 0;
};

namespace conformance_rpc {

inline constexpr method<int(add_args)> add{"calculator", "add"};
inline constexpr method<void()> fail{"calculator", "fail"};
inline constexpr method<void()> wait_long{"calculator", "wait_long"};
inline constexpr method<std::string()> who{"calculator", "who"};
inline constexpr method<int(int)> missing{"calculator", "missing"};

/// A service that runs.
class server {
public:
    explicit server(fixture& on, const service_options& options = service_options())
        : on_(on), service(on.shared(), options) {
        service.on(add, [](add_args of) -> asio::awaitable<int> { co_return of.a + of.b; });
        service.on(fail, []() -> asio::awaitable<void> {
            co_await asio::this_coro::executor;
            throw std::runtime_error("no luck");
        });
        service.on(wait_long, [this](call_context& ctx) { return wait(*this, ctx); });
        service.on(who, [this]() -> asio::awaitable<std::string> { return name(*this); });
    }
    ~server() { stop(); }
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    server& start() {
        running_.emplace(on_.start(service.run()));
        on_.let_work();
        return *this;
    }
    void stop() {
        if (running_) service.stop();
        if (running_) running_->get();
        running_.reset();
    }

    /// Waits until it is cancelled.
    static asio::awaitable<void> wait(server& self, call_context& ctx) {
        ++self.begun;
        asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (ctx.cancelled()) ++self.cancelled;
    }
    static asio::awaitable<std::string> name(server& self) { co_return self.service.id(); }

private:
    fixture& on_;

public:
    taskflux::service service;
    int begun = 0;
    int cancelled = 0;

private:
    std::optional<started<void>> running_;
};

/// An instance of a service that hears calls and does nothing, until its lease is over.
class mute_server {
public:
    mute_server(fixture& on, duration lease) : box_(on.broker().open([this](std::string_view) { ++heard; })) {
        service_instance row;
        row.service = "calculator";
        row.id = "mute";
        row.address = box_->address();
        on.run(on.broker().announce("taskflux/service/calculator", row.id, encode(row), lease));
    }

    int heard = 0;

private:
    const std::unique_ptr<mailbox> box_;
};

/// An instance of a service that takes no calls, as one does that is full or about to end.
class refusing_server {
public:
    explicit refusing_server(fixture& on) : box_(on.broker().open([this, &on](std::string_view text) { refuse(on, text); })) {
        service_instance row;
        row.service = "calculator";
        row.id = "refusing";
        row.address = box_->address();
        on.run(on.broker().announce("taskflux/service/calculator", row.id, encode(row), 1h));
    }

    int heard = 0;

private:
    void refuse(fixture& on, std::string_view text) {
        ++heard;
        const auto request = detail::call_message::parse(text);
        detail::call_message refusal;
        refusal.what = detail::call_message::kind::refused;
        refusal.id = request.id;
        on.broker().post(request.reply_to, refusal.text());
    }

    const std::unique_ptr<mailbox> box_;
};

template <class Backend>
struct calling : fixture {
    calling() : fixture(std::make_unique<Backend>()), caller(shared()) {}

    taskflux::rpc caller;
};

service_options named(std::string_view id) { return service_options().id(id); }

}  // namespace conformance_rpc

BOOST_AUTO_TEST_SUITE(conformance_rpc)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_message_reaches_the_mailbox_that_it_names, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    std::vector<std::string> first, second;
    const auto one = on.broker().open([&](std::string_view text) { first.emplace_back(text); });
    const auto other = on.broker().open([&](std::string_view text) { second.emplace_back(text); });
    on.let_hear();
    BOOST_TEST(on.run(on.broker().send(one->address(), "a")));
    BOOST_TEST(on.run(on.broker().send(one->address(), std::string("b\0\n", 3))));
    BOOST_TEST(on.run(on.broker().send(other->address(), "c")));
    on.let_work();
    BOOST_TEST(first == std::vector<std::string>({"a", std::string("b\0\n", 3)}), boost::test_tools::per_element());
    BOOST_TEST(second == std::vector<std::string>({"c"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_is_not_there_hears_nothing, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    BOOST_TEST(!on.run(on.broker().send("tf:in:nobody/1", "a")));
    BOOST_TEST(!on.run(on.broker().send("", "a")));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_mailbox_hears_from_when_it_has_been_announced, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    int heard = 0;
    const auto box = on.broker().open([&](std::string_view) { ++heard; });
    on.run(on.broker().announce("board", "it", box->address(), 1h));
    const auto rows = on.run(on.broker().announced("board"));
    BOOST_REQUIRE_EQUAL(rows.size(), 1U);
    BOOST_TEST(on.run(on.broker().send(rows[0].text, "a")));
    on.let_work();
    BOOST_TEST(heard == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_comes_to_a_closed_mailbox_is_told_to_its_sender, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    std::vector<std::string> heard;
    const auto mine = on.broker().open([&](std::string_view text) { heard.emplace_back(text); });
    bool other_heard = false;
    auto other = on.broker().open([&](std::string_view) { other_heard = true; });
    const auto address = other->address();
    BOOST_TEST(on.run(on.broker().send(address, "a", bounce(mine->address(), "gone"))));
    on.drive(other_heard);
    other.reset();
    const bool was_heard = on.run(on.broker().send(address, "b", bounce(mine->address(), "gone")));
    on.let_work();
    BOOST_TEST(heard.size() == (was_heard ? 1U : 0U));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_on_a_board_goes_with_its_lease, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.run(on.broker().announce("board", "b", "short", 2s));
    on.run(on.broker().announce("board", "a", "long", 10s));
    auto rows = on.run(on.broker().announced("board"));
    BOOST_REQUIRE_EQUAL(rows.size(), 2U);
    BOOST_TEST(rows[0].id == "a");
    BOOST_TEST(rows[1].text == "short");
    on.advance(2s);
    on.run(on.broker().announce("board", "c", "new", (duration::max)()));
    rows = on.run(on.broker().announced("board"));
    BOOST_REQUIRE_EQUAL(rows.size(), 2U);
    BOOST_TEST(rows[1].id == "c");
    on.run(on.broker().withdraw("board", "a"));
    BOOST_TEST(on.run(on.broker().announced("board")).size() == 1U);
    BOOST_TEST(on.run(on.broker().announced("empty")).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_board_that_is_not_a_name_is_refused_as_a_board, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    const auto refuses = [&](auto call) {
        try {
            on.run(std::move(call));
        } catch (const error& e) {
            BOOST_TEST(std::string(e.what()).starts_with("not a board name: \"no board\""), e.what());
            return e.code() == errc::invalid_argument;
        }
        return false;
    };
    BOOST_TEST(refuses(on.broker().announce("no board", "it", "text", 1h)));
    BOOST_TEST(refuses(on.broker().withdraw("no board", "it")));
    BOOST_TEST(refuses(on.broker().announced("no board")));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_gives_what_the_method_returns, Backend, backends) {
    calling<Backend> on;
    server one(on);
    one.start();
    BOOST_TEST(on.run(on.caller.call(add, 1, 2)) == 3);
    const add_args args{3, 4};
    BOOST_TEST(on.run(on.caller.call(add, call_options().timeout(1s), args)) == 7);
    BOOST_TEST(on.run(on.caller.call_json("calculator", "add", R"({"a":5,"b":6})")) == "11");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_method_throws_is_thrown_to_the_caller, Backend, backends) {
    calling<Backend> on;
    server one(on);
    one.start();
    BOOST_CHECK_EXCEPTION(on.run(on.caller.call(fail)), call_failed, [](const call_failed& e) {
        return e.failure().message == "no luck" && e.failure().type == "std::runtime_error" && e.code() == errc::task_failed;
    });
    BOOST_CHECK_EXCEPTION(on.run(on.caller.call_json("calculator", "add", R"({"a":"x"})")), call_failed,
                          [](const call_failed& e) { return e.code() == errc::bad_payload && e.failure().pointer == "/a"; });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_that_a_stopping_service_cuts_off_says_so_and_is_repeated_where_it_may_be, Backend, backends) {
    calling<Backend> on;
    constexpr method<int()> rest{"bed", "rest"};
    const auto cut_off = [](const call_failed& e) {
        return e.code() == errc::unavailable &&
               std::string_view(e.what()).starts_with("the call of bed.rest is cut off: instance one has stopped");
    };
    taskflux::service one(on.shared(), named("one").drain_for(1s)), other(on.shared(), named("other"));
    one.on(rest, []() -> asio::awaitable<int> {
        asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await timer.async_wait(asio::use_awaitable);
        co_return 1;
    });
    other.on(rest, []() -> asio::awaitable<int> { co_return 2; });
    auto ones = on.start(one.run());
    on.let_work();
    auto once = on.start(on.caller.call(rest));
    auto again = on.start(on.caller.call(rest, call_options().idempotent()));
    on.let_work();
    auto others = on.start(other.run());
    on.let_work();
    one.stop();
    on.let_work();
    on.pass(1s);
    ones.get();
    BOOST_CHECK_EXCEPTION(once.get(), call_failed, cut_off);
    BOOST_TEST(again.get() == 2);
    other.stop();
    others.get();
    taskflux::service only(on.shared(), named("one").drain_for(1s));
    only.on(rest, []() -> asio::awaitable<int> {
        asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await timer.async_wait(asio::use_awaitable);
        co_return 1;
    });
    auto onlys = on.start(only.run());
    on.let_work();
    auto nowhere = on.start(on.caller.call(rest, call_options().idempotent()));
    on.let_work();
    only.stop();
    on.let_work();
    on.pass(1s);
    onlys.get();
    BOOST_CHECK_EXCEPTION(nowhere.get(), call_failed, cut_off);  // not that there is no instance
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_is_too_large_to_be_sent_is_refused, Backend, backends) {
    calling<Backend> on;
    taskflux::service service(on.shared());
    constexpr method<std::string(int)> letters{"letters", "letters"};
    constexpr method<int(std::string)> count{"letters", "count"};
    service.on(letters, [](int many) { return std::string(std::size_t(many), 'x'); });
    service.on(count, [](const std::string& text) { return int(text.size()); });
    auto running = on.start(service.run());
    on.let_work();
    const std::string large(exchange::max_message_size, 'x');
    BOOST_TEST(on.run(on.caller.call(letters, 1'000'000)).size() == 1'000'000U);
    BOOST_TEST(on.error_of(on.caller.call(letters, int(large.size()))) == errc::too_large);
    BOOST_CHECK_EXCEPTION(on.run(on.caller.call(count, large)), error, [](const error& e) {
        return e.code() == errc::too_large && std::string(e.what()).find("the call of letters.count") != std::string::npos;
    });
    service.stop();
    running.get();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(without_an_instance_a_call_ends_at_once, Backend, backends) {
    calling<Backend> on;
    BOOST_TEST(on.error_of(on.caller.call(add, 1, 2)) == errc::no_instance);
    server one(on);
    one.start();
    BOOST_TEST(on.run(on.caller.call(add, 1, 2)) == 3);
    one.stop();
    BOOST_TEST(on.error_of(on.caller.call(add, 1, 2)) == errc::no_instance);
    BOOST_CHECK_THROW(static_cast<void>(on.caller.call_json("a b", "add", "1")), error);
    BOOST_CHECK_THROW(call_options().to("two\nlines"), error);
    BOOST_CHECK_THROW(call_options().to(std::string(129, 'x')), error);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_method_that_is_not_there_is_named_with_those_that_are, Backend, backends) {
    calling<Backend> on;
    server one(on);
    one.start();
    BOOST_CHECK_EXCEPTION(on.run(on.caller.call(missing, 1)), call_failed, [](const call_failed& e) {
        return e.code() == errc::not_found &&
               e.failure().message.find("no method missing; it has add, fail, wait_long, who") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_class_serves_the_functions_that_it_describes, Backend, backends) {
    calling<Backend> on;
    taskflux::service service(on.shared());
    service.serve("sums", std::make_shared<accumulator>());
    auto running = on.start(service.run());
    on.let_work();
    constexpr method<int(int)> add_up{"sums", "add"};
    constexpr method<int()> sum{"sums", "sum"};
    constexpr method<std::string()> name{"sums", "who"};
    BOOST_TEST(on.run(on.caller.call(add_up, 3)) == 3);
    BOOST_TEST(on.run(on.caller.call(add_up, 4)) == 7);
    BOOST_TEST(on.run(on.caller.call(sum)) == 7);
    BOOST_TEST(on.run(on.caller.call(name, call_options().header("name", "me"))) == "me");
    service.stop();
    running.get();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_server_at_its_limit_is_busy, Backend, backends) {
    calling<Backend> on;
    server one(on, service_options().max_running(2));
    one.start();
    auto first = on.start(on.caller.call(wait_long));
    auto second = on.start(on.caller.call(wait_long));
    on.let_work();
    BOOST_TEST(one.service.running() == 2U);
    BOOST_TEST(on.error_of(on.caller.call(add, 1, 2)) == errc::busy);
    first.cancel();
    BOOST_TEST(on.error_of(first) == aborted);
    on.let_work();
    BOOST_TEST(on.run(on.caller.call(add, 1, 2)) == 3);
    second.cancel();
    BOOST_TEST(on.error_of(second) == aborted);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(notifications_count_as_calls_in_flight, Backend, backends) {
    calling<Backend> on;
    server one(on, service_options().max_running(2).drain_for(0s));
    one.start();
    for (int i = 0; i < 5; ++i) on.run(on.caller.notify(wait_long));
    on.let_work();
    BOOST_TEST(one.begun == 2);
    BOOST_TEST(one.service.running() == 2U);
    BOOST_TEST(on.error_of(on.caller.call(add, 1, 2)) == errc::busy);
    one.stop();
    BOOST_TEST(one.cancelled == 2);
    BOOST_TEST(one.service.running() == 0U);
}

// Its answer is still on its way when its time is over, and the threads on which it ran are gone.
BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_that_has_returned_is_not_cancelled_at_its_deadline, Backend, backends) {
    calling<Backend> on;
    std::optional<asio::thread_pool> threads(std::in_place, 1U);
    std::atomic<bool> has_begun = false;
    std::latch may_return(1);
    taskflux::service service(on.shared(), service_options().cpu(threads->get_executor()).lease(1min));
    service.on(add, [&](add_args of) {
        has_begun = true;
        may_return.wait();
        return of.a + of.b;
    });
    auto serving = on.start(service.run());
    on.let_work();
    auto call = on.start(on.caller.call(add, call_options().timeout(10s), 1, 2));
    while (!has_begun) on.run(on.broker().counts(q));
    may_return.count_down();  // nothing else is run until it has returned
    threads->join();
    threads.reset();
    on.pass(10001ms);
    on.error_of(call);  // that depends on which came first
    service.stop();
    serving.get();
    BOOST_TEST(service.running() == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_notification_ends_at_its_deadline_and_no_other_with_it, Backend, backends) {
    calling<Backend> on;
    server one(on, service_options().lease(1min).drain_for(0s));
    one.start();
    on.run(on.caller.notify(wait_long, call_options().timeout(10s)));
    on.run(on.caller.notify(wait_long, call_options().timeout(20s)));
    on.let_work();
    on.pass(10001ms);
    BOOST_TEST(one.cancelled == 1);
    BOOST_TEST(one.service.running() == 1U);
    on.pass(10s);
    BOOST_TEST(one.cancelled == 2);
    BOOST_TEST(one.service.running() == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancelled_call_is_cancelled_where_it_runs, Backend, backends) {
    calling<Backend> on;
    server one(on);
    one.start();
    auto call = on.start(on.caller.call(wait_long));
    on.let_work();
    BOOST_TEST(one.begun == 1);
    call.cancel();
    BOOST_TEST(on.error_of(call) == aborted);
    on.let_work();
    BOOST_TEST(one.cancelled == 1);
    BOOST_TEST(one.service.running() == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_that_is_cancelled_while_it_waits_for_a_thread_is_not_carried_out, Backend, backends) {
    calling<Backend> on;
    asio::io_context threads;
    int begun = 0;
    std::vector<std::string> lines;
    const auto keep = [&lines](std::string_view text) { lines.emplace_back(text); };
    taskflux::service service(on.shared(), service_options().cpu(threads.get_executor()).lease(1min).log(keep));
    service.on(add, [&begun](add_args of) {
        ++begun;
        return of.a + of.b;
    });
    auto serving = on.start(service.run());
    on.let_work();
    auto given_up = on.start(on.caller.call(add, 1, 2));
    auto late = on.start(on.caller.call(add, call_options().timeout(10s), 1, 2));
    on.let_work();
    BOOST_TEST(service.running() == 2U);
    on.run(on.caller.notify(add, call_options().timeout(10s), 1, 2));
    on.let_work();
    given_up.cancel();
    BOOST_TEST(on.error_of(given_up) == aborted);
    on.pass(10001ms);
    BOOST_TEST(on.error_of(late) == errc::timed_out);
    on.let_work();
    threads.run();
    on.let_work();
    BOOST_TEST(begun == 0);
    BOOST_TEST(service.running() == 0U);
    BOOST_REQUIRE_EQUAL(lines.size(), 1U);  // nobody hears of the notification otherwise
    BOOST_TEST(lines[0].find("it was cancelled before it began, as its timeout had passed") != std::string::npos);
    auto kept = on.start(on.caller.call(add, 1, 2));
    on.let_work();
    threads.restart();
    threads.run();
    BOOST_TEST(kept.get() == 3);
    service.stop();
    serving.get();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_whose_time_is_over_ends_on_both_sides, Backend, backends) {
    calling<Backend> on;
    server one(on, service_options().lease(1min));
    one.start();
    auto call = on.start(on.caller.call(wait_long, call_options().timeout(10s)));
    on.let_work();
    on.pass(9s);
    BOOST_TEST(!call.done());
    BOOST_TEST(one.cancelled == 0);
    on.pass(1001ms);
    BOOST_TEST(on.error_of(call) == errc::timed_out);
    on.let_work();
    BOOST_TEST(one.cancelled == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_request_past_its_deadline_is_not_carried_out, Backend, backends) {
    calling<Backend> on;
    server one(on);
    one.start();
    const auto rows = on.run(on.broker().announced("taskflux/service/calculator"));
    BOOST_REQUIRE_EQUAL(rows.size(), 1U);
    const auto instance = decode<service_instance>(rows[0].text);
    detail::call_message request;
    request.id = 1;
    request.service = "calculator";
    request.method = "wait_long";
    request.payload = "null";
    request.deadline = on.broker().clock().now() - 1ms;
    BOOST_TEST(on.run(on.broker().send(instance.address, request.text())));
    BOOST_TEST(on.run(on.broker().send(instance.address, request.text().substr(0, 20))));  // nor is text that is no message
    BOOST_TEST(on.run(on.broker().send(instance.address, "?")));
    on.let_work();
    BOOST_TEST(one.begun == 0);
    const auto box = on.broker().open([](std::string_view) {});
    request.reply_to = box->address();
    request.deadline = on.broker().clock().now() + 1s;
    for (int times = 0; times != 2; ++times) BOOST_TEST(on.run(on.broker().send(instance.address, request.text())));
    on.let_work();
    BOOST_TEST(one.begun == 1);  // the same but for its deadline is carried out, and once
    on.pass(1s);
    BOOST_TEST(on.run(on.caller.call(add, 1, 2)) == 3);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_has_cancelled_its_call_hears_no_more_of_it, Backend, backends) {
    calling<Backend> on;
    server one(on);
    one.start();
    const auto rows = on.run(on.broker().announced("taskflux/service/calculator"));
    BOOST_REQUIRE_EQUAL(rows.size(), 1U);
    const auto address = decode<service_instance>(rows[0].text).address;
    int heard = 0;
    const auto box = on.broker().open([&](std::string_view) { ++heard; });
    on.let_hear();
    detail::call_message message;
    message.id = 1;
    message.service = "calculator";
    message.method = "wait_long";
    message.payload = "null";
    message.reply_to = box->address();
    message.deadline = on.broker().clock().now() + 1h;
    BOOST_TEST(on.run(on.broker().send(address, message.text())));
    on.let_work();
    BOOST_TEST(one.begun == 1);
    message.what = detail::call_message::kind::cancel;
    BOOST_TEST(on.run(on.broker().send(address, message.text())));
    on.let_work();
    BOOST_TEST(one.cancelled == 1);
    BOOST_TEST(one.service.running() == 0U);
    BOOST_TEST(heard == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(calls_go_to_all_instances_and_to_the_one_that_is_named, Backend, backends) {
    calling<Backend> on;
    server a(on, named("a")), b(on, named("b"));
    a.start();
    b.start();
    std::set<std::string> heard;
    for (int i = 0; i < 60; ++i) heard.insert(on.run(on.caller.call(who)));
    BOOST_TEST(heard.size() == 2U);
    for (int i = 0; i < 5; ++i) BOOST_TEST(on.run(on.caller.call(who, call_options().to("b"))) == "b");
    BOOST_TEST(on.error_of(on.caller.call(who, call_options().to("c"))) == errc::no_instance);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_less_busy_instance_is_called, Backend, backends) {
    calling<Backend> on;
    server a(on, named("a")), b(on, named("b"));
    a.start();
    b.start();
    for (int i = 0; i < 400; ++i) on.run(on.caller.call(who, call_options().to("a")));  // which have ended
    std::list<started<void>> calls;
    for (int i = 0; i < 80; ++i) calls.push_back(on.start(on.caller.call(wait_long)));
    on.let_work();
    BOOST_TEST(a.begun + b.begun == 80);
    BOOST_TEST(std::abs(a.begun - b.begun) <= 20);
    for (auto& call : calls) call.cancel();
    for (auto& call : calls) BOOST_TEST(on.error_of(call) == aborted);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_broadcast_gathers_what_all_instances_say, Backend, backends) {
    calling<Backend> on;
    BOOST_TEST(on.run(on.caller.broadcast(who)).empty());
    server a(on, named("a")), b(on, named("b"));
    a.start();
    b.start();
    const auto all = on.run(on.caller.broadcast(who));
    BOOST_REQUIRE_EQUAL(all.size(), 2U);
    for (const auto& one : all) BOOST_TEST((one.value && *one.value == one.instance));
    for (const auto& one : on.run(on.caller.broadcast(fail))) BOOST_CHECK_THROW(std::rethrow_exception(one.error), call_failed);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(where_an_instance_is_gone_another_is_called, Backend, backends) {
    calling<Backend> on;
    server one(on);
    one.start();
    service_instance dead;
    dead.service = "calculator";
    for (int i = 0; i < 5; ++i) {
        dead.id = "dead" + std::to_string(i);
        dead.address = "tf:in:dead/" + std::to_string(i);
        on.run(on.broker().announce("taskflux/service/calculator", dead.id, encode(dead), 1min));
    }
    for (int i = 0; i < 20; ++i) {
        on.advance(2s);
        BOOST_TEST(on.run(on.caller.call(add, i, 1)) == i + 1);
    }
    on.run(on.caller.notify(fail));
    BOOST_TEST(on.error_of(on.caller.call(add, call_options().to("dead0"), 1, 2)) == errc::no_instance);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_instance_that_has_refused_a_call_is_not_called_until_instances_are_looked_for_again, Backend, backends) {
    calling<Backend> on;
    server other(on, named("other"));
    other.start();
    refusing_server refusing(on);
    for (int i = 1; i <= 2; ++i) {
        for (int calls = 0; calls < 30; ++calls) BOOST_TEST(on.run(on.caller.call(who)) == "other");
        BOOST_TEST(refusing.heard == i);
        on.pass(1s);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_notification_that_fails_is_told_of_where_it_was_sent, Backend, backends) {
    calling<Backend> on;
    std::vector<std::string> lines;
    const auto keep = [&lines](std::string_view text) { lines.emplace_back(text); };
    server one(on, service_options().id("one").max_running(2).drain_for(0s).log(keep));
    one.start();
    const auto to_one = call_options().to("one");
    on.run(on.caller.notify(fail, to_one));
    on.let_work();
    BOOST_REQUIRE_EQUAL(lines.size(), 1U);
    BOOST_TEST(lines[0] == "service one: a notification of \"calculator.fail\" failed, of which its sender learns nothing: no luck");
    on.run(on.caller.notify(fail, to_one));
    on.let_work();
    BOOST_TEST(lines.size() == 1U);  // the same, at the same time
    on.run(on.caller.notify(missing, to_one, 1));
    on.let_work();
    BOOST_REQUIRE_EQUAL(lines.size(), 2U);
    BOOST_TEST(lines[1].find("instance one of service calculator has no method missing") != std::string::npos);
    for (int i = 0; i < 2; ++i) {
        on.run(on.caller.notify(fail, to_one));
        on.run(on.caller.notify(missing, to_one, 1));
    }
    on.let_work();
    BOOST_TEST(lines.size() == 2U);  // the same two, in turn
    for (int i = 0; i < 3; ++i) on.run(on.caller.notify(wait_long, call_options().to("one").timeout(10min)));
    on.let_work();
    BOOST_REQUIRE_EQUAL(lines.size(), 3U);
    BOOST_TEST(lines[2].find("it has its limit of 2 calls in flight") != std::string::npos);
    BOOST_TEST(on.error_of(on.caller.call(fail, to_one)) == errc::busy);  // of which its caller learns
    BOOST_TEST(lines.size() == 3U);
    detail::call_message late;
    late.what = detail::call_message::kind::request;
    late.service = "calculator";
    late.method = "fail";
    late.deadline = time_point(1ms);
    const auto rows = on.run(on.broker().announced("taskflux/service/calculator"));
    on.run(on.broker().send(decode<service_instance>(rows.at(0).text).address, late.text()));
    on.let_work();
    BOOST_REQUIRE_EQUAL(lines.size(), 4U);
    BOOST_TEST(lines[3].find("it came after its timeout") != std::string::npos);
    one.stop();
    BOOST_TEST(lines.size() == 4U);  // those that were cancelled have ended well
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_notification_that_is_cancelled_says_what_its_handler_has_thrown, Backend, backends) {
    calling<Backend> on;
    std::vector<std::string> lines;
    const auto keep = [&lines](std::string_view text) { lines.emplace_back(text); };
    taskflux::service service(on.shared(), service_options().id("one").lease(1min).drain_for(0s).log(keep));
    service.on(fail, []() -> asio::awaitable<void> {
        asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await timer.async_wait(asio::use_awaitable);
    });
    service.on(wait_long, []() -> asio::awaitable<void> {
        asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        throw std::runtime_error("the disk is full");
    });
    auto serving = on.start(service.run());
    on.let_work();
    on.run(on.caller.notify(wait_long, call_options().timeout(10s)));
    on.let_work();
    on.pass(10001ms);
    BOOST_REQUIRE_EQUAL(lines.size(), 1U);
    BOOST_TEST(lines[0].ends_with("of which its sender learns nothing: the disk is full"));
    on.run(on.caller.notify(fail));
    on.let_work();
    service.stop();
    serving.get();
    BOOST_REQUIRE_EQUAL(lines.size(), 2U);
    BOOST_TEST(lines[1] == "service one: a notification of \"calculator.fail\" failed, of which its sender learns nothing: "
                           "it was cancelled, as its timeout had passed or the service ended");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(no_more_than_a_few_lines_on_notifications_are_logged_in_a_second, Backend, backends) {
    calling<Backend> on;
    std::vector<std::string> lines;
    const auto keep = [&lines](std::string_view text) { lines.emplace_back(text); };
    server one(on, service_options().id("one").lease(1min).log(keep));
    one.start();
    const auto notify_all = [&] {
        for (int i = 0; i < 40; ++i) {
            const auto name = "missing_" + std::to_string(i);
            const method<int(int)> gone{"calculator", name};
            on.run(on.caller.notify(gone, 1));
        }
        on.let_work();
    };
    notify_all();
    BOOST_TEST(lines.size() == 16U);
    on.pass(1001ms);
    notify_all();
    BOOST_TEST(lines.size() == 32U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_that_an_instance_has_taken_ends_when_that_is_lost, Backend, backends) {
    calling<Backend> on;
    const mute_server mute(on, 3s);
    auto call = on.start(on.caller.call(add, 1, 2));
    on.let_work();
    BOOST_TEST(mute.heard == 1);
    on.pass(2s);
    BOOST_TEST(!call.done());
    for (int i = 0; i < 3 && !call.done(); ++i) on.pass(1s);
    BOOST_TEST(on.error_of(call) == errc::unavailable);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_that_times_out_says_that_it_was_received, Backend, backends) {
    calling<Backend> on;
    const mute_server mute(on, 1min);
    auto call = on.start(on.caller.call(add, call_options().timeout(5s), 1, 2));
    on.let_work();
    BOOST_TEST(mute.heard == 1);
    on.pass(5001ms);
    BOOST_CHECK_EXCEPTION(call.get(), error, [](const error& e) {
        return e.code() == errc::timed_out &&
               std::string(e.what()).find("instance mute has received it and has not answered") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_idempotent_call_goes_to_another_instance_when_its_own_is_lost, Backend, backends) {
    calling<Backend> on;
    const mute_server mute(on, 3s);
    auto call = on.start(on.caller.call(add, call_options().idempotent(), 1, 2));
    on.let_work();
    BOOST_TEST(mute.heard == 1);
    server other(on);
    other.start();
    on.pass(2s);
    BOOST_TEST(!call.done());
    for (int i = 0; i < 3 && !call.done(); ++i) on.pass(1s);
    BOOST_TEST(call.get() == 3);
    BOOST_TEST(mute.heard == 2);  // that nobody waits any more
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_instance_that_ends_finishes_its_calls_and_sends_new_ones_elsewhere, Backend, backends) {
    calling<Backend> on;
    server a(on, named("a")), b(on, named("b"));
    a.start();
    BOOST_TEST(on.run(on.caller.call(who)) == "a");
    auto call = on.start(on.caller.call(wait_long));
    on.let_work();
    b.start();
    a.service.stop();
    on.let_work();
    for (int i = 0; i < 10; ++i) BOOST_TEST(on.run(on.caller.call(who)) == "b");
    for (const auto& row : on.run(on.broker().announced("taskflux/service/calculator"))) {
        const auto shown = decode<service_instance>(row.text);
        BOOST_TEST(shown.leaving == (shown.id == "a"), shown.id);
    }
    const taskflux::directory directory(on.shared());
    const auto listed = on.run(directory.services("calculator"));
    BOOST_REQUIRE_EQUAL(listed.size(), 1U);
    BOOST_TEST(listed[0].id == "b");
    on.pass(9s);
    BOOST_TEST(a.cancelled == 0);
    on.pass(1s);
    BOOST_TEST(a.cancelled == 1);
    on.let_work();
    BOOST_TEST(on.error_of(call) == boost::system::error_code());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_instance_stays_in_the_directory_as_long_as_it_runs, Backend, backends) {
    calling<Backend> on;
    server one(on, service_options().lease(3s));
    one.start();
    for (int i = 0; i < 10; ++i) {
        on.pass(1s);
        BOOST_TEST(on.run(on.broker().announced("taskflux/service/calculator")).size() == 1U);
    }
    one.stop();
    BOOST_TEST(on.run(on.broker().announced("taskflux/service/calculator")).empty());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_tells_its_headers_and_the_time_that_is_left, Backend, backends) {
    calling<Backend> on;
    taskflux::service service(on.shared());
    duration left{};
    std::string trace;
    service.on(add, [&](call_context& ctx, add_args) {
        left = ctx.remaining();
        trace = ctx.header("traceparent");
        return 0;
    });
    auto running = on.start(service.run());
    on.let_work();
    on.run(on.caller.call(add, call_options().timeout(5s).header("traceparent", "00-1"), 1, 2));
    BOOST_TEST((left > 4s && left <= 5s));
    BOOST_TEST(trace == "00-1");
    service.stop();
    running.get();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_thousand_calls_are_in_flight_at_once, Backend, backends) {
    calling<Backend> on;
    server one(on);
    one.start();
    std::list<started<int>> calls;
    for (int i = 0; i < 1000; ++i) calls.push_back(on.begin(on.caller.call(add, i, 1)));
    int next = 0;
    for (auto& call : calls) BOOST_TEST(call.get() == ++next);
}

BOOST_AUTO_TEST_CASE(a_service_refuses_what_it_cannot_serve) {
    calling<selected_backend> on;
    taskflux::service service(on.shared());
    BOOST_CHECK_THROW(static_cast<void>(service.run()), error);
    service.on(fail, []() {});
    BOOST_CHECK_THROW(service.on(fail, []() {}), error);
    service.stop();
    on.run(service.run());
    BOOST_CHECK_THROW(service.on(add, [](add_args) { return 0; }), error);
    BOOST_CHECK_THROW(call_options().timeout(0s), error);
    BOOST_CHECK_THROW(service_options().max_running(0), error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
