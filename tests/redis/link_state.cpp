#include <taskflux/broker/redis/link_state.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <limits>
#include <random>
#include <string>

namespace taskflux::redis::wire {
namespace redis_link_state {

using namespace std::chrono_literals;
using phase = link_state::phase;

/// A link without a socket: its events, and a time that only `now` moves.
struct fixture {
    link_state link;
    link_state::time_point now{std::chrono::hours(1)};
    std::minstd_rand random{7};

    static sentinel_report master(const std::string& host) {
        sentinel_report said;
        said.master = address{host, 6379};
        said.has_heard = true;
        return said;
    }

    static sentinel_report silence() {
        sentinel_report said;
        said.failures = "no Sentinel answers";
        return said;
    }

    /// Connects to a single server, which is fit.
    link_actions connect(const std::string& server = "run-1") {
        link.begin_attempt(false);
        link.connect();
        return link.greeted(server, now);
    }

    /// Connects to where the Sentinels say.
    void connect_by(const sentinel_report& said, const std::string& server) {
        link.begin_attempt(true);
        BOOST_REQUIRE(link.hear(said).has_value());
        link.connect();
        link.greeted(server, now);
    }

    void lose() {
        link.note_trouble("End of file");
        link.disconnected(false);
    }

    std::string unavailable() const { return link.unavailable("it failed", "asked").what(); }
};

}  // namespace redis_link_state

BOOST_FIXTURE_TEST_SUITE(redis_link_state, fixture)

BOOST_AUTO_TEST_CASE(calls_wait_until_the_server_has_been_greeted) {
    BOOST_TEST((link.for_call(now, now + 1s) == readiness::wait));
    link.begin_attempt(false);
    link.connect();
    BOOST_TEST(link.awaits_greeting());
    BOOST_TEST((link.for_call(now, now + 1s) == readiness::wait));
    const auto then = link.greeted("run-1", now);
    BOOST_TEST((link.for_call(now, now + 1s) == readiness::ready));
    BOOST_TEST(then.opens_calls.value() == false);
    BOOST_TEST(then.wakes_callers);
    BOOST_TEST(then.log.empty());
    BOOST_TEST(link.server() == "run-1");
}

BOOST_AUTO_TEST_CASE(a_call_that_waits_past_its_deadline_is_too_late) {
    BOOST_TEST((link.for_call(now, now + 1ms) == readiness::wait));
    BOOST_TEST((link.for_call(now + 1ms, now + 1ms) == readiness::too_late));
}

BOOST_AUTO_TEST_CASE(a_ready_link_takes_a_call_whatever_the_time) {
    connect();
    BOOST_TEST((link.for_call(now + 1h, now) == readiness::ready));
}

BOOST_AUTO_TEST_CASE(a_lost_connection_is_told_once_and_ends_its_requests) {
    connect();
    link.note_trouble("End of file");
    const auto then = link.disconnected(false);
    BOOST_TEST(then.log.size() == 1U);
    BOOST_TEST(then.log.front() == "lost the connection: End of file");
    BOOST_TEST(then.ends_requests);
    BOOST_TEST(then.wakes_callers);
    BOOST_TEST(!link.is_ready());
    BOOST_TEST(link.server().empty());
    link.begin_attempt(false);
    link.connect();
    BOOST_TEST(link.disconnected(false).log.empty());
}

BOOST_AUTO_TEST_CASE(a_second_connection_comes_again_in_another_generation) {
    connect();
    const auto first = link.generation();
    lose();
    const auto then = connect();
    BOOST_TEST(then.opens_calls.value() == true);
    BOOST_TEST(then.log.front() == "connected again");
    BOOST_TEST(link.generation() != first);
}

BOOST_AUTO_TEST_CASE(what_went_wrong_last_is_part_of_the_error) {
    BOOST_TEST(unavailable() == "Redis: it failed");
    link.note_trouble("Connection refused");
    BOOST_TEST(unavailable() == "Redis: it failed; the last trouble was: Connection refused");
}

BOOST_AUTO_TEST_CASE(while_sentinels_are_asked_what_they_said_is_part_of_the_error) {
    link.note_trouble("Connection refused");
    link.begin_attempt(true);
    link.note_trouble("what the connection to a Sentinel says");
    BOOST_TEST(unavailable() == "Redis: it failed; the last trouble was: asked");
    BOOST_REQUIRE(link.hear(master("a")).has_value());
    BOOST_TEST(unavailable() == "Redis: it failed; the last trouble was: Connection refused");
}

// --- servers that will not do -----------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_server_that_is_unfit_for_the_moment_is_left_and_callers_wait_on) {
    link.begin_attempt(false);
    link.connect();
    const auto then = link.refuse({errc::unavailable, "it is a replica"});
    BOOST_TEST(then.ends_connection);
    BOOST_TEST((link.now_in() == phase::leaving));
    link.disconnected(false);
    BOOST_TEST((link.for_call(now, now + 1s) == readiness::wait));
    BOOST_TEST(unavailable() == "Redis: it failed; the last trouble was: it is a replica");
}

