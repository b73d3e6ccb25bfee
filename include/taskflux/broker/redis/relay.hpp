#pragma once

#include <taskflux/broker/journal.hpp>
#include <taskflux/broker/redis/engine.hpp>
#include <taskflux/broker/redis/inspect.hpp>
#include <taskflux/broker/redis/journals.hpp>
#include <taskflux/core/task/failure.hpp>
#include <taskflux/detail/caught.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace taskflux::redis {

// A script touches one queue. What it brings about in others waits in its queue's outbox until some process has carried
// it there; all of it can be carried twice.

/// Of a queue's tasks with these own ids, those whose records are still there and that are subtasks of `parent`.
inline awaitable<std::vector<task_key>> locate(engine_ptr on, task_id parent, std::string queue, std::vector<std::string> own_ids) {
    arguments with;
    with.add(parent.queue + ' ' + std::to_string(parent.key.sequence) + ' ' + std::to_string(parent.key.nonce));
    for (auto& own_id : own_ids) with.add(std::move(own_id));
    const auto got = co_await on->call(std::move(queue), scripts::find, {}, std::move(with));
    std::vector<task_key> found;
    for (auto from = got.read(); !from.done();) {
        const auto key = read_key(from);
        if (key.sequence != 0) found.push_back(key);
    }
    co_return found;
}

/// Acts on subtasks of a parent in one queue: two calls for up to `careful_batch_size`.
inline awaitable<void> steer_children(engine_ptr on, const char* verb, task_id parent, std::string queue,
                                      std::vector<std::string> own_ids) {
    for (std::size_t from = 0, till = 0; from < own_ids.size(); from = till) {
        till = (std::min)(from + engine::careful_batch_size, own_ids.size());
        std::vector<std::string> some;
        for (auto i = from; i < till; ++i) some.push_back(std::move(own_ids[i]));
        const auto found = co_await locate(on, parent, queue, std::move(some));
        if (found.empty()) continue;
        arguments with;
        with.add(verb);
        for (const auto& key : found) with.add(key.sequence).add(key.nonce);
        co_await on->call(queue, scripts::steer, {}, std::move(with));
    }
}

/// Whether what has failed is wrong with one queue or one entry, so that the others are carried all the same. Else the server
/// is away, or the broker is closed: that would keep all of them waiting.
inline bool is_of_one_queue(const std::exception_ptr& failure) {
    const auto code = detail::code_of(detail::describe(failure));
    return code == errc::protocol || code == errc::invalid_argument || code == errc::queue_full;
}

/// The subtasks of a task that has ended, those that are open since `epoch` or earlier. What is wrong with one queue does not
/// keep those in others from being cancelled.
inline awaitable<void> cancel_children(engine_ptr on, task_id parent, unsigned epoch) {
    journal_query query;
    query.limit = engine::careful_batch_size;
    std::exception_ptr failure;
    do {
        journal_page page;
        try {
            page = co_await read_journal(on, parent, query);
        } catch (const error& e) {
            if (e.code() != errc::not_found) throw;
            co_return;
        }
        std::map<std::string, std::vector<std::string>> open;
        for (const auto& entry : page.entries) {
            if (!entry.key.starts_with(journal_letter::subtask) || entry.outcome || entry.epoch > epoch) continue;
            auto place = child_place::parse(entry.text);
            open[place.queue].push_back(std::move(place.own_id));
        }
        for (auto& [queue, own_ids] : open) {
            auto cancelling = steer_children(on, "cancel", parent, queue, std::move(own_ids));
            const auto cancelled = co_await detail::caught(std::move(cancelling));
            if (!cancelled.failure()) continue;
            failure = cancelled.failure();
            if (!is_of_one_queue(failure)) std::rethrow_exception(failure);
        }
        query.cursor = page.cursor;
    } while (!query.cursor.empty());
    if (failure) std::rethrow_exception(failure);
}

/// One thing that waits in an outbox.
struct outgoing {
    std::string field;
    std::string value;

    char kind() const { return field.empty() ? '\0' : field.front(); }
};

/// The end of a subtask, as an outbox holds it. Views point into `value`.
struct child_end {
    std::uint8_t state = 0;
    std::uint32_t attempts = 0;
    std::string_view queue;  // the parent's
    task_key parent;
    std::string_view key, own_id, result, error;
};

