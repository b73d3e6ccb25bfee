#pragma once

#include <taskflux/core/error.hpp>
#include <taskflux/core/failure.hpp>
#include <taskflux/core/id.hpp>
#include <taskflux/core/options.hpp>
#include <taskflux/core/state.hpp>
#include <taskflux/core/task/key.hpp>
#include <taskflux/core/time.hpp>
#include <taskflux/fwd.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskflux {

/// A contract: the name of a task, the type of its payload and of its result, and its default options.
/// It has no behaviour; clients and workers share it in a header:
///
///     inline constexpr taskflux::task<area(circle)> circle_area{"circle_area"};
///
/// `Signature` is `R(P)` or `R()`; `R` may be void, or `stream<T>` for a handler that emits values. A wrong name or option
/// fails to compile.
template <class Signature>
class task {
    static_assert(!std::is_same_v<Signature, Signature>,
                  "a task's signature is Result(Payload) or Result(): put several parameters into one described struct");

public:
    constexpr explicit task(std::string_view, const task_options& = task_options{}, fault_list = fault_list()) {}
    constexpr task(std::string_view, fault_list) {}  // so that one error is all
};

namespace detail {

template <class Result, class Payload>
class contract {
public:
    using result_type = Result;
    using payload_type = Payload;

    /// `faults`: see `throws`.
    constexpr explicit contract(std::string_view name, const task_options& options = task_options{},
                                fault_list faults = fault_list())
        : name_(checked_name(name, "task")), options_(options), faults_(faults) {}
    constexpr contract(std::string_view name, fault_list faults) : contract(name, task_options{}, faults) {}

    constexpr std::string_view name() const { return name_; }
    constexpr const task_options& options() const { return options_; }
    constexpr fault_list faults() const { return faults_; }

    /// For the library: how errors name it.
    std::string subject() const { return "task " + std::string(name_); }

    /// For the library: what takes the key of a task from its payload; empty: it has none.
    virtual key_source keys() const { return {}; }

private:
    std::string_view name_;
    task_options options_;
    fault_list faults_;
};

/// Of a task whose handler emits values, and returns nothing.
template <class T, class P>
class stream_contract : public contract<void, P> {
public:
    using contract<void, P>::contract;
};

}  // namespace detail

template <class Signature, class Key>
class keyed_task;

template <class R, class P>
class task<R(P)> : public detail::contract<R, P> {
public:
    using detail::contract<R, P>::contract;

    /// A contract that is this one, and takes the key of each task (see `submit_options::key`) from its payload:
    ///
    ///     inline constexpr auto ship = taskflux::task<void(order)>{"ship"}.key(&order::customer);
    ///
    /// `of`: a pointer to a member, or a function that takes the payload; it gives a text, where an empty one means no key, or an
    /// integer. Submissions call it before the task is sent, in the caller's thread: what it throws they throw, and
    /// `invalid_argument` for what can't be a key. It should give the same for the same payload. An explicit key of the submission
    /// comes before it. A key is stored and shown in clear, also where payloads are encrypted: of what is personal or secret give a
    /// hash, or an id in its place.
    template <class Key>
    constexpr keyed_task<R(P), Key> key(Key of) const {
        return keyed_task<R(P), Key>(*this, std::move(of));
    }

    template <class Key>
    constexpr task(const keyed_task<R(P), Key>& of) : task(of.name(), of.options(), of.faults()) {
        detail::refuse_to_forget<Key>();
    }
    template <class Key>
    constexpr task& operator=(const keyed_task<R(P), Key>&) {
        return detail::refuse_to_forget<Key>(), *this;
    }
};

template <class R>
class task<R()> : public detail::contract<R, void> {
public:
    using detail::contract<R, void>::contract;

    /// There is no payload that a key could be taken from.
    template <class Key>
    constexpr task key(Key) const {
        static_assert(!std::is_same_v<Key, Key>,
                      "a task without a payload can't take its key from it: give it with each submission, by submit_options::key");
        return *this;
    }
};

template <class T, class P>
class task<stream<T>(P)> : public detail::stream_contract<T, P> {
public:
    using detail::stream_contract<T, P>::stream_contract;

