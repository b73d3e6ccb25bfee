#include "fixture.hpp"

#include <taskflux/admin/inspector.hpp>
#include <taskflux/broker/journal.hpp>
#include <taskflux/core/codec/named.hpp>
#include <taskflux/flow/raw_queue.hpp>

#include <boost/asio/awaitable.hpp>

#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What somebody who can write to the server, but has no key, has put there; and what can't be read for other reasons.
using namespace test::codec;

namespace codec_forged {

inline constexpr taskflux::task<std::string(std::string)> outer{"outer", task_options().retry(retry_policy::fixed(1s).attempts(2))};

constexpr std::string_view untrusted = "is stored as a text that went through no codec";

bool is_untrusted(const taskflux::error& e) {
    return e.code() == errc::bad_payload && std::string_view(e.what()).find(untrusted) != std::string_view::npos;
}

asio::awaitable<std::string> run_outer(context& ctx, std::string what) { return ctx.call(echo, std::move(what)); }

/// Fails as its text says.
class odd_codec final : public taskflux::payload_codec {
public:
    std::string_view name() const override { return "odd"; }
    std::optional<taskflux::coded_bytes> encode(std::string_view bytes, std::string_view) const override {
        taskflux::coded_bytes made;
        made.bytes = bytes;
        return made;
    }
    std::string decode(std::string_view bytes, std::string_view, std::string_view) const override {
        if (bytes == "runtime") throw std::runtime_error("odd indeed");
        if (bytes == "memory") throw std::bad_alloc();
        if (bytes == "number") throw 1;
        return std::string(bytes);
    }
};

struct forged_fixture : coded_fixture {
    taskflux::settlement completed(std::string result) {
        taskflux::settlement end;
        end.data = std::move(result);
        return end;
    }
};

}  // namespace codec_forged

BOOST_FIXTURE_TEST_SUITE(codec_forged, forged_fixture)

BOOST_AUTO_TEST_CASE(a_plain_result_in_a_journal_is_not_taken_for_that_of_a_subtask) {
    worker w{sealed, options().log(nullptr)};
    w.on(outer, run_outer);
    const auto life = start(w.run());
    const auto made = now(sealed_client.submit(outer, secret));
    BOOST_TEST((settled(broker, held(broker), completed("\"forged\"")) == effect::done));
    settle();
    advance(2s);  // the second attempt has it from the journal
    const auto record = now(sealed->get(made.id()));
    BOOST_TEST((record->state == task_state::failed));
    BOOST_TEST(record->attempts == 2U);
    const auto why = taskflux::decode<taskflux::failure>(record->error);
    BOOST_TEST(why.code == "bad_payload");
    BOOST_TEST(why.message.find(untrusted) != std::string::npos, why.message);
    const auto journal = now(broker->journal(made.id(), {}));
    BOOST_TEST_REQUIRE(journal.entries.size() == 1U);
    BOOST_TEST(journal.entries[0].outcome->result == "\"forged\"");  // it was there
}

BOOST_AUTO_TEST_CASE(plain_texts_in_a_record_are_shown_in_a_form_that_is_no_value) {
    const auto made = now(sealed_client.submit(echo, secret));
    const auto mine = held(broker);
    std::vector<taskflux::attempt_report> news(1);
    news[0].key = mine.key;
    news[0].token = mine.token;
    news[0].progress = "\"forged\"";
    news[0].log.emplace_back();
    news[0].log[0].text = "forged";
    now(broker->report("default", "w", news));
    BOOST_TEST((settled(broker, mine, completed("\"forged\"")) == effect::done));
    const auto shown = now(sealed->get(made.id()));
    BOOST_TEST(shown->payload == '"' + secret + '"');
    BOOST_TEST((codecs_of(shown->result) == ""));
    BOOST_TEST((codecs_of(shown->progress) == ""));
    BOOST_TEST((codecs_of(shown->log.at(0).text) == ""));
    const auto seen = sealed_client.attach(echo, made.id());
    BOOST_CHECK_EXCEPTION(now(seen.progress<std::string>()), taskflux::error, is_untrusted);
    BOOST_CHECK_THROW(now(seen.result()), taskflux::error);
    const auto plain = now(client.submit(echo, "plain"));
    BOOST_TEST((codecs_of(now(sealed->get(plain.id()))->payload) == ""));
    BOOST_TEST(now(sealed->get(plain.id()))->result == "");  // there is none yet
    const auto lenient = taskflux::coded(broker, {taskflux::encrypted(keys)}, quiet().take_plain(true));
    BOOST_TEST(now(lenient->get(plain.id()))->payload == "\"plain\"");
    BOOST_TEST(now(lenient->get(made.id()))->log.at(0).text == "forged");
    BOOST_TEST(now(taskflux::client(lenient).attach(echo, made.id()).progress<std::string>()).value() == "forged");
}

