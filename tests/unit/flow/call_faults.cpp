#include "fixture.hpp"

#include <taskflux/broker/memory/broker.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/rpc/messages.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/calls/service_instance.hpp>
#include <taskflux/core/lease/renewal_period.hpp>

#include <exception>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

using namespace test::flow;
using taskflux::call_options;
using taskflux::detail::call_message;

namespace flow_call_faults {

inline constexpr taskflux::method<int(int)> square{"sums", "square"};

/// An embedded broker that loses some connections while it sends, or can't write to boards, while the test says so.
class faulty_broker : public taskflux::memory::memory_broker {
public:
    using memory_broker::memory_broker;

    awaitable<void> announce(std::string board, std::string id, std::string text, taskflux::duration lease) override {
        const bool is_instance = board != taskflux::detail::services_board;
        if (no_announce) {
            ++failures;
            throw taskflux::error(errc::unavailable, "no connection");
        }
        if (is_instance) ++announced_rows;
        co_await memory_broker::announce(std::move(board), std::move(id), std::move(text), lease);
    }

    awaitable<std::vector<taskflux::announcement>> announced(std::string board) override {
        if (on_look) on_look();
        return memory_broker::announced(std::move(board));
    }

    /// Tells of all requests that were sent meanwhile that it is not known whether they came.
    void fail_kept() {
        for (auto& done : std::exchange(kept, {})) {
            done(std::make_exception_ptr(taskflux::error(errc::unavailable, "the connection was lost")), false);
        }
    }

    std::set<std::string> lost;           // addresses
    bool lost_once = false;               // then it is there again
    std::function<void()> on_lost, on_look;
    bool keeps_receipts = false;          // of requests, which come all the same
    bool fails_with_answer = false;       // those that are kept
    bool loses_answers = false;
    std::vector<receipt> kept;
    std::map<std::string, int> requests;  // by address
    bool no_announce = false;
    int failures = 0, announced_rows = 0;

protected:
    void do_post(std::string address, std::string message, taskflux::bounce back, receipt done) override {
        const bool is_request = message.starts_with('Q');
        if (is_request) ++requests[address];
        if (!is_request && loses_answers) return done(nullptr, true);
        if (is_request && keeps_receipts) kept.push_back(std::exchange(done, [](const std::exception_ptr&, bool) {}));
        if (lost.contains(address)) {
            if (lost_once) lost.clear();
            if (on_lost) on_lost();
            return done(std::make_exception_ptr(taskflux::error(errc::unavailable, "the connection was lost")), false);
        }
        memory_broker::do_post(std::move(address), std::move(message), std::move(back), std::move(done));
        if (!is_request && fails_with_answer) fail_kept();
    }
};

/// A service that runs.
struct instance {
    instance(fixture& on, const taskflux::broker_ptr& broker, const std::string& id)
        : serves(broker, taskflux::service_options().id(id).lease(60s).cpu(on.here).log(nullptr)) {
        serves.on(square, [this](int x) {
            ++calls;
            return x * x;
        });
        life = on.start(serves.run());
    }

    taskflux::service serves;
    int calls = 0;
    std::shared_ptr<coroutine_end<void>> life;
};

struct calling : fixture {
    calling() {
        broker = faulty;
        caller.emplace(broker);
    }

    std::string address_of(const std::string& id) {
        for (const auto& row : now(broker->announced(taskflux::detail::board_of("sums")))) {
            if (row.id == id) return taskflux::decode<taskflux::service_instance>(row.text).address;
        }
        return {};
    }

    std::shared_ptr<faulty_broker> faulty =
        std::make_shared<faulty_broker>(io.get_executor(), taskflux::memory_options(), time);
    std::optional<taskflux::rpc> caller;
};

}  // namespace flow_call_faults

BOOST_FIXTURE_TEST_SUITE(flow_call_faults, calling)

BOOST_AUTO_TEST_CASE(an_idempotent_call_whose_connection_was_lost_goes_to_another_instance) {
    const instance a(*this, broker, "a"), b(*this, broker, "b");
    const auto at_a = address_of("a");
    faulty->lost = {at_a};
    for (int i = 0; i < 40; ++i) {
        faulty->requests.clear();
        BOOST_TEST(now(caller->call(square, call_options().idempotent(), i)) == i * i);
        BOOST_TEST(faulty->requests[at_a] <= 1);
    }
    BOOST_TEST(b.calls == 40);
}

BOOST_AUTO_TEST_CASE(an_idempotent_call_goes_to_the_same_instance_again_where_there_is_no_other) {
    const instance only(*this, broker, "only");
    const auto at = address_of("only");
    faulty->lost = {at};
    const auto failed = start(caller->call(square, 3));
    BOOST_TEST((failed->code() == errc::unavailable));
    BOOST_TEST(faulty->requests[at] == 1);
    faulty->lost_once = true;
    BOOST_TEST(now(caller->call(square, call_options().idempotent(), 3)) == 9);
    BOOST_TEST(faulty->requests[at] == 3);
    faulty->lost = {at};
    BOOST_TEST(now(caller->call(square, call_options().idempotent().to("only"), 4)) == 16);
}

