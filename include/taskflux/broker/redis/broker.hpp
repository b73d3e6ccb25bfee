#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/broker/checks.hpp>
#include <taskflux/broker/redis/boards.hpp>
#include <taskflux/broker/redis/claims.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/broker/redis/errors.hpp>
#include <taskflux/broker/redis/events.hpp>
#include <taskflux/broker/redis/fetch.hpp>
#include <taskflux/broker/redis/history.hpp>
#include <taskflux/broker/redis/inspect.hpp>
#include <taskflux/broker/redis/journals.hpp>
#include <taskflux/broker/redis/leases.hpp>
#include <taskflux/broker/redis/limits.hpp>
#include <taskflux/broker/redis/operations.hpp>
#include <taskflux/broker/redis/relay.hpp>
#include <taskflux/broker/redis/schedules.hpp>
#include <taskflux/broker/redis/search.hpp>
#include <taskflux/broker/redis/statistics.hpp>
#include <taskflux/broker/redis/waits.hpp>
#include <taskflux/broker/redis/why.hpp>
#include <taskflux/detail/caught.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::redis {

/// The broker on a Redis server. Every call keeps the engine alive until it ends.
class redis_broker final : public broker {
public:
    explicit redis_broker(engine_ptr engine) : engine_(std::move(engine)) {
        engine_->on_relay([failed = failures_](engine_ptr on, std::string queue) {
            send_all_failures(on, *failed, queue);
            return carry_outbox(std::move(on), std::move(queue));
        });
        at_context_end(engine_->get_executor(), [weak = std::weak_ptr(engine_)] {
            if (const auto alive = weak.lock()) alive->end();
        });
    }
    ~redis_broker() override { engine_->close(); }

    asio::any_io_executor get_executor() override { return engine_->get_executor(); }
    taskflux::clock& clock() override { return engine_->clock(); }

    awaitable<std::vector<submitted>> submit(std::string queue, std::vector<new_task> tasks) override {
        const auto on = engine_;
        const auto counted = tally_;
        const auto into = on->at(queue);
        detail::check_tasks(tasks);
        std::vector<submitted> answers;
        if (tasks.empty()) co_return answers;
        co_await into->calls().announce();
        answers.reserve(tasks.size());
        auto items = into->items_of(tasks);  // all of them before the first is stored
        std::optional<awaited_ends::submission> beside;
        const auto may_be_there = [](const new_task& one) { return one.is_awaited && (!one.own_id.empty() || !one.unique_key.empty()); };
        if (std::ranges::any_of(tasks, may_be_there)) beside.emplace(on->ends());
        tasks.clear();
        for (std::size_t from = 0; from < items.size();) {
            const auto till = end_of_batch(items, from);
            std::vector<task_item> some;
            some.reserve(till - from);
            for (; from < till; ++from) some.push_back(std::move(items[from]));
            auto storing = into->submit(std::move(some));
            const auto stored = co_await after_others(std::move(storing), answers.size(), items.size());
            for (const auto& one : stored) {
                answers.push_back(one.task);
                if (one.is_awaited) on->ends().expect({queue, one.task.key}, !one.is_plain);
            }
        }
        if (counted->is_turn(queue, on->base().now())) {
            detail::spawn_ignoring_errors(on->get_executor(), send_counts(on, queue, counted->take_all(queue)));
        }
        co_return answers;
    }

    awaitable<void> join(std::string consumer, std::vector<std::string> queues, duration lease) override {
        return redis::join(engine_, std::move(consumer), std::move(queues), lease);
    }

    awaitable<std::vector<delivery>> fetch(fetch_request request) override {
        return redis::fetch(engine_, std::move(request));
    }

    awaitable<renewal> renew(std::string consumer, std::vector<std::string> queues, duration lease) override {
        const auto on = engine_;
        const auto counted = tally_;
        const auto failed = failures_;
        for (const auto& queue : queues) {
            send_due_counts(on, counted, queue);
            send_due_failures(on, *failed, queue);
        }
        co_return co_await redis::renew(on, std::move(consumer), std::move(queues), lease);
    }

    awaitable<void> watch(std::string consumer, duration wait) override {
        const auto on = engine_;
        const auto deadline = later(on->base().now(), wait);
        auto watching = on->inbox().watch(consumer, std::make_shared<inbox::place>());
        for (;;) {
            on->check_open();
            if (on->inbox().has_news(consumer) || on->base().now() >= deadline) co_return;
            co_await on->sleep(watching, deadline);
        }
    }