BOOST_AUTO_TEST_CASE(one_entry_of_a_journal_that_cannot_be_read_hides_no_other) {
    const auto made = now(sealed_client.submit(outer, secret));
    now(sealed_client.signal(made.id(), "good", secret));
    now(broker->signal(made.id(), "bad", "\"forged\""));
    const auto page = now(sealed->journal(made.id(), {}));
    BOOST_TEST_REQUIRE(page.entries.size() == 2U);
    for (const auto& entry : page.entries) {
        if (entry.key == taskflux::signal_key("good", 1)) BOOST_TEST(entry.text == '"' + secret + '"');
        else BOOST_TEST((codecs_of(entry.text) == ""));
    }
    BOOST_TEST(now(taskflux::inspector(sealed).tree(made.id())).node.task.name == "outer");
    taskflux::journal_query bad;
    bad.keys.push_back(taskflux::signal_key("bad", 1));
    BOOST_CHECK_THROW(now(sealed->journal(made.id(), bad)), taskflux::error);  // its reader wants this one
}

BOOST_AUTO_TEST_CASE(whatever_a_codec_throws_a_fetch_loses_no_task) {
    const auto odd = taskflux::coded(broker, {std::make_shared<const odd_codec>()}, quiet());
    const taskflux::raw_queue queue(odd, "default");
    for (const char* body : {"runtime", "good", "memory", "number"}) now(queue.send(body));
    now(odd->join("w", {"default"}, 30s));
    taskflux::fetch_request request;
    request.consumer = "w";
    request.queues = {"default"};
    request.max = 4;
    const auto found = now(odd->fetch(request));
    BOOST_TEST_REQUIRE(found.size() == 4U);
    BOOST_CHECK_EXCEPTION(std::rethrow_exception(found[0].unreadable), taskflux::error, [](const taskflux::error& e) {
        return e.code() == errc::bad_payload &&
               std::string(e.what()) ==
                   "the payload of task message in queue default can't be read: its codec \"odd\" failed: odd indeed";
    });
    BOOST_TEST(!found[1].unreadable);
    BOOST_TEST(found[1].payload == "good");
    BOOST_CHECK_THROW(std::rethrow_exception(found[2].unreadable), std::bad_alloc);
    BOOST_CHECK_THROW(std::rethrow_exception(found[3].unreadable), taskflux::error);
}

BOOST_AUTO_TEST_CASE(whatever_a_codec_throws_a_listener_hears_the_next_message) {
    const auto odd = taskflux::coded(broker, {std::make_shared<const odd_codec>()}, quiet());
    std::vector<std::string> heard;
    const auto box = odd->open([&](std::string_view text) { heard.emplace_back(text); });
    for (const char* text : {"runtime", "memory", "number", "good"}) now(odd->send(box->address(), text));
    settle();
    BOOST_TEST(heard == std::vector<std::string>(1, "good"), boost::test_tools::per_element());
    BOOST_TEST(lines.size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_message_that_is_released_keeps_its_failure) {
    const taskflux::raw_queue queue(sealed, "default");
    const auto made = now(queue.send(secret));
    taskflux::failure why;
    why.code = "task_failed";
    why.message = secret;
    taskflux::settlement retry;
    retry.how = taskflux::settlement::kind::retry;
    retry.data = taskflux::encode(why);
    BOOST_TEST((settled(sealed, held(sealed), std::move(retry)) == effect::done));
    const auto before = stored(made.id()).error;
    BOOST_TEST(is_sealed(taskflux::decode<taskflux::failure>(before).message));
    advance(1s);
    auto again = now(queue.receive(0ms));
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST((now(again->release(1s)) == effect::done));
    BOOST_TEST((stored(made.id()).state == task_state::scheduled));
    BOOST_TEST(stored(made.id()).error == before);
}

BOOST_AUTO_TEST_SUITE_END()