BOOST_AUTO_TEST_CASE(a_server_that_never_will_do_is_told_to_callers_once_it_is_left) {
    link.begin_attempt(false);
    link.connect();
    link.refuse({errc::unsupported, "too old"});
    BOOST_TEST((link.for_call(now, now + 1s) == readiness::wait));
    const auto then = link.disconnected(false);
    BOOST_TEST((link.for_call(now, now + 1s) == readiness::refused));
    BOOST_TEST(std::string(link.refusal()->what()) == "too old");
    BOOST_TEST(then.log.front() == "too old");
    BOOST_TEST(then.wakes_callers);
}

BOOST_AUTO_TEST_CASE(a_refused_setup_is_a_refusal_without_the_librarys_words) {
    link.begin_attempt(false);
    link.connect();
    link.note_trouble("Setup request execution failed: WRONGPASS invalid password");
    link.disconnected(true);
    BOOST_REQUIRE(link.refusal().has_value());
    BOOST_TEST((link.refusal()->code() == errc::invalid_argument));
    BOOST_TEST(std::string(link.refusal()->what()).find("Setup request") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_refusal_lasts_until_an_attempt_has_found_otherwise) {
    link.begin_attempt(false);
    link.connect();
    link.refuse({errc::unsupported, "too old"});
    link.disconnected(false);
    link.begin_attempt(false);
    BOOST_TEST((link.for_call(now, now + 1s) == readiness::refused));
    link.connect();
    BOOST_TEST((link.for_call(now, now + 1s) == readiness::refused));
    link.disconnected(false);  // could not connect: that says nothing of the version
    BOOST_TEST((link.for_call(now, now + 1s) == readiness::wait));
}

BOOST_AUTO_TEST_CASE(a_fit_server_ends_a_refusal) {
    link.begin_attempt(false);
    link.connect();
    link.refuse({errc::unsupported, "too old"});
    link.disconnected(false);
    connect("run-2");
    BOOST_TEST(!link.refusal().has_value());
    BOOST_TEST(link.is_ready());
}

BOOST_AUTO_TEST_CASE(a_server_that_refuses_a_call_is_left) {
    connect();
    const auto then = link.leave(link.generation(), "READONLY");
    BOOST_TEST(then.ends_connection);
    BOOST_TEST(then.log.front() == "leaves a server that refuses: READONLY");
    BOOST_TEST((link.for_call(now, now + 1s) == readiness::wait));
    BOOST_TEST(link.disconnected(false).log.empty());  // it has been told
}

BOOST_AUTO_TEST_CASE(a_refusal_that_comes_from_the_connection_before_changes_nothing) {
    connect();
    const auto before = link.generation();
    lose();
    connect("run-2");
    BOOST_TEST(!link.leave(before, "READONLY").ends_connection);
    BOOST_TEST(link.is_ready());
}

BOOST_AUTO_TEST_CASE(two_refusals_leave_a_server_once) {
    connect();
    BOOST_TEST(link.leave(link.generation(), "READONLY").ends_connection);
    BOOST_TEST(!link.leave(link.generation(), "READONLY").ends_connection);
}

BOOST_AUTO_TEST_CASE(a_greeting_that_comes_after_the_connection_is_lost_is_of_no_use) {
    link.begin_attempt(false);
    link.connect();
    link.disconnected(false);
    BOOST_TEST(!link.awaits_greeting());
}

// --- Sentinels --------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_link_leads_where_the_sentinels_say) {
    link.begin_attempt(true);
    BOOST_TEST((link.now_in() == phase::asking));
    BOOST_TEST((link.hear(master("a")) == address{"a", 6379}));
}

BOOST_AUTO_TEST_CASE(without_a_master_the_attempt_is_over_and_says_why) {
    link.begin_attempt(true);
    BOOST_TEST(!link.hear(silence()).has_value());
    BOOST_TEST(link.give_up_attempt().wakes_callers);
    BOOST_TEST((link.for_call(now, now + 1s) == readiness::wait));
    BOOST_TEST(unavailable() == "Redis: it failed; the last trouble was: no Sentinel answers");
}

BOOST_AUTO_TEST_CASE(a_name_that_sentinels_do_not_know_is_refused_to_callers) {
    auto said = silence();
    said.has_heard = true;
    said.refusal.emplace(errc::invalid_argument, "no such master");
    link.begin_attempt(true);
    BOOST_TEST(!link.hear(said).has_value());
    BOOST_TEST(link.give_up_attempt().log.front() == "no such master");
    BOOST_TEST((link.for_call(now, now + 1s) == readiness::refused));
}

BOOST_AUTO_TEST_CASE(when_no_sentinel_answers_the_last_master_is_connected_to_again) {
    connect_by(master("a"), "run-1");
    lose();
    link.begin_attempt(true);
    BOOST_TEST((link.hear(silence()) == address{"a", 6379}));
    link.connect();
    BOOST_TEST(link.greeted("run-1", now).opens_calls.value() == true);
}

