#include <conformance/fixture.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/core/fault.hpp>
#include <taskflux/flow/client.hpp>
#include <taskflux/flow/worker.hpp>

#include <boost/describe/class.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// Failures with details that a caller catches as a type, on every broker.
namespace taskflux::conformance {

struct insufficient_funds {
    std::string account;
    int missing = 0;
};
BOOST_DESCRIBE_STRUCT(insufficient_funds, (), (account, missing))

enum class reason { closed, frozen };
BOOST_DESCRIBE_ENUM(reason, closed, frozen)

struct unheard_of {
    int number = 0;
};
BOOST_DESCRIBE_STRUCT(unheard_of, (), (number))

/// What another version of a bank throws under the name that this one knows.
struct other_funds {
    std::string missing;
};
BOOST_DESCRIBE_STRUCT(other_funds, (), (missing))

}  // namespace taskflux::conformance

namespace taskflux {
template <>
inline constexpr std::string_view payload_name<conformance::other_funds> = "insufficient_funds";
}

namespace taskflux::conformance {

namespace conformance_faults {

constexpr auto known = throws<insufficient_funds, reason>;

inline constexpr method<int(std::string)> pay{"bank", "pay", known};
inline constexpr method<int(std::string)> pay_by_name{"bank", "pay"};  // of a caller that knows no faults
inline constexpr method<int(std::string)> order{"bank", "order", known};
inline constexpr method<stream<int>(std::string)> statement{"bank", "statement", known};

inline constexpr auto once = task_options().queue("q");
inline constexpr task<int(std::string)> pay_task{"pay", once, known};
inline constexpr task<int(std::string)> pay_task_by_name{"pay", once};
inline constexpr task<int(std::string)> parent_task{"parent", once};
inline constexpr task<int(std::string)> map_task{"map", once};
inline constexpr task<int(std::string)> order_task{"order", once, known};
inline constexpr task<stream<int>(std::string)> statement_task{"statement", once, known};

[[noreturn]] void fail_with(const std::string& what) {
    if (what == "funds") throw fault(insufficient_funds{"a/7", 5});
    if (what == "coded") throw fault("no_money", insufficient_funds{"a/7", 6}, "account a/7 is empty");
    if (what == "own code") throw fault("queue_full", reason::frozen);
    if (what == "reason") throw fault(reason::closed);
    if (what == "unheard") throw fault("strange", unheard_of{9}, "never seen \xff");
    if (what == "other") throw fault(other_funds{"much"});
    if (what == "large") throw fault(insufficient_funds{std::string(70'000, 'x'), 1});
    if (what == "not a code") throw fault("a b", unheard_of{9});
    throw std::runtime_error("no luck");
}

struct place : fixture {
    explicit place(std::unique_ptr<backend> on)
        : fixture(std::move(on)), caller(shared()), client(shared()), service(shared()),
          worker(shared(), worker_options().queues({"q"}).renewal_thread(false).lease(30s)) {
        service.on(pay, [](std::string what) -> int { fail_with(what); });
        service.on(order, [this](std::string what) { return caller.call(pay, what); });
        service.on(statement, [](emitter<int>& out, std::string what) -> asio::awaitable<void> {
            for (int i = 0; i < 3; ++i) co_await out.emit(i);
            fail_with(what);
        });
        worker.on(pay_task, [](std::string what) -> asio::awaitable<int> {
            co_await asio::this_coro::executor;
            fail_with(what);
        });
        worker.on(order_task, [](context& ctx, std::string what) { return ctx.call(pay_task, what); });
        worker.on(parent_task, [](context& ctx, std::string what) { return parent(ctx, what); });
        worker.on(map_task, [](context& ctx, std::string what) { return map(ctx, what); });
        worker.on(statement_task, [](emitter<int>& out, std::string what) -> asio::awaitable<void> {
            for (int i = 0; i < 3; ++i) co_await out.emit(i);
            fail_with(what);
        });
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

    static asio::awaitable<int> parent(context& ctx, std::string what) {
        try {
            co_return co_await ctx.call(pay_task, what);
        } catch (const fault_of<insufficient_funds>& e) {
            co_return e.details().missing;
        }
    }
    static asio::awaitable<int> map(context& ctx, std::string what) {
        const std::vector<std::string> all(3, what);
        try {
            const auto paid = co_await ctx.map(pay_task, all);
            co_return int(paid.size());
        } catch (const fault_of<insufficient_funds>& e) {
            co_return e.details().missing + 100;
        }
    }

    taskflux::rpc caller;
    taskflux::client client;
    taskflux::service service;
    taskflux::worker worker;

private:
    std::optional<started<void>> serving, working;
};

template <class Backend>
struct bank : place {
    bank() : place(std::make_unique<Backend>()) {}
};

bool is_five(const fault_of<insufficient_funds>& e) {
    const auto& why = e.failure();
    return e.details().account == "a/7" && e.details().missing == 5 && why.code == "insufficient_funds" &&
           why.type == "insufficient_funds" && why.details == R"({"account":"a/7","missing":5})" &&
           why.message == "the handler threw the fault insufficient_funds";
}

}  // namespace conformance_faults

BOOST_AUTO_TEST_SUITE(conformance_faults)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_caller_catches_a_fault_of_its_method_as_a_type, Backend, backends) {
    bank<Backend> on;
    using funds = fault_of<insufficient_funds>;
    BOOST_CHECK_EXCEPTION(on.run(on.caller.call(pay, "funds")), funds, is_five);
    BOOST_CHECK_EXCEPTION(on.run(on.caller.call(pay, "funds")), call_failed,
                          [](const call_failed& e) { return e.code() == errc::task_failed && e.failure().details != ""; });
    BOOST_CHECK_EXCEPTION(on.run(on.caller.call(pay, "coded")), funds, [](const funds& e) {
        return e.details().missing == 6 && e.failure().code == "no_money" && e.failure().message == "account a/7 is empty";
    });
    BOOST_CHECK_EXCEPTION(on.run(on.caller.call(pay, "coded")), std::exception,
                          [](const std::exception& e) { return std::string(e.what()) == "account a/7 is empty"; });
    BOOST_CHECK_EXCEPTION(on.run(on.caller.call(pay, "reason")), fault_of<reason>,
                          [](const fault_of<reason>& e) { return e.details() == reason::closed; });
    BOOST_CHECK_EXCEPTION(on.run(on.caller.call(pay, "own code")), error,
                          [](const error& e) { return e.code() == errc::queue_full; });
    const auto all = on.run(on.caller.broadcast(pay, "funds"));
    BOOST_REQUIRE_EQUAL(all.size(), 1U);
    BOOST_CHECK_EXCEPTION(std::rethrow_exception(all[0].error), funds, is_five);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_fault_that_the_contract_does_not_name_arrives_as_it_was_sent, Backend, backends) {
    bank<Backend> on;
    const auto is_plain = [](const detail::described_error& e, const std::string& code, const std::string& details) {
        return !dynamic_cast<const fault_of<insufficient_funds>*>(&e) && e.failure().code == code &&
               e.failure().details == details;
    };
    BOOST_CHECK_EXCEPTION(on.run(on.caller.call(pay, "unheard")), call_failed, [&](const call_failed& e) {
        return is_plain(e, "strange", R"({"number":9})") && e.failure().type == "unheard_of" &&
               e.failure().message == "never seen \xef\xbf\xbd" && fault_in<unheard_of>(e.failure())->number == 9 &&
               !fault_in<insufficient_funds>(e.failure());
    });
    BOOST_CHECK_EXCEPTION(on.run(on.caller.call(pay, "other")), call_failed, [&](const call_failed& e) {
        return is_plain(e, "insufficient_funds", R"({"missing":"much"})");  // of another shape than this caller knows
    });
    BOOST_CHECK_EXCEPTION(on.run(on.caller.call(pay_by_name, "funds")), call_failed, [&](const call_failed& e) {
        return is_plain(e, "insufficient_funds", R"({"account":"a/7","missing":5})");
    });
    BOOST_CHECK_EXCEPTION(on.run(on.caller.call_json("bank", "pay", "\"funds\"")), call_failed, [&](const call_failed& e) {
        return is_plain(e, "insufficient_funds", R"({"account":"a/7","missing":5})");
    });
    BOOST_CHECK_EXCEPTION(on.run(on.caller.call(pay, "")), call_failed, [&](const call_failed& e) {
        return is_plain(e, "task_failed", "") && e.failure().type == "std::runtime_error";
    });
    BOOST_CHECK_EXCEPTION(on.run(on.client.run(pay_task_by_name, "funds")), task_failed, [&](const task_failed& e) {
        return is_plain(e, "insufficient_funds", R"({"account":"a/7","missing":5})") && e.attempts() == 1;
    });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_fault_comes_after_the_values_of_its_stream, Backend, backends) {
    bank<Backend> on;
    const auto read = [&](stream<int> values) {
        for (int i = 0; i < 3; ++i) BOOST_TEST((on.run(values.next()) == i));
        BOOST_CHECK_EXCEPTION(on.run(values.next()), fault_of<insufficient_funds>, is_five);
    };
    read(on.run(on.caller.call(statement, "funds")));
    read(on.run(on.client.run(statement_task, "funds")));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_caller_that_awaits_a_task_catches_its_fault_as_a_type, Backend, backends) {
    bank<Backend> on;
    using funds = fault_of<insufficient_funds>;
    BOOST_CHECK_EXCEPTION(on.run(on.client.run(pay_task, "funds")), funds, is_five);
    const auto job = on.run(on.client.submit(pay_task, "funds"));
    BOOST_CHECK_EXCEPTION(on.run(job.result()), funds, is_five);
    BOOST_CHECK_EXCEPTION(on.run(job.result()), task_failed, [](const task_failed& e) { return e.attempts() == 1; });
    const auto attached = on.run(on.client.attach(pay_task, to_string(job.id())));
    BOOST_CHECK_EXCEPTION(on.run(attached.result()), funds, is_five);
    BOOST_CHECK_EXCEPTION(on.run(on.client.attach(pay_task, job.id()).result()), funds, is_five);
    const std::vector<std::string> two(2, "funds");
    for (const auto& one : on.run(on.client.submit_all(pay_task, two))) {
        BOOST_CHECK_EXCEPTION(on.run(one.result()), funds, is_five);
    }
    const auto ended = on.run(job.outcome());
    BOOST_REQUIRE(ended && ended->failure);
    BOOST_TEST(fault_in<insufficient_funds>(*ended->failure)->missing == 5);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_handler_catches_the_faults_of_its_subtasks, Backend, backends) {
    bank<Backend> on;
    BOOST_TEST(on.run(on.client.run(parent_task, "funds")) == 5);
    BOOST_TEST(on.run(on.client.run(map_task, "funds")) == 105);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_fault_passes_through_a_caller_that_does_not_catch_it, Backend, backends) {
    bank<Backend> on;
    BOOST_CHECK_EXCEPTION(on.run(on.caller.call(order, "funds")), fault_of<insufficient_funds>, is_five);
    BOOST_CHECK_EXCEPTION(on.run(on.client.run(order_task, "funds")), fault_of<insufficient_funds>, is_five);
    BOOST_CHECK_EXCEPTION(on.run(on.caller.call(order, "unheard")), call_failed,
                          [](const call_failed& e) { return e.failure().details == R"({"number":9})"; });
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_fault_that_cannot_be_sent_says_so, Backend, backends) {
    bank<Backend> on;
    BOOST_CHECK_EXCEPTION(on.run(on.caller.call(pay, "large")), call_failed, [](const call_failed& e) {
        return e.code() == errc::too_large &&
               std::string(e.what()) == "the details of fault insufficient_funds are not sent: they have 70026 bytes, and at "
                                        "most 65536 are allowed";
    });
    BOOST_CHECK_EXCEPTION(on.run(on.caller.call(pay, "not a code")), call_failed, [](const call_failed& e) {
        return e.code() == errc::invalid_argument &&
               std::string(e.what()) ==
                   "not a code of a fault: \"a b\"; use 1 to 128 characters of A-Z a-z 0-9 _ - . /";
    });
}

BOOST_AUTO_TEST_CASE(a_test_of_a_handler_catches_what_that_throws) {
    using funds = fault_of<insufficient_funds>;
    BOOST_CHECK_EXCEPTION(fail_with("funds"), funds, is_five);
    const fault<insufficient_funds> thrown("no_money", {"a/7", 5}, "empty");
    BOOST_TEST(thrown.what() == std::string("empty"));
    BOOST_TEST(thrown.details().missing == 5);
    BOOST_TEST(thrown.failure().code == "no_money");
    BOOST_CHECK(thrown.code() == errc::task_failed);
}

BOOST_AUTO_TEST_CASE(a_failure_from_a_version_without_details_is_read) {
    const auto old = detail::read_failure(R"({"code":"task_failed","type":"t","message":"m","pointer":"","expected":""})");
    BOOST_TEST(old.message == "m");
    BOOST_TEST(old.details == "");
    BOOST_TEST(!fault_in<insufficient_funds>(old));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
