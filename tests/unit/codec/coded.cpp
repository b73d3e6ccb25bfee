#include "fixture.hpp"

#include <taskflux/admin/inspector.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/service.hpp>
#include <taskflux/calls/stream.hpp>
#include <taskflux/flow/batch.hpp>
#include <taskflux/flow/raw_queue.hpp>
#include <taskflux/flow/scheduler.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace test::codec;

namespace codec_coded {

inline constexpr taskflux::task<std::string(std::string)> patient{
    "echo", task_options().retry(retry_policy::fixed(1s).attempts(2))};
inline constexpr taskflux::task<std::string(std::string)> outer{"outer"};
inline constexpr taskflux::task<taskflux::stream<std::string>(std::string)> letters{"letters"};
inline constexpr taskflux::method<std::string(std::string)> shout{"voice", "shout"};

asio::awaitable<std::string> run_outer(context& ctx, std::string what) {
    const auto inner = co_await ctx.call(echo, what + "1");
    const auto made = [&] { return what + "2"; };
    const auto kept = co_await ctx.step("kept", made);
    const auto told = co_await ctx.wait_signal<std::string>("told");
    co_return inner + ' ' + kept + ' ' + told;
}

class doubling_codec final : public taskflux::payload_codec {
public:
    std::string_view name() const override { return "double"; }
    std::optional<taskflux::coded_bytes> encode(std::string_view bytes, std::string_view) const override {
        taskflux::coded_bytes made;
        made.bytes.append(bytes).append(bytes);
        return made;
    }
    std::string decode(std::string_view bytes, std::string_view, std::string_view) const override {
        return std::string(bytes.substr(0, bytes.size() / 2));
    }
};

asio::awaitable<void> emit_letters(taskflux::emitter<std::string>& out, std::string what) {
    for (const char letter : what) co_await out.emit(std::string(1, letter));
}

asio::awaitable<std::string> joined(taskflux::stream<std::string> values) {
    std::string all;
    while (auto one = co_await values.next()) all += *one;
    co_return all;
}

}  // namespace codec_coded

BOOST_FIXTURE_TEST_SUITE(codec_coded, coded_fixture)

BOOST_AUTO_TEST_CASE(a_payload_and_a_result_are_read_by_who_has_the_key_and_stored_encrypted) {
    worker w{sealed, options()};
    w.on(echo, [](std::string text) { return text + '!'; });
    const auto life = start(w.run());
    const auto made = now(sealed_client.submit(echo, secret));
    BOOST_TEST(now(made.result()) == secret + '!');
    const auto record = stored(made.id());
    BOOST_TEST(is_sealed(record.payload));
    BOOST_TEST(is_sealed(record.result));
    const auto shown = now(sealed->get(made.id()));
    BOOST_TEST(shown->payload == '"' + secret + '"');
    BOOST_TEST(shown->result == '"' + secret + "!\"");
    const auto page = now(sealed->list({}));
    BOOST_TEST(page.tasks.at(0).result == '"' + secret + "!\"");
}

BOOST_AUTO_TEST_CASE(failures_progress_and_log_lines_are_stored_encrypted) {
    worker w{sealed, options().log(nullptr)};
    w.on(echo, [](context& ctx, std::string text) -> std::string {
        ctx.progress(text);
        ctx.log(taskflux::log_level::warning, text, {{"who", text}});
        throw std::runtime_error("no " + text);
    });
    const auto life = start(w.run());
    const auto made = now(sealed_client.submit(echo, secret));
    BOOST_TEST(start(made.result())->failed().failure().message == "no " + secret);
    const auto record = stored(made.id());
    const auto failure = taskflux::decode<taskflux::failure>(record.error);
    BOOST_TEST(failure.code == "task_failed");  // these two are for everybody
    BOOST_TEST(failure.type == "std::runtime_error");
    BOOST_TEST(is_sealed(failure.message));
    BOOST_TEST(is_sealed(record.progress));
    BOOST_TEST_REQUIRE(record.log.size() == 1U);
    BOOST_TEST(is_sealed(record.log[0].text));
    BOOST_TEST(record.log[0].fields.empty());
    BOOST_TEST((record.log[0].level == taskflux::log_level::warning));
    const auto shown = now(sealed->get(made.id()));
    BOOST_TEST(shown->progress == '"' + secret + '"');
    BOOST_TEST(shown->log.at(0).text == secret);
    BOOST_TEST(shown->log.at(0).fields.at("who") == secret);
    BOOST_TEST(taskflux::decode<taskflux::failure>(shown->error).message == "no " + secret);
}

