#pragma once

#include <taskflux/clock.hpp>
#include <taskflux/core/error.hpp>
#include <taskflux/core/state.hpp>
#include <taskflux/core/uuid.hpp>
#include <taskflux/detail/caught.hpp>
#include <taskflux/detail/sleep.hpp>
#include <taskflux/http/task_center/center.hpp>
#include <taskflux/http/task_center/entries.hpp>

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <exception>
#include <iterator>
#include <set>
#include <string>
#include <utility>

namespace taskflux::detail::task_center {

/// How often somebody whose task is gone, or has failed, looks whether there is one of its id again.
inline constexpr duration look_again = std::chrono::seconds(1);

inline bool is_error(const std::exception_ptr& failure, errc code) {
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& e) {
        return e.code() == code;
    } catch (...) {
        return false;
    }
}

asio::awaitable<std::optional<task_record>> find(center_ptr on, std::string queue, std::string id) {
    std::optional<task_key> key;
    if (const auto own = own_id_of(id)) key = co_await on->broker->find(queue, *own);
    if (!key) key = key_of(id);
    if (!key) co_return std::nullopt;
    const task_id whole{queue, *key};
    co_return co_await on->broker->get(whole);
}

/// Whether a task has made room for another one of its id: it was removed, or is now, as it has ended without a result.
inline asio::awaitable<bool> makes_room(center_ptr on, task_id id) {
    const auto record = co_await on->broker->get(id);
    if (!record) co_return true;
    if (!is_terminal(record->state) || record->state == task_state::succeeded) co_return false;
    const std::vector<task_key> keys(1, id.key);
    co_await on->broker->remove(id.queue, keys);
    co_return true;
}

inline asio::awaitable<submitted> store(center_ptr on, new_entry what, bool is_awaited) {
    constexpr int most_tries = 5;
    for (int tries = 1;; ++tries) {
        std::vector<new_task> tasks(1, stored_entry(what));
        tasks.front().is_awaited = is_awaited;
        const auto stored = co_await on->broker->submit(what.queue, std::move(tasks));
        const auto& one = stored.front();
        if (!one.duplicate || tries == most_tries) co_return one;
        const task_id there{what.queue, one.key};
        if (!co_await makes_room(on, there)) co_return one;
    }
}

asio::awaitable<bool> put(center_ptr on, new_entry what) {
    auto storing = store(on, std::move(what), false);
    const auto stored = co_await std::move(storing);
    co_return !stored.duplicate;
}

asio::awaitable<std::vector<peeked_entry>> peek(center_ptr on, std::string queue, std::string cursor, std::size_t size, duration wait) {
    constexpr std::size_t most_bytes = 16 * 1024 * 1024, most_of_a_page = 1000;
    std::vector<peeked_entry> seen;
    std::size_t bytes = 0;
    peek_query query;
    query.cursor = std::move(cursor);
    query.wait = wait;
    while (seen.size() < size && bytes < most_bytes) {
        query.limit = (std::min)(size - seen.size(), most_of_a_page);
        const auto page = co_await on->broker->peek(queue, query);
        if (page.tasks.empty()) break;
        for (const auto& one : page.tasks) {
            std::string payload;
            if (info_size(one.spec->headers) > 0) {
                const task_id id{queue, one.key};
                auto record = co_await on->broker->get(id);
                if (!record) continue;
                payload = std::move(record->payload);
            }
            seen.push_back({id_of(one.own_id, one.key), info_of(one.spec->headers, payload), one.cursor});
            bytes += seen.back().info.size() + seen.back().id.size();
        }
        query.cursor = page.cursor;
        query.wait = duration::zero();
    }
    co_return seen;
}