    awaitable<std::vector<effect>> settle(std::string queue, std::string consumer,
                                          const std::vector<settlement>& given) override {
        const auto on = engine_;
        const auto counted = tally_;
        const auto failed = failures_;
        const auto into = on->at(queue);
        const auto mended = detail::with_storable_ends(given);
        const auto& settlements = mended ? *mended : given;
        std::vector<effect> effects;
        effects.reserve(settlements.size());
        std::vector<end_item> ends;
        ends.reserve(settlements.size());
        for (const auto& one : settlements) ends.emplace_back(one);
        for (std::size_t from = 0, till = 0; from < ends.size(); from = till) {
            till = end_of_batch(ends, from);
            std::vector<end_item> part;
            part.reserve(till - from);
            for (auto i = from; i < till; ++i) part.push_back(std::move(ends[i]));
            const auto some = co_await into->settle(consumer, std::move(part));
            for (auto i = from; i < till; ++i) {
                on->consumers().settled(consumer, queue, {settlements[i].key.sequence, settlements[i].token});
            }
            for (const auto& one : some) effects.push_back(one.what);
            counted->add(queue, settlements, from, some);
            failed->add(queue, consumer, settlements, from, some);
        }
        send_due_counts(on, counted, queue);
        send_due_failures(on, *failed, queue);
        co_return effects;
    }

    awaitable<std::vector<effect>> report(std::string queue, std::string consumer, std::vector<attempt_report> reports) override {
        const auto on = engine_;
        on->check_open();
        detail::check_queue_name(queue);
        detail::check_reports(reports);
        detail::make_valid(reports);
        std::vector<effect> effects;
        for (std::size_t from = 0; from < reports.size(); from += engine::careful_batch_size) {
            const auto till = (std::min)(from + engine::careful_batch_size, reports.size());
            arguments with;
            with.add(consumer);
            for (auto i = from; i < till; ++i) {
                auto& news = reports[i];
                with.add(news.key.sequence).add(news.key.nonce).add(news.token);
                with.add(news.progress ? 1 : 0).add(news.progress.value_or(std::string())).add(lines_of(std::move(news.log)));
            }
            const auto got = co_await on->call(queue, scripts::report, {}, std::move(with));
            add_effects(got, effects);
        }
        co_return effects;
    }

    awaitable<journal_written> write_journal(task_id id, journal_write what) override {
        return redis::write_journal(engine_, std::move(id), std::move(what));
    }
    awaitable<journal_page> journal(task_id id, journal_query query) override {
        return read_journal(engine_, std::move(id), std::move(query));
    }
    awaitable<effect> signal(task_id id, std::string name, std::string value) override {
        return redis::signal(engine_, std::move(id), std::move(name), std::move(value));
    }

    awaitable<void> leave(std::string consumer, std::vector<std::string> queues) override {
        const auto on = engine_;
        const auto counted = tally_;
        const auto failed = failures_;
        const auto left = queues;
        co_await redis::leave(on, std::move(consumer), std::move(queues));
        for (const auto& queue : left) {  // awaited: the broker may be closed next
            auto failures = all_failures(on, *failed, queue);
            if (!failures.groups.empty()) co_await send_failures(on, queue, std::move(failures));
            auto counts = counted->take_all(queue);
            if (counts.empty()) continue;
            auto sending = send_counts(on, queue, std::move(counts));
            co_await detail::caught(std::move(sending));
        }
    }

    awaitable<std::optional<task_outcome>> wait(task_id id, duration wait) override {
        if (wait <= duration::zero()) return look_for_end(engine_, std::move(id));
        return wait_for_end(engine_, std::move(id), wait);
    }

    awaitable<std::vector<effect>> cancel(std::string queue, std::vector<task_key> keys) override {
        return steer(engine_, "cancel", std::move(queue), std::move(keys));
    }
    awaitable<std::vector<effect>> start(std::string queue, std::vector<task_key> keys) override {
        return steer(engine_, "start", std::move(queue), std::move(keys));
    }
    awaitable<std::vector<effect>> promote(std::string queue, std::vector<task_key> keys) override {
        return steer(engine_, "promote", std::move(queue), std::move(keys));
    }
    awaitable<std::vector<effect>> requeue(std::string queue, std::vector<task_key> keys) override {
        return steer(engine_, "requeue", std::move(queue), std::move(keys));
    }
    awaitable<std::vector<effect>> remove(std::string queue, std::vector<task_key> keys) override {
        return steer(engine_, "remove", std::move(queue), std::move(keys));
    }