BOOST_AUTO_TEST_CASE(when_no_sentinel_answers_a_master_that_was_started_again_will_not_do) {
    connect_by(master("a"), "run-1");
    lose();
    link.begin_attempt(true);
    link.hear(silence());
    link.connect();
    const auto then = link.greeted("run-2", now);
    BOOST_TEST(then.ends_connection);
    BOOST_TEST(!then.opens_calls.has_value());
    BOOST_TEST(!link.was_ready());
    BOOST_TEST(link.server().empty());
    link.disconnected(false);
    link.was_misled("no Sentinel answers");
    BOOST_TEST(unavailable().find("no Sentinel answers; the last one: it has been started again") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_sentinels_word_is_enough_for_another_server) {
    connect_by(master("a"), "run-1");
    lose();
    connect_by(master("b"), "run-2");
    BOOST_TEST(link.is_ready());
    lose();
    link.begin_attempt(true);
    BOOST_TEST((link.hear(silence()) == address{"b", 6379}));
}

BOOST_AUTO_TEST_CASE(a_sentinels_word_is_enough_where_the_last_master_was_tried_without_one) {
    connect_by(master("a"), "run-1");
    lose();
    link.begin_attempt(true);
    BOOST_TEST((link.hear(silence()) == address{"a", 6379}));
    link.connect();
    lose();
    connect_by(master("b"), "run-2");
    BOOST_TEST(link.is_ready());
    BOOST_TEST(link.server() == "run-2");
}

BOOST_AUTO_TEST_CASE(a_sentinel_that_answers_without_a_master_is_believed) {
    connect_by(master("a"), "run-1");
    lose();
    auto said = silence();
    said.has_heard = true;
    link.begin_attempt(true);
    BOOST_TEST(!link.hear(said).has_value());
}

// --- requests without an answer ---------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_lost_request_is_sent_again_only_where_it_may_be_carried_out_twice) {
    connect();
    BOOST_TEST((link.after_loss(true, now, now + 1s) == loss::send_again));
    BOOST_TEST((link.after_loss(false, now, now + 1s) == loss::given_up));
    BOOST_TEST((link.after_loss(true, now + 1s, now + 1s) == loss::too_late));
    BOOST_TEST((link.after_loss(false, now + 1s, now + 1s) == loss::too_late));
}

BOOST_AUTO_TEST_CASE(a_link_that_was_stopped_takes_no_calls_and_says_nothing) {
    connect();
    link.stop();
    BOOST_TEST((link.for_call(now, now + 1s) == readiness::closed));
    BOOST_TEST((link.after_loss(true, now, now + 1s) == loss::closed));
    BOOST_TEST(link.disconnected(false).log.empty());
    link.begin_attempt(false);
    link.connect();
    BOOST_TEST(!link.awaits_greeting());
}

// --- back-off ---------------------------------------------------------------------------------------------

/// Draws the longest delay each time.
struct longest {
    using result_type = std::uint64_t;
    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return (std::numeric_limits<result_type>::max)(); }
    result_type operator()() const { return max(); }
};

BOOST_AUTO_TEST_CASE(attempts_that_fail_are_made_with_exponential_back_off_up_to_a_second) {
    longest always;
    for (const auto expected : {20ms, 40ms, 80ms, 160ms, 320ms, 640ms, 1000ms, 1000ms}) {
        link.begin_attempt(false);
        link.connect();
        link.disconnected(false);
        BOOST_TEST((link.rest(now, always) == now + expected));
    }
}

BOOST_AUTO_TEST_CASE(a_connection_that_lasted_begins_the_back_off_again) {
    longest always;
    for (int i = 0; i < 5; ++i) {
        link.begin_attempt(false);
        link.rest(now, always);
    }
    connect();
    now += 1001ms;
    lose();
    BOOST_TEST((link.rest(now, always) == now + 20ms));
}

BOOST_AUTO_TEST_CASE(a_connection_that_was_lost_at_once_does_not) {
    longest always;
    for (int i = 0; i < 3; ++i) {
        connect();
        now += 10ms;
        lose();
        BOOST_TEST((link.rest(now, always) == now + 20ms * (1 << i)));
    }
}

BOOST_AUTO_TEST_CASE(jitter_keeps_links_from_coming_back_together) {
    for (int i = 0; i < 100; ++i) {
        link.begin_attempt(false);
        const auto next = link.rest(now, random);
        BOOST_TEST((next >= now && next <= now + link_state::longest_back_off));
    }
}

BOOST_AUTO_TEST_CASE(a_call_is_not_put_off_past_its_deadline) {
    longest always;
    BOOST_TEST((link_state::put_off(1, now, now + 1s, always) == now + 20ms));
    BOOST_TEST((link_state::put_off(9, now, now + 500ms, always) == now + 500ms));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::redis::wire
