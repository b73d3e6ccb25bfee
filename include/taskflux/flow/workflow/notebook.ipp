#pragma once

#include <taskflux/broker/broker/server_trouble.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/coroutine_chain.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/detail/uninterrupted.hpp>
#include <taskflux/flow/workflow/notebook.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::detail {

// --- calls that have lost ---------------------------------------------------------------------------------------

inline std::string lost_key(const std::string& name) { return step_key("~lost/" + name); }

bool notebook::has_lost(const std::exception_ptr& failure) const {
    if (sink_.stopped() || departed()) return false;
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& e) {
        return e.code() == asio::error::operation_aborted;
    } catch (...) {  // it has failed by itself
    }
    return false;
}

void notebook::lose(const std::string& name) {
    const std::lock_guard lock(mutex_);
    lost_.push_back(lost_key(name));
}

bool notebook::has_lost_in(unsigned epoch, const std::optional<journal_entry>& mark) {
    return mark && mark->text == std::to_string(epoch);
}

asio::awaitable<void> notebook::lose_again(const std::optional<journal_entry>& mark, unsigned epoch) {
    if (!has_lost_in(epoch, mark)) co_return;
    const parking lent(sink_);
    auto waiting = sleep_for(broker()->clock(), patience_for_winner);
    co_await guarded(*this, std::move(waiting), false);
    throw boost::system::system_error(asio::error::operation_aborted);  // as before
}

// --- reading and writing ----------------------------------------------------------------------------------------

bool notebook::needs_epoch() const {
    const std::lock_guard lock(mutex_);
    return !lost_.empty() && !epoch_;
}

asio::awaitable<journal_written> notebook::send(journal_write what) {
    if (needs_epoch()) {  // the answer tells it; the attempt's first write may be its last
        auto nothing = new_write();
        co_await send_alone(std::move(nothing));
    }
    const auto own = what.items.size();
    std::vector<journal_write::item> later;
    {
        const std::lock_guard lock(mutex_);
        later = std::exchange(later_, {});
        if (epoch_) {
            for (auto& key : std::exchange(lost_, {})) {
                later.push_back(item_of(std::move(key), std::to_string(*epoch_), journal_write::mode::set));
            }
        }
    }
    what.items.insert(what.items.end(), later.begin(), later.end());
    try {
        auto answer = co_await send_alone(std::move(what));
        answer.before.resize(own);
        co_return answer;
    } catch (...) {  // also where it was cancelled, and may have been written
        const std::lock_guard lock(mutex_);
        later_.insert(later_.begin(), later.begin(), later.end());  // for the next write
        throw;
    }
}

asio::awaitable<journal_written> notebook::send_alone(journal_write what) {
    try {
        auto answer = co_await broker()->write_journal(id_, std::move(what));
        const std::lock_guard lock(mutex_);
        epoch_ = answer.epoch;
        co_return answer;
    } catch (const error& e) {
        // Ended or gone, though it runs here: by another attempt.
        if (e.code() == errc::wrong_state || e.code() == errc::not_found) throw error(errc::lease_lost, e.what());
        throw;
    }
}

asio::awaitable<journal_written> notebook::write(journal_write what) { return guarded(*this, send(std::move(what))); }

/// Whether a call of kind `now` may find the trace of a call of kind `before`. A map without results takes its ended subtasks out
/// of the journal, and counts them: only the like of it may follow there.
inline bool may_follow(call_kind before, call_kind now) {
    return is_same(before, now) && (before != call_kind::map || now == call_kind::map);
}

std::vector<const call_trace*> notebook::other_traces(const place& at) const {
    std::vector<const call_trace*> others;
    if (!may_have_entries() || !at.is_position()) return others;
    for (const auto& trace : call_traces) {
        if (!may_follow(trace.kind, at.kind)) others.push_back(&trace);
    }
    return others;
}

