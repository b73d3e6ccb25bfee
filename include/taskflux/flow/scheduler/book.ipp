#pragma once

#include <taskflux/core/codec.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/retry.hpp>
#include <taskflux/core/state.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/flow/scheduler/book.hpp>

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskflux::detail {

stored_schedule read_schedule(std::string_view text) {
    stored_schedule made;
    try {
        made = decode<stored_schedule>(text);
    } catch (const std::exception& e) {
        throw error(errc::protocol, std::string("a stored schedule can't be read: ") + e.what());
    }
    if (made.version != stored_schedule::current_version) {
        throw error(errc::protocol, "a stored schedule can't be read: its version is " +
                                        std::to_string(made.version) + ", and this program knows " +
                                        std::to_string(stored_schedule::current_version) +
                                        "; start a version that knows it, or remove it");
    }
    return made;
}

bool is_unreadable(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& e) {
        return e.code() == errc::protocol;
    } catch (...) {
        return false;
    }
}

bool is_of_one_queue(const std::exception_ptr& failure, std::exception_ptr& first) {
    if (!failure || !is_unreadable(failure)) return false;
    if (!first) first = failure;
    return true;
}

scheduled_task as_scheduled(const task_spec& spec, std::string payload, std::string key) {
    scheduled_task made;
    made.name = spec.name;
    made.priority = spec.priority;
    made.payload.bytes = std::move(payload);
    made.headers = spec.headers;
    made.retry = rule_of(spec.policy.retry);
    made.timeout = spec.policy.timeout;
    made.deadline = spec.policy.deadline;
    made.expires_in = spec.policy.expires_in;
    made.retention = spec.policy.retention;
    made.failed_retention = spec.policy.failed_retention;
    made.crash_limit = spec.policy.crash_limit;
    if (!key.empty()) made.key = std::move(key);
    return made;
}

new_task task_at(const schedule_definition& of, time_point tick, std::string own_id) {
    const auto& from = *of.task;
    const auto spec = std::make_shared<task_spec>();
    spec->name = from.name;
    spec->priority = from.priority;
    spec->headers = from.headers;
    spec->headers["taskflux-schedule"] = of.id;
    spec->headers["taskflux-tick"] = to_text(tick);
    spec->policy.retry = policy_of(from.retry);
    spec->policy.timeout = from.timeout;
    spec->policy.deadline = from.deadline;
    spec->policy.expires_in = from.expires_in;
    spec->policy.retention = from.retention;
    spec->policy.failed_retention = from.failed_retention;
    spec->policy.crash_limit = from.crash_limit;
    new_task made;
    made.spec = spec;
    made.payload = from.payload.bytes;
    made.own_id = std::move(own_id);
    made.key = from.key.value_or(std::string());
    return made;
}

std::string run_id(const std::string& schedule, time_point now, std::uint64_t revision) {
    return tick_id(schedule, now) + '+' + std::to_string(revision);
}

std::optional<time_point> schedule_book::first_tick(const schedule_state& of, const cron& when, const zone& in) const {
    const auto from = now();
    return when.next((std::max)(from, of.last.value_or(from)), in);
}

asio::awaitable<std::vector<std::string>> schedule_book::queues() const {
    auto names = queues_;
    if (names.empty()) names = co_await broker_->queues();
    if (std::ranges::find(names, local_queue) == names.end()) names.emplace_back(local_queue);
    std::ranges::sort(names);
    co_return names;
}

schedule_entry entry_of(std::string queue, schedule_row row) {
    schedule_entry made;
    made.queue = std::move(queue);
    made.row = std::move(row.id);
    made.text = std::move(row.text);
    try {
        made.what = read_schedule(made.text);
    } catch (const error&) {
        made.what = {};
    }
    return made;
}

asio::awaitable<std::vector<schedule_entry>> schedule_book::read(std::string queue) const {
    auto stored = co_await rows(queue);
    std::vector<schedule_entry> found;
    found.reserve(stored.rows.size());
    for (auto& row : stored.rows) found.push_back(entry_of(queue, std::move(row)));
    co_return found;
}

