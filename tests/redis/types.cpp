#include <support/observer.hpp>
#include <support/redis_client.hpp>
#include <support/redis_server.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// A key of a queue that another program has given another type, for a while: what fails because of it has no effect, so that
// nothing is half stored, half ended, or given a number that another task gets again.
namespace redis_types {

using namespace taskflux;
using namespace std::chrono_literals;

using kind = settlement::kind;

/// A queue with tasks in most states, and what may be done there.
struct scene {
    scene(test::observer& with, std::string name, bool has_keys) : on(with), queue(std::move(name)) {
        on.run(on.broker->join("w", names(), 1h));
        dead = submit({test::plain_task()}).at(0).key;
        settle(fetch(1), kind::fail);
        single = submit({test::plain_task()}).at(0).key;
        running.push_back(fetch(1).at(0));
        submit({keyed("busy"), keyed("followed")});
        busy = fetch(1), followed = fetch(1);
        submit({keyed("followed")});
        submit({keyed("ready")});
        if (has_keys) {
            auto of = test::plain_task();
            of.key = "customer";
            submit({of, of});
            of_customer = fetch(1);
        }
        const auto all = submit(together());
        const auto ready = fetch(1);
        segment = fetch(2);
        settle(ready, kind::release);
        waiting = submit({test::plain_task()}).at(0).key;
        auto later = test::plain_task();
        later.delay = 1h;
        delayed = submit({later}).at(0).key;
    }

    std::vector<std::string> names() const { return {queue}; }
    std::vector<submitted> submit(std::vector<new_task> tasks) { return on.run(on.broker->submit(queue, std::move(tasks))); }
    std::vector<delivery> fetch(std::size_t most) { return on.fetch("w", queue, most); }

    static std::vector<new_task> together() {
        std::vector<new_task> all(5, test::plain_task());
        for (auto& one : all) one.spec = all.front().spec;
        return all;
    }

    static new_task keyed(std::string key, duplicate policy = duplicate::replace) {
        auto made = test::plain_task();
        made.unique_key = std::move(key);
        made.on_duplicate = policy;
        return made;
    }

    static new_task with_everything() {
        auto made = test::plain_task();
        made.own_id = "mine";
        made.unique_key = "one";
        auto spec = std::make_shared<task_spec>(*made.spec);
        spec->policy.deadline = 1h;
        made.spec = spec;
        return made;
    }

    void settle(const std::vector<delivery>& held, kind how) {
        std::vector<settlement> ends;
        for (const auto& one : held) {
            auto& end = ends.emplace_back();
            end.key = one.key;
            end.token = one.token;
            end.how = how;
            end.delay = 1h;
            if (how == kind::fail || how == kind::retry) end.data = encode(failure{"thrown", "", "no paper", "", ""});
        }
        on.run(on.broker->settle(queue, "w", ends));
    }

