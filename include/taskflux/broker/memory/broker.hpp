#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/memory.hpp>
#include <taskflux/broker/memory/hub.hpp>
#include <taskflux/broker/memory/inspect.hpp>
#include <taskflux/broker/memory/post_office.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/detail/context_end.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::memory {

/// What `make_memory_broker` makes.
class memory_broker : public broker {
public:
    memory_broker(asio::any_io_executor executor, const memory_options& options, taskflux::clock& clock)
        : post_(std::make_shared<post_office>(executor, clock)),
          hub_(std::make_shared<hub>(executor, options, clock)) {
        detail::context_end::keep(executor, clock.shared());  // coroutines on it refer to the clock
        at_context_end(executor, [post = std::weak_ptr(post_), hub = std::weak_ptr(hub_)] {
            if (const auto alive = post.lock()) alive->shut();
            if (const auto alive = hub.lock()) alive->end();
        });
    }

    asio::any_io_executor get_executor() override { return hub_->get_executor(); }
    taskflux::clock& clock() override { return hub_->clock(); }

    awaitable<std::vector<submitted>> submit(std::string queue, std::vector<new_task> tasks) override {
        if (std::ranges::any_of(tasks, [](const auto& task) { return task.at != time_point{}; })) hub_->follow_wall();
        const auto may_be_there = [](const auto& task) { return !task.own_id.empty() || !task.unique_key.empty(); };
        const auto how = std::ranges::any_of(tasks, may_be_there) ? hub::pace::all : hub::pace::some;
        co_return hub_->in_any(queue, [&](auto& in, time_point now) { return in.submit(std::move(tasks), now); }, how);
    }

    awaitable<void> join(std::string consumer, std::vector<std::string> queues, duration lease) override {
        for (const auto& queue : queues) {
            hub_->in_any(queue, [&](auto& in, time_point now) { return in.join(consumer, lease, now), true; });
        }
        co_return;
    }

    awaitable<std::vector<delivery>> fetch(fetch_request request) override { return hub_->fetch(std::move(request)); }

    awaitable<renewal> renew(std::string consumer, std::vector<std::string> queues, duration lease) override {
        renewal answer;
        for (std::size_t i = 0; i < queues.size(); ++i) {
            hub_->in_existing(queues[i], [&](auto& in, time_point now) {
                auto* const who = in.find_consumer(consumer);
                if (!who) return answer.lost = true;
                in.renew(*who, lease, now);
                in.list_cancels(*who, i, answer.cancels);
                in.list_unclaimed(i, answer.unclaimed);
                return true;
            }, hub::pace::some);
        }
        co_return answer;
    }

    awaitable<void> watch(std::string consumer, duration wait) override {
        return hub_->watch(std::move(consumer), wait);
    }

    awaitable<std::vector<effect>> settle(std::string queue, std::string consumer,
                                          const std::vector<settlement>& settlements) override {
        co_return hub_->for_each(queue, settlements, [&](auto& in, const settlement& end, time_point now) {
            return in.settle(in.find_consumer(consumer), end, now);
        }, hub::pace::some);
    }

    awaitable<std::vector<effect>> report(std::string queue, std::string consumer,
                                          std::vector<attempt_report> reports) override {
        detail::make_valid(reports);
        co_return hub_->for_each(queue, reports, [&](auto& in, attempt_report& news, time_point) {
            return in.report(in.find_consumer(consumer), std::move(news));
        });
    }

    awaitable<journal_written> write_journal(task_id id, journal_write what) override {
        co_return hub_->in_existing(id.queue, [&](auto& in, time_point now) { return in.write_journal(id, what, now); });
    }

    awaitable<journal_page> journal(task_id id, journal_query query) override {
        co_return hub_->in_existing(id.queue, [&](auto& in, time_point) { return in.read_journal(id, query); });
    }

    awaitable<effect> signal(task_id id, std::string name, std::string value) override {
        co_return hub_->in_existing(id.queue, [&](auto& in, time_point now) {
            return in.signal(id.key, name, std::move(value), now);
        });
    }

    awaitable<void> leave(std::string consumer, std::vector<std::string> queues) override {
        for (const auto& queue : queues) {
            hub_->in_existing(queue, [&](auto& in, time_point now) {
                in.leave(consumer, now);
                return true;
            });
        }
        co_return;
    }

    awaitable<std::optional<task_outcome>> wait(task_id id, duration wait) override {
        return hub_->wait(std::move(id), wait);
    }

    awaitable<std::vector<effect>> cancel(std::string queue, std::vector<task_key> keys) override {
        co_return hub_->for_each(queue, keys, [&](auto& in, task_key key, time_point now) {
            std::string holder;
            const auto done = in.cancel(key, now, holder);
            if (done == effect::requested) hub_->nudge(holder);
            return done;
        });
    }