asio::awaitable<journal_written> notebook::send(journal_write what, place at, traces_found& found) {
    const auto own = what.items.size();
    for (const auto* trace : other_traces(at)) what.items.push_back(item_of(trace->key(at.name), "", journal_write::mode::look));
    if (may_have_entries()) what.items.push_back(item_of(lost_key(at.name), "", journal_write::mode::look));
    auto answer = co_await send(std::move(what));
    if (may_have_entries()) {
        found.lost_mark = std::move(answer.before.back());
        answer.before.pop_back();
    }
    for (auto i = own; i < answer.before.size(); ++i) found.others.push_back(std::move(answer.before[i]));
    answer.before.resize(own);
    co_return answer;
}

void notebook::check_kind(const place& at, const traces_found& found, unsigned epoch) const {
    const auto others = other_traces(at);
    for (std::size_t i = 0; i < others.size(); ++i) {
        const auto& before = found.others[i];
        if (!before) continue;
        const bool gives_way = before->outcome && before->outcome->state != task_state::succeeded && before->epoch < epoch;
        if (gives_way) continue;
        throw error(errc::journal_mismatch,
                    "call " + at.name + " of task " + to_string(id_) + " was " + others[i]->words +
                        " when it ran before, and is " + trace_of(at.kind).words + " now: the handler's calls have changed "
                        "while the task was under way; tell its runs apart (context::version), or let such tasks end before "
                        "the change");
    }
}

asio::awaitable<journal_written> notebook::write(journal_write what, place at) {
    traces_found found;
    auto answer = co_await guarded(*this, send(std::move(what), at, found));
    check_kind(at, found, answer.epoch);
    co_await lose_again(found.lost_mark, answer.epoch);
    co_return answer;
}

asio::awaitable<void> notebook::unparted(asio::awaitable<void> calls) {
    std::function<bool()> may_stop = [this] {
        note_stop();
        return departed().has_value();
    };
    return guarded(*this, uninterrupted(std::move(calls), std::move(may_stop)));
}

asio::awaitable<std::string> notebook::keep(std::string key, std::string value) {
    auto what = new_write();
    what.items.push_back(item_of(std::move(key), value, journal_write::mode::add));
    const auto answer = co_await write(std::move(what));
    const auto& before = answer.before.front();
    co_return before ? before->text : value;
}

asio::awaitable<std::string> notebook::keep(std::string value, place at) {
    auto what = new_write();
    what.items.push_back(item_of(trace_of(at.kind).key(at.name), value, journal_write::mode::add));
    const auto answer = co_await write(std::move(what), at);
    const auto& before = answer.before.front();
    co_return before ? before->text : value;
}

void notebook::keep_later(std::string key, std::string value) {
    const std::lock_guard lock(mutex_);
    later_.push_back(item_of(std::move(key), std::move(value), journal_write::mode::add));
}

asio::awaitable<void> notebook::set(std::string key, std::string value) {
    auto what = new_write();
    what.items.push_back(item_of(std::move(key), std::move(value), journal_write::mode::set));
    co_await write(std::move(what));
}

asio::awaitable<journal_page> notebook::read(journal_query query) {
    return guarded(*this, broker()->journal(id_, std::move(query)));
}

asio::awaitable<std::optional<std::string>> notebook::find(std::string key) {
    journal_query query;
    query.keys.push_back(std::move(key));
    auto page = co_await read(std::move(query));
    if (page.entries.empty()) co_return std::nullopt;
    co_return std::move(page.entries.front().text);
}

asio::awaitable<std::optional<std::string>> notebook::find(place at) {
    auto what = new_write();
    what.items.push_back(item_of(trace_of(at.kind).key(at.name), "", journal_write::mode::look));
    auto answer = co_await write(std::move(what), std::move(at));
    auto& before = answer.before.front();
    if (!before) co_return std::nullopt;
    co_return std::move(before->text);
}

asio::awaitable<std::optional<std::string>> notebook::find_step(const std::string& name) {
    journal_query query;
    query.keys.push_back(step_key(name));
    query.keys.push_back(lost_key(contest_of_step(name)));
    const auto result_key = query.keys.front();
    auto page = co_await read(std::move(query));
    std::optional<std::string> result;
    std::optional<journal_entry> mark;
    for (auto& entry : page.entries) {
        if (entry.key == result_key) result = std::move(entry.text);
        else mark = std::move(entry);
    }
    if (mark) {
        const auto now = co_await confirm();  // the answer tells the epoch
        co_await lose_again(mark, now.epoch);
    }
    co_return result;
}