asio::awaitable<std::optional<schedule_entry>> schedule_book::find(std::string queue, std::string row) const {
    schedule_row found{row, {}};
    found.text = co_await broker_->schedule(queue, std::move(row));
    if (found.text.empty()) co_return std::nullopt;
    co_return entry_of(std::move(queue), std::move(found));
}

asio::awaitable<std::vector<schedule_entry>> schedule_book::read_all() const {
    const auto names = co_await queues();
    std::vector<schedule_entry> all;
    std::exception_ptr damage;
    for (const auto& name : names) {
        auto reading = read(name);
        auto some = co_await caught(std::move(reading));
        if (is_of_one_queue(some.failure(), damage)) continue;
        for (auto& one : some.take()) all.push_back(std::move(one));
    }
    if (all.empty() && damage) std::rethrow_exception(damage);
    co_return all;
}

asio::awaitable<bool> schedule_book::write(schedule_entry& entry, std::vector<new_task> tasks) const {
    entry.what.state.by = node_ + '.' + std::to_string(++*writes_);
    ++entry.what.state.revision;
    auto text = encode(entry.what);
    const bool done = co_await broker_->set_schedule(entry.queue, entry.row, entry.text, text, std::move(tasks));
    if (done) entry.text = std::move(text);
    co_return done;
}

asio::awaitable<bool> schedule_book::remove(schedule_entry entry) const {
    co_return co_await broker_->set_schedule(std::move(entry.queue), std::move(entry.row), std::move(entry.text),
                                                  std::string(), std::vector<new_task>());
}

asio::awaitable<std::optional<stored_schedule>> schedule_book::take(std::string queue, std::string id) const {
    for (;;) {
        auto found = co_await find(queue, id);
        if (!found || !found->what.definition.task) co_return std::nullopt;
        auto was = found->what;
        const bool done = co_await remove(std::move(*found));
        if (done) co_return was;
    }
}

asio::awaitable<void> schedule_book::put(std::string queue, schedule_definition definition,
                                         std::optional<stored_schedule> from) const {
    const cron when(definition.cron);
    const auto in = zone::named(definition.zone);
    for (;;) {
        auto found = co_await find(queue, definition.id);
        schedule_entry entry;
        entry.queue = queue;
        entry.row = definition.id;
        if (found) {
            entry = std::move(*found);
            entry.what = read_schedule(entry.text);
            if (entry.what.definition == definition) co_return;
        }
        const bool goes_on = entry.text.empty() && from;
        if (goes_on) entry.what = *from;
        const bool has_same_ticks = goes_on && from->definition.cron == definition.cron && from->definition.zone == definition.zone;
        entry.what.version = stored_schedule::current_version;
        entry.what.definition = definition;
        if (!has_same_ticks) entry.what.state.next = first_tick(entry.what.state, when, in);
        const bool done = co_await write(entry, std::vector<new_task>());
        if (done) co_return;
    }
}

asio::awaitable<bool> schedule_book::add(std::string queue, schedule_definition definition) const {
    schedule_entry entry;
    entry.queue = std::move(queue);
    entry.row = definition.id;
    entry.what.version = stored_schedule::current_version;
    entry.what.state.next = first_tick(entry.what.state, cron(definition.cron), zone::named(definition.zone));
    entry.what.definition = std::move(definition);
    co_return co_await write(entry, std::vector<new_task>());
}

asio::awaitable<std::optional<task_key>> schedule_book::live_task(std::string queue, std::string own_id) const {
    if (own_id.empty()) co_return std::nullopt;
    const auto key = co_await broker_->find(queue, std::move(own_id));
    if (!key) co_return std::nullopt;
    task_id id{std::move(queue), *key};
    const auto record = co_await broker_->get(std::move(id));
    if (!record || is_terminal(record->state)) co_return std::nullopt;
    co_return key;
}

}  // namespace taskflux::detail