BOOST_AUTO_TEST_CASE(a_progress_that_is_too_large_once_it_is_encrypted_is_left_out_and_logged) {
    worker w{sealed, options()};
    w.on(echo, [](context& ctx, std::string text) {
        ctx.progress(text);
        ctx.log(taskflux::log_level::info, text);
        ctx.progress(std::string(1'000'000, 'x'));
        return text;
    });
    const auto life = start(w.run());
    const auto made = now(sealed_client.submit(echo, secret));
    BOOST_TEST(now(made.result()) == secret);
    BOOST_TEST(stored(made.id()).log.size() == 1U);  // what was reported beside it
    BOOST_TEST_REQUIRE(lines.size() == 1U);
    BOOST_TEST(lines[0].starts_with("a progress of 1000002 bytes in queue default is not stored, as with its codecs"));
}

BOOST_AUTO_TEST_CASE(a_failure_of_any_size_that_brokers_take_is_stored_encrypted) {
    taskflux::failure told;
    told.code = "task_failed";
    told.message.assign(20 << 20, 'x');
    const auto made = now(sealed_client.submit(echo, secret));
    taskflux::settlement end;
    end.how = taskflux::settlement::kind::fail;
    end.data = taskflux::encode(told, taskflux::decode_limits().max_size(64 << 20));
    const auto sent = end.data;
    BOOST_TEST((settled(sealed, held(sealed), std::move(end)) == effect::done));
    BOOST_TEST((stored(made.id()).state == task_state::failed));
    BOOST_TEST(stored(made.id()).error.find(std::string(20, 'x')) == std::string::npos);
    BOOST_TEST((now(sealed->get(made.id()))->error == sent));
}

BOOST_AUTO_TEST_CASE(a_workflow_runs_on_a_journal_that_is_stored_encrypted) {
    worker w{sealed, options()};
    w.on(outer, run_outer);
    w.on(echo, [](std::string text) { return text + '!'; });
    const auto life = start(w.run());
    const auto made = now(sealed_client.submit(outer, secret));
    advance(1s);
    now(sealed_client.signal(made.id(), "told", secret + "3"));
    advance(2s);
    BOOST_TEST(now(made.result()) == secret + "1! " + secret + "2 " + secret + "3");
    const auto journal = now(broker->journal(made.id(), {}));
    int texts = 0;
    for (const auto& entry : journal.entries) {
        BOOST_TEST(entry.text.find(secret) == std::string::npos);
        if (entry.outcome) {
            BOOST_TEST(is_sealed(entry.outcome->result));
            BOOST_TEST(taskflux::child_place::parse(entry.text).digest == "");  // of the plain text
        } else if (!entry.text.empty()) {
            ++texts;
            BOOST_TEST(is_sealed(entry.text));
        }
    }
    BOOST_TEST(texts >= 2);  // the step and the signal
}

BOOST_AUTO_TEST_CASE(a_worker_without_the_key_fails_the_attempt_and_one_with_it_runs_the_next) {
    const auto other = in_front(key_ring("k0", key_of('z')));
    worker blind{other, options().log(nullptr)};
    blind.on(patient, [](std::string text) { return text; });
    auto life = start(blind.run());
    const auto made = now(sealed_client.submit(patient, secret));
    const auto record = stored(made.id());
    BOOST_TEST((record.state == task_state::scheduled));  // the next attempt
    BOOST_TEST(is_sealed(record.payload));
    const auto shown = now(other->get(made.id()));
    const auto why = taskflux::decode<taskflux::failure>(shown->error);
    BOOST_TEST(why.code == "bad_payload");
    BOOST_TEST(why.message == "the payload of task echo in queue default can't be read: it is encrypted with key \"k1\", which this "
                              "program does not have: add it to its key_ring");
    blind.stop();
    settle();
    life->get();
    const auto both = in_front(key_ring("k0", key_of('z')).also("k1", key_of('a')));
    worker w{both, options()};
    w.on(patient, [](std::string text) { return text; });
    const auto next = start(w.run());
    advance(1s);
    BOOST_TEST(now(taskflux::client(both).attach(patient, made.id()).result()) == secret);
}