/// Throws `errc::protocol`.
inline child_end read_end(std::string_view value) {
    byte_reader bytes(value);
    child_end made;
    made.state = bytes.number<std::uint8_t>();
    made.attempts = bytes.number<std::uint32_t>();
    made.queue = bytes.text();
    made.parent.sequence = static_cast<std::uint64_t>(bytes.whole());
    made.parent.nonce = bytes.number<std::uint32_t>();
    made.key = bytes.text();
    made.own_id = bytes.text();
    made.result = bytes.text();
    made.error = bytes.text();
    return made;
}

/// The ends of subtasks, for parents in one queue: a call for up to `careful_batch_size`.
inline awaitable<void> carry_ends(engine_ptr on, std::string to, std::vector<outgoing> ends) {
    for (std::size_t from = 0, till = 0; from < ends.size(); from = till) {
        till = (std::min)(from + engine::careful_batch_size, ends.size());
        arguments with;
        for (auto i = from; i < till; ++i) {
            const auto end = read_end(ends[i].value);
            with.add(end.parent.sequence).add(end.parent.nonce).add(end.key).add(end.own_id);
            with.add(unsigned(end.state)).add(end.attempts).add(end.result).add(end.error);
        }
        co_await on->call(to, scripts::end_child, {}, std::move(with));
    }
}

/// A task that is to be submitted to another queue, as an outbox holds it. Views point into `value`.
struct forwarded_task {
    std::string_view queue, place, record;
};

/// Throws `errc::protocol`.
inline forwarded_task read_forwarded(std::string_view value) {
    byte_reader bytes(value);
    forwarded_task made;
    made.queue = bytes.text();
    made.place = bytes.text();
    made.record = bytes.rest();
    return made;
}

/// Submits results to one queue, under their tasks' own ids: those that are there already stay. Up to `careful_batch_size` and
/// 1 MiB in a call; ever fewer where it has not enough room, or one of them is wrong. Adds those that were stored to `carried`, and
/// gives why others were not.
inline awaitable<std::exception_ptr> carry_forwards(engine_ptr on, std::string to, std::vector<outgoing>& all,
                                                    std::vector<outgoing>& carried) {
    constexpr std::size_t most_bytes = 1 << 20;
    std::exception_ptr failure;
    auto many = engine::careful_batch_size;
    for (std::size_t from = 0, till = 0; from < all.size(); from = till) {
        arguments with;
        with.add("").add(0).add_run_id().add("").add("");
        std::size_t bytes = 0;
        for (till = from; till < all.size() && till - from < many && (till == from || bytes < most_bytes); ++till) {
            const auto one = read_forwarded(all[till].value);
            bytes += one.record.size();
            with.add(one.record).add(one.place);
        }
        auto storing = on->call(to, scripts::enqueue, {}, std::move(with));
        const auto stored = co_await detail::caught(std::move(storing));
        if (!stored.failure()) {
            for (auto i = from; i < till; ++i) carried.push_back(std::move(all[i]));
            continue;
        }
        failure = stored.failure();
        if (!is_of_one_queue(failure)) std::rethrow_exception(failure);
        const bool is_full = detail::code_of(detail::describe(failure)) == errc::queue_full;
        if (till - from == 1 && is_full) break;
        if (till - from == 1) continue;  // that one stays
        many = (till - from) / 2;
        till = from;
    }
    co_return failure;
}

/// What concerns the task itself: its subtasks, or its continuation.
struct own_news {
    task_key task;
    unsigned epoch = 0;          // of subtasks to be cancelled
    std::string_view place;      // of a continuation to be started
};

/// Throws `errc::protocol`.
inline own_news read_own(const outgoing& what) {
    const auto number = [&](std::string_view& from, auto value) {
        const auto [end, ec] = std::from_chars(from.data(), from.data() + from.size(), value);
        if (ec != std::errc()) throw error(errc::protocol, "an entry of an outbox can't be read: it has no number where one is expected");
        from.remove_prefix((std::min)(from.size(), static_cast<std::size_t>(end - from.data()) + 1));  // and a space
        return value;
    };
    own_news made;
    auto field = std::string_view(what.field).substr((std::min)(what.field.size(), std::size_t(1)));
    made.task.sequence = number(field, std::uint64_t());
    std::string_view value = what.value;
    if (what.kind() == outbox_letter::cancel) {
        made.task.nonce = number(value, std::uint32_t());
        made.epoch = number(value, unsigned());
    } else if (what.kind() == outbox_letter::start) {
        byte_reader bytes(value);
        made.task.nonce = bytes.number<std::uint32_t>();
        made.place = bytes.rest();
    } else {
        throw error(errc::protocol, "an entry of an outbox can't be read: this version does not know its kind");
    }
    return made;
}

