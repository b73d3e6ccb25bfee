#include "fixture.hpp"

#include <taskflux/admin/directory.hpp>
#include <taskflux/admin/inspector.hpp>
#include <taskflux/calls/rpc.hpp>
#include <taskflux/calls/stream.hpp>
#include <taskflux/core/method.hpp>
#include <taskflux/exec/executor.hpp>
#include <taskflux/flow/raw_queue.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

// Values that refer to nothing, as they are default-constructed or were moved from.
using namespace test::flow;

namespace flow_empty_values {

inline constexpr taskflux::method<int(int)> add{"sums", "add"};
inline constexpr taskflux::method<taskflux::stream<int>()> count{"sums", "count"};
inline constexpr taskflux::task<taskflux::stream<int>()> emit{"emit"};

struct empty : fixture {
    /// Each of the calls throws an error that names `what`.
    void check(const std::string& what, const std::vector<std::function<void()>>& calls) {
        for (std::size_t i = 0; i != calls.size(); ++i) {
            const auto says_so = [&](const taskflux::error& e) {
                return e.code() == errc::wrong_state && std::string(e.what()).starts_with("this " + what + " is empty");
            };
            BOOST_TEST_CONTEXT(what << ", call " << i) BOOST_CHECK_EXCEPTION(calls[i](), taskflux::error, says_so);
        }
    }

    /// What is left of it.
    template <class T>
    static void take(T& from) {
        const T gone = std::move(from);
    }

    std::vector<std::function<void()>> calls_of(const job<int>& one) {
        return {[&] { now(one.status()); }, [&] { now(one.record()); }, [&] { now(one.result()); }, [&] { now(one.outcome()); },
                [&] { now(one.progress<int>()); }, [&] { now(one.cancel()); }, [&] { now(one.start()); }, [&] { now(one.promote()); },
                [&] { now(one.requeue()); }, [&] { now(one.remove()); }, [&] { now(one.update(1)); }};
    }
};

}  // namespace flow_empty_values

BOOST_FIXTURE_TEST_SUITE(flow_empty_values, empty)

BOOST_AUTO_TEST_CASE(a_job_that_is_empty_says_so) {
    const job<int> made;
    BOOST_TEST(made.id().queue.empty());
    BOOST_TEST(!made.is_duplicate());
    check("job", calls_of(made));
    auto used = now(client.submit(twice, 1));
    take(used);
    check("job", calls_of(used));
}

BOOST_AUTO_TEST_CASE(a_client_that_was_moved_from_says_so) {
    auto one = client;
    take(one);
    const std::vector<int> several = {1, 2};
    check("client", {[&] { now(one.submit(twice, 1)); }, [&] { now(one.submit_all(twice, several)); }, [&] { now(one.run(twice, 1)); },
                     [&] { now(one.run(emit)); }, [&] { now(one.attach(twice, "mine")); },
                     [&] { one.attach(twice, taskflux::task_id()); },
                     [&] { now(one.submit_under(taskflux::task_id(), twice, submit_options(), 1)); },
                     [&] { now(one.signal(taskflux::task_id(), "go", 1)); }, [&] { now(one.results(twice, taskflux::spawned())); },
                     [&] { one.async_submit(twice, 1, [](std::exception_ptr, job<int>) {}); },
                     [&] { one.async_run(twice, 1, [](std::exception_ptr, int) {}); }});
}

BOOST_AUTO_TEST_CASE(a_raw_queue_and_a_message_that_were_moved_from_say_so) {
    taskflux::raw_queue queue(broker, "q");
    now(queue.send("a"));
    auto got = now(queue.receive());
    BOOST_REQUIRE(got);
    auto& message = *got;
    take(message);
    check("received_message",
          {[&] { message.id(); }, [&] { message.name(); }, [&] { message.body(); }, [&] { message.own_id(); },
           [&] { message.headers(); }, [&] { message.deliveries(); }, [&] { message.submitted_at(); }, [&] { message.as<int>(); },
           [&] { message.is_lost(); }, [&] { message.is_cancelled(); }, [&] { now(message.complete()); },
           [&] { now(message.release()); }, [&] { now(message.fail("")); }});
    take(queue);
    check("raw_queue", {[&] { queue.name(); }, [&] { now(queue.send("a")); }, [&] { now(queue.send_task("a", "1")); },
                        [&] { now(queue.receive()); }});
}

BOOST_AUTO_TEST_CASE(an_rpc_that_was_moved_from_says_so) {
    taskflux::rpc calls(broker);
    take(calls);
    check("rpc", {[&] { now(calls.call(add, 1)); }, [&] { now(calls.call(count)); }, [&] { now(calls.call_json("sums", "add", "1")); },
                  [&] { now(calls.notify(add, 1)); }, [&] { now(calls.broadcast(add, 1)); }});
}

BOOST_AUTO_TEST_CASE(a_directory_and_an_inspector_that_were_moved_from_say_so) {
    taskflux::directory all(broker);
    take(all);
    const taskflux::node_filter any;
    check("directory", {[&] { now(all.nodes()); }, [&] { now(all.services()); }, [&] { now(all.services("sums")); },
                        [&] { now(all.view()); }, [&] { now(all.next_change({}, 1s)); }, [&] { now(all.set_concurrency(any, 1)); },
                        [&] { now(all.pause(any)); }, [&] { now(all.resume(any)); }, [&] { now(all.drain(any)); },
                        [&] { now(all.stop(any)); }});
    taskflux::inspector looks(broker);
    take(looks);
    check("inspector", {[&] { now(looks.tree(taskflux::task_id())); }, [&] { now(looks.progress(taskflux::task_id())); }});
}

BOOST_AUTO_TEST_CASE(a_handle_of_an_executor_s_job_that_is_empty_says_so) {
    taskflux::handle<int> made;
    check("handle", {[&] { made.done(); }, [&] { made.cancel(); }, [&] { now(made.result()); }});
    taskflux::executor pool(io.get_executor());
    auto used = pool.spawn([] { return 1; });
    take(used);
    check("handle", {[&] { used.done(); }, [&] { used.cancel(); }, [&] { now(used.result()); }});
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_empty_has_no_values) {
    taskflux::stream<int> made;
    BOOST_TEST(!now(made.next()));
    take(made);
    BOOST_TEST(!now(made.next()));
}

BOOST_AUTO_TEST_SUITE_END()