    awaitable<effect> update(task_id id, std::string payload) override {
        const auto on = engine_;
        detail::check_payload_size(payload);
        arguments with;
        with.add(id.key.sequence).add(id.key.nonce).add(std::move(payload));
        const auto got = co_await on->call(id.queue, scripts::update, {}, std::move(with));
        co_return queue::effect_of(got.read().integer());
    }

    awaitable<std::size_t> clear(std::string queue, std::optional<task_state> state, std::size_t limit) override {
        const auto on = engine_;
        std::size_t removed = 0;
        bool is_end = false;
        for (std::int64_t seen = 0; !is_end && removed < limit;) {
            arguments with;
            const auto most = (std::min)(limit - removed, engine::careful_batch_size);
            with.add(seen).add(engine::scan_size).add(most).add(state ? int(*state) : -1);
            const auto got = co_await on->call(queue, scripts::clear, {}, std::move(with));
            auto from = got.read();
            seen = from.integer();
            is_end = from.integer() != 0;
            std::vector<task_key> found;
            while (!from.done()) found.push_back(read_key(from));
            // A repeated call can't know whether the first one took effect: tasks that are gone count as removed.
            const auto effects = co_await steer(on, "remove", queue, found);
            removed += static_cast<std::size_t>(std::ranges::count_if(
                effects, [](effect e) { return e == effect::done || e == effect::not_found; }));
        }
        co_return removed;
    }

    awaitable<std::optional<task_key>> find(std::string queue, std::string own_id) override {
        return redis::find(engine_, std::move(queue), std::move(own_id));
    }
    awaitable<std::optional<task_record>> get(task_id id) override { return redis::get(engine_, std::move(id)); }
    awaitable<std::optional<task_situation>> why(task_id id) override { return redis::why(engine_, std::move(id)); }
    awaitable<attempt_list> attempts(task_id id) override { return redis::attempts(engine_, std::move(id)); }
    awaitable<log_page> log(task_id id, log_query query) override { return redis::log(engine_, std::move(id), std::move(query)); }
    awaitable<task_page> list(list_query query) override { return redis::list(engine_, std::move(query)); }
    awaitable<std::vector<std::string>> queues() override { return engine_->queues(); }
    awaitable<queue_counts> counts(std::string queue) override { return redis::counts(engine_, std::move(queue)); }

    awaitable<void> pause(std::string queue) override { return set_paused(engine_, std::move(queue), "1"); }
    awaitable<void> resume(std::string queue) override { return set_paused(engine_, std::move(queue), "0"); }
    awaitable<void> end_throttle(std::string queue) override { return set_paused(engine_, std::move(queue), "2"); }

    awaitable<void> set_limit(std::string queue, limit_kind kind, std::optional<limit> value, std::string reason) override {
        return redis::set_limit(engine_, std::move(queue), kind, value, std::move(reason));
    }
    awaitable<void> set_key_limit(std::string queue, std::string key, limit_kind kind, std::optional<limit> value,
                                  std::string reason) override {
        return redis::set_key_limit(engine_, std::move(queue), std::move(key), kind, value, std::move(reason));
    }
    awaitable<queue_limits> limits(std::string queue) override { return redis::limits(engine_, std::move(queue)); }

    awaitable<event_page> events(std::string queue, event_query query) override {
        return redis::events(engine_, std::move(queue), std::move(query));
    }
    awaitable<void> keep_events(std::string queue, std::size_t most, duration age) override {
        return redis::keep_events(engine_, std::move(queue), most, age);
    }

    awaitable<stored_statistics> statistics(std::string queue) override {
        return redis::statistics(engine_, std::move(queue));
    }
    awaitable<std::vector<stored_period>> history(std::string queue, std::string name, history_tier tier,
                                                  std::size_t periods) override {
        return redis::history(engine_, std::move(queue), std::move(name), tier, periods);
    }

    awaitable<std::vector<error_group>> errors(std::string queue) override { return redis::errors(engine_, std::move(queue)); }
    awaitable<group_result> act_on_group(std::string queue, std::string group, group_verb what, std::uint64_t behind) override {
        return redis::act_on_group(engine_, std::move(queue), std::move(group), what, behind);
    }

