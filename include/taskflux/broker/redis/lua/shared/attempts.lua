-- Attempts at tasks that their state does not tell of: the newest are kept as long as the task's record. Of what runs now, and
-- of the attempt that has ended a task, all is in its state. A task that succeeds at once has nothing here, unless it has
-- spawned subtasks; what it costs is the holder's name, which its state keeps. docs/wire-format.md has the layout.

local past_attempts = {}  -- by number, as they are stored

-- The last entries of a stored list, and how many were left out; of a damaged one what can be read. A newer version may keep
-- more than this one: what is done with entries takes no longer where there are very many.
local function entries_of(list)
    local entries, left_out, most = {}, 0, 2 * most_kept.attempts
    pcall(function()
        local many, at
        many, left_out, at = struct.unpack(format.past_attempts, list)
        for n = 1, many do
            local entry
            entry, at = struct.unpack(format.past_entry, list, at)
            local _, token, outcome = struct.unpack(format.past_key, entry)
            entries[n] = {token = token, outcome = outcome, bytes = entry}
        end
    end)
    if #entries <= most then return entries, left_out end
    return {unpack(entries, #entries - most + 1)}, left_out + #entries - most
end

-- Which of too many goes: the oldest, but no failure where more than half of them are none, as a task may sleep any number of
-- times.
local function next_out(entries)
    local pauses, first = 0, 1
    for n, entry in ipairs(entries) do
        local how = entry.outcome
        if how == attempt_outcome.postponed or how == attempt_outcome.released or how == attempt_outcome.suspended then
            pauses = pauses + 1
            if pauses == 1 then first = n end
        end
    end
    return 2 * pauses > most_kept.attempts and first or 1
end

-- An attempt that has begun is over. `number`: as users count them; `at`: when, if not now.
local function keep_attempt(task, outcome, number, why, at)
    if task.started == 0 then return end
    local entries, left_out = entries_of(past_attempts[task.seq] or call('HGET', keys.attempts, task.seq) or '')
    if entries[1] and entries[#entries].token == task.deliveries then return end  -- it is there
    entries[#entries + 1] = {
        outcome = outcome,
        bytes = struct.pack(format.past_attempt, number, task.deliveries, outcome, task.started, at or now, #task.holder,
                            #why) .. task.holder .. (#why <= most_kept.attempt_error and why or '')
    }
    while #entries > most_kept.attempts do
        table.remove(entries, next_out(entries))
        left_out = left_out + 1
    end
    local words = {struct.pack(format.past_attempts, #entries, left_out)}
    for _, entry in ipairs(entries) do words[#words + 1] = struct.pack(format.u32, #entry.bytes) .. entry.bytes end
    past_attempts[task.seq] = table.concat(words)
end

-- An attempt is over that is not counted: where its task ends with it, the state does not tell its number.
local function keep_uncounted(task, outcome, why)
    if task.cancel then outcome, why = attempt_outcome.cancelled, '' end
    keep_attempt(task, outcome, task.failed + 1, why)
end

-- A task that has ended is tried afresh: its last attempt is told by its state no more.
local function keep_last_attempt(task)
    local is_crash = task.state == task_state.failed and string.find(task.error, '{"code":"crashed","type":"",', 1, true) == 1
    local outcome = task.state == task_state.cancelled and attempt_outcome.cancelled or
                        is_crash and attempt_outcome.lost or attempt_outcome.failed
    local number = is_crash and task.failed + 1 or math.max(1, task.failed)
    keep_attempt(task, outcome, number, task.state == task_state.failed and task.error or '', task.when)
end

-- Versions that know no attempts erase tasks and leave these. What has attempts here also has a state.
local function drop_orphaned_attempts()
    for _, field in ipairs(call('HRANDFIELD', keys.attempts, bound.looked_after)) do
        if whole(field) and call('HEXISTS', keys.states, field) == 0 then also[#also + 1] = {'HDEL', keys.attempts, field} end
    end
end
