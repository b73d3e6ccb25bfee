-- Numbers and letters by name. The generator puts in their values, so that a name costs nothing. `{...}` is all that C++ has
-- in the place that stands above. `from 1`: C++ counts bytes from 0, Lua from 1.

-- C++: core/state.hpp task_state
local task_state = {...}
local task_states = {known = #task_state}
-- Fields of `keys.queue`: how many tasks are in a state.
local counter = {
    unclaimed = 'nu',  -- that others have passed over; these wait
    held = 'n' .. task_state.held, scheduled = 'n' .. task_state.scheduled,
    waiting = 'n' .. task_state.waiting, running = 'n' .. task_state.running, succeeded = 'n' .. task_state.succeeded,
}
-- C++: broker/tasks.hpp effect
local effect = {...}
-- C++: broker/claims.hpp acquire_outcome
local acquire_outcome = {...}
-- C++: broker/claims.hpp reply_scope
local reply_scope = {...}
-- C++: broker/redis/layout.hpp more_effects
local more_effects = {...}
-- C++: core/statistics.hpp counted
local counted = {...}
local counted_places = {all = counted.run + 26}  -- with the histogram that is last
-- As in core/statistics.hpp: `period_of`, `periods_of`.
local period_ms = {
    ten_seconds = 10000, minute = 60000, quarter = 900000, five_minutes = 300000, hour = 3600000, day = 86400000,
}
local periods_kept = {ten_seconds = 360, minute = 1440, quarter = 1344}
-- C++: broker/broker.hpp settlement::kind
local ending_kind = {...}
-- C++: broker/history.hpp attempt_outcome
local attempt_outcome = {...}
-- C++: core/options.hpp duplicate
local duplicate = {...}
-- C++: core/options.hpp run_policy
local run_policy = {...}
-- C++: broker/redis/layout.hpp stored_time
local stored_time = {...}
-- C++: broker/redis/layout.hpp stored_base
local stored_base = {...}
-- C++: broker/redis/layout.hpp stored_version
local stored_version = {...}
-- What the first byte of a state of this version adds to the number of the state, and what that byte is then.
local state_base = {version = stored_base.state_version * stored_version.state}
local state_byte = {
    running = state_base.version + task_state.running, succeeded = state_base.version + task_state.succeeded,
}

-- C++: broker/redis/layout.hpp record_flag
local record_flag = {...}
local named_flags = {own_or_unique = record_flag.has_own_id + record_flag.has_unique_key}
local record_flags = {
    special = record_flag.has_limits + named_flags.own_or_unique + record_flag.has_key + record_flag.has_parent,
    only_key = record_flag.has_key, only_key_and_more = record_flag.has_key + record_flag.has_more,
}
-- C++: broker/redis/layout.hpp state_bit
local state_bit = {...}
-- C++: broker/redis/layout.hpp stored_size
local stored_size = {...}
-- C++: broker/redis/layout.hpp record_layout from 1
local record_at = {...}
-- In what a program sends: without the time.
local body_at = {
    flags = record_at.flags - stored_size.time, priority = record_at.priority - stored_size.time,
    nonce = record_at.nonce - stored_size.time, name_length = record_at.name_length - stored_size.time,
    name = record_at.name - stored_size.time,
}
-- C++: broker/redis/layout.hpp state_layout from 1
local state_at = {...}
-- C++: broker/redis/layout.hpp segment_layout from 1
local segment_at = {...}
local segment_body_at = {
    name_length = segment_at.name_length - stored_size.time, name = segment_at.name - stored_size.time,
}
-- C++: broker/redis/layout.hpp status_layout from 1
local status_at = {...}
-- C++: broker/redis/layout.hpp ending_layout from 1
local ending_at = {...}

-- What has become of a task in a segment: it waits for its turn; the n-th hold, up to `most_holds`, has it; it has
-- succeeded; it has an entry in `keys.states` and yet waits for its turn; it has an entry there; it has gone. C++ does not
-- read these.
local member_code = {waits = 0, most_holds = 200, succeeded = 252, in_turn = 253, own_state = 254, gone = 255}
-- Patterns of these codes; a byte 0 is `%z`.
local member_pattern = {
    ready = '[%z' .. string.char(member_code.in_turn) .. ']', waiting = '^%z+',
    left = '[^' .. string.char(member_code.gone) .. ']',
}

-- How a member of `keys.sleepers` ends that does not want tasks, but to see them: behind the channel.
local lease_mark = {passing = '0'}  -- its first letter where a consumer has acquired tasks by name, and did not join
local sleeper_mark = {peeks = '\npeek\n?'}

-- Formats of `struct`. `generate.py --check` compares where their fields stand with the layout in C++ of the same name; behind
-- `from` and `to` stands a field of it.
local format = {
    u16 = '<H', u32 = '<I4', time = '<I6', number = '<d', number_in_msgpack = '>d',
    record = '<I6BBBI4B', record_from_version = '<BBBI4', limits = '<ddddI4', own_id = '<Hc0', unique_key = '<Hc0d',
    key = '<Hc0',
    short_task = '>BI6',
    parent = '<Bc0dI4Hc0', placing = '<Bdd', replacing = '<Bd',
    state = '<BBI4I4I4I4dddddH', state_from_deliveries = '<I4I4I4dddddH',
    segment_from_version = '<BBBHI4B', segment_from_flags = '<BBHI4B', segment_part = '<HI4', segment_status = '<Bd',
    hold = '<dB', results = '<dB', result = '<BBI4c0',
    ending = '<BBdI4I4d', ending_to_nonce = '<BBdI4', ending_to_token = '<BBdI4I4',
    past_attempts = '<I4I4', past_entry = '<I4c0', past_attempt = '<I4I4BddHI4', past_key = '<I4I4B',
    subtask = '<c1I4I4c0', subtask_end = '<BI4I4c0I4c0', outcome = '<BI4', task_key = '<dI4', task_end = '<dI4BI4',
}

-- Bytes that are the same each time: a text without characters; a record with nothing but its version and the priority 0;
-- how `cmsgpack.pack` begins {'OK', number}, an array of two with a text of two.
local fixed = {
    no_text = string.char(0, 0, 0, 0),
    record = string.char(0, 0, 0, 0, 0, 0, stored_version.record, 0, stored_base.priority, 0, 0, 0, 0, 0),
    ok_and_number = string.char(144 + 2, 160 + 2) .. 'OK' .. string.char(203),
}

-- C++: broker/redis/layout.hpp message_letter
local message_letter = {...}
-- C++: broker/redis/layout.hpp outbox_letter
local outbox_letter = {...}
-- C++: broker/redis/layout.hpp subtask_letter
local subtask_letter = {...}
-- C++: core/children.hpp policy_letter
local policy_letter = {...}
-- C++: broker/redis/layout.hpp write_letter
local write_letter = {...}
-- C++: broker/journal.hpp continuation_key
local continuation_key = {...}
-- C++: broker/journal.hpp sleep_mark
local sleep_mark = {...}
-- C++: broker/why.hpp why_reason
local why_reason = {...}
-- C++: broker/journal.hpp journal_letter
local journal_letter = {...}
-- What a member of `keys.keyed` begins with. Behind it: the key, NUL, 100 less the priority in 3 digits, NUL, the number in 14;
-- where others have passed the task over, its name and NUL stand behind the key. Older programs look at all that stands before
-- `x` for tasks that wait, and take what has another form for foreign.
local key_letter = {running = 'r', waiting = 'w', short = 'k', behind_waiting = 'x', passed = 'y', behind_passed = 'z'}
-- What stands in front of the key in a member of `keys.unclaimed`: there may be a digit.
local unclaimed_letter = {key = 'k', behind = 'l'}
-- Bytes of a task in a field of `keys.short_keys`.
local short_size = {task = 7}
-- First bytes that tell kinds of entries apart: of a lane or a consumer's set, of a journal.
local first_byte = {
    segment = string.byte('@'), subtask = string.byte(journal_letter.subtask), count = string.byte('#'),
    open = string.byte(subtask_letter.open), state = string.byte('a'),
}

-- A field of `keys.waiters` that is no number: the queue has a limit, and who ends a task must look for somebody who waits for
-- its place. And what the field `events` of `keys.queue` says. There, as `settle_one` reads that hash anyway.
local waiter_field = {place = '*', events = '!'}

-- How a limit begins that bounds only what waits: then no end gives a place back.
local limit_text = {of_waiting = '=    '}

-- How many characters at the end of a member of `keys.unclaimed` are its number, and order it among others.
local unclaimed_tail = {number = 14, order = 18}

-- What costs a search so many µs: a task found, a segment, its name, a record; and how many looks at single tasks, or at tasks
-- of a segment, it does in one.
local search_cost = {found = 12, segment = 6, name = 2, record = 2, looks = 1, members = 8}

-- C++: core/control.hpp throttle_bounds
local throttle_bounds = {...}
-- C++: core/limit/rate_gate.hpp rate_slack
local rate_slack = {...}
-- The most that a limit may say (core/limit.hpp): tasks at a time or in a burst, the time of a rate, its starts in a ms, how
-- long a burst may take.
local limits = {tasks = 1000000000, per_ms = 366 * 24 * 3600000, starts_in_a_ms = 1000, burst_ms = 1e14}
-- C++: broker/operations.hpp operation_state
local operation_state = {...}
-- C++: broker/operations.hpp most_operations
local most_operations = {...}
-- C++: broker/redis/layout.hpp most_handed
local most_handed = {...}
-- C++: broker/error_groups.hpp most_errors
local most_errors = {...}
-- C++: broker/broker/checks.hpp most_kept
local most_kept = {...}
-- How much of something; C++ does not know of these.
local bound = {
    words = 4000,           -- in a command: `unpack` fails past 8,000
    wakes = 8,              -- sleepers that one script wakes
    searched_lane = 1000,   -- tasks in a lane in which one is still searched for
    looked_after = 20,      -- entries that versions before this one may have left behind, at once
    passed_over = 100,      -- tasks of unknown names that one fetch marks
    segment = 256,          -- tasks of a segment, whose places are bytes
    told = 100,             -- bytes of foreign data that are told of
    keys = 100,             -- that one fetch looks at because a time has come, or what limits them has changed
    sift_rests = 20,        -- times as long as a look at all keys that time has begun took, until the next one
    sift_rest_ms = 600000,  -- that it is at most
    short_running = 16,     -- tasks of a key in its short form that run
    short_text = 449,       -- bytes of that form with 64 tasks
    key_page = 64,          -- tasks of a key that are read at once
    claimable = 10000,      -- unclaimed tasks that a fetch without names looks at
    unclaimed_names = 100,  -- of unclaimed tasks, that are compared with those of sleepers
    asked_sleepers = 1000,  -- whose names are compared with those of unclaimed tasks
    lane_page = 500,        -- entries of a lane that are read at once
    first_page = 4,         -- the same, before it is known whether they are segments
    result = 1024,          -- bytes of a result that is kept in a segment
    results = 65536,        -- bytes of all results of a segment
    heard = 65536,          -- bytes of an outcome that is told and then forgotten at once
    answer = 1048576,       -- bytes of what one call reads for its caller
    first_slice = 4,        -- items that are read at once, before it is known how large they are
    watched_ahead_ms = 10000,  -- who watches until then need not look at the clock anew: fetches look again sooner
    counters = 1000,        -- of a queue, until names are told apart no longer
    counted_names = 100,    -- of tasks that have statistics of their own
    answer_ms = 600000,     -- for how long the answer to a producer's batch is kept
    digits = 15,            -- of a number that was read
    numbers = 10000000000000,  -- of tasks: in Lua's texts these are still whole
    looked_at = 4000,       -- numbers that one call looks at where there are no tasks
    search_work = 3000,     -- that one search does, in about µs; and what it costs:
    search_bytes = 800,     -- bytes that are read in one of them
    search_slice = 250,     -- numbers that are looked at together
    search_segments = 64,   -- whose names are read at once
    search_indexed = 1000,  -- tasks up to which an index is used
    search_found = 200,     -- of them that are looked at
    search_consumers = 100, -- of which those that they hold are taken
    read = 1048576,         -- bytes of tasks that one call reads, or one task
    search_state = 65536,   -- bytes of states that a search reads together, or one state
    shown_names = 5,        -- consumers or subtasks that are named
    shown_fields = 100,     -- of a journal, that these are looked for in
    counted_entries = 2000, -- of lanes, that are counted
    opened_segments = 50,   -- whose tasks are counted one by one
    gaps = 64,              -- that are written down
    searched_ends = 500,    -- tasks at each end of a longer lane, in which one is still searched for where only these are left
    arrivals = 100,         -- that one call looks at
    held_up_ms = 5000,      -- for how long what can't be carried is left alone by those that peek
    unknown_ms = 60000,     -- for how long those stay known that wait in a queue that nobody knows
    peeked_ms = 3600000,    -- for how long the order of arrivals is kept without one who peeks
    events = 10000,         -- that are kept where nobody has said how many
    events_till = 16,       -- digits of until when they are told
    events_trimmed = 50,    -- entries after which those that are too old are dropped
    events_stay_ms = 3600000,  -- for how long what was told stays when nobody listens any more
    runs = 1024,            -- bytes of the run ids of earlier servers
    lost_numbers = 1048576, -- that another server may have given: these are skipped
}