inline awaitable<void> carry_own(engine_ptr on, std::string queue, outgoing what) {
    const auto news = read_own(what);
    task_id parent;
    parent.queue = std::move(queue);
    parent.key = news.task;
    if (what.kind() == outbox_letter::cancel) {
        co_await cancel_children(on, std::move(parent), news.epoch);
    } else {
        auto place = child_place::parse(news.place);
        std::vector<std::string> own_ids(1, std::move(place.own_id));
        co_await steer_children(on, "start", std::move(parent), std::move(place.queue), std::move(own_ids));
    }
}

/// What is left in an outbox can't be carried now: those that peek leave it alone for a while, and the next one who carries comes
/// the later the longer it took to read it.
inline awaitable<void> rest_from(engine_ptr on, std::string queue, duration took) {
    constexpr int times = 8;
    constexpr duration longest = std::chrono::seconds(5);
    arguments later_on;
    later_on.add(0).add("0");
    co_await on->call(std::move(queue), scripts::outbox, {}, std::move(later_on));
    const auto until = later(on->base().now(), std::clamp(took * times, duration::zero(), longest));
    auto waiting = on->inbox().watch({}, std::make_shared<inbox::place>());
    while (on->base().now() < until) co_await on->sleep(waiting, until);
}

/// Carries what the outbox of a queue holds to other queues. What can't be carried stays, is told of, and holds up nothing
/// else, unless the server is away.
inline awaitable<void> carry_outbox(engine_ptr on, std::string queue) {
    std::vector<outgoing> carried;
    std::string cursor = "0";
    std::exception_ptr failure;  // since the outbox was last read from its beginning
    std::set<std::string> full;  // queues that have no room now
    bool is_left = false;        // something is, since then
    auto begun = on->base().now();
    for (;;) {
        arguments with;
        with.add(engine::careful_batch_size).add(cursor);
        for (auto& one : carried) with.add(std::move(one.field)).add(std::move(one.value));
        carried.clear();
        const auto got = co_await on->call(queue, scripts::outbox, {}, std::move(with));
        std::map<std::string, std::vector<outgoing>> by_target;  // of subtasks that have ended: the parents' queues
        std::map<std::string, std::vector<outgoing>> forwarded;
        auto from = got.read();
        cursor = from.text();
        std::size_t seen = 0;
        for (; !from.done(); ++seen) {
            outgoing one;
            one.field = from.text();
            one.value = from.text();
            try {
                if (one.kind() == outbox_letter::forward) {
                    forwarded[std::string(read_forwarded(one.value).queue)].push_back(std::move(one));
                    continue;
                }
                std::string target;
                if (one.kind() == outbox_letter::ended) target = read_end(one.value).queue;
                else read_own(one);
                by_target[target].push_back(std::move(one));
            } catch (const error& e) {
                on->at(queue)->report_damage("o " + one.field, e.what());
            }
        }
        for (auto& [target, all] : by_target) {
            if (target.empty()) continue;
            auto carrying = carry_ends(on, target, all);
            const auto ended = co_await detail::caught(std::move(carrying));
            if (ended.failure() && !is_of_one_queue(ended.failure())) std::rethrow_exception(ended.failure());
            if (ended.failure()) failure = ended.failure();
            else std::ranges::move(all, std::back_inserter(carried));
        }
        for (auto& one : by_target[std::string()]) {
            auto carrying = carry_own(on, queue, one);
            const auto ended = co_await detail::caught(std::move(carrying));
            if (ended.failure() && !is_of_one_queue(ended.failure())) std::rethrow_exception(ended.failure());
            if (ended.failure()) failure = ended.failure();
            else carried.push_back(std::move(one));
        }
        for (auto& [target, all] : forwarded) {
            if (full.contains(target)) continue;
            auto carrying = carry_forwards(on, target, all, carried);
            const auto why = co_await std::move(carrying);
            if (!why) continue;
            if (detail::code_of(detail::describe(why)) == errc::queue_full) full.insert(target);
            else failure = why;
        }
        is_left = is_left || carried.size() < seen;
        if (cursor != "0") continue;
        if (carried.empty()) {
            auto resting = rest_from(on, queue, on->base().now() - begun);
            if (is_left) co_await std::move(resting);
            if (failure) std::rethrow_exception(failure);  // that a queue is full is what the outbox is for
            co_return;
        }
        failure = nullptr;
        full.clear();
        is_left = false;
        begun = on->base().now();
    }
}

}  // namespace taskflux::redis
