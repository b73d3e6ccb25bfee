#pragma once

#include <taskflux/core/codec.hpp>
#include <taskflux/core/task.hpp>
#include <taskflux/flow/job.hpp>
#include <taskflux/flow/workflow/children.hpp>
#include <taskflux/flow/workflow/notebook.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <ranges>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace taskflux::detail {

/// Whether an attempt must end: then its open subtasks are left to the next attempt, or are cancelled by the task's end.
using is_ending = std::function<bool()>;

/// The payloads of subtasks, one after the other.
class payload_source {
public:
    virtual bool has_next() = 0;
    virtual void skip() = 0;
    virtual void give_to(new_task& task) = 0;  ///< the next one, and its key where that is taken from it

protected:
    ~payload_source() = default;
};

/// Reads no element of the range before it is taken.
template <class Range>
class range_source final : public payload_source {
public:
    range_source(Range payloads, key_source take_key) : payloads_(std::move(payloads)), take_key_(std::move(take_key)) {}
    range_source(const range_source&) = delete;
    range_source& operator=(const range_source&) = delete;

    bool has_next() override { return next_ != std::ranges::end(payloads_); }
    void skip() override { ++next_, ++index_; }
    void give_to(new_task& task) override {
        const std::ranges::range_value_t<Range>& payload = *next_;
        task.payload = encode(payload);
        const auto subject = [&] { return "payload [" + std::to_string(index_) + "] of task " + task.spec->name; };
        if (take_key_) task.key = taken_key(take_key_, &payload, subject);
        skip();
    }

private:
    Range payloads_;
    key_source take_key_;
    std::ranges::iterator_t<Range> next_ = std::ranges::begin(payloads_);
    std::size_t index_ = 0;
};

/// Called with each subtask of a map that has ended, in order; throws unless it has succeeded.
using child_sink = std::function<void(const open_child&)>;

/// Submits a subtask and waits for its end; `outcome` is set in what it returns.
asio::awaitable<open_child> await_child(notebook& book, std::string name, std::string queue, new_task task, is_ending ends);

/// Submits a subtask for each payload, at most `window` of them open at a time, and waits for all. `has_results`: whether the
/// journal holds their results until the parent ends; if not, ended subtasks are removed from it.
asio::awaitable<void> await_children(notebook& book, std::string name, std::string queue, new_task pattern,
                                     payload_source& payloads, const child_sink& on_end, std::size_t window,
                                     bool has_results, is_ending ends);

/// Submits subtasks that the parent waits for when its handler has returned; returns how many.
asio::awaitable<std::size_t> spawn_children(notebook& book, std::string name, std::string queue, new_task pattern,
                                            payload_source& payloads, children_policy policy);

template <class R>
asio::awaitable<R> call_child(notebook& book, std::string name, std::string queue, new_task task, is_ending ends, fault_list faults) {
    const auto child = co_await await_child(book, std::move(name), std::move(queue), std::move(task), std::move(ends));
    if constexpr (std::is_void_v<R>) value_of<R>(*child.outcome, child.id, faults);
    else co_return value_of<R>(*child.outcome, child.id, faults);
}

/// Returns the results in order.
template <class R, class Range>
asio::awaitable<std::vector<R>> map_children(notebook& book, std::string name, std::string queue, new_task pattern,
                                             Range payloads, key_source keys, std::size_t window, is_ending ends, fault_list faults) {
    std::vector<R> results;
    range_source source(std::move(payloads), std::move(keys));
    const child_sink take = [&results, faults](const open_child& child) {
        results.push_back(value_of<R>(*child.outcome, child.id, faults));
    };
    co_await await_children(book, std::move(name), std::move(queue), std::move(pattern), source, take, window, true, std::move(ends));
    co_return results;
}

template <class R, class Range>
    requires(std::is_void_v<R>)
asio::awaitable<void> map_children(notebook& book, std::string name, std::string queue, new_task pattern, Range payloads,
                                   key_source keys, std::size_t window, is_ending ends, fault_list faults) {
    range_source source(std::move(payloads), std::move(keys));
    const child_sink check = [faults](const open_child& child) { value_of<void>(*child.outcome, child.id, faults); };
    co_await await_children(book, std::move(name), std::move(queue), std::move(pattern), source, check, window, false, std::move(ends));
}

template <class Range>
asio::awaitable<std::size_t> spawn_all(notebook& book, std::string name, std::string queue, new_task pattern, Range payloads,
                                       key_source keys, children_policy policy) {
    range_source source(std::move(payloads), std::move(keys));
    co_return co_await spawn_children(book, std::move(name), std::move(queue), std::move(pattern), source, policy);
}

}  // namespace taskflux::detail
