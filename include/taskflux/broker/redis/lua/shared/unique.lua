-- Unique keys: at most one task in the queue that has not ended holds each, and at most one waits for its end.

local seen_keys, seen_successors = {}, {}  -- what was read; false: nothing
local function unique_field(changes, seen, hash, name)
    if changes[name] ~= nil then return changes[name] end
    if seen[name] == nil then seen[name] = call('HGET', hash, name) or false end
    return seen[name]
end

local function set_aside_key(name, why)
    set_aside(string.sub(keys.unique_keys, #prefix + 1) .. ' ' .. string.sub(name, 1, bound.told), why)
end

-- Who holds a unique key, until when, and whether another task waits for that one's end; or nil. The stored entry is
-- 'number:until', with a zero in front of the time where one waits, so that older versions can read it.
local function unique_entry(name)
    local entry = unique_field(unique_keys, seen_keys, keys.unique_keys, name)
    if not entry then return nil end
    local seq, mark, till = string.match(entry, '^(%d+):(0?)(%d+)$')
    seq, till = whole(seq), whole(till)
    if seq and till then return seq, till, mark ~= '' end
    -- Nobody knows who has it: it is free, and the next lock takes its place.
    set_aside_key(name, 'its entry is damaged')
    return nil
end

local function set_unique_entry(name, seq, till, has_successor)
    unique_keys[name] = string.format(has_successor and '%d:0%d' or '%d:%d', seq, till)
end

-- The task that waits for the end of the one that holds a key; nil where what is stored names none.
local function unique_successor(name)
    local seq = whole(unique_field(successors, seen_successors, keys.successors, name) or nil)
    if not seq then return nil end
    load({seq})
    local task = tasks[seq]
    return task and task.state == task_state.held and task.special and info(task).unique == name and task or nil
end

-- The task that holds a unique key. It does so as long as another waits for its end, whatever the time.
local function unique_holder(name)
    local seq, till, has_successor = unique_entry(name)
    if not seq or till <= now and not has_successor then return nil end
    load({seq})
    return tasks[seq] or nil
end

local function lock_unique(task)
    if not task.special then return end
    local of = info(task)
    if not of.unique then return end
    set_unique_entry(of.unique, task.seq, of.window > 0 and math.min(now + of.window, stored_time.never) or stored_time.never)
end

-- Whether a task waits for the end of the one that holds its key.
local function is_successor(task)
    if task.state ~= task_state.held or not task.special or not info(task).unique then return false end
    local _, _, has_successor = unique_entry(info(task).unique)
    return has_successor and unique_successor(info(task).unique) == task
end

-- A task has ended: gives the one that waited for that, if it held its key.
local function unlock_unique(task)
    if not task.special then return end
    local name = info(task).unique
    if not name then return end
    local seq, till, has_successor = unique_entry(name)
    if seq == task.seq then
        local successor = has_successor and unique_successor(name) or nil
        unique_keys[name] = false
        if has_successor then successors[name] = false end
        return successor
    elseif has_successor and whole(unique_field(successors, seen_successors, keys.successors, name) or nil) == task.seq then
        set_unique_entry(name, seq, till, false)
        successors[name] = false
    end
end
