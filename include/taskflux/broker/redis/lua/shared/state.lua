-- Tasks in memory, and states: what has happened to them. docs/wire-format.md has the layout of a state.

local tasks = {}    -- by number; false: there is none
local changed = {}  -- numbers of those to be written

local function read_state(seq, text)
    local task, length, bits, at = {seq = seq}
    task.state, bits, task.nonce, task.deliveries, task.failed, task.crashes, task.when, task.first, task.started,
        task.from, task.gone_at, length, at = struct.unpack(format.state, text)
    task.state = task.state - state_base.version
    task.cancel, task.first_try, task.unclaimed, task.special, task.journal =
        bits % (2 * state_bit.cancel_requested) >= state_bit.cancel_requested,
        bits % (2 * state_bit.first_try) >= state_bit.first_try, bits % (2 * state_bit.unclaimed) >= state_bit.unclaimed,
        bits % (2 * state_bit.special) >= state_bit.special, bits % (2 * state_bit.has_journal) >= state_bit.has_journal
    task.holder = string.sub(text, at, at + length - 1)
    at = at + length
    length, at = struct.unpack(format.u32, text, at)
    task.error = string.sub(text, at, at + length - 1)
    task.result = string.sub(text, at + length)
    return task
end

-- A task with the state that is stored for it; false when that can't be used: its first byte, which is version and state,
-- is of another version, or it is damaged.
local function unpack_state(seq, text)
    local is_whole, task = pcall(read_state, seq, text)
    if is_whole and task.state >= 0 and task.state < task_states.known and is_time(task.when) and is_time(task.first) and
        is_time(task.started) and is_time(task.from) and is_time(task.gone_at) then
        return task
    end
    local version = math.floor((string.byte(text) or 0) / stored_base.state_version)
    set_aside(seq, version == stored_version.state and 'its state is damaged' or 'its state has version ' .. version)
    return false
end

local function pack_state(task)
    local bits = (task.cancel and state_bit.cancel_requested or 0) + (task.first_try and state_bit.first_try or 0) +
                     (task.unclaimed and state_bit.unclaimed or 0) + (task.special and state_bit.special or 0) +
                     (task.journal and state_bit.has_journal or 0)
    return struct.pack(format.state, state_base.version + task.state, bits, task.nonce, task.deliveries, task.failed,
                       task.crashes, task.when, task.first, task.started, task.from, task.gone_at, #task.holder) ..
               task.holder .. struct.pack(format.u32, #task.error) .. task.error .. task.result
end

-- A task as it is when nothing has happened to it yet: then it has no state of its own.
local function fresh(seq, record)
    local _, flags, _, nonce = struct.unpack(format.record_from_version, record, record_at.version)
    return {
        seq = seq, state = task_state.waiting, nonce = nonce, deliveries = 0, failed = 0, crashes = 0, when = 0, first = 0,
        started = 0, from = 0, gone_at = 0, holder = '', error = '', result = '', special = is_special(flags), record = record
    }
end

-- Pieces of the state of a task that succeeds now: when it ended; when it is forgotten.
local ends_now, goes_later = struct.pack(format.number, now), struct.pack(format.number, now + run_policy.retention)

-- The new state of a task whose consumer returns a result, made of pieces of the old one, and how many attempts have
-- failed; nothing when the task is not that consumer's to settle, or something is special about it. `word`: an attempt's
-- end as `settle` gets it; `special`: what its bits say all the same (nil: nothing).
local function succeeded(state, word, consumer, special)
    if not state or #state ~= state_at.holder - 1 + stored_size.text_length + #consumer or
        string.sub(state, state_at.holder, -1 - stored_size.text_length) ~= consumer then
        return nil
    end
    local number, bits = string.byte(state, state_at.state, state_at.bits)
    bits = bits - (special or 0)
    if number ~= state_byte.running or bits < 0 or bits >= state_bit.unclaimed or
        bits % (2 * state_bit.cancel_requested) ~= 0 or
        struct.unpack(format.u16, state, state_at.holder_length) ~= #consumer or
        string.sub(state, state_at.nonce, state_at.failed - 1) ~= string.sub(word, ending_at.nonce, ending_at.delay - 1) then
        return nil
    end
    return string.char(state_byte.succeeded) .. string.sub(state, state_at.bits, state_at.when - 1) .. ends_now ..
               string.sub(state, state_at.first, state_at.gone_at - 1) .. goes_later ..
               string.sub(state, state_at.holder_length) .. string.sub(word, ending_at.data),
           struct.unpack(format.u32, state, state_at.failed)
end

-- What a plain task's state has behind its nonce, when it has just been started.
local function started_by(consumer)
    return struct.pack(format.state_from_deliveries, 1, 0, 0, 0, now, now, 0, 0, #consumer) .. consumer ..
               fixed.no_text
end