BOOST_AUTO_TEST_CASE(an_idempotent_call_for_which_no_instance_is_left_says_what_became_of_it) {
    const instance only(*this, broker, "only");
    faulty->lost = {address_of("only")};
    faulty->on_lost = [&] { start_on(here, broker->withdraw(taskflux::detail::board_of("sums"), "only")); };
    const auto failed = start(caller->call(square, call_options().idempotent(), 3));
    BOOST_TEST((failed->code() == errc::unavailable));
    BOOST_TEST(failed->what() == "it is not known whether the call of sums.square reached instance only: the connection was lost");
    BOOST_TEST((start(caller->call(square, call_options().idempotent(), 3))->code() == errc::no_instance));
}

BOOST_AUTO_TEST_CASE(an_instance_that_has_refused_a_call_is_not_called_again_until_the_board_is_read) {
    const instance b(*this, broker, "b");
    int asked = 0;
    std::unique_ptr<taskflux::mailbox> refusing = broker->open([&](std::string_view text) {
        const auto request = call_message::parse(text);
        if (request.what != call_message::kind::request) return;
        ++asked;
        call_message refusal;
        refusal.what = call_message::kind::refused;
        refusal.id = request.id;
        broker->post(request.reply_to, refusal.text());
    });
    taskflux::service_instance row;
    row.service = "sums";
    row.id = "refusing";
    row.address = refusing->address();
    now(broker->announce(taskflux::detail::board_of(row.service), row.id, taskflux::encode(row), 1h));
    for (int i = 0; i < 40; ++i) BOOST_TEST(now(caller->call(square, i)) == i * i);
    BOOST_TEST(asked == 1);
    advance(1s);
    for (int i = 0; i < 40; ++i) BOOST_TEST(now(caller->call(square, i)) == i * i);
    BOOST_TEST(asked == 2);
}

BOOST_AUTO_TEST_CASE(of_two_reasons_for_which_a_call_ends_the_first_is_told) {
    const instance only(*this, broker, "only");
    faulty->keeps_receipts = true;
    faulty->loses_answers = true;
    const auto call = start(caller->call(square, 3));
    BOOST_REQUIRE(!call->done);
    broker->close();
    faulty->fail_kept();
    settle();
    BOOST_TEST((call->code() == errc::shut_down));
}

BOOST_AUTO_TEST_CASE(an_answer_counts_though_it_is_not_known_whether_the_call_came) {
    const instance only(*this, broker, "only");
    faulty->keeps_receipts = true;
    faulty->fails_with_answer = true;
    BOOST_TEST(now(caller->call(square, 3)) == 9);
    BOOST_TEST(faulty->kept.empty());
}

// As where the first answer of a server tells how far its clock is from ours.
BOOST_AUTO_TEST_CASE(a_call_has_its_whole_time_though_the_clock_moves_on_while_instances_are_looked_for) {
    const instance only(*this, broker, "only");
    faulty->on_look = [this] { time.advance(5s); };
    BOOST_TEST(now(caller->call(square, call_options().timeout(1s), 3)) == 9);
    taskflux::rpc other{broker};
    now(other.notify(square, call_options().timeout(1s), 4));
    settle();
    BOOST_TEST(only.calls == 2);
}

BOOST_AUTO_TEST_CASE(a_heartbeat_that_has_failed_is_repeated_after_a_second) {
    const instance a(*this, broker, "a");
    const auto period = taskflux::renewal_period(60s);
    BOOST_TEST((period > 10s));
    const auto before = faulty->announced_rows;
    faulty->no_announce = true;
    advance(period);
    BOOST_TEST(faulty->failures == 1);
    advance(999ms);
    BOOST_TEST(faulty->failures == 1);
    advance(1ms);
    BOOST_TEST(faulty->failures == 2);
    faulty->no_announce = false;
    advance(1s);
    BOOST_TEST(faulty->announced_rows == before + 1);
    advance(period - 1ms);
    BOOST_TEST(faulty->announced_rows == before + 1);
    advance(1ms);
    BOOST_TEST(faulty->announced_rows == before + 2);
}

BOOST_AUTO_TEST_CASE(a_heartbeat_that_has_failed_is_repeated_no_later_than_the_next_one) {
    taskflux::service quick(broker, taskflux::service_options().lease(900ms).cpu(here).log(nullptr));
    quick.on(square, [](int x) { return x * x; });
    const auto life = start(quick.run());
    faulty->no_announce = true;
    const auto period = taskflux::renewal_period(900ms);
    advance(period);
    advance(period);
    BOOST_TEST(faulty->failures == 2);
}

BOOST_AUTO_TEST_SUITE_END()
