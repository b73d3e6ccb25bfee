#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// The layout of what the server stores, which docs/wire-format.md describes: one place for programs and scripts. The scripts
// get the values from here, under the names in lua/shared/constants.lua and keys.lua.
namespace taskflux::redis {

/// The versions that this program writes and knows. A state's is in the upper half of its first byte.
struct stored_version {
    static constexpr std::uint8_t record = 1, keyed_record = 2, state = 0;
};

enum record_flag : std::uint8_t { has_limits = 1, has_own_id = 2, has_unique_key = 4, has_more = 8, has_parent = 16, has_key = 32 };

/// In the second byte of a state. `special`: the record has limits, own id, unique key, key or parent.
struct state_bit {
    static constexpr std::uint8_t cancel_requested = 1, first_try = 2, unclaimed = 4, special = 8, has_journal = 16;
};

/// Offsets into a record. The server puts the time in front of what a program sends.
struct record_layout {
    static constexpr std::size_t version = 6, flags = 7, priority = 8, nonce = 9, name_length = 13, name = 14;
};

/// Offsets into the limits, which follow the name where there are any.
struct limits_layout {
    static constexpr std::size_t deadline = 0, expires_in = 8, retention = 16, failed_retention = 24, crash_limit = 32;
};

/// Offsets into a state.
struct state_layout {
    static constexpr std::size_t state = 0, bits = 1, nonce = 2, deliveries = 6, failed = 10, crashes = 14, when = 18,
                                 first = 26, started = 34, from = 42, gone_at = 50, holder_length = 58, holder = 60;
};

/// Offsets into a segment: what was submitted.
struct segment_layout {
    static constexpr std::size_t version = 6, flags = 7, priority = 8, count = 9, begin = 11, name_length = 15, name = 16;
};

/// Offsets into a segment's status: what has become of it.
struct status_layout {
    static constexpr std::size_t flags = 0, retention = 1, nonces = 9;
};

/// Offsets into an attempt's end, as `settle.lua` gets it.
struct ending_layout {
    static constexpr std::size_t how = 0, counts = 1, sequence = 2, nonce = 10, token = 14, delay = 18, data_length = 26,
                                 data = 30;
};

struct stored_size {
    static constexpr std::size_t time = 6, limits = 36, nonce = 4, segment_end = 4, text_length = 4,
                                 number = 8;
};

/// What a priority, and a state of version 1, 2, …, adds to its byte.
struct stored_base {
    static constexpr int priority = 100, state_version = 16;
};

/// A time that does not come, in milliseconds.
struct stored_time {
    static constexpr double never = 1e15;
};

/// The size of tasks that are handed over by a message, at most: a server cuts off who hears too much at once.
struct most_handed {
    static constexpr std::size_t bytes = 65536;
};

/// What scripts answer where a C++ `effect` would do, beyond those.
struct more_effects {
    static constexpr std::int64_t too_large = 5;
    static constexpr std::int64_t became = 8;  ///< so often 1 more than the state of a task is added to `done`: see settle.lua
};

/// Keys that not every queue has, behind the queue's prefix: names, or what names begin with.
struct own_key {
    static constexpr std::string_view lane = "l:", held = "a:", journal = "j:", producer = "p:", board = "D", events = "ev";
};

/// The key of the set of all queues' names.
inline std::string all_queues(const std::string& prefix) { return prefix + ":{queues}"; }

inline std::string named(std::string_view own_key, const std::string& of) { return std::string(own_key) + of; }

/// How something is written into a journal: `journal_write::mode`.
struct write_letter {
    static constexpr char add = '+', set = '=', drop = '-', look = '?';
};

/// What a message to a process begins with.
struct message_letter {
    static constexpr char look = 'W', task = 'T', renew = 'C', ended = 'E';
};

/// What a field of an outbox begins with.
struct outbox_letter {
    static constexpr char ended = 'D', cancel = 'X', start = 'S', forward = 'F';
};

/// What an entry of a journal for a subtask begins with.
struct subtask_letter {
    static constexpr char open = 'o', done = 'd';
};

}  // namespace taskflux::redis
