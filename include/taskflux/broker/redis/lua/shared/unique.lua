-- Unique keys: at most one live task in the queue has each.

-- The holder of a unique key, as "number:until", or nil.
local function unique_entry(name)
    if unique_keys[name] == nil then unique_keys[name] = call('HGET', keys.unique_keys, name) or false end
    return unique_keys[name] or nil
end

local function unique_holder(name)
    local entry = unique_entry(name)
    if not entry then return nil end
    local seq, till = string.match(entry, '^(%d+):(%d+)$')
    seq, till = whole(seq), whole(till)
    if not seq or not till then  -- nobody knows who has it: it is free, and the next lock takes its place
        set_aside(string.sub(keys.unique_keys, #prefix + 1) .. ' ' .. string.sub(name, 1, bound.told), 'its entry is damaged')
        return nil
    end
    if till <= now then return nil end
    load({seq})
    return tasks[seq] or nil
end

local function lock_unique(task)
    if not task.special then return end
    local of = info(task)
    if not of.unique then return end
    local till = of.window > 0 and math.min(now + of.window, stored_time.never) or stored_time.never
    unique_keys[of.unique] = string.format('%d:%d', task.seq, till)
end

local function unlock_unique(task)
    if not task.special then return end
    local of = info(task)
    local entry = of.unique and unique_entry(of.unique)
    if entry and string.match(entry, '^%d+') == string.format('%d', task.seq) then unique_keys[of.unique] = false end
end
