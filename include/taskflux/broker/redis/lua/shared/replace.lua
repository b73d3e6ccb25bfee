-- A later submission takes the place of a task that has its unique key and has not begun.

-- Whether a task keeps its payload: an attempt has begun, its journal says what it has done, or a parent has called it.
local function has_begun(task)
    return not is_before_attempt(task.state) or task.first > 0 or task.journal or info(task).parent ~= nil
end

-- The task that a submission which replaces gets in place of another one: the one that waits for the holder's end, or the
-- holder that has not begun; or nil. What holds the key, and what waits, is mended where a version that knows no successors, or
-- somebody else, has changed one of the two.
local function replaced_task(name)
    local holder, successor = unique_holder(name), unique_successor(name)
    local seq, till, is_marked = unique_entry(name)
    if holder and (is_terminal(holder.state) or not holder.special or info(holder).unique ~= name) then
        set_aside_key(name, 'its entry names a task that does not have the key')
        unique_keys[name], holder = false, nil
    end
    if not successor then
        if holder and is_marked then set_unique_entry(name, seq, till, false) end
        return holder and not has_begun(holder) and holder or nil
    end
    if holder then
        if not is_marked then set_unique_entry(name, seq, till, true) end
    else
        successors[name] = false
        inherit_key(successor)
    end
    return successor
end

-- Has a new task wait for the end of the one that holds its key; false where none does.
local function follow_holder(task)
    local name = info(task).unique
    if not unique_holder(name) then return false end
    local seq, till = unique_entry(name)
    set_unique_entry(name, seq, till, true)
    successors[name] = task.seq
    return true
end

-- The record of `by`, with what stays the task's: when it was submitted first, its nonce, its own id, its parent.
local function replaced_record(task, by)
    local old, new, kept = record_of(task), by.record, record_flag.has_own_id + record_flag.has_parent
    local from, to = info(task), info(by)
    local flags = bit.band(to.flags, 255 - kept) + bit.band(from.flags, kept)
    return string.sub(old, 1, record_at.version - 1) .. string.sub(new, record_at.version, record_at.version) ..
               string.char(flags) .. string.sub(new, record_at.priority, record_at.priority) ..
               string.sub(old, record_at.nonce, record_at.name_length - 1) ..
               string.sub(new, record_at.name_length, to.own_at - 1) ..
               string.sub(old, from.own_at, from.unique_at - 1) .. string.sub(new, to.unique_at, to.parent_at - 1) ..
               string.sub(old, from.parent_at, from.more_at - 1) .. string.sub(new, to.more_at)
end

-- Where the task is ready and stays so, it keeps its turn. `at_most`: its due time is at most so far behind its submission; 0:
-- any time.
local function replace(task, by, due, at_most)
    local follows, from, to = is_successor(task), info(task), info(by)
    if at_most > 0 then due = math.max(math.min(due, from.submitted + at_most), now) end
    local keeps_turn = task.state == task_state.waiting and due <= now and from.priority == to.priority and
                           from.key == to.key and not (task.unclaimed and from.name ~= to.name)
    if keeps_turn then forget_limit(task) else detach(task) end
    task.record, task.info = replaced_record(task, by), nil
    bodies[#bodies + 1] = task.seq
    bodies[#bodies + 1] = task.record
    task.from, task.when = now, due
    changed[task.seq] = true
    if not follows then lock_unique(task) end
    if follows or keeps_turn then watch_limit(task) else make_ready(task, due) end
end

-- Cancels the task that holds a key, if it has begun and no parent has called it.
local function restart_holder(name)
    local task = unique_holder(name)
    if not task or not has_begun(task) or info(task).parent then return end
    if task.state == task_state.running then request_cancel(task) else finish(task, task_state.cancelled) end
end
