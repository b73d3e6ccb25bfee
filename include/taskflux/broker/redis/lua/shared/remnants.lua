-- What is left in lanes of tasks that others than fetches have taken out. Fetches drop it; in a queue from which nobody fetches
-- it would stay.

-- Whether none of a segment's tasks is to be handed out any more, with what this script changes.
local function is_used_up(of)
    for seq = of.first, of.first + of.count - 1 do
        local code = code_of(of, seq)
        local is_ready = code == member_code.waits or code == member_code.in_turn
        if is_ready and not (tasks[seq] and changed[seq]) then return false end
    end
    return true
end

local dropped = {}

-- Takes an entry out of a lane, where it is near one of its ends.
local function drop_entry(lane_name, entry)
    dropped[lane_name .. ' ' .. entry] = true
    local head = call('LPOS', lane_name, entry, 'MAXLEN', bound.searched_ends)
    local tail = not head and call('LPOS', lane_name, entry, 'RANK', -1, 'MAXLEN', bound.searched_ends)
    if head or tail then also[#also + 1] = {'LREM', lane_name, head and 1 or -1, entry} end
end

local function is_remnant(entry)
    if string.byte(entry) == first_byte.segment then
        local of = open_segment(string.sub(entry, 2))
        if of then return is_used_up(of) end
        return not is_set_aside(entry)
    end
    local seq = whole(entry)
    if not seq or not may_read(bytes_of(seq)) then return false end
    load({seq})
    if not tasks[seq] then return not is_set_aside(seq) end
    return tasks[seq].state ~= task_state.waiting
end

-- Of tasks that this script has taken out of lanes. `used`: segments of which it has taken some -> their priority.
local function drop_remnants(used)
    local lanes = {}
    for of, priority in pairs(used) do
        local name = lane(priority)
        lanes[name] = true
        if #missing == 0 and is_used_up(of) then drop_entry(name, '@' .. of.name) end
    end
    if #missing > 0 then return end
    for name, entries in pairs(lanes_remove) do
        lanes[name] = true
        if call('LLEN', name) > bound.searched_lane then
            for _, seq in ipairs(entries) do drop_entry(name, seq) end
        end
    end
    for name in pairs(lanes) do  -- and of what has come to its head since
        for _, entry in ipairs(call('LRANGE', name, 0, bound.looked_after - 1)) do
            if not is_remnant(entry) then break end
            if not dropped[name .. ' ' .. entry] then also[#also + 1] = {'LREM', name, 1, entry} end
        end
    end
end
