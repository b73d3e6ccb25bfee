#pragma once

#include <conformance/fixture.hpp>

#include <array>

namespace taskflux::conformance {

/// Every state that a task can be brought to through the broker alone.
inline constexpr std::array reachable{
    task_state::held,      task_state::scheduled, task_state::waiting,   task_state::running,
    task_state::succeeded, task_state::failed,    task_state::cancelled, task_state::expired,
};

/// A task in some state, with its last delivery where it has had one.
struct placed {
    task_key key;
    delivery last;
};

/// Brings a new task, the only one of its queue, to `state`.
inline placed place(fixture& on, task_state state, run_policy policy = {}) {
    on.join();
    placed made;
    const auto fetch = [&] {
        made.key = on.add(on.task(policy));
        made.last = on.fetch_one();
    };
    auto task = on.task(policy);
    switch (state) {
        case task_state::held:
            task.hold = true;
            made.key = on.add(task);
            break;
        case task_state::scheduled:
            task.delay = 10s;
            made.key = on.add(task);
            break;
        case task_state::waiting: made.key = on.add(task); break;
        case task_state::running: fetch(); break;
        case task_state::succeeded:
            fetch();
            on.settle(made.last, kind::complete);
            break;
        case task_state::failed:
            fetch();
            on.settle(made.last, kind::fail);
            break;
        case task_state::cancelled:
            made.key = on.add(task);
            on.cancel(made.key);
            break;
        case task_state::expired: {
            policy.expires_in = 1s;
            made.key = on.add(on.task(policy));
            on.advance(1s);
            break;
        }
        case task_state::waiting_children: BOOST_FAIL("no call leads to waiting_children yet");
    }
    BOOST_REQUIRE_EQUAL(on.state(made.key), state);
    return made;
}

}  // namespace taskflux::conformance
