#pragma once

#include <taskflux/broker/memory/broker.hpp>
#include <taskflux/broker/memory/hub.hpp>
#include <taskflux/broker/memory/inspect.hpp>
#include <taskflux/broker/memory/post_office.hpp>
#include <taskflux/broker/memory/search.hpp>
#include <taskflux/broker/memory/why.hpp>
#include <taskflux/detail/context_end.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::memory {

memory_broker::memory_broker(asio::any_io_executor executor, const memory_options& options, taskflux::clock& clock)
    : post_(std::make_shared<post_office>(executor, clock)),
      hub_(std::make_shared<hub>(executor, options, clock)) {
    detail::context_end::keep(executor, clock.shared());  // coroutines on it refer to the clock
    at_context_end(executor, [post = std::weak_ptr(post_), hub = std::weak_ptr(hub_)] {
        if (const auto alive = post.lock()) alive->shut();
        if (const auto alive = hub.lock()) alive->end();
    });
}

asio::any_io_executor memory_broker::get_executor() { return hub_->get_executor(); }

taskflux::clock& memory_broker::clock() { return hub_->clock(); }

inline bool may_be_there(const new_task& task) { return !task.own_id.empty() || !task.unique_key.empty(); }

asio::awaitable<std::vector<submitted>> memory_broker::submit(std::string queue, std::vector<new_task> tasks) {
    if (std::ranges::any_of(tasks, [](const auto& task) { return task.at != time_point{}; })) hub_->follow_wall();
    const auto how = std::ranges::any_of(tasks, may_be_there) ? hub::pace::all : hub::pace::some;
    co_return hub_->in_any(queue, [&](auto& in, time_point now) { return in.submit(std::move(tasks), now); }, how);
}

asio::awaitable<void> memory_broker::join(std::string consumer, std::vector<std::string> queues, duration lease) {
    for (const auto& queue : queues) {
        hub_->in_any(queue, [&](auto& in, time_point now) { return in.join(consumer, lease, now), true; });
    }
    co_return;
}

asio::awaitable<std::vector<delivery>> memory_broker::fetch(fetch_request request) { return hub_->fetch(std::move(request)); }

asio::awaitable<renewal> memory_broker::renew(std::string consumer, std::vector<std::string> queues, duration lease) {
    renewal answer;
    for (std::size_t i = 0; i < queues.size(); ++i) {
        hub_->in_existing(queues[i], [&](auto& in, time_point now) {
            auto* const who = in.find_consumer(consumer);
            if (!who) return answer.lost = true;
            in.renew(*who, lease, now);
            in.list_cancels(*who, i, answer.cancels);
            in.list_unclaimed(i, answer.unclaimed);
            if (in.store().operations().is_any_running()) answer.operating.push_back(i);
            return true;
        }, hub::pace::some);
    }
    co_return answer;
}

asio::awaitable<void> memory_broker::watch(std::string consumer, duration wait) {
    return hub_->watch(std::move(consumer), wait);
}