/// Ends those tasks as cancelled, and forgets them: no caller is given a result.
inline asio::awaitable<void> hand_over(center_ptr on, std::string queue, std::vector<acquired_task>& taken) {
    std::vector<task_key> keys;
    for (const auto& one : taken) {
        if (one.task) keys.push_back(one.task->key);
    }
    if (keys.empty()) co_return;
    co_await on->broker->cancel(queue, keys);
    for (auto& one : taken) {
        if (!one.task) continue;
        task_reply end;
        end.task.key = one.task->key;
        end.scope = reply_scope::attempt;
        end.token = one.task->token;
        if (co_await on->broker->reply(queue, end) != effect::done) one.task.reset();  // it came too late
    }
    co_await on->broker->remove(queue, keys);
}

inline asio::awaitable<std::vector<acquired_task>> acquire_some(center_ptr on, std::string queue, std::vector<task_reference> tasks,
                                                                duration promise) {
    constexpr auto for_handing_over = std::chrono::seconds(60);
    acquire_request request;
    request.queue = queue;
    request.consumer = "task_center/" + uuid_generator().text();
    request.lease = promise > duration::zero() ? promise : duration(for_handing_over);
    request.tasks = std::move(tasks);
    auto taken = co_await on->broker->acquire(std::move(request));
    if (promise <= duration::zero()) co_await hand_over(on, queue, taken);
    co_return taken;
}

asio::awaitable<std::vector<taken_entry>> acquire(center_ptr on, std::string queue, std::vector<std::string> ids, duration promise) {
    constexpr std::size_t most = 500;  // at a time: a broker takes 1,000
    std::vector<taken_entry> all;
    std::set<std::string> known;
    std::erase_if(ids, [&](const auto& id) { return !known.insert(id).second; });
    for (std::size_t from = 0; from < ids.size(); from += most) {
        std::vector<task_reference> own, keyed;
        std::vector<std::string> names;
        for (auto i = from; i < (std::min)(from + most, ids.size()); ++i) {
            if (auto one = own_id_of(ids[i])) own.push_back({{}, std::move(*one)}), names.push_back(ids[i]);
        }
        auto taking = acquire_some(on, queue, std::move(own), promise);
        auto taken = co_await std::move(taking);
        for (std::size_t i = 0; i < taken.size(); ++i) {
            const auto key = key_of(names[i]);
            if (taken[i].what == acquire_outcome::not_found && key) keyed.push_back({*key, {}});
        }
        if (!keyed.empty()) {
            auto others = acquire_some(on, queue, std::move(keyed), promise);
            auto more = co_await std::move(others);
            std::ranges::move(more, std::back_inserter(taken));
        }
        for (auto& one : taken) {
            if (!one.task || one.task->unreadable) continue;
            auto& what = *one.task;
            auto info = info_of(what.spec->headers, what.payload);
            all.push_back({id_of(what.own_id, what.key), std::move(info), content_of(what.spec->headers, std::move(what.payload))});
        }
    }
    co_return all;
}

asio::awaitable<bool> reply(center_ptr on, std::string queue, std::string id, result what) {
    auto finding = find(on, queue, id);
    const auto record = co_await std::move(finding);
    if (!record) co_return false;
    task_reply told;
    told.task.key = record->id.key;
    told.scope = reply_scope::any;
    told.result = what.stored();
    if (!is_clients(record->name)) told.result = what.content.empty() ? what.info : what.content;  // of a contract in C++
    std::vector<new_task> next;
    const auto to = header_of(record->headers, forward_header);
    if (!to.empty()) {
        new_entry forwarded;
        forwarded.own_id = own_id_of(id).value_or(std::string());
        forwarded.info = std::move(what.info);
        forwarded.content = std::move(what.content);
        next.push_back(stored_entry(forwarded));
    }
    if (!to.empty() && to != queue) {
        told.forward_to = to;
        told.forwarded = std::move(next.front());
    }
    const auto done = co_await on->broker->reply(queue, std::move(told));
    if (done == effect::done && to == queue) co_await on->broker->submit(queue, std::move(next));  // dropped while the result is kept
    co_return done == effect::done;
}

