-- Lanes, as `fetch` takes tasks out of them: what of each has been read, and how far it has come.

-- Those that others have passed over, and this consumer knows; best first.
local function claimable_by(names, most)
    local claimable = {}
    if call('EXISTS', keys.unclaimed) == 0 then return claimable end
    local members = {}
    if names then
        for name in pairs(names) do
            local passed_over = call('ZRANGEBYLEX', keys.unclaimed, '[' .. name .. '\0',
                                     '(' .. name .. '\0' .. unclaimed_letter.key, 'LIMIT', 0, most)
            for _, member in ipairs(passed_over) do
                members[#members + 1] = member
            end
        end
    else
        members = call('ZRANGE', keys.unclaimed, 0, bound.claimable - 1)
    end
    for _, member in ipairs(members) do
        local seq = whole(string.sub(member, -unclaimed_tail.number))
        if string.find(member, '%z' .. unclaimed_letter.key) then  -- of a key: shared/passed.lua
        elseif seq then
            claimable[#claimable + 1] = {order = string.sub(member, -unclaimed_tail.order), seq = seq, member = member}
        else
            drop_foreign(keys.unclaimed, member)
        end
    end
    table.sort(claimable, function(left, right) return left.order < right.order end)
    return claimable
end

local function lanes_of(known)
    local all = {}
    for n, priority in ipairs(priorities_in(known)) do
        all[n] = {
            priority = priority, name = lane(priority), taken = 0, entries = {}, entry = 1, seqs = {}, at = 1,
            length = bound.first_slice
        }
    end
    return all
end

-- Goes on to what comes next in a lane: a segment, or some tasks that came alone. False at its end.
local function next_entries(of, most)
    if not of.entries[of.entry] then
        local till = of.taken + math.max(1, math.min(most, bound.lane_page)) - 1
        of.entries, of.entry = redis.pcall('LRANGE', of.name, of.taken, till), 1
        if of.entries.err then
            of.is_foreign = true
            set_aside(string.sub(of.name, #prefix + 1), of.entries.err)
            of.entries = {}
        end
    end
    of.seqs, of.at, of.segment = {}, 1, nil
    while of.entries[of.entry] and not of.segment and #of.seqs < of.length do
        local entry = of.entries[of.entry]
        if string.byte(entry) == first_byte.segment then
            if #of.seqs > 0 then break end
            local name = string.sub(entry, 2)
            of.segment = open_segment(name) or {first = 0, count = 0}
            if is_set_aside(entry) then count(task_state.waiting, -(select(2, span_of(name)) or 0)) end
            for seq = of.segment.first, of.segment.first + of.segment.count - 1 do
                local code = code_of(of.segment, seq)
                if code == member_code.waits or code == member_code.in_turn then of.seqs[#of.seqs + 1] = seq end
            end
            if #of.seqs == 0 then of.taken = of.taken + 1 end
        else
            local seq = whole(entry)
            if not seq then tell_of_foreign(of.name, entry) end
            of.seqs[#of.seqs + 1] = seq or 0  -- there is none of that number
        end
        of.entry = of.entry + 1
    end
    of.length = next_length(of.length, #of.seqs, load(of.seqs, true))
    return of.segment ~= nil or #of.seqs > 0
end

-- The first is done with.
local function drop_first(of)
    local seq = of.seqs[of.at]
    if not tasks[seq] and is_set_aside(seq) then
        count(task_state.waiting, -1)
        if of.segment then mark(of.segment, seq, member_code.own_state) end
    end
    if of.segment and code_of(of.segment, seq) == member_code.in_turn then mark(of.segment, seq, member_code.own_state) end
    of.at = of.at + 1
    if not of.segment or of.at > #of.seqs then of.taken = of.taken + 1 end
end

-- The first task in a lane that is to be looked at. Remnants of tasks that have gone are dropped.
local function first_in(of, most)
    while true do
        while of.at > #of.seqs do
            if not next_entries(of, most) then return nil end
        end
        local task = tasks[of.seqs[of.at]]
        if task and task.state == task_state.waiting and not task.unclaimed then return task end
        drop_first(of)
    end
end
