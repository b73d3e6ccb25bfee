#include <conformance/fixture.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/describe/class.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

// Values that methods and handlers emit, on every broker.
namespace taskflux::conformance {

/// A class of a user's.
class counter {
public:
    asio::awaitable<void> upwards(emitter<int>& out, int end) {
        for (int i = 0; i < end; ++i) co_await out.emit(i);
    }
    asio::awaitable<void> names(call_context& ctx, emitter<std::string>& out) {
        co_await out.emit(ctx.method());
    }

private:
    BOOST_DESCRIBE_CLASS(counter, (), (upwards, names), (), ())
};

namespace conformance_streams {

inline constexpr method<stream<int>(int)> count_to{"numbers", "count_to"};
inline constexpr method<stream<std::string>(int)> texts{"numbers", "texts"};
inline constexpr method<stream<int>()> fail{"numbers", "fail"};
inline constexpr method<int(int)> twice{"numbers", "twice"};
inline constexpr task<stream<int>(int)> count_task{"count", task_options().queue("q").retry(retry_policy::fixed(1s).attempts(2))};

struct place : fixture {
    explicit place(std::unique_ptr<backend> on)
        : fixture(std::move(on)), caller(shared()), client(shared()), service(shared()),
          worker(shared(), worker_options().queues({"q"}).renewal_thread(false).lease(30s)) {
        service.on(count_to, [this](emitter<int>& out, int end) { return count(*this, out, end); });
        service.on(texts, [this](call_context&, emitter<std::string>& out, int size) { return emit_texts(*this, out, size); });
        service.on(fail, [](emitter<int>& out) -> asio::awaitable<void> {
            for (int i = 0; i < 3; ++i) co_await out.emit(i);
            throw std::runtime_error("no luck");
        });
        service.on(twice, [](int value) -> asio::awaitable<int> { co_return 2 * value; });
        worker.on(count_task, [this](context& ctx, emitter<int>& out, int end) { return attempt(*this, ctx, out, end); });
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

    static asio::awaitable<void> count(place& self, emitter<int>& out, int end) {
        try {
            for (int i = 0; i < end; ++i) {
                co_await out.emit(i);
                ++self.emitted;
            }
        } catch (const boost::system::system_error&) {
            ++self.cancelled;
            throw;
        }
    }
    static asio::awaitable<void> emit_texts(place& self, emitter<std::string>& out, int size) {
        for (;; ++self.emitted) {
            const std::string text(std::size_t(size), 'x');
            co_await out.emit(text);
        }
    }

    /// Fails at the value `fails_at`, the first time.
    static asio::awaitable<void> attempt(place& self, context& ctx, emitter<int>& out, int end) {
        for (int i = 0; i < end; ++i) {
            if (i == self.fails_at && ctx.attempt() <= self.failures) throw std::runtime_error("no luck");
            co_await out.emit(i);
            ++self.emitted;
        }
    }

    template <class T>
    std::vector<T> rest_of(stream<T>& from) {
        std::vector<T> all;
        while (auto value = run(from.next())) all.push_back(std::move(*value));
        return all;
    }

    taskflux::rpc caller;
    taskflux::client client;
    taskflux::service service;
    taskflux::worker worker;
    int emitted = 0, cancelled = 0, fails_at = -1;
    unsigned failures = 1;

private:
    std::optional<started<void>> serving, working;
};

template <class Backend>
struct streaming : place {
    streaming() : place(std::make_unique<Backend>()) {}
};

std::vector<int> up_to(int end) {
    std::vector<int> all(static_cast<std::size_t>(end));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

}  // namespace conformance_streams

BOOST_AUTO_TEST_SUITE(conformance_streams)

BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_method_emits_its_caller_reads_in_order, Backend, backends) {
    streaming<Backend> on;
    for (const int end : {0, 1, 1000}) {
        auto values = on.run(on.caller.call(count_to, end));
        BOOST_TEST(on.rest_of(values) == up_to(end), boost::test_tools::per_element());
        BOOST_TEST(!on.run(values.next()).has_value());
    }
    on.let_work();
    BOOST_TEST(on.service.running() == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_source_is_held_at_the_window_of_who_does_not_read, Backend, backends) {
    streaming<Backend> on;
    auto values = on.run(on.caller.call(count_to, call_options().window(4), 1'000'000));
    on.let_work();
    BOOST_TEST(on.emitted == 4);
    on.run(values.next());
    on.run(values.next());
    on.let_work();
    BOOST_TEST(on.emitted == 6);
    on.pass(20s);  // it goes on asking whether somebody is there
    BOOST_TEST(on.emitted == 6);
    BOOST_TEST(*on.run(values.next()) == 2);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(large_values_are_held_by_their_bytes, Backend, backends) {
    streaming<Backend> on;
    auto values = on.run(on.caller.call(texts, 400'000));
    on.let_work();
    BOOST_TEST(on.emitted == 3);
    for (int i = 0; i < 20; ++i) BOOST_TEST(on.run(values.next())->size() == 400'000U);
    on.let_work();
    BOOST_TEST(on.emitted <= 20 + 3);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_value_that_is_too_large_is_refused, Backend, backends) {
    streaming<Backend> on;
    auto values = on.run(on.caller.call(texts, int(exchange::max_message_size)));
    BOOST_TEST(on.error_of(values.next()) == errc::too_large);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_method_throws_comes_after_its_values, Backend, backends) {
    streaming<Backend> on;
    auto values = on.run(on.caller.call(fail));
    for (int i = 0; i < 3; ++i) BOOST_TEST(*on.run(values.next()) == i);
    BOOST_CHECK_EXCEPTION(on.run(values.next()), call_failed,
                          [](const call_failed& e) { return e.failure().message == "no luck"; });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_stream_that_is_left_cancels_its_method, Backend, backends) {
    streaming<Backend> on;
    {
        auto values = on.run(on.caller.call(count_to, 1'000'000));
        BOOST_TEST(*on.run(values.next()) == 0);
        on.let_work();
        BOOST_TEST(on.service.running() == 1U);
    }
    on.let_work();
    BOOST_TEST(on.cancelled == 1);
    BOOST_TEST(on.service.running() == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_stream_can_be_replaced_by_another, Backend, backends) {
    streaming<Backend> on;
    auto values = on.run(on.caller.call(count_to, 1'000'000));
    values = on.run(on.caller.call(count_to, 3));
    on.let_work();
    BOOST_TEST(on.cancelled == 1);
    BOOST_TEST(on.rest_of(values) == up_to(3), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancelled_read_takes_nothing_from_its_stream, Backend, backends) {
    streaming<Backend> on;
    auto values = on.run(on.caller.call(count_to, call_options().window(1), 3));
    BOOST_TEST(*on.run(values.next()) == 0);
    {
        auto reads = on.begin(values.next());
        reads.cancel();
        BOOST_TEST(on.error_of(std::move(reads)) == asio::error::operation_aborted);
    }
    BOOST_TEST(*on.run(values.next()) == 1);
    BOOST_TEST(*on.run(values.next()) == 2);
    BOOST_TEST(!on.run(values.next()));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_stream_ends_with_the_time_of_its_call, Backend, backends) {
    streaming<Backend> on;
    auto values = on.run(on.caller.call(count_to, call_options().timeout(10s).window(2), 1'000'000));
    BOOST_TEST(*on.run(values.next()) == 0);
    on.let_work();
    on.pass(10s);
    BOOST_TEST(on.cancelled == 1);
    const auto left = [&] {
        while (on.run(values.next())) {
        }
    };
    BOOST_CHECK_EXCEPTION(left(), error, [](const error& e) { return e.code() == errc::timed_out; });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_cannot_be_called_is_refused_at_the_call, Backend, backends) {
    streaming<Backend> on;
    constexpr method<stream<int>(int)> nowhere{"nowhere", "count"}, missing{"numbers", "missing"}, no_stream{"numbers", "twice"};
    BOOST_TEST(on.error_of(on.caller.call(nowhere, 1)) == errc::no_instance);
    BOOST_TEST(on.error_of(on.caller.call(missing, 1)) == errc::not_found);
    BOOST_TEST(on.error_of(on.caller.call(no_stream, 1)) == errc::invalid_argument);
    BOOST_TEST(on.error_of([](place& self) -> asio::awaitable<void> {
        auto values = co_await self.caller.call(count_to, call_options().timeout(1s), 3);
        co_await values.next();
    }(on)) == boost::system::error_code());
    BOOST_CHECK_THROW(call_options().window(0), error);
    BOOST_TEST(!on.run(stream<int>().next()));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(who_wants_no_stream_gets_none, Backend, backends) {
    streaming<Backend> on;
    BOOST_TEST(on.run(on.caller.call_json("numbers", "count_to", "5")) == "null");
    BOOST_TEST(on.emitted == 5);
    on.run(on.caller.notify(count_to, 5));
    on.let_work();
    BOOST_TEST(on.emitted == 10);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_class_emits_by_functions_that_it_describes, Backend, backends) {
    streaming<Backend> on;
    taskflux::service service(on.shared());
    service.serve("counter", std::make_shared<counter>());
    auto running = on.start(service.run());
    on.let_work();
    constexpr method<stream<int>(int)> upwards{"counter", "upwards"};
    constexpr method<stream<std::string>()> names{"counter", "names"};
    {
        auto values = on.run(on.caller.call(upwards, 5));
        BOOST_TEST(on.rest_of(values) == up_to(5), boost::test_tools::per_element());
        auto words = on.run(on.caller.call(names));
        BOOST_TEST(*on.run(words.next()) == "names");
    }
    service.stop();
    running.get();
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_task_emits_is_read_while_it_runs, Backend, backends) {
    streaming<Backend> on;
    auto values = on.run(on.client.run(count_task, 200));
    BOOST_TEST(*on.run(values.next()) == 0);
    on.let_work();
    BOOST_TEST(on.emitted < 200);  // it waits for its reader
    BOOST_TEST(on.rest_of(values).size() == 199U);
    on.let_work();
    BOOST_TEST(on.run(on.broker().counts(q)).succeeded == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_attempt_after_a_failed_one_goes_on_where_the_reader_is, Backend, backends) {
    streaming<Backend> on;
    on.fails_at = 70;
    auto values = on.run(on.client.run(count_task, 100));
    for (int i = 0; i < 70; ++i) BOOST_TEST(*on.run(values.next()) == i);
    on.let_work();
    on.pass(1s);
    BOOST_TEST(*on.run(values.next()) == 70);
    BOOST_TEST(on.rest_of(values).size() == 29U);
    BOOST_TEST(on.emitted == 170);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_fails_for_good_throws_at_its_reader, Backend, backends) {
    streaming<Backend> on;
    on.fails_at = 2;
    on.failures = 3;
    auto values = on.run(on.client.run(count_task, 100));
    BOOST_TEST(*on.run(values.next()) == 0);
    BOOST_TEST(*on.run(values.next()) == 1);
    auto reads = on.start(values.next());
    for (int i = 0; i < 3; ++i) {
        on.pass(1s);
    }
    BOOST_CHECK_EXCEPTION(reads.get(), task_failed, [](const task_failed& e) { return e.failure().message == "no luck"; });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_stream_that_is_left_cancels_its_task, Backend, backends) {
    streaming<Backend> on;
    {
        auto values = on.run(on.client.run(count_task, 1'000'000));
        BOOST_TEST(*on.run(values.next()) == 0);
    }
    on.let_work();
    BOOST_TEST(on.run(on.broker().counts(q)).cancelled == 1U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_task_that_nobody_reads_runs_all_the_same, Backend, backends) {
    streaming<Backend> on;
    const auto job = on.run(on.client.submit(count_task, 500));
    on.run(job.result());
    BOOST_TEST(on.emitted == 500);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_duplicate_has_no_stream_of_its_own, Backend, backends) {
    streaming<Backend> on;
    on.run(on.client.submit(count_task, submit_options().id("mine").delay(1h), 5));
    BOOST_TEST(on.error_of(on.client.run(count_task, submit_options().id("mine"), 5)) == errc::wrong_state);
    const auto replacing = submit_options().unique("k").on_duplicate(duplicate::replace);
    BOOST_CHECK_EXCEPTION(static_cast<void>(on.client.run(count_task, replacing, 5)), error,
                          [](const error& e) { return e.code() == errc::invalid_argument; });
    BOOST_TEST(on.run(on.broker().counts("q")).waiting == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