    awaitable<std::vector<effect>> start(std::string queue, std::vector<task_key> keys) override {
        co_return hub_->for_each(queue, keys, [](auto& in, task_key key, time_point now) { return in.start(key, now); });
    }

    awaitable<std::vector<effect>> promote(std::string queue, std::vector<task_key> keys) override {
        co_return hub_->for_each(queue, keys, [](auto& in, task_key key, time_point now) { return in.promote(key, now); });
    }

    awaitable<std::vector<effect>> requeue(std::string queue, std::vector<task_key> keys) override {
        co_return hub_->for_each(queue, keys, [](auto& in, task_key key, time_point now) { return in.requeue(key, now); });
    }

    awaitable<std::vector<effect>> remove(std::string queue, std::vector<task_key> keys) override {
        co_return hub_->for_each(queue, keys, [](auto& in, task_key key, time_point now) { return in.remove(key, now); });
    }

    awaitable<effect> update(task_id id, std::string payload) override {
        detail::check_payload_size(payload);
        co_return hub_->in_existing(id.queue, [&](auto& in, time_point) {
            return in.update(id.key, std::move(payload));
        });
    }

    awaitable<std::size_t> clear(std::string queue, std::optional<task_state> state, std::size_t limit) override {
        co_return hub_->in_existing(queue, [&](auto& in, time_point now) { return in.clear(state, limit, now); });
    }

    awaitable<std::optional<task_key>> find(std::string queue, std::string own_id) override {
        co_return hub_->in_existing(queue, [&](auto& in, time_point) { return in.find_own(own_id); });
    }

    awaitable<std::optional<task_record>> get(task_id id) override {
        hub_->follow_wall();
        co_return hub_->in_existing(id.queue, [&](auto& in, time_point) -> std::optional<task_record> {
            const auto* task = in.find(id.key);
            if (!task) return std::nullopt;
            return view_record(id.queue, in, *task);
        });
    }

    awaitable<task_page> list(list_query query) override {
        if (!query.queue.empty()) detail::check_queue_name(query.queue);
        co_return hub_->in_all([&](auto& queues) { return memory::list(queues, query); });
    }

    awaitable<std::vector<std::string>> queues() override {
        co_return hub_->in_all([](auto& queues) {
            std::vector<std::string> names;
            for (const auto& [name, queue] : queues) {
                if (queue->has_been_used()) names.push_back(name);
            }
            return names;
        });
    }

    awaitable<queue_counts> counts(std::string queue) override {
        co_return hub_->in_existing(queue, [](auto& in, time_point) { return in.counts(); });
    }

    awaitable<void> pause(std::string queue) override {
        hub_->in_any(queue, [](auto& in, time_point) { return in.pause(true), true; });
        co_return;
    }

    awaitable<void> resume(std::string queue) override {
        hub_->in_any(queue, [](auto& in, time_point) { return in.pause(false), true; });
        co_return;
    }

    awaitable<void> set_limit(std::string queue, limit_change change) override {
        detail::check_limit(change);
        hub_->in_any(queue, [&](auto& in, time_point now) { return in.set_limit(change, now), true; });
        co_return;
    }

    awaitable<queue_limits> limits(std::string queue) override {
        co_return hub_->in_existing(queue, [](auto& in, time_point now) { return in.limits(now); });
    }

    awaitable<stored_schedules> schedules(std::string queue) override {
        co_return hub_->in_existing(queue, [](auto& in, time_point) { return in.schedules(); });
    }

    awaitable<std::string> schedule(std::string queue, std::string id) override {
        co_return hub_->in_existing(queue, [&](auto& in, time_point) { return in.schedule(id); });
    }

    awaitable<bool> set_schedule(std::string queue, std::string id, std::string from, std::string to,
                                 std::vector<new_task> tasks) override {
        co_return hub_->in_any(queue, [&](auto& in, time_point now) {
            return in.set_schedule(id, from, std::move(to), std::move(tasks), now);
        });
    }

    std::unique_ptr<mailbox> open(listener hear) override { return post_->open(std::move(hear)); }

    awaitable<void> announce(std::string board, std::string id, std::string text, duration lease) override {
        post_->announce(board, std::move(id), std::move(text), lease);
        co_return;
    }

    awaitable<void> withdraw(std::string board, std::string id) override {
        post_->withdraw(board, id);
        co_return;
    }

    awaitable<std::vector<announcement>> announced(std::string board) override { co_return post_->announced(board); }

    void close() override {
        begin_closing();
        post_->shut();
        hub_->close();
        tell_closed();
    }

protected:
    void do_post(std::string address, std::string message, bounce, receipt done) override {
        const bool was_heard = post_->send(address, std::move(message));
        done(nullptr, was_heard);
    }

private:
    std::shared_ptr<post_office> post_;
    std::shared_ptr<hub> hub_;
};

}  // namespace taskflux::memory