    test::observer& on;
    const std::string queue;
    task_key dead, single, waiting, delayed;
    std::vector<delivery> running, segment, busy, followed, of_customer;
};

const std::map<std::string, std::function<void(scene&)>> calls{
    {"submit one", [](scene& in) { in.submit({test::plain_task()}); }},
    {"submit some", [](scene& in) { in.submit(scene::together()); }},
    {"submit some and one more", [](scene& in) {
        auto all = scene::together();
        all.push_back(test::plain_task());
        in.submit(std::move(all));
    }},
    {"submit with delay", [](scene& in) {
        auto later = test::plain_task();
        later.delay = 1min;
        in.submit({later});
    }},
    {"submit with id, key and deadline", [](scene& in) { in.submit({scene::with_everything()}); }},
    {"submit a successor", [](scene& in) { in.submit({scene::keyed("busy")}); }},
    {"replace a successor and restart", [](scene& in) { in.submit({scene::keyed("followed", duplicate::restart)}); }},
    {"replace what is ready", [](scene& in) { in.submit({scene::keyed("ready")}); }},
    {"end what has a successor", [](scene& in) { in.settle(in.followed, kind::complete); }},
    {"fetch", [](scene& in) { in.fetch(10); }},
    {"end one", [](scene& in) { in.settle(in.running, kind::complete); }},
    {"end some", [](scene& in) { in.settle(in.segment, kind::complete); }},
    {"fail one", [](scene& in) { in.settle(in.running, kind::fail); }},
    {"fail some", [](scene& in) { in.settle(in.segment, kind::fail); }},
    {"retry", [](scene& in) { in.settle(in.running, kind::retry); }},
    {"retry some", [](scene& in) { in.settle(in.segment, kind::retry); }},
    {"release", [](scene& in) { in.settle(in.segment, kind::release); }},
    {"cancel what waits", [](scene& in) { in.on.run(in.on.broker->cancel(in.queue, std::vector{in.waiting})); }},
    {"cancel what is delayed", [](scene& in) { in.on.run(in.on.broker->cancel(in.queue, std::vector{in.delayed})); }},
    {"cancel what runs", [](scene& in) { in.on.run(in.on.broker->cancel(in.queue, std::vector{in.single})); }},
    {"promote", [](scene& in) { in.on.run(in.on.broker->promote(in.queue, std::vector{in.delayed})); }},
    {"remove", [](scene& in) { in.on.run(in.on.broker->remove(in.queue, std::vector{in.waiting})); }},
    {"update", [](scene& in) { in.on.run(in.on.broker->update({in.queue, in.waiting}, "2")); }},
    {"signal", [](scene& in) { in.on.run(in.on.broker->signal({in.queue, in.single}, "go", "1")); }},
    {"requeue", [](scene& in) { in.on.run(in.on.broker->requeue(in.queue, std::vector{in.dead})); }},
    {"report", [](scene& in) {
        attempt_report news;
        news.key = in.running.front().key;
        news.token = in.running.front().token;
        news.progress = "1";
        in.on.run(in.on.broker->report(in.queue, "w", std::vector(1, news)));
    }},
    {"write into a journal", [](scene& in) {
        journal_write what;
        what.consumer = "w";
        what.token = in.running.front().token;
        what.items.push_back({"s:step", "1", journal_write::mode::add, false});
        in.on.run(in.on.broker->write_journal({in.queue, in.running.front().key}, what));
    }},
    {"store a schedule with a task", [](scene& in) {
        in.on.run(in.on.broker->set_schedule(in.queue, "nightly", "", "text", {test::plain_task()}));
    }},
    {"clear", [](scene& in) { in.on.run(in.on.broker->clear(in.queue, std::nullopt, 10)); }},
    {"fetch by a key", [](scene& in) { in.fetch(10); }},
    {"limit of a key", [](scene& in) {
        in.on.run(in.on.broker->set_key_limit(in.queue, "customer", limit_kind::live, limit().running(5).rate(1, 1s), "why"));
    }},
    {"submit with a key", [](scene& in) {
        auto one = test::plain_task();
        one.key = "customer";
        in.submit({one});
    }},
    {"end what has a key", [](scene& in) { in.settle(in.of_customer, kind::complete); }},
    {"limit", [](scene& in) { in.on.run(in.on.broker->set_limit(in.queue, limit_kind::live, limit().running(5).rate(1, 1s), "why")); }},
    {"resume", [](scene& in) { in.on.run(in.on.broker->resume(in.queue)); }},
    {"join", [](scene& in) { in.on.run(in.on.broker->join("another", in.names(), 1h)); }},
    {"renew", [](scene& in) { in.on.run(in.on.broker->renew("w", in.names(), 2h)); }},
    {"leave", [](scene& in) { in.on.run(in.on.broker->leave("w", in.names())); }},
};

/// What a key holds, in an order of its own: that of a hash changes while it grows.
std::string content(test::redis_client& eye, const std::string& key) {
    if (eye.command({"TYPE", key}).text != "hash") return eye.command({"DUMP", key}).text;
    const auto all = eye.command({"HGETALL", key}).texts();
    std::map<std::string, std::string> fields;
    for (std::size_t n = 0; n + 1 < all.size(); n += 2) fields[all[n]] = all[n + 1];
    std::string text;
    for (const auto& [field, value] : fields) {
        text += std::to_string(field.size()) + ' ' + field + std::to_string(value.size()) + ' ' + value;
    }
    return text;
}

std::map<std::string, std::string> contents(test::redis_client& eye, const std::string& queue) {
    std::map<std::string, std::string> found;
    for (const auto& key : eye.command({"KEYS", "tf:{" + queue + "}:*"}).texts()) {
        if (key.find("}:p:") == std::string::npos) found[key] = content(eye, key);
    }
    return found;
}

}  // namespace redis_types

BOOST_AUTO_TEST_SUITE(redis_types)

BOOST_AUTO_TEST_CASE(a_call_that_fails_as_a_key_has_another_type_has_no_effect) {
    test::redis_server server;
    auto eye = server.connect();
    test::observer on(server.url(), test::patient().log(nullptr));
    std::vector<std::string> keys{"l:0", "a:w"};
    for (const char letter : std::string("crsdefukyYiwgNhxbBSqoCPRTLK")) keys.emplace_back(1, letter);
    std::size_t scenes = 0;
    for (const auto& [name, call] : calls) {
        for (const auto& letter : keys) {
            BOOST_TEST_CONTEXT(name << " while " << letter << " has another type") {
                scene in(on, "queue" + std::to_string(++scenes), name.find("a key") != std::string::npos);
                const auto key = "tf:{" + in.queue + "}:" + letter;
                const auto before = contents(eye, in.queue);
                const bool was_there = before.contains(key);
                if (was_there) eye.command({"RENAME", key, key + " aside"});
                eye.command({"SET", key, "foreign"});
                bool has_failed = false;
                try {
                    call(in);
                } catch (const boost::system::system_error& e) {
                    has_failed = true;
                    BOOST_TEST((e.code() == errc::protocol), e.what());
                }
                BOOST_TEST(eye.command({"GET", key}) == "foreign");
                eye.command({"DEL", key});
                if (was_there) eye.command({"RENAME", key + " aside", key});
                if (!has_failed) continue;
                for (const auto& [where, what] : contents(eye, in.queue)) {
                    const auto old = before.find(where);
                    BOOST_TEST((old != before.end() && old->second == what), where << " has changed");
                }
                BOOST_TEST(contents(eye, in.queue).size() == before.size());
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
