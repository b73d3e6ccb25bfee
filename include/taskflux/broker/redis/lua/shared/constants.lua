-- Numbers and letters by name. The generator puts in their values, so that a name costs nothing. Above a table that C++ has
-- too stands where: `generate.py --check` refuses a difference. `from 1`: C++ counts bytes from 0, Lua from 1.

-- C++: core/state.hpp task_state
local task_state = {
    held = 0, scheduled = 1, waiting = 2, running = 3, waiting_children = 4, succeeded = 5, failed = 6, cancelled = 7,
    expired = 8,
}
-- The fields of `keys.queue` with how many tasks are in a state.
local counter = {
    held = 'n' .. task_state.held, scheduled = 'n' .. task_state.scheduled, waiting = 'n' .. task_state.waiting,
    running = 'n' .. task_state.running, waiting_children = 'n' .. task_state.waiting_children, succeeded = 'n' .. task_state.succeeded,
    failed = 'n' .. task_state.failed, cancelled = 'n' .. task_state.cancelled, expired = 'n' .. task_state.expired,
}
-- C++: broker/broker.hpp effect
local effect = {done = 0, requested = 1, lease_lost = 2, wrong_state = 3, not_found = 4}
-- C++: broker/redis/layout.hpp more_effects
local more_effects = {too_large = 5}
-- C++: broker/broker.hpp settlement::kind
local ending_kind = {complete = 0, fail = 1, retry = 2, release = 3, cancel = 4, suspend = 5}
-- C++: core/options.hpp run_policy
local run_policy = {retention = 3600000, failed_retention = 604800000, crash_limit = 3}
-- C++: broker/redis/layout.hpp stored_time
local stored_time = {never = 1e15}
-- C++: broker/redis/layout.hpp stored_base
local stored_base = {priority = 100, state_version = 16}
-- C++: broker/redis/layout.hpp stored_version
local stored_version = {record = 1, state = 0}
-- What the first byte of a state of this version adds to the number of the state.
local state_base = {version = stored_base.state_version * stored_version.state}

-- C++: broker/redis/layout.hpp record_flag
local record_flag = {has_limits = 1, has_own_id = 2, has_unique_key = 4, has_more = 8, has_parent = 16}
local record_flags = {
    special = record_flag.has_limits + record_flag.has_own_id + record_flag.has_unique_key + record_flag.has_parent,
}
-- C++: broker/redis/layout.hpp state_bit
local state_bit = {cancel_requested = 1, first_try = 2, unclaimed = 4, special = 8, has_journal = 16}
-- C++: broker/redis/layout.hpp stored_size
local stored_size = {time = 6, limits = 36, nonce = 4, segment_end = 4, text_length = 4}
-- C++: broker/redis/layout.hpp record_layout from 1
local record_at = {version = 7, flags = 8, priority = 9, nonce = 10, name_length = 14, name = 15}
-- In what a program sends: without the time.
local body_at = {
    flags = record_at.flags - stored_size.time, priority = record_at.priority - stored_size.time,
    nonce = record_at.nonce - stored_size.time, name_length = record_at.name_length - stored_size.time,
    name = record_at.name - stored_size.time,
}
-- C++: broker/redis/layout.hpp state_layout from 1
local state_at = {
    state = 1, bits = 2, nonce = 3, deliveries = 7, failed = 11, crashes = 15, when = 19, first = 27, started = 35, from = 43,
    gone_at = 51, holder_length = 59, holder = 61,
}
-- C++: broker/redis/layout.hpp segment_layout from 1
local segment_at = {version = 7, flags = 8, priority = 9, count = 10, begin = 12, name_length = 16, name = 17}
-- C++: broker/redis/layout.hpp status_layout from 1
local status_at = {flags = 1, retention = 2, nonces = 10}
-- C++: broker/redis/layout.hpp ending_layout from 1
local ending_at = {how = 1, counts = 2, sequence = 3, nonce = 11, token = 15, delay = 19, data_length = 27, data = 31}

-- What has become of a task in a segment: it waits for its turn; the n-th hold, up to `most_holds`, has it; it has
-- succeeded; it has an entry in `keys.states` and yet waits for its turn; it has an entry there; it has gone. C++ does not
-- read these.
local member_code = {waits = 0, most_holds = 200, succeeded = 252, in_turn = 253, own_state = 254, gone = 255}

-- Formats of `struct`. Those behind a time begin at the version or the flags.
local format = {
    u16 = '<H', u32 = '<I4', time = '<I6', number = '<d', number_in_msgpack = '>d',
    record = '<I6BBBI4B', record_from_version = '<BBBI4', limits = '<ddddI4', own_id = '<Hc0', unique_key = '<Hc0d',
    parent = '<Bc0dI4Hc0', placing = '<Bdd',
    state = '<BBI4I4I4I4dddddH', state_from_deliveries = '<I4I4I4dddddH', state_from_gone_at = '<dI4H',
    segment_from_version = '<BBBHI4B', segment_from_flags = '<BBHI4B', segment_part = '<HI4', segment_status = '<Bd',
    hold = '<dB', results = '<dB', result = '<BBI4c0',
    ending = '<BBdI4I4d', ending_to_nonce = '<BBdI4', ending_to_token = '<BBdI4I4',
    subtask = '<c1I4I4c0', subtask_end = '<BI4I4c0I4c0', outcome = '<BI4', task_key = '<dI4', task_end = '<dI4BI4',
}

-- C++: broker/redis/layout.hpp message_letter
local message_letter = {look = 'W', task = 'T', renew = 'C', ended = 'E'}
-- C++: broker/redis/layout.hpp outbox_letter
local outbox_letter = {ended = 'D', cancel = 'X', start = 'S'}
-- C++: broker/redis/layout.hpp subtask_letter
local subtask_letter = {open = 'o', done = 'd'}
-- C++: broker/journal.hpp continuation_key
local continuation_key = {name = 'c~then'}
-- First bytes that tell kinds of entries apart: of a lane or a consumer's set, of a journal.
local first_byte = {
    segment = string.byte('@'), subtask = string.byte('c'), count = string.byte('#'),
    open = string.byte(subtask_letter.open),
}

-- How many characters at the end of a member of `keys.unclaimed` are its number, and order it among others.
local unclaimed_tail = {number = 14, order = 18}

-- How much of something; C++ does not know of these.
local bound = {
    words = 4000,           -- in a command: `unpack` fails past 8,000
    wakes = 8,              -- sleepers that one script wakes
    searched_lane = 1000,   -- tasks in a lane in which one is still searched for
    passed_over = 100,      -- tasks of unknown names that one fetch marks
    claimable = 10000,      -- unclaimed tasks that a fetch without names looks at
    asked_sleepers = 1000,  -- whose names are compared with those of unclaimed tasks
    lane_page = 500,        -- entries of a lane that are read at once
    first_page = 4,         -- the same, before it is known whether they are segments
    result = 1024,          -- bytes of a result that is kept in a segment
    results = 65536,        -- bytes of all results of a segment
    handed = 65536,         -- bytes of a task in a message: a server cuts off who hears too much at once
    log_lines = 100,        -- kept of a task's log
    answer_ms = 600000,     -- for how long the answer to a producer's batch is kept
    lost_numbers = 1048576, -- that another server may have given: these are skipped
}