/// What somebody who waits for a result has come to: one of these, or none, where the task has ended without a result.
class awaited_result {
public:
    std::optional<result> got;
    bool is_over = false;  ///< the time is
    bool is_gone = false;  ///< the task was, when one asked for it
};

inline asio::awaitable<awaited_result> result_within(center_ptr on, task_id id, duration wait) {
    awaited_result made;
    auto waiting = on->broker->wait(std::move(id), wait);
    auto ended = co_await caught(std::move(waiting));
    made.is_gone = ended.failure() && is_error(ended.failure(), errc::not_found);
    if (made.is_gone || (ended.failure() && is_error(ended.failure(), errc::no_worker))) co_return made;
    const auto outcome = ended.take();
    made.is_over = !outcome;
    if (outcome && outcome->state == task_state::succeeded) made.got = result::read(outcome->result);
    co_return made;
}

/// What is left of a time. A broker's clock may step when it hears of its server's.
class time_left {
public:
    time_left(const clock& by, duration all) : clock_(by), left_(all), began_(by.now()) {}

    duration operator()() {
        const auto now = clock_.now();
        left_ -= std::clamp(now - std::exchange(began_, now), duration::zero(), left_);
        return left_;
    }

private:
    const clock& clock_;
    duration left_;
    time_point began_;
};

/// Puts a task unless it is there, and waits for its result.
inline asio::awaitable<awaited_result> put_and_wait(center_ptr on, new_entry what, duration wait) {
    auto& clock = on->broker->clock();
    for (;;) {
        auto storing = store(on, what, true);
        const auto stored = co_await std::move(storing);
        task_id id{what.queue, stored.key};
        const auto began = clock.now();
        auto waiting = result_within(on, std::move(id), wait);
        auto ended = co_await std::move(waiting);
        // A result that is not kept may be gone before one who has joined its task asks for it: then this is a new task.
        const bool has_missed_it = ended.is_gone && stored.duplicate && clock.now() - began < look_again;
        if (!has_missed_it) co_return ended;
    }
}

asio::awaitable<std::optional<result>> call(center_ptr on, new_entry what, duration wait) {
    auto& clock = on->broker->clock();
    time_left left(clock, wait);
    if (wait > duration::zero()) {
        auto putting = put_and_wait(on, what, wait);
        auto ended = co_await std::move(putting);
        if (ended.got || ended.is_over) co_return std::move(ended.got);
    }
    for (;;) {  // the task was removed, or has failed: there may be one of its id again
        const auto key = co_await on->broker->find(what.queue, what.own_id);
        if (key) {
            task_id id{what.queue, *key};
            auto waiting = result_within(on, std::move(id), left());
            auto ended = co_await std::move(waiting);
            if (ended.got || ended.is_over) co_return std::move(ended.got);
        }
        const auto rest = left();
        if (rest <= duration::zero()) co_return std::nullopt;
        co_await sleep_for(clock, (std::min)(rest, look_again));
    }
}

asio::awaitable<void> remove_task(center_ptr on, task_id id) {
    constexpr int most_tries = 10;
    const std::vector<task_key> keys(1, id.key);
    for (int tries = 0; tries < most_tries; ++tries) {
        const auto removed = co_await on->broker->remove(id.queue, keys);
        if (removed.front() != effect::wrong_state) co_return;
        const auto told = co_await on->broker->cancel(id.queue, keys);
        if (told.front() != effect::requested) continue;
        task_reply end;
        end.task.key = id.key;
        end.scope = reply_scope::any;
        co_await on->broker->reply(id.queue, end);  // ends it as cancelled
    }
}

asio::awaitable<bool> remove(center_ptr on, std::string queue, std::string id) {
    auto finding = find(on, queue, std::move(id));
    const auto record = co_await std::move(finding);
    if (!record) co_return false;
    auto removing = remove_task(on, record->id);
    co_await std::move(removing);
    co_return true;
}

}  // namespace taskflux::detail::task_center