BOOST_AUTO_TEST_CASE(what_a_worker_has_no_key_for_fails_alone_and_does_not_reach_the_handler_of_batches) {
    const auto other = in_front(key_ring("k0", key_of('z')));
    worker w{other, options().log(nullptr)};
    using strings = std::vector<std::string>;
    strings seen;
    w.on_batch(echo, taskflux::batch_options{}, [&](std::span<taskflux::batch_item<std::string>> items) {
        for (const auto& item : items) seen.push_back(item.payload());
        return strings(items.size(), "done");
    });
    const auto unreadable = now(sealed_client.submit(echo, secret));
    const auto readable = now(taskflux::client(other).submit(echo, "known"));
    const auto life = start(w.run());
    BOOST_TEST(seen == strings{"known"});
    BOOST_TEST(now(readable.result()) == "done");
    const auto shown = now(other->get(unreadable.id()));
    BOOST_TEST((shown->state == task_state::failed));
    BOOST_TEST(taskflux::decode<taskflux::failure>(shown->error).code == "bad_payload");
    BOOST_TEST(w.counts().failed == 1U);
}

BOOST_AUTO_TEST_CASE(a_worker_without_codecs_does_not_take_what_is_coded_for_a_payload) {
    static constexpr taskflux::task<int(taskflux::raw)> any{"echo"};
    int calls = 0;
    worker w{broker, options().log(nullptr)};
    w.on(any, [&](taskflux::raw) { return ++calls; });
    const auto life = start(w.run());
    const auto made = now(sealed_client.submit(echo, secret));
    const auto record = stored(made.id());
    BOOST_TEST((record.state == task_state::failed));
    BOOST_TEST(calls == 0);
    BOOST_TEST(taskflux::decode<taskflux::failure>(record.error).message ==
               "the payload of task echo in queue default is coded (aes-256-gcm:k1), and its reader has no such codec: make its broker "
               "with taskflux::coded, as the sender's was");
}

BOOST_AUTO_TEST_CASE(a_result_that_its_reader_has_no_key_for_says_so) {
    worker w{sealed, options()};
    w.on(echo, [](std::string text) { return text; });
    const auto life = start(w.run());
    const auto made = now(sealed_client.submit(echo, secret));
    const auto says = [](std::string_view part) {
        return [part](const taskflux::error& e) {
            return e.code() == errc::bad_payload && std::string_view(e.what()).find(part) != std::string_view::npos;
        };
    };
    const auto plain = taskflux::client(broker).attach(echo, made.id());
    BOOST_CHECK_EXCEPTION(now(plain.result()), taskflux::error, says("is coded (aes-256-gcm:k1)"));
    const auto other = in_front(key_ring("k2", key_of('b')));
    const auto blind = taskflux::client(other).attach(echo, made.id());
    BOOST_CHECK_EXCEPTION(now(blind.result()), taskflux::error, says("it is encrypted with key \"k1\""));
    BOOST_TEST(is_sealed(now(other->get(made.id()))->result));  // a record shows it as it is
}

BOOST_AUTO_TEST_CASE(what_is_moved_to_another_task_is_not_run) {
    static constexpr taskflux::task<std::string(std::string)> refund{"refund"};
    int calls = 0;
    worker w{sealed, options().log(nullptr)};
    w.on(refund, [&](std::string text) { return ++calls, text; });
    const auto life = start(w.run());
    const auto made = now(sealed_client.submit(echo, secret));
    const taskflux::raw_queue queue(broker, "default");
    const auto moved = now(queue.send_task("refund", stored(made.id()).payload));
    BOOST_TEST((stored(moved.id()).state == task_state::failed));
    const auto plain = now(queue.send_task("refund", "\"x\""));
    BOOST_TEST((stored(plain.id()).state == task_state::failed));
    BOOST_TEST(calls == 0);
}

BOOST_AUTO_TEST_CASE(plain_tasks_are_run_where_that_is_allowed) {
    const auto lenient = taskflux::coded(broker, {taskflux::encrypted(keys)}, quiet().take_plain(true));
    worker w{lenient, options()};
    w.on(echo, [](std::string text) { return text; });
    const auto life = start(w.run());
    const auto made = now(client.submit(echo, secret));
    BOOST_TEST(is_sealed(stored(made.id()).result));
    BOOST_TEST(now(sealed_client.attach(echo, made.id()).result()) == secret);
}