/// The places of ends in the order in which they are settled. Tasks that are given back come last, the first one of all, since each
/// goes to the head of its lane.
inline std::vector<std::size_t> order_of(const std::vector<settlement>& ends) {
    std::vector<std::size_t> order(ends.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    const auto is_given_back = [&](std::size_t at) {
        return ends[at].how == settlement::kind::release || ends[at].how == settlement::kind::throttle;
    };
    std::sort(order.begin(), order.end(), [&](std::size_t one, std::size_t other) {
        const bool is_back = is_given_back(one);
        if (is_back != is_given_back(other)) return !is_back;
        const auto number = ends[one].key.sequence, other_number = ends[other].key.sequence;
        return is_back && number != other_number ? number > other_number : one < other;
    });
    return order;
}

asio::awaitable<std::vector<effect>> memory_broker::settle(std::string queue, std::string consumer,
                                                           const std::vector<settlement>& settlements) {
    const auto mended = detail::with_storable_ends(settlements);
    const auto& ends = mended ? *mended : settlements;
    const auto order = order_of(ends);
    const auto effects = hub_->for_each(queue, order, [&](auto& in, std::size_t at, time_point now) {
        return in.settle(in.find_consumer(consumer), ends[at], now);
    }, hub::pace::some);
    auto in_place = effects;
    for (std::size_t i = 0; i < effects.size(); ++i) in_place[order[i]] = effects[i];
    co_return in_place;
}

asio::awaitable<std::vector<effect>> memory_broker::report(std::string queue, std::string consumer,
                                                           std::vector<attempt_report> reports) {
    detail::check_reports(reports);
    detail::make_valid(reports);
    co_return hub_->for_each(queue, reports, [&](auto& in, attempt_report& news, time_point) {
        return in.report(in.find_consumer(consumer), std::move(news));
    });
}

asio::awaitable<journal_written> memory_broker::write_journal(task_id id, journal_write what) {
    co_return hub_->in_existing(id.queue, [&](auto& in, time_point now) { return in.write_journal(id, what, now); });
}

asio::awaitable<journal_page> memory_broker::journal(task_id id, journal_query query) {
    co_return hub_->in_existing(id.queue, [&](auto& in, time_point) { return in.read_journal(id, query); });
}

asio::awaitable<effect> memory_broker::signal(task_id id, std::string name, std::string value) {
    co_return hub_->in_existing(id.queue, [&](auto& in, time_point now) {
        return in.signal(id.key, name, std::move(value), now);
    });
}

asio::awaitable<void> memory_broker::leave(std::string consumer, std::vector<std::string> queues) {
    for (const auto& queue : queues) {
        hub_->in_existing(queue, [&](auto& in, time_point now) {
            in.leave(consumer, now);
            return true;
        });
    }
    co_return;
}

asio::awaitable<std::optional<task_outcome>> memory_broker::wait(task_id id, duration wait) {
    return hub_->wait(std::move(id), wait);
}

asio::awaitable<std::vector<effect>> memory_broker::cancel(std::string queue, std::vector<task_key> keys) {
    co_return hub_->for_each(queue, keys, [](auto& in, task_key key, time_point now) { return in.cancel(key, now); });
}

asio::awaitable<std::vector<effect>> memory_broker::start(std::string queue, std::vector<task_key> keys) {
    co_return hub_->for_each(queue, keys, [](auto& in, task_key key, time_point now) { return in.start(key, now); });
}

asio::awaitable<std::vector<effect>> memory_broker::promote(std::string queue, std::vector<task_key> keys) {
    co_return hub_->for_each(queue, keys, [](auto& in, task_key key, time_point now) { return in.promote(key, now); });
}

asio::awaitable<std::vector<effect>> memory_broker::requeue(std::string queue, std::vector<task_key> keys) {
    co_return hub_->for_each(queue, keys, [](auto& in, task_key key, time_point now) { return in.requeue(key, now); });
}

asio::awaitable<std::vector<effect>> memory_broker::remove(std::string queue, std::vector<task_key> keys) {
    co_return hub_->for_each(queue, keys, [](auto& in, task_key key, time_point now) { return in.remove(key, now); });
}

asio::awaitable<effect> memory_broker::update(task_id id, std::string payload) {
    detail::check_payload_size(payload);
    co_return hub_->in_existing(id.queue, [&](auto& in, time_point) {
        return in.update(id.key, std::move(payload));
    });
}

asio::awaitable<std::size_t> memory_broker::clear(std::string queue, std::optional<task_state> state, std::size_t limit) {
    co_return hub_->in_existing(queue, [&](auto& in, time_point now) { return in.clear(state, limit, now); });
}

asio::awaitable<std::optional<task_key>> memory_broker::find(std::string queue, std::string own_id) {
    co_return hub_->in_existing(queue, [&](auto& in, time_point) { return in.find_own(own_id); });
}

asio::awaitable<std::optional<task_record>> memory_broker::get(task_id id) {
    hub_->follow_wall();
    co_return hub_->in_existing(id.queue, [&](auto& in, time_point) -> std::optional<task_record> {
        const auto* task = in.find(id.key);
        if (!task) return std::nullopt;
        return view_record(id.queue, in, *task);
    });
}

asio::awaitable<std::optional<task_situation>> memory_broker::why(task_id id) {
    hub_->follow_wall();
    co_return hub_->in_existing(id.queue, [&](auto& in, time_point now) -> std::optional<task_situation> {
        auto* const task = in.find(id.key);
        if (!task) return std::nullopt;
        return explanation(id.queue, in, *task, now).take();
    });
}

asio::awaitable<attempt_list> memory_broker::attempts(task_id id) {
    hub_->follow_wall();
    co_return hub_->in_existing(id.queue, [&](auto& in, time_point) { return attempts_of(in, in.existing(id)); });
}

asio::awaitable<log_page> memory_broker::log(task_id id, log_query query) {
    detail::first_line(query);  // a wrong cursor is refused whether there is such a task or not
    co_return hub_->in_existing(id.queue, [&](auto& in, time_point) { return log_of(in.existing(id), query); });
}

asio::awaitable<task_page> memory_broker::list(list_query query) {
    if (!query.queue.empty()) detail::check_queue_name(query.queue);
    co_return hub_->in_all([&](auto& queues) { return memory::list(queues, query); });
}

asio::awaitable<std::vector<std::string>> memory_broker::queues() {
    co_return hub_->in_all([](auto& queues) {
        std::vector<std::string> names;
        for (const auto& [name, queue] : queues) {
            if (queue->has_been_used()) names.push_back(name);
        }
        return names;
    });
}

asio::awaitable<queue_counts> memory_broker::counts(std::string queue) {
    co_return hub_->in_existing(queue, [](auto& in, time_point) { return in.counts(); });
}

asio::awaitable<void> memory_broker::pause(std::string queue) {
    hub_->in_any(queue, [](auto& in, time_point now) {
        in.events().tell(event_kind::paused, 0, 0, {}, {}, now);
        return in.rules().pause(true), true;
    });
    co_return;
}

asio::awaitable<void> memory_broker::resume(std::string queue) {
    hub_->in_any(queue, [](auto& in, time_point now) {
        in.events().tell(event_kind::resumed, 0, 0, {}, {}, now);
        return in.rules().pause(false), true;
    });
    co_return;
}

asio::awaitable<void> memory_broker::set_limit(std::string queue, limit_kind kind, std::optional<limit> value,
                                               std::string reason) {
    detail::check_reason(reason);
    hub_->in_any(queue, [&](auto& in, time_point now) { return in.rules().set_limit(nullptr, kind, value, std::move(reason), now), true; });
    co_return;
}

asio::awaitable<void> memory_broker::set_key_limit(std::string queue, std::string key, limit_kind kind, std::optional<limit> value,
                                                   std::string reason) {
    detail::check_name(detail::limits::key, key, true);
    detail::check_key_limit(value);
    detail::check_reason(reason);
    hub_->in_any(queue, [&](auto& in, time_point now) { return in.rules().set_limit(&key, kind, value, std::move(reason), now), true; });
    co_return;
}

asio::awaitable<queue_limits> memory_broker::limits(std::string queue) {
    hub_->follow_wall();
    co_return hub_->in_existing(queue, [](auto& in, time_point) { return in.rules().limits(); });
}

asio::awaitable<void> memory_broker::end_throttle(std::string queue) {
    hub_->in_existing(queue, [](auto& in, time_point) { return in.rules().end_throttle(), true; });
    co_return;
}

asio::awaitable<event_page> memory_broker::events(std::string queue, event_query query) {
    hub_->follow_wall();
    co_return hub_->in_any(queue, [&](auto& in, time_point now) { return in.events().read(query, now, in.ahead()); });
}

asio::awaitable<void> memory_broker::keep_events(std::string queue, std::size_t most, duration age) {
    hub_->in_any(queue, [&](auto& in, time_point now) { return in.events().keep(most, age, now), true; });
    co_return;
}

asio::awaitable<stored_statistics> memory_broker::statistics(std::string queue) {
    co_return hub_->in_existing(queue, [](auto& in, time_point now) { return in.store().statistics(now); });
}

asio::awaitable<std::vector<stored_period>> memory_broker::history(std::string queue, std::string name, history_tier tier,
                                                                   std::size_t periods) {
    co_return hub_->in_existing(queue, [&](auto& in, time_point now) { return in.store().history(name, tier, periods, now); });
}

asio::awaitable<std::vector<error_group>> memory_broker::errors(std::string queue) {
    co_return hub_->in_existing(queue, [&](auto& in, time_point now) { return in.store().errors().read(queue, now, in.ahead()); });
}

asio::awaitable<group_result> memory_broker::act_on_group(std::string queue, std::string group, group_verb what,
                                                          std::uint64_t behind) {
    co_return hub_->in_existing(queue, [&](auto& in, time_point now) {
        return memory::act_on_group(in, group, what, behind, now);
    });
}

asio::awaitable<search_step> memory_broker::search(search_query query) {
    detail::check_search(query);
    hub_->follow_wall();
    co_return hub_->in_existing(query.queue, [&](auto& in, time_point) { return memory::search(in, query); });
}

asio::awaitable<operation> memory_broker::begin_operation(operation what) {
    hub_->follow_wall();
    co_return hub_->in_existing(what.queue, [&](auto& in, time_point now) {
        auto& store = in.store();
        return shown(in, store.operations().begin(what, store.last_number(), now));
    });
}

asio::awaitable<std::vector<operation>> memory_broker::operations(std::string queue) {
    hub_->follow_wall();
    co_return hub_->in_existing(queue, [](auto& in, time_point) {
        std::vector<operation> found;
        for (const auto& [id, one] : in.store().operations().all()) found.push_back(shown(in, one));
        return found;
    });
}

asio::awaitable<operation> memory_broker::step_operation(std::string queue, std::string id, operation_step step) {
    co_return hub_->in_existing(queue, [&](auto& in, time_point now) {
        return shown(in, memory::step_operation(in, queue, id, step, now));
    });
}

asio::awaitable<operation> memory_broker::stop_operation(std::string queue, std::string id) {
    co_return hub_->in_existing(queue, [&](auto& in, time_point now) {
        auto& of = in.store().operations().at(queue, id);
        if (of.state == operation_state::running) of.state = operation_state::stopped, of.ended_at = now;
        return shown(in, of);
    });
}

asio::awaitable<peek_page> memory_broker::peek(std::string queue, peek_query query) {
    return hub_->peek(std::move(queue), std::move(query));
}

asio::awaitable<std::vector<acquired_task>> memory_broker::acquire(acquire_request request) {
    detail::check_acquire(request);
    co_return hub_->in_existing(request.queue, [&](auto& in, time_point now) { return memory::acquire(in, request, now); });
}

asio::awaitable<effect> memory_broker::reply(std::string queue, task_reply what) {
    detail::check_reply(queue, what);
    const auto done = hub_->in_existing(queue, [&](auto& in, time_point now) { return memory::reply(in, what, now); });
    if (done == effect::done && what.forwarded) {  // where it has no room, it comes all the same: its task has ended
        hub_->in_any(what.forward_to, [&](auto& in, time_point now) { return in.store().add(std::move(*what.forwarded), now); });
    }
    co_return done;
}

asio::awaitable<stored_schedules> memory_broker::schedules(std::string queue) {
    co_return hub_->in_existing(queue, [](auto& in, time_point) { return in.schedules(); });
}

asio::awaitable<std::string> memory_broker::schedule(std::string queue, std::string id) {
    co_return hub_->in_existing(queue, [&](auto& in, time_point) { return in.schedule(id); });
}

asio::awaitable<bool> memory_broker::set_schedule(std::string queue, std::string id, std::string from, std::string to,
                                                  std::vector<new_task> tasks) {
    co_return hub_->in_any(queue, [&](auto& in, time_point now) {
        return in.set_schedule(id, from, std::move(to), std::move(tasks), now);
    });
}

std::unique_ptr<mailbox> memory_broker::open(listener hear) { return post_->open(std::move(hear)); }

asio::awaitable<void> memory_broker::announce(std::string board, std::string id, std::string text, duration lease) {
    post_->announce(board, std::move(id), std::move(text), lease);
    co_return;
}

asio::awaitable<void> memory_broker::withdraw(std::string board, std::string id) {
    post_->withdraw(board, id);
    co_return;
}

asio::awaitable<std::vector<announcement>> memory_broker::announced(std::string board) { co_return post_->announced(board); }

void memory_broker::close() {
    begin_closing();
    post_->shut();
    hub_->close();
    tell_closed();
}

void memory_broker::do_post(std::string address, std::string message, bounce, receipt done) {
    const bool was_heard = post_->send(address, std::move(message));
    done(nullptr, was_heard);
}

}  // namespace taskflux::memory
