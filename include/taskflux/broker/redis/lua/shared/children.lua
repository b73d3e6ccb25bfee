-- Subtasks: what their ends mean for the parent.

local function fail_for_children(task, why)
    task.failed = task.failed + 1
    fail(task, why)
end

-- Why a task fails whose subtask ended like that.
local function child_failure(field, state, why)
    local how = state == task_state.cancelled and 'was cancelled' or state == task_state.expired and 'expired' or 'failed'
    if state == task_state.failed then
        local is_json, told = pcall(cjson.decode, why)
        if is_json and type(told) == 'table' and type(told.message) == 'string' then how = how .. ': ' .. told.message end
    end
    local message = cjson.encode('subtask "' .. string.sub(field, 2) .. '" ' .. how)
    return '{"code":"task_failed","type":"","message":' .. message .. ',"pointer":"","expected":""}'
end

local function end_by_continuation(task, state, result, why)
    if state ~= task_state.succeeded then return fail_for_children(task, child_failure(continuation_key.name, state, why)) end
    task.result = result
    finish(task, task_state.succeeded)
end

-- Ends a task that waits for its subtasks, if its policy says so by now: `children_policy::judge`.
local function judge_children(task)
    local of = journal_of(task)
    if of.continued then return end
    local kind, needed = string.match(of.policy, '^(%a)(%d*)$')
    local succeeded, failed = of.done - of.failed, of.failed
    if kind == policy_letter.quorum then
        needed = whole(needed) or stored_time.never  -- more than a task can have
        if of.total - failed < needed then
            local why = of.why ~= '' and of.why or failure('task_failed', 'it has fewer subtasks than must succeed')
            return fail_for_children(task, why)
        end
        if succeeded < needed then return end
    else
        if kind ~= policy_letter.collect and failed > 0 then return fail_for_children(task, of.why) end
        if of.done < of.total then return end
    end
    local after = note_in(of, continuation_key.name)
    if not after then return finish(task, task_state.succeeded) end
    of.continued, of.changed = true, true
    local is_open, _, _, place, at = parse_child(after)
    if not is_open then  -- cancelled by hand, for instance, or in an earlier attempt
        local state, _, result, why = struct.unpack(format.subtask_end, after, at)
        return end_by_continuation(task, state, result, why)
    end
    outgoing[string.format(outbox_letter.start .. '%d', task.seq)] = struct.pack(format.u32, task.nonce) .. place
end

-- Makes a task that has returned wait for the subtasks that it has spawned; false where there are none, and need be none.
local function wait_for_children(task, result)
    if not task.journal then return false end
    local of = journal_of(task)
    local needs_some = string.find(of.policy, '^' .. policy_letter.quorum .. '0*[1-9]')
    if of.total == 0 and not needs_some and not note_in(of, continuation_key.name) then return false end
    task.result = result
    keep_attempt(task, attempt_outcome.succeeded, task.failed + 1, '')
    detach(task)
    enter(task, task_state.waiting_children)
    watch_limit(task)
    judge_children(task)
    return true
end

-- Writes the end of a subtask into its parent's journal: once.
local function end_child(task, field, own, state, tries, result, why)
    if not task.journal then return end
    local of = journal_of(task)
    local note = note_in(of, field)
    if not note or string.byte(note) ~= first_byte.open then return end
    local _, is_spawned, _, place = parse_child(note)
    if string.match(place, '[^\n]*$') ~= own then return end  -- another has taken its place
    of.notes[field] = subtask_letter.done .. string.sub(note, 2) .. struct.pack(format.outcome, state, tries) ..
                          text(result) .. text(why)
    of.changed = true
    forgive_crashes(task)
    if is_spawned then
        of.done = of.done + 1
        if state ~= task_state.succeeded then
            of.failed = of.failed + 1
            if of.failed == 1 then of.why = child_failure(field, state, why) end
        end
    else
        of.calls = of.calls - 1
    end
    if task.state ~= task_state.waiting_children then return end
    if field ~= continuation_key.name then return judge_children(task) end
    end_by_continuation(task, state, result, why)
end

-- Tells the parents of subtasks that have ended; those in other queues by way of the outbox.
local function tell_parents()
    local n, queue = 1, queue_name()
    while ended_children[n] do  -- it grows meanwhile
        local task = ended_children[n]
        local of = info(task)
        local parent = of.parent
        if parent.queue == queue then
            local known = find(parent.seq, parent.nonce)
            if known then end_child(known, parent.key, of.own or '', task.state, attempts(task), task.result, task.error) end
        else
            outgoing[string.format(outbox_letter.ended .. '%d', task.seq)] =
                struct.pack(format.outcome, task.state, attempts(task)) .. text(parent.queue) ..
                struct.pack(format.task_key, parent.seq, parent.nonce) .. text(parent.key) .. text(of.own or '') ..
                text(task.result) .. text(task.error)
        end
        n = n + 1
    end
end