// --- the attempt's early end ------------------------------------------------------------------------------------

/// How an attempt ends that can't go on for this reason, if the reason is not its handler's.
inline std::optional<departure> departure_for(std::optional<errc> reason) {
    constexpr duration until_next_try = std::chrono::seconds(1);
    const bool is_lost = reason == errc::lease_lost;
    const bool is_away = reason == errc::unavailable || reason == errc::protocol;  // something is in the way of the queue
    if (!is_lost && !is_away && reason != errc::shut_down) return std::nullopt;
    departure made;
    made.is_lost = is_lost;
    if (is_away) made.delay = until_next_try;
    return made;
}

std::optional<errc> errc_of(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const server_trouble&) {  // as if it were away
        return errc::unavailable;
    } catch (const boost::system::system_error& e) {
        if (e.code().category() == taskflux_category()) return static_cast<errc>(e.code().value());
    } catch (...) {  // a handler's own
    }
    return std::nullopt;
}

asio::awaitable<bool> notebook::is_alone() {
    co_return sink_.is_handlers(co_await own_chain());
}

asio::awaitable<void> notebook::refuse_in_step() {
    const auto* const where = co_await own_chain();
    bool is_within = false;  // else beside the step
    {
        const std::lock_guard lock(mutex_);
        is_within = stepping_.contains(where);
    }
    if (is_within) {
        throw error(errc::invalid_argument, "a step of task " + to_string(id_) + " calls its context: another run reads the step's "
                                            "result, makes no such call, and would take the ones behind it for others; call the "
                                            "context before or after the step, or give the call a name (call_as)");
    }
}

std::optional<departure> notebook::departed() const {
    const std::lock_guard lock(mutex_);
    return departed_;
}

void notebook::note(const departure& why) {
    const std::lock_guard lock(mutex_);
    if (!departed_) departed_ = why;
}

void notebook::note_stop() {
    const auto stopped = sink_.stopped();
    if (stopped == errc::lease_lost || stopped == errc::shut_down) note(*departure_for(stopped));
}

inline auto notebook::leave(const departure& why) {
    return asio::async_initiate<const asio::deferred_t, void()>(
        [this, &why](auto handler) {
            if (!sink_.is_handlers(coroutine_chain(handler))) return std::move(handler)();
            note(why);
            sink_.leave();  // and the handler goes
        },
        asio::deferred);
}

asio::awaitable<void> notebook::rest() {
    if (!may_have_entries() || has_rested_ || is_in_group()) co_return;
    const bool only_waits = co_await is_alone();
    if (!only_waits || has_rested_.exchange(true)) co_return;
    co_await set(step_key("~rest"), std::to_string(token_));
}

asio::awaitable<void> notebook::depart(departure why) { co_await leave(why); }

asio::awaitable<void> notebook::check() {
    note_stop();
    const auto why = departed();
    if (!why) co_return;
    co_await depart(*why);
    throw error(errc::lease_lost, "this attempt at task " + to_string(id_) + " has ended: its handler can make no more calls, "
                                  "and must return; the task is run again");
}

void notebook::tell(const std::exception_ptr& failure) {
    log_line line;
    line.at = sink_.broker()->clock().wall();
    line.level = log_level::warning;
    line.text = "this attempt is given back, and the task run again after a second: " + describe(failure).message;
    sink_.on_log(std::move(line));
}

asio::awaitable<void> notebook::blame(std::exception_ptr failure, bool is_brokers) {
    note_stop();
    auto why = departed();
    if (!why && is_brokers) {
        const auto reason = errc_of(failure);
        why = departure_for(reason);
        if (reason == errc::protocol) tell(failure);  // it need not pass by itself
    }
    if (!why) co_return;
    co_await depart(*why);
    note(*why);
    sink_.interrupt();
}

}  // namespace taskflux::detail
