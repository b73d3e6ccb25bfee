-- A later submission takes the place of a task that has its unique key and has not begun.

-- Whether a task keeps its payload: an attempt has begun, or its journal says what it has done.
local function has_begun(task) return not is_before_attempt(task.state) or task.first > 0 or task.journal end

-- The record of `by`, with what stays the task's: when it was submitted first, its nonce, its own id, its parent.
local function replaced_record(task, by)
    local old, new, kept = record_of(task), by.record, record_flag.has_own_id + record_flag.has_parent
    local from, to = info(task), info(by)
    local flags = bit.band(to.flags, 255 - kept) + bit.band(from.flags, kept)
    return string.sub(old, 1, record_at.version) .. string.char(flags) ..
               string.sub(new, record_at.priority, record_at.priority) ..
               string.sub(old, record_at.nonce, record_at.name_length - 1) ..
               string.sub(new, record_at.name_length, to.own_at - 1) ..
               string.sub(old, from.own_at, from.unique_at - 1) .. string.sub(new, to.unique_at, to.parent_at - 1) ..
               string.sub(old, from.parent_at, from.more_at - 1) .. string.sub(new, to.more_at)
end

-- Where the task is ready and stays so, it keeps its turn. `at_most`: its due time is at most so far behind its submission; 0:
-- any time.
local function replace(task, by, due, at_most)
    local follows, from, to = is_successor(task), info(task), info(by)
    if at_most > 0 then due = math.min(due, from.submitted + at_most) end
    local keeps_turn = task.state == task_state.waiting and due <= now and from.name == to.name and from.priority == to.priority
    if keeps_turn then forget_limit(task) else detach(task) end
    task.record, task.info = replaced_record(task, by), nil
    bodies[#bodies + 1] = task.seq
    bodies[#bodies + 1] = task.record
    task.from, task.when = now, math.max(due, now)
    changed[task.seq] = true
    if follows or keeps_turn then watch_limit(task) else make_ready(task, due) end
end

-- Cancels the task that holds a key, if it has begun.
local function restart_holder(name)
    local task = unique_holder(name)
    if not task or not has_begun(task) then return end
    if task.state == task_state.running then request_cancel(task) else finish(task, task_state.cancelled) end
end
