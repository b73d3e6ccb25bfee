#include <conformance/fixture.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/calls/service_instance.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/describe/class.hpp>
#include <boost/test/unit_test.hpp>

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// What errors say, word by word: what has failed, where, why and what to do, each once.
namespace taskflux::conformance {

struct point {
    double x = 0;
    double y = 0;
};
BOOST_DESCRIBE_STRUCT(point, (), (x, y))

struct named_point {
    std::string x;
    double y = 0;
};
BOOST_DESCRIBE_STRUCT(named_point, (), (x, y))

namespace conformance_texts {

constexpr auto nan = std::numeric_limits<double>::quiet_NaN();

inline constexpr method<point(point)> mirror{"shapes", "mirror"};
inline constexpr method<named_point(point)> mirror_by_name{"shapes", "mirror"};
inline constexpr method<point(named_point)> mirror_name{"shapes", "mirror"};
inline constexpr method<stream<int>(point)> mirror_many{"shapes", "mirror"};
inline constexpr method<point()> nowhere{"shapes", "nowhere"};
inline constexpr method<void()> wait_long{"shapes", "wait_long"};
inline constexpr method<std::string(int)> letters{"shapes", "letters"};
inline constexpr method<stream<point>()> points{"shapes", "points"};
inline constexpr method<stream<int>()> numbers{"shapes", "points"};
inline constexpr method<stream<int>()> quiet{"shapes", "quiet"};
inline constexpr method<int()> missing{"shapes", "missing"};

inline constexpr task<point(point)> mirror_task{"mirror", task_options().queue("q")};
inline constexpr task<named_point(point)> mirror_task_by_name{"mirror", task_options().queue("q")};
inline constexpr task<point(named_point)> mirror_name_task{"mirror", task_options().queue("q")};
inline constexpr task<point()> nowhere_task{"nowhere", task_options().queue("q")};
inline constexpr task<void()> long_task{"long", task_options().queue("q").timeout(2s)};
inline constexpr task<void()> late_task{"long", task_options().queue("q").deadline(3s)};
inline constexpr task<int()> signal_task{"signal", task_options().queue("q")};
inline constexpr task<stream<point>()> points_task{"points", task_options().queue("q")};
inline constexpr task<stream<int>()> numbers_task{"points", task_options().queue("q")};

asio::awaitable<void> wait_until_cancelled() {
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}
asio::awaitable<void> wait_for_ever() {
    asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
}
asio::awaitable<void> emit_points(emitter<point>& out) {
    const point one{1, 2};
    for (;;) co_await out.emit(one);
}
asio::awaitable<void> emit_one(emitter<int>& out) {
    co_await out.emit(1);
    co_await wait_until_cancelled();
}
asio::awaitable<int> receive(context& ctx) { co_return co_await ctx.wait_signal<int>("go"); }

struct place : fixture {
    explicit place(std::unique_ptr<backend> on)
        : fixture(std::move(on)), caller(shared()), client(shared()),
          service(shared(), service_options().id("inst").max_running(2).lease(1min)),
          worker(shared(), worker_options().queues({"q"}).renewal_thread(false).lease(30s).log(nullptr)) {
        service.on(mirror, [](point p) { return point{p.y, p.x}; });
        service.on(nowhere, [] { return point{1, nan}; });
        service.on(wait_long, [] { return wait_until_cancelled(); });
        service.on(letters, [](int many) { return std::string(std::size_t(many), 'x'); });
        service.on(points, emit_points);
        service.on(quiet, emit_one);
        worker.on(mirror_task, [](point p) { return point{p.y, p.x}; });
        worker.on(nowhere_task, [] { return point{1, nan}; });
        worker.on(long_task, [] { return wait_for_ever(); });
        worker.on(signal_task, receive);
        worker.on(points_task, emit_points);
        serving.emplace(start(service.run()));
        working.emplace(start(worker.run()));
        let_work();
    }
    ~place() {
        service.stop();
        worker.stop();
        serving->get();
        working->get();
    }

    template <class T>
    std::string text_of(asio::awaitable<T> call) {
        return text_of(start(std::move(call)));
    }
    template <class T>
    std::string text_of(started<T> call) {
        try {
            call.get();
        } catch (const std::exception& e) {
            return e.what();
        }
        return "no error";
    }

