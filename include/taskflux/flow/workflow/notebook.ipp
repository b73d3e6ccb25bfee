#pragma once

#include <taskflux/broker/broker/server_trouble.hpp>
#include <taskflux/clock.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/coroutine_chain.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/flow/workflow/notebook.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace taskflux::detail {

// --- names ------------------------------------------------------------------------------------------------------

std::string notebook::next_name() {
    note_stop();
    const std::lock_guard lock(mutex_);
    do ++position_;
    while (left_out_.contains(position_));
    return std::to_string(position_);
}

void notebook::leave_out(const std::vector<unsigned>& numbers, name_list* to) {
    const std::lock_guard lock(mutex_);
    left_out_.insert(numbers.begin(), numbers.end());
    for (; to; to = to->outer.get()) to->numbers.insert(to->numbers.end(), numbers.begin(), numbers.end());
}

void notebook::note_names(const void* chain, std::shared_ptr<name_list> to) {
    const std::lock_guard lock(mutex_);
    if (to) noted_[chain] = std::move(to);
    else noted_.erase(chain);
    noting_ = static_cast<int>(noted_.size());
}

asio::awaitable<std::shared_ptr<name_list>> notebook::names_here() {
    const auto* const where = co_await own_chain();
    const std::lock_guard lock(mutex_);
    const auto found = noted_.find(where);
    co_return found == noted_.end() ? nullptr : found->second;
}

asio::awaitable<void> notebook::note_name(const std::string& name) {
    const auto here = co_await names_here();
    const std::lock_guard lock(mutex_);
    for (auto* list = here.get(); list; list = list->outer.get()) list->numbers.push_back(number_in<unsigned>(name));
}

void notebook::enter_step(const void* chain) {
    const std::lock_guard lock(mutex_);
    stepping_.insert(chain);
    steps_ = static_cast<int>(stepping_.size());
}

void notebook::leave_step(const void* chain) {
    const std::lock_guard lock(mutex_);
    stepping_.erase(stepping_.find(chain));
    steps_ = static_cast<int>(stepping_.size());
}

std::size_t notebook::next_signal(const std::string& name) {
    detail::check_name(limits::call, name);
    const std::lock_guard lock(mutex_);
    auto& taken = signals_[name];
    std::size_t number = 1;
    for (const auto one : taken) {
        if (one != number) break;
        ++number;
    }
    taken.insert(number);
    return number;
}

void notebook::return_signal(const std::string& name, std::size_t number) {
    const std::lock_guard lock(mutex_);
    signals_[name].erase(number);
}

void notebook::check_name(const char* what, const std::string& name) {
    if (!name.empty() && name.front() != '~' && name.size() <= limits::call.most && is_utf8(name)) return;
    throw error(errc::invalid_argument, std::string("a ") + what + " can't be named " + in_quotes(name) +
                                            ": use 1 to 200 bytes of UTF-8 that do not begin with '~'");
}

void notebook::claim(const char* what, const std::string& name) {
    note_stop();
    check_name(what, name);
    const std::lock_guard lock(mutex_);
    if (used_.insert(what + (' ' + name)).second) return;
    throw error(errc::invalid_argument, std::string("a second ") + what + " can't be named \"" + name +
                                            "\": give each of a task a name of its own");
}

bool notebook::is_made(std::string_view key) const {
    const bool is_subtask = key.starts_with(journal_letter::subtask);
    if (!is_subtask && !key.starts_with(journal_letter::step)) return true;  // a signal: nobody has asked for it
    auto name = key.substr(1);
    if (name.starts_with('~')) {
        const auto slash = name.find('/');
        const bool is_of_call = !is_subtask && slash != std::string_view::npos && !name.starts_with("~version/");
        if (!is_of_call) return true;  // from outside, a continuation, a version
        name.remove_prefix(slash + 1);
    } else if (!is_subtask || name.find_first_not_of("0123456789.") != std::string_view::npos) {
        const std::lock_guard lock(mutex_);
        return used_.contains((is_subtask ? "call " : "step ") + std::string(name));
    }
    const auto number = number_in<unsigned>(name);
    const std::lock_guard lock(mutex_);
    return number <= position_ || left_out_.contains(number);
}

asio::awaitable<bool> notebook::is_behind() {
    journal_query query;
    do {
        auto page = co_await read(query);
        for (const auto& entry : page.entries) {
            if (!is_made(entry.key)) co_return true;
        }
        query.cursor = std::move(page.cursor);
    } while (!query.cursor.empty());
    co_return false;
}

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

asio::awaitable<void> notebook::lose_again(const std::optional<journal_entry>& mark, unsigned epoch) {
    if (!mark || mark->text != std::to_string(epoch)) co_return;
    const parking lent(sink_);
    auto waiting = sleep_for(broker()->clock(), patience_for_winner);
    co_await guarded(*this, std::move(waiting), false);
    throw boost::system::system_error(asio::error::operation_aborted);  // as before
}

// --- reading and writing ----------------------------------------------------------------------------------------

asio::awaitable<journal_written> notebook::send(journal_write what) {
    const auto own = what.items.size();
    std::vector<journal_write::item> later;
    {
        const std::lock_guard lock(mutex_);
        later = std::exchange(later_, {});
        // The epoch is known from the first answer on; until then they wait.
        if (epoch_) {
            for (auto& key : std::exchange(lost_, {})) {
                later.push_back(item_of(std::move(key), std::to_string(*epoch_), journal_write::mode::set));
            }
        }
    }
    what.items.insert(what.items.end(), later.begin(), later.end());
    try {
        auto answer = co_await broker()->write_journal(id_, std::move(what));
        answer.before.resize(own);
        const std::lock_guard lock(mutex_);
        epoch_ = answer.epoch;
        co_return answer;
    } catch (const error& e) {
        const std::lock_guard lock(mutex_);
        later_.insert(later_.begin(), later.begin(), later.end());  // for the next write
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

asio::awaitable<journal_written> notebook::write(journal_write what, place at) {
    const auto own = what.items.size();
    std::vector<const call_trace*> others;
    for (const auto& trace : call_traces) {
        if (!may_have_entries() || !at.is_position() || may_follow(trace.kind, at.kind)) continue;
        others.push_back(&trace);
        what.items.push_back(item_of(trace.key(at.name), "", journal_write::mode::look));
    }
    if (may_have_entries()) what.items.push_back(item_of(lost_key(at.name), "", journal_write::mode::look));
    auto answer = co_await write(std::move(what));
    for (std::size_t i = 0; i < others.size(); ++i) {
        const auto& before = answer.before[own + i];
        if (!before) continue;
        const bool gives_way = before->outcome && before->outcome->state != task_state::succeeded && before->epoch < answer.epoch;
        if (gives_way) continue;
        throw error(errc::journal_mismatch,
                    "call " + at.name + " of task " + to_string(id_) + " was " + others[i]->words +
                        " when it ran before, and is " + trace_of(at.kind).words + " now: the handler's calls have changed "
                        "while the task was under way; tell its runs apart (context::version), or let such tasks end before "
                        "the change");
    }
    if (may_have_entries()) co_await lose_again(answer.before.back(), answer.epoch);
    answer.before.resize(own);
    co_return answer;
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
    auto what = new_write();
    what.items.push_back(item_of(step_key(name), "", journal_write::mode::look));
    what.items.push_back(item_of(lost_key(contest_of_step(name)), "", journal_write::mode::look));
    auto answer = co_await write(std::move(what));
    co_await lose_again(answer.before.back(), answer.epoch);
    auto& before = answer.before.front();
    if (!before) co_return std::nullopt;
    co_return std::move(before->text);
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