BOOST_AUTO_TEST_CASE(an_updated_payload_is_bound_to_the_same_task) {
    const auto made = now(sealed_client.submit(echo, submit_options().hold(true), secret));
    BOOST_TEST((now(sealed->update(made.id(), "\"changed\"")) == effect::done));
    BOOST_TEST(is_sealed(stored(made.id()).payload));
    worker w{sealed, options()};
    w.on(echo, [](std::string text) { return text; });
    const auto life = start(w.run());
    now(made.start());
    BOOST_TEST(now(made.result()) == "changed");
    taskflux::task_id none = made.id();
    none.key.sequence += 1000;
    BOOST_TEST((now(sealed->update(none, "1")) == effect::not_found));
}

BOOST_AUTO_TEST_CASE(raw_messages_are_encrypted_and_one_that_cannot_be_read_says_so_at_its_body) {
    const taskflux::raw_queue with(sealed, "raw"), without(broker, "raw");
    const auto sent = now(with.send(secret));
    BOOST_TEST(is_sealed(stored(sent.id()).payload));
    auto got = now(with.receive(0ms));
    BOOST_TEST(got->body() == secret);
    now(got->complete("1"));
    now(without.send("plain"));
    auto strange = now(with.receive(0ms));
    BOOST_CHECK_THROW(strange->body(), taskflux::error);
    now(strange->fail("strange"));
}

BOOST_AUTO_TEST_CASE(a_schedule_is_stored_encrypted_and_changed_by_who_can_read_it) {
    const auto put = [&](std::string from, std::string to, taskflux::broker_ptr by) {
        return now(by->set_schedule("q", "s", std::move(from), std::move(to), {}));
    };
    BOOST_TEST(put("", secret, sealed));
    BOOST_TEST(is_sealed(now(broker->schedule("q", "s"))));
    BOOST_TEST(now(sealed->schedule("q", "s")) == secret);
    BOOST_TEST(put("", secret, sealed));  // made again
    BOOST_TEST(!put("another", "next", sealed));
    BOOST_TEST(put(secret, "next", sealed));
    const auto all = now(sealed->schedules("q"));
    BOOST_TEST_REQUIRE(all.rows.size() == 1U);
    BOOST_TEST(all.rows[0].text == "next");
    // What somebody without a key has written starts nothing.
    BOOST_TEST(put(now(broker->schedule("q", "s")), "{}", broker));
    BOOST_TEST(now(sealed->schedule("q", "s")).starts_with("unreadable: it is not encrypted"));
    BOOST_TEST(put(now(sealed->schedule("q", "s")), "", sealed));
    BOOST_TEST(now(broker->schedule("q", "s")) == "");
}

BOOST_AUTO_TEST_CASE(filter_and_reason_of_an_operation_are_encrypted_each_for_its_place) {
    const auto another = make_broker();
    for (const auto& by : {broker, another}) now(taskflux::client(by).submit(echo, secret));
    taskflux::operation what;
    what.id = "once";
    what.queue = "default";
    what.filter = "queue:default payload.a:" + secret;
    what.reason = secret;
    const auto begun = now(sealed->begin_operation(what));
    BOOST_TEST(begun.filter == what.filter);
    BOOST_TEST(begun.reason == secret);
    auto stored = now(broker->operations("default"));
    BOOST_TEST_REQUIRE(stored.size() == 1U);
    BOOST_TEST((is_sealed(stored[0].filter) && is_sealed(stored[0].reason)));
    std::swap(stored[0].filter, stored[0].reason);
    now(another->begin_operation(stored[0]));
    const auto reader = taskflux::coded(another, {taskflux::encrypted(keys)}, quiet());
    const auto swapped = now(reader->operations("default"));
    BOOST_TEST_REQUIRE(swapped.size() == 1U);
    BOOST_TEST(swapped[0].filter.starts_with("unreadable: "));
    BOOST_TEST(swapped[0].reason.starts_with("unreadable: "));
    BOOST_TEST(now(broker->set_schedule("default", "once", "", stored[0].reason, {})));
    BOOST_TEST(now(sealed->schedule("default", "once")).starts_with("unreadable: "));
    another->close();
    settle();
}