    taskflux::rpc caller;
    taskflux::client client;
    taskflux::service service;
    taskflux::worker worker;

private:
    std::optional<started<void>> serving, working;
};

template <class Backend>
struct saying : place {
    saying() : place(std::make_unique<Backend>()) {}
};

/// An instance that hears calls and does nothing, until its lease is over.
std::unique_ptr<mailbox> mute(fixture& on, int& heard, const std::string& service, duration lease) {
    auto box = on.broker().open([&heard](std::string_view) { ++heard; });
    service_instance row;
    row.service = service;
    row.id = "mute";
    row.address = box->address();
    on.run(on.broker().announce("taskflux/service/" + service, row.id, encode(row), lease));
    return box;
}

}  // namespace conformance_texts

BOOST_AUTO_TEST_SUITE(conformance_texts)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_that_nobody_takes_says_so, Backend, backends) {
    saying<Backend> on;
    constexpr method<int()> nobody{"nothing", "at_all"};
    BOOST_TEST(on.text_of(on.caller.call(nobody)) ==
               "service nothing can't be called: no instance of it takes calls; start one, or check the name");
    BOOST_TEST(on.text_of(on.caller.call(nowhere, call_options().to("other"))) ==
               "service shapes can't be called: its instance other takes no calls, or is gone; leave out call_options::to to "
               "call any");
    BOOST_TEST(on.text_of(on.caller.call(missing)) ==
               "instance inst of service shapes has no method missing; it has letters, mirror, nowhere, points, quiet, wait_long: check "
               "the name, or start a version that has it");
    auto first = on.start(on.caller.call(wait_long)), second = on.start(on.caller.call(wait_long));
    on.let_work();
    BOOST_TEST(on.text_of(on.caller.call(nowhere)) ==
               "instance inst of service shapes refused the call: it has its limit of 2 calls in flight; start another, or "
               "raise max_running");
    first.cancel();
    second.cancel();
    BOOST_CHECK_THROW(static_cast<void>(on.caller.call_json("shapes", "a\nb", "1")), error);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_that_gets_no_answer_says_of_whom, Backend, backends) {
    saying<Backend> on;
    auto late = on.start(on.caller.call(wait_long, call_options().timeout(2s)));
    on.let_work();
    on.pass(2s);
    BOOST_TEST(on.text_of(std::move(late)) ==
               "the call of shapes.wait_long timed out: instance inst has received it and has not answered; allow a longer "
               "call_options::timeout");
    int heard = 0;
    const auto box = mute(on, heard, "deaf", 3s);
    constexpr method<int()> lost{"deaf", "lost"};
    constexpr method<stream<int>()> lost_stream{"deaf", "lost_stream"};
    auto call = on.start(on.caller.call(lost));
    auto values = on.start(on.caller.call(lost_stream));
    on.let_work();
    BOOST_TEST(heard == 2);
    for (int i = 0; i < 6; ++i) on.pass(1s);
    BOOST_TEST(on.text_of(std::move(call)) ==
               "the call of deaf.lost is lost: instance mute accepted the call and is gone; it may have run: call again, where "
               "it may run twice");
    BOOST_TEST(on.text_of(std::move(values)) ==
               "the call of deaf.lost_stream is lost: instance mute accepted the call and is gone; it may have run: call again, "
               "where it may run twice");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_call_whose_values_do_not_fit_names_the_method_and_the_place, Backend, backends) {
    saying<Backend> on;
    const named_point named{"a", 1};
    BOOST_TEST(on.text_of(on.caller.call(mirror_name, named)) ==
               "the payload of method shapes.mirror can't be read: at /x: expected number, got string \"a\"");
    BOOST_TEST(on.text_of(on.caller.call(nowhere)) ==
               "the result of method shapes.nowhere can't be written: at /y: JSON has no NaN and no infinity");
    BOOST_TEST(on.text_of(on.caller.call(mirror_by_name, 1.5, 2.5)) ==
               "the result of method shapes.mirror can't be read: at /x: expected string, got number 2.5");
    const auto all = on.run(on.caller.broadcast(mirror_by_name, 1.5, 2.5));
    BOOST_REQUIRE_EQUAL(all.size(), 1U);
    BOOST_CHECK_EXCEPTION(std::rethrow_exception(all[0].error), decode_error, [](const decode_error& e) {
        return e.pointer() == "/x" && e.what() == std::string("the result of method shapes.mirror from instance inst can't be "
                                                              "read: at /x: expected string, got number 2.5");
    });
    BOOST_CHECK_EXCEPTION(static_cast<void>(on.caller.call(mirror, nan, 1.0)), encode_error, [](const encode_error& e) {
        return e.what() == std::string("the payload of method shapes.mirror can't be written: at /x: JSON has no NaN and no infinity");
    });
    const auto unsent = on.text_of(on.caller.call(letters, 4'200'000));
    BOOST_TEST(unsent.starts_with("the result of method shapes.letters: a message of 42000"), unsent);
    BOOST_TEST(unsent.ends_with(" bytes is not sent: at most 4194304 are; send a reference to it, or a stream"), unsent);
    constexpr method<void(std::string)> large{"shapes", "mirror"};
    const std::string text(4'194'304, 'x');
    const auto said = on.text_of(on.caller.call(large, text));
    BOOST_TEST(said.starts_with("the call of shapes.mirror: a message of 4194"), said);
    const auto notified = on.text_of(on.caller.notify(large, text));
    BOOST_TEST(notified.starts_with("the notification of shapes.mirror: a message of 4194"), notified);
    BOOST_TEST(said.ends_with(" bytes is not sent: at most 4194304 are; send a reference to it"), said);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_stream_that_fails_names_its_source, Backend, backends) {
    saying<Backend> on;
    auto wrong = on.run(on.caller.call(numbers));
    BOOST_TEST(on.text_of(wrong.next()) ==
               "a value that method shapes.points emitted can't be read: at the top level: expected an integer from -2147483648 to 2147483647, got an object");
    auto late = on.run(on.caller.call(quiet, call_options().timeout(2s)));
    BOOST_TEST((on.run(late.next()) == 1));
    auto next = on.start(late.next());
    on.pass(2s);
    BOOST_TEST(on.text_of(std::move(next)) == "the stream of shapes.quiet from instance inst timed out: it has not been read to "
                                              "its end within the call's timeout; allow a longer call_options::timeout");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_single_result_is_no_stream_and_says_so, Backend, backends) {
    saying<Backend> on;
    BOOST_TEST(on.text_of(on.caller.call(mirror_many, 1.0, 2.0)) ==
               "the answer of shapes.mirror from instance inst can't be read as a stream: it is one result; call it by a "
               "method<R(P)>");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_whose_values_do_not_fit_names_it_and_the_place, Backend, backends) {
    saying<Backend> on;
    const named_point named{"a", 1};
    BOOST_TEST(on.text_of(on.client.run(mirror_name_task, named)) ==
               "the payload of task mirror in queue q can't be read: at /x: expected number, got string \"a\"");
    BOOST_TEST(on.text_of(on.client.run(nowhere_task)) ==
               "the result of task nowhere in queue q can't be written: at /y: JSON has no NaN and no infinity");
    const auto job = on.run(on.client.submit(mirror_task_by_name, 1.5, 2.5));
    const auto id = to_string(job.id());
    BOOST_TEST(on.text_of(job.result()) ==
               "the result of task " + id + " can't be read: at /x: expected string, got number 2.5");
    BOOST_TEST(on.text_of(job.outcome()) ==
               "the result of task " + id + " can't be read: at /x: expected string, got number 2.5");
    BOOST_CHECK_EXCEPTION(static_cast<void>(on.client.submit(mirror_task, nan, 1.0)), encode_error, [](const encode_error& e) {
        return e.what() == std::string("the payload of task mirror can't be written: at /x: JSON has no NaN and no infinity");
    });
    const std::vector<point> some{{1, 2}, {3, nan}};
    BOOST_TEST(on.text_of(on.client.submit_all(mirror_task, some)) ==
               "payload [1] of task mirror can't be written: at /y: JSON has no NaN and no infinity");
    auto values = on.run(on.client.run(numbers_task));
    const auto wrong = on.text_of(values.next());
    BOOST_TEST(wrong.starts_with("a value that task q:~"), wrong);
    BOOST_TEST(wrong.ends_with(" emitted can't be read: at the top level: expected an integer from -2147483648 to 2147483647, got an object"), wrong);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_signal_that_does_not_fit_names_itself, Backend, backends) {
    saying<Backend> on;
    const auto job = on.run(on.client.submit(signal_task));
    on.run(on.client.signal(job.id(), "go", std::string("now")));
    BOOST_TEST(on.text_of(job.result()) == "signal \"go\" of task " + to_string(job.id()) +
                                               " can't be read: at the top level: expected an integer from -2147483648 to 2147483647, got string \"now\"");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_attempt_that_takes_too_long_says_which_limit, Backend, backends) {
    saying<Backend> on;
    const auto overran = on.run(on.client.submit(long_task));
    on.let_work();
    on.pass(2s);
    BOOST_TEST(on.text_of(overran.result()) == "the attempt at task long (" + to_string(overran.id()) +
                                                   ") took longer than its timeout of 2000 ms, and was cancelled: allow a longer one");
    const auto late = on.run(on.client.submit(late_task));
    on.let_work();
    on.pass(3s);
    BOOST_TEST(on.text_of(late.result()) == "the deadline of task long (" + to_string(late.id()) +
                                                ") passed before it had ended: allow a longer one");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
