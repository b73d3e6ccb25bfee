#pragma once

#include <taskflux/core/children.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/task.hpp>

#include <boost/describe/class.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace taskflux {

/// The subtasks that one `context::spawn` has submitted. A described value, so that it can be a payload: `client::results`
/// and `context::results` read their outcomes.
struct spawned {
    std::string parent;       ///< the printed id of the task that spawned them
    std::string name;         ///< of the call
    std::uint64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(spawned, (), (parent, name, count))

/// Options of `context::spawn`.
class spawn_options {
public:
    spawn_options() {}

    /// Decides when the parent has succeeded or failed; default `children_policy::fail_fast`. One policy for all subtasks
    /// that a task spawns.
    spawn_options& policy(children_policy value) { return policy_ = value, *this; }

    /// The continuation (fan-in): a task that starts when the policy decides that the parent has succeeded. Its payload names
    /// the subtasks, and its result becomes the parent's; the contract may take its key from that. One for each parent.
    template <class R>
    spawn_options& then(const detail::contract<R, spawned>& task) {
        then_name_ = task.name();
        then_options_ = task.options();
        then_keys_ = task.keys();
        return *this;
    }

    /// Options of each subtask. `context::spawn` throws `invalid_argument` for an own id or a unique key.
    spawn_options& each(submit_options options) { return each_ = std::move(options), *this; }

    children_policy policy() const { return policy_; }
    const std::string& then_name() const { return then_name_; }
    const task_options& then_options() const { return then_options_; }
    const detail::key_source& then_keys() const { return then_keys_; }
    const submit_options& each() const { return each_; }

private:
    children_policy policy_;
    std::string then_name_;
    task_options then_options_;
    detail::key_source then_keys_;
    submit_options each_;
};

/// How many subtasks of a `context::map` are open at a time.
struct window {
    constexpr explicit window(std::size_t most) : size(most) {
        if (most == 0) throw error(errc::invalid_argument, "a window must hold at least 1 subtask");
    }
    std::size_t size;
};

}  // namespace taskflux