    /// See `task<R(P)>::key`.
    template <class Key>
    constexpr keyed_task<stream<T>(P), Key> key(Key of) const {
        return keyed_task<stream<T>(P), Key>(*this, std::move(of));
    }

    template <class Key>
    constexpr task(const keyed_task<stream<T>(P), Key>& of) : task(of.name(), of.options(), of.faults()) {
        detail::refuse_to_forget<Key>();
    }
    template <class Key>
    constexpr task& operator=(const keyed_task<stream<T>(P), Key>&) {
        return detail::refuse_to_forget<Key>(), *this;
    }
};

template <class T>
class task<stream<T>()> : public detail::stream_contract<T, void> {
public:
    using detail::stream_contract<T, void>::stream_contract;

    /// There is no payload that a key could be taken from.
    template <class Key>
    constexpr task key(Key) const {
        static_assert(!std::is_same_v<Key, Key>,
                      "a task without a payload can't take its key from it: give it with each submission, by submit_options::key");
        return *this;
    }
};

/// A contract with a key that is taken from the payload: what `task::key` returns.
template <class Signature, class Key>
class keyed_task : public task<Signature> {
    using payload = typename task<Signature>::payload_type;

public:
    constexpr keyed_task(const task<Signature>& base, Key of) : task<Signature>(base), key_(std::move(of)) {
        detail::require_key<Key, payload>();
    }

    detail::key_source keys() const override {
        if constexpr (detail::key_of_payload<Key, payload>) {  // else that error is to be the only one
            return [of = key_](const void* from) { return detail::taken_text(of, *static_cast<const payload*>(from)); };
        } else {
            return {};
        }
    }

private:
    Key key_;
};

/// What many tasks have in common, and therefore share.
struct task_spec {
    std::string name;
    int priority = 0;
    run_policy policy;
    header_map headers;
};

enum class log_level { trace, debug, info, warning, error };
BOOST_DESCRIBE_ENUM(log_level, trace, debug, info, warning, error)

/// Where a line of a task's log is from, as its broker has stored it.
struct log_origin {
    std::uint64_t number = 0;  ///< among the lines of its task, from 1
    unsigned attempt = 0;      ///< 0: not known, as an older version stored the line
    std::string consumer;      ///< the worker's life that ran the task
};
BOOST_DESCRIBE_STRUCT(log_origin, (), (number, attempt, consumer))

/// One line of a task's log.
struct log_line {
    time_point at{};
    log_level level = log_level::info;
    std::string text;
    header_map fields;
    std::optional<log_origin> from = {};  ///< of a stored one; none where an older version stored it
};
BOOST_DESCRIBE_STRUCT(log_line, (), (at, level, text, fields, from))

/// Everything a broker knows about a task, as it was when asked. Times that have not come are 0.
struct task_record {
    task_id id;
    std::string own_id;  ///< the user's, or empty
    std::string name;
    std::string key;     ///< by which it takes turns and is limited, or empty
    task_state state = task_state::waiting;
    int priority = 0;
    header_map headers;
    std::string parent;           ///< the printed id of the task whose subtask it is, or empty
    std::string call;             ///< what its parent's journal calls it
    std::string payload;          ///< encoded
    std::string result;           ///< encoded; of a succeeded task
    std::string error;            ///< a `failure` as JSON; of the last attempt that failed
    std::string progress;         ///< encoded; the last one reported
    std::vector<log_line> log;    ///< the newest lines, oldest first
    unsigned attempts = 0;        ///< begun, the current one included; deliveries lost to crashes don't count
    unsigned deliveries = 0;      ///< times it was handed to a worker
    unsigned crashes = 0;         ///< times its lease was lost since its journal last grew
    std::string consumer;         ///< the worker's life that runs it
    bool cancel_requested = false;
    bool unclaimed = false;       ///< waiting, and passed over by a worker that has no handler for it
    time_point submitted_at{};
    time_point due_at{};          ///< of a scheduled task
    time_point started_at{};      ///< of the latest attempt
    time_point ended_at{};
    time_point limit_at{};        ///< when its deadline or its expiry, as long as it has not begun, ends it
};

/// How a task ended.
struct task_outcome {
    task_state state = task_state::succeeded;
    std::string result;
    std::string error;
    unsigned attempts = 0;
};

}  // namespace taskflux