    awaitable<operation> begin_operation(operation what) override { return redis::begin_operation(engine_, std::move(what)); }
    awaitable<std::vector<operation>> operations(std::string queue) override { return redis::operations(engine_, std::move(queue)); }
    awaitable<operation> step_operation(std::string queue, std::string id, operation_step step) override {
        return redis::step_operation(engine_, std::move(queue), std::move(id), std::move(step));
    }
    awaitable<operation> stop_operation(std::string queue, std::string id) override {
        return redis::stop_operation(engine_, std::move(queue), std::move(id));
    }
    awaitable<search_step> search(search_query query) override { return redis::search(engine_, std::move(query)); }
    awaitable<peek_page> peek(std::string queue, peek_query query) override {
        return redis::peek(engine_, std::move(queue), std::move(query));
    }
    awaitable<std::vector<acquired_task>> acquire(acquire_request request) override {
        return redis::acquire(engine_, std::move(request));
    }
    awaitable<effect> reply(std::string queue, task_reply what) override {
        return redis::reply_to(engine_, std::move(queue), std::move(what));
    }

    awaitable<stored_schedules> schedules(std::string queue) override {
        return redis::schedules(engine_, std::move(queue), {});
    }
    awaitable<std::string> schedule(std::string queue, std::string id) override {
        arguments with;
        with.add(std::move(id));
        auto found = co_await redis::schedules(engine_, std::move(queue), std::move(with));
        co_return found.rows.empty() ? std::string() : std::move(found.rows.front().text);
    }
    awaitable<bool> set_schedule(std::string queue, std::string id, std::string from, std::string to,
                                 std::vector<new_task> tasks) override {
        detail::check_name(detail::limits::schedule, id);
        detail::check_tasks(tasks);
        return redis::set_schedule(engine_, std::move(queue), std::move(id), std::move(from), std::move(to), std::move(tasks));
    }

    std::unique_ptr<mailbox> open(listener hear) override {
        engine_->check_open();
        return engine_->post().open(std::move(hear));
    }

    awaitable<void> announce(std::string board, std::string id, std::string text, duration lease) override {
        return redis::announce(engine_, std::move(board), std::move(id), std::move(text), lease);
    }

    awaitable<void> withdraw(std::string board, std::string id) override {
        return redis::withdraw(engine_, std::move(board), std::move(id));
    }

    awaitable<std::vector<announcement>> announced(std::string board) override {
        return redis::announced(engine_, std::move(board));
    }

    void close() override {
        begin_closing();
        engine_->close();
        tell_closed();
    }

private:
    /// Some of `all` tasks, of which so many are stored: the error counts these too.
    static awaitable<std::vector<queue::stored>> after_others(awaitable<std::vector<queue::stored>> storing, std::size_t before,
                                                              std::size_t all) {
        try {
            co_return co_await std::move(storing);
        } catch (const detail::backlog_full& e) {
            throw e.after(before, all);
        }
    }

    void do_post(std::string address, std::string message, bounce otherwise, receipt done) override {
        engine_->check_open();
        engine_->post().send(address, message, otherwise, std::move(done));
    }

    static awaitable<void> set_paused(engine_ptr on, std::string name, const char* value) {
        on->check_open();
        arguments with;
        with.add(value);
        co_await on->call(std::move(name), scripts::pause, {}, std::move(with));
    }

    static awaitable<std::vector<effect>> steer(engine_ptr on, const char* verb, std::string queue, std::vector<task_key> keys) {
        on->check_open();
        detail::check_queue_name(queue);
        std::vector<effect> effects;
        for (std::size_t from = 0; from < keys.size(); from += engine::careful_batch_size) {
            const auto till = (std::min)(from + engine::careful_batch_size, keys.size());
            arguments with;
            with.add(verb);
            for (auto i = from; i < till; ++i) with.add(keys[i].sequence).add(keys[i].nonce);
            const auto got = co_await on->call(queue, scripts::steer, {}, std::move(with));
            add_effects(got, effects);
        }
        co_return effects;
    }

    static void add_effects(const answer& got, std::vector<effect>& effects) {
        for (auto from = got.read(); !from.done();) effects.push_back(queue::effect_of(from.integer()));
    }

    const engine_ptr engine_;
    const tally_ptr tally_ = std::make_shared<tally>();
    const std::shared_ptr<failure_tally> failures_ = std::make_shared<failure_tally>();
};

}  // namespace taskflux::redis