BOOST_AUTO_TEST_CASE(calls_and_streams_go_encrypted) {
    taskflux::service service{sealed, taskflux::service_options().cpu(io.get_executor())};
    service.on(shout, [](std::string text) { return text + '!'; });
    const auto serving = start(service.run());
    worker w{sealed, options()};
    w.on(letters, emit_letters);
    const auto life = start(w.run());
    taskflux::rpc rpc{sealed};
    BOOST_TEST(now(rpc.call(shout, secret)) == secret + '!');
    auto values = now(sealed_client.run(letters, secret));
    BOOST_TEST(now(joined(std::move(values))) == secret);
}

BOOST_AUTO_TEST_CASE(the_largest_answer_fits_encrypted_and_one_that_its_codecs_make_too_large_is_a_fault) {
    constexpr auto most = taskflux::exchange::max_message_size - 300;  // the rest is for heads
    const key_ring longest(std::string(64, 'k'), key_of('a'));
    taskflux::broker_ptr by;
    const auto size_of_answer = [&](std::size_t size) {
        taskflux::service service{by, taskflux::service_options().cpu(io.get_executor())};
        service.on(shout, [&](const std::string&) { return std::string(size, 'x'); });
        const auto serving = start(service.run());
        taskflux::rpc rpc{by};
        auto calling = start(rpc.call(shout, secret));
        BOOST_REQUIRE(calling->done);  // at once, and not when its time has passed
        service.stop();
        settle();
        return calling;
    };
    by = in_front(longest);
    BOOST_TEST(size_of_answer(most)->get().size() == most);
    BOOST_TEST((size_of_answer(taskflux::exchange::max_message_size)->code() == errc::too_large));
    by = taskflux::coded(broker, {std::make_shared<const doubling_codec>()}, quiet());
    BOOST_TEST(size_of_answer(most / 2)->get().size() == most / 2);
    BOOST_TEST((size_of_answer(most)->code() == errc::too_large));
}

BOOST_AUTO_TEST_CASE(a_message_is_sent_encrypted_and_a_plain_one_is_dropped_and_logged) {
    std::vector<std::string> heard, seen;
    const auto inner = broker->open([&](std::string_view text) { seen.emplace_back(text); });
    const auto box = sealed->open([&](std::string_view text) { heard.emplace_back(text); });
    BOOST_TEST(now(sealed->send(inner->address(), secret)));
    BOOST_TEST(now(sealed->send(box->address(), secret)));
    BOOST_TEST(now(broker->send(box->address(), "plain")));
    settle();
    BOOST_TEST_REQUIRE(seen.size() == 1U);
    BOOST_TEST(seen[0].find(secret) == std::string::npos);
    BOOST_TEST(heard == std::vector<std::string>(1, secret), boost::test_tools::per_element());
    BOOST_TEST_REQUIRE(lines.size() == 1U);
    BOOST_TEST(lines[0].starts_with("a message to this process can't be read, and is dropped: it is not encrypted"));
}

BOOST_AUTO_TEST_CASE(a_broker_in_front_is_closed_with_the_one_behind) {
    bool is_told = false;
    const auto listening = sealed->on_close([&] { is_told = true; });
    worker w{sealed, options().log(nullptr)};
    w.on(echo, [](std::string text) { return text; });
    const auto life = start(w.run());
    BOOST_TEST(!sealed->is_closed());
    broker->close();
    settle();
    BOOST_TEST(sealed->is_closed());
    BOOST_TEST(is_told);
    BOOST_CHECK_THROW(life->get(), taskflux::error);
    BOOST_CHECK_THROW(now(sealed_client.submit(echo, secret)), taskflux::error);
}

BOOST_AUTO_TEST_CASE(without_codecs_nothing_changes) {
    const auto same = taskflux::coded(broker, {}, quiet());
    worker w{same, options()};
    w.on(echo, [](std::string text) { return text; });
    const auto life = start(w.run());
    const auto made = now(client.submit(echo, secret));
    BOOST_TEST(now(made.result()) == secret);
    BOOST_TEST(stored(made.id()).payload == '"' + secret + '"');
    BOOST_CHECK_THROW(taskflux::coded(nullptr, {}), taskflux::error);
}

BOOST_AUTO_TEST_SUITE_END()
