#include <conformance/placing.hpp>

#include <boost/test/unit_test.hpp>

namespace taskflux::conformance {

namespace conformance_refusals {

struct operation {
    const char* name;
    effect (*perform)(fixture&, const placed&);
    effect (*expected)(task_state);
};

effect legal(task_state state, task_event event) {
    return is_legal(state, event) ? effect::done : effect::wrong_state;
}

effect while_running(task_state state) {
    return state == task_state::running ? effect::done : effect::lease_lost;
}

effect not_while_running(task_state state) {
    return state == task_state::running ? effect::wrong_state : effect::done;
}

const operation operations[] = {
    {"cancel", [](fixture& on, const placed& task) { return on.cancel(task.key); },
     [](task_state state) {
         return state == task_state::running ? effect::requested : legal(state, task_event::cancel);
     }},
    {"start", [](fixture& on, const placed& task) { return on.start_held(task.key); },
     [](task_state state) { return legal(state, task_event::start); }},
    {"promote", [](fixture& on, const placed& task) { return on.promote(task.key); },
     [](task_state state) { return legal(state, task_event::promote); }},
    {"requeue", [](fixture& on, const placed& task) { return on.requeue(task.key); },
     [](task_state state) { return legal(state, task_event::requeue); }},
    {"update", [](fixture& on, const placed& task) { return on.update(task.key, "new"); },
     [](task_state state) {
         const bool has_not_started = !is_terminal(state) && state != task_state::running;
         return has_not_started ? effect::done : effect::wrong_state;
     }},
    {"remove", [](fixture& on, const placed& task) { return on.remove(task.key); }, not_while_running},
    {"complete", [](fixture& on, const placed& task) { return on.settle(task.last, kind::complete); }, while_running},
    {"fail", [](fixture& on, const placed& task) { return on.settle(task.last, kind::fail); }, while_running},
    {"retry", [](fixture& on, const placed& task) { return on.settle(task.last, kind::retry); }, while_running},
    {"release", [](fixture& on, const placed& task) { return on.settle(task.last, kind::release); }, while_running},
    {"end as cancelled", [](fixture& on, const placed& task) { return on.settle(task.last, kind::cancel); },
     [](task_state state) {
         return state == task_state::running ? effect::wrong_state : effect::lease_lost;  // nobody cancelled it
     }},
    {"report", [](fixture& on, const placed& task) { return on.report_progress(task.last, "1"); }, while_running},
};

placed with_token(placed task) {
    task.last.key = task.key;  // where it has never been handed out, a token that was never given
    return task;
}

}  // namespace conformance_refusals

BOOST_AUTO_TEST_SUITE(conformance_refusals)

BOOST_AUTO_TEST_CASE_TEMPLATE(every_operation_is_done_or_refused_as_the_state_demands, Backend, backends) {
    for (const auto state : reachable) {
        for (const auto& [name, perform, expected] : operations) {
            BOOST_TEST_CONTEXT(name << " while " << boost::describe::enum_to_string(state, "")) {
                fixture on(std::make_unique<Backend>());
                const auto task = with_token(place(on, state));
                const auto before = on.record(task.key);
                const auto answer = perform(on, task);
                BOOST_TEST(answer == expected(state));
                if (answer == effect::done || answer == effect::requested) continue;
                const auto after = on.record(task.key);
                BOOST_TEST(after.state == state);
                BOOST_TEST(after.payload == before.payload);
                BOOST_TEST(after.attempts == before.attempts);
                BOOST_TEST(after.progress.empty());
                BOOST_TEST(!after.cancel_requested);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(nothing_is_found_where_there_is_nothing, Backend, backends) {
    for (const auto& [name, perform, expected] : operations) {
        BOOST_TEST_CONTEXT(name) {
            fixture on(std::make_unique<Backend>());
            placed nobody;
            nobody.last.key = nobody.key = {7, 7};
            BOOST_TEST(perform(on, nobody) == effect::not_found);  // no such queue

            auto task = place(on, task_state::succeeded);
            on.remove(task.key);
            BOOST_TEST(perform(on, task) == effect::not_found);  // not any more

            auto other = place(on, task_state::waiting);
            ++other.key.nonce;  // a task of another life of this queue
            BOOST_TEST(perform(on, with_token(other)) == effect::not_found);
            other.key = {};
            BOOST_TEST(perform(on, with_token(other)) == effect::not_found);
            BOOST_TEST(on.counts().waiting == 1U);
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_batch_answers_for_each_of_its_items_in_order, Backend, backends) {
    fixture on(std::make_unique<Backend>());
    on.join();
    on.join("b");
    const auto keys = on.add_many(5);
    const auto mine = on.fetch(w, 2);
    const auto theirs = on.fetch_one("b");
    auto unknown = on.settled(mine[0], kind::complete);
    unknown.key = {99, 1};
    const std::vector<settlement> ends{
        on.settled(theirs, kind::complete), on.settled(mine[0], kind::complete), unknown,
        on.settled(mine[0], kind::fail),    on.settled(mine[1], kind::cancel),   on.settled(mine[1], kind::retry),
    };
    const std::vector expected{effect::lease_lost, effect::done,        effect::not_found,
                               effect::lease_lost, effect::wrong_state, effect::done};
    BOOST_TEST((on.run(on.broker().settle(q, w, ends)) == expected));

    const std::vector<task_key> some{keys[0], keys[2], {99, 1}, keys[3], keys[3]};
    const std::vector effects{effect::wrong_state, effect::requested, effect::not_found, effect::done,
                              effect::wrong_state};
    BOOST_TEST((on.run(on.broker().cancel(q, some)) == effects));
    BOOST_TEST(on.run(on.broker().cancel(q, {})).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace taskflux::conformance
