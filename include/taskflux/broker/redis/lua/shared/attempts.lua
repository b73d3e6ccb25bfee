-- Attempts at tasks that did not end them: the newest are kept as long as the task's record. What runs now, and the attempt
-- that has ended a task, its state tells: a task that succeeds costs nothing here. docs/wire-format.md has the layout.

local past_attempts = {}  -- by number, as they are stored

-- The entries of a stored list, and how many came before them; none where it is damaged.
local function entries_of(list)
    local entries, left_out = {}, 0
    local is_whole = pcall(function()
        local many, at
        many, left_out, at = struct.unpack(format.past_attempts, list)
        for n = 1, math.min(many, most_kept.attempts) do entries[n], at = struct.unpack(format.past_entry, list, at) end
    end)
    if is_whole then return entries, left_out end
    return {}, 0
end

-- An attempt that has begun is over, and its task goes on. `number`: as users count them.
local function keep_attempt(task, outcome, number, why)
    if task.started == 0 then return end
    local known = past_attempts[task.seq] or call('HGET', keys.attempts, task.seq)
    local entries, left_out = entries_of(known or struct.pack(format.past_attempts, 0, 0))
    entries[#entries + 1] = struct.pack(format.past_attempt, number, task.deliveries, outcome, task.started, now, #task.holder,
                                        #why) .. task.holder .. (#why <= most_kept.attempt_error and why or '')
    local from = math.max(1, #entries - most_kept.attempts + 1)
    local words = {struct.pack(format.past_attempts, #entries - from + 1, left_out + from - 1)}
    for n = from, #entries do words[#words + 1] = struct.pack(format.u32, #entries[n]) .. entries[n] end
    past_attempts[task.seq] = table.concat(words)
end

-- A task that has ended is tried afresh: its last attempt is told by its state no more.
local function keep_last_attempt(task)
    local is_crash = task.state == task_state.failed and string.find(task.error, '{"code":"crashed"', 1, true) == 1
    local entries = entries_of(call('HGET', keys.attempts, task.seq) or struct.pack(format.past_attempts, 0, 0))
    local last = entries[#entries]
    if last and #last >= 8 and select(2, struct.unpack(format.past_key, last)) >= task.deliveries then return end
    local outcome = task.state == task_state.cancelled and attempt_outcome.cancelled or
                        is_crash and attempt_outcome.lost or attempt_outcome.failed
    local number = is_crash and task.failed + 1 or math.max(1, task.failed)
    keep_attempt(task, outcome, number, task.state == task_state.failed and task.error or '')
end
