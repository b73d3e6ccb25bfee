#pragma once

#include <taskflux/broker/broker.hpp>
#include <taskflux/broker/redis/bytes.hpp>
#include <taskflux/broker/redis/records.hpp>
#include <taskflux/core/time.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace taskflux::redis {

// What travels together in one request: see `batcher`. Each item is ready to be sent.

/// A task to be stored.
struct task_item {
    task_item() {}
    task_item(const new_task& task, std::uint32_t made_nonce) : record(encode_record(task, made_nonce)), nonce(made_nonce) {
        is_awaited = task.is_awaited;
        const bool replaces = task.on_duplicate != duplicate::join;
        if (!task.hold && task.delay <= duration::zero() && task.at <= time_point{} && !replaces) return;
        put(place, std::uint8_t(task.hold));
        put(place, to_number(task.delay));
        put(place, to_number(task.at));
        if (!replaces) return;
        put(place, static_cast<std::uint8_t>(task.on_duplicate));
        put(place, to_number(task.at_most));
    }

    std::string record;       ///< without the time, which the server puts in front
    std::string place;        ///< whether it is held, when it is due, and whether it replaces others: see enqueue.lua; empty: it is to run at once
    std::uint32_t nonce = 0;  ///< which `record` has too
    bool is_awaited = false;  ///< the inbox is to hear of its end
};

inline std::size_t bytes_of(const task_item& item) { return item.record.size() + item.place.size(); }

/// The end of an attempt.
struct end_item {
    explicit end_item(const settlement& end) : ending(ending_of(end)) {}

    std::string ending;
};

inline std::size_t bytes_of(const end_item& item) { return item.ending.size(); }

}  // namespace taskflux::redis
