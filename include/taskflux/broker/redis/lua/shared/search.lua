-- What is searched for, as `search` fills it in, and tasks that may be it: see search.lua.

local sought = {states = {}, found = {}, work = 0, names = {}, next = 1, length = bound.first_slice}

local function is_sought_name(name)
    if sought.has_prefix then return string.sub(name, 1, #sought.name) == sought.name end
    return sought.name == '' or name == sought.name
end
local function is_sought_time(at) return at >= sought.since and at < sought.till end
local function is_sought_node(holder)
    return sought.node == '' or holder == sought.node or string.match(holder, '^(.*):[^:]*$') == sought.node
end
-- In these states a task's holder has run it.
local function has_node(state)
    return state == task_state.running or state == task_state.succeeded or state == task_state.failed
end

-- Of a segment's tasks those without a state of their own have no error.
local function is_sought_member(number) return sought.states[number] and not sought.has_error end

-- `state`: as stored, or false where there is none.
local function is_sought_state(state)
    if not state then return is_sought_member(task_state.waiting) and sought.node == '' end
    local number = string.byte(state) - state_base.version
    if not sought.states[number] then return false end
    if sought.node == '' and not sought.has_error then return true end
    if #state < state_at.holder then return false end
    local length = struct.unpack(format.u16, state, state_at.holder_length)
    if sought.has_error then
        local error_at = state_at.holder + length
        if #state < error_at + stored_size.text_length or struct.unpack(format.u32, state, error_at) == 0 then return false end
        if sought.node == '' then return true end
    end
    return has_node(number) and length > 0 and is_sought_node(string.sub(state, state_at.holder, state_at.holder + length - 1))
end

local function is_sought_record(record)
    if #record < record_at.name then return false end
    local at = sought.is_timed and struct.unpack(format.time, record) or 0
    if at < sought.since then sought.is_old = true end
    if sought.is_timed and not is_sought_time(at) then return false end
    if sought.name ~= '' and not is_sought_name(name_in(record)) then return false end
    if sought.key == '' then return true end
    if not string.find(record, sought.key, 1, true) then return false end
    local is_whole, of = pcall(parse, record)
    return is_whole and of.key == sought.key
end

local function spend_work(items, bytes) sought.work = sought.work + items + bytes / bound.search_bytes end
local function take_found(seq)
    sought.found[#sought.found + 1] = seq
    spend_work(search_cost.found, 0)
end
local function is_search_over() return #sought.found >= sought.most or sought.work >= bound.search_work end

-- The numbers behind the n-th whose states may be read together, as few have many bytes, and these states.
local function read_states(seqs, at)
    local some, bytes = {}, 0
    while #some < math.min(sought.length, #seqs - at) do
        local seq = seqs[at + #some + 1]
        bytes = bytes + call('HSTRLEN', keys.states, seq)
        if #some > 0 and bytes > bound.search_state then break end
        some[#some + 1] = seq
    end
    sought.length = math.min(2 * sought.length, bound.search_slice)
    local states, read_bytes = read(keys.states, some), 0
    for n = 1, #some do read_bytes = read_bytes + (states[n] and #states[n] or 0) end
    spend_work(#some / search_cost.looks, read_bytes)
    return some, states
end

-- Looks at tasks that stand by themselves, in that order; gives how many of them were looked at: one at least.
local function look_at_singles(seqs)
    local at = 0
    while at < #seqs and (at == 0 or not is_search_over()) do
        local likely, places = {}, {}
        local some, states = read_states(seqs, at)
        for n, seq in ipairs(some) do
            if is_sought_state(states[n]) then
                likely[#likely + 1] = seq
                places[#likely] = n
            end
        end
        local looked_at = #some
        spend_work(#likely / search_cost.looks, 0)
        for n, seq in ipairs(likely) do
            local length = call('HSTRLEN', keys.records, seq)  -- it may be gone, or large
            local record = sought.restricts_record and length > 0 and call('HGET', keys.records, seq)
            if record then spend_work(search_cost.record, length) end
            if length > 0 and (not sought.restricts_record or is_sought_record(record)) then take_found(seq) end
            if is_search_over() then
                looked_at = places[n]
                break
            end
        end
        at = at + looked_at
    end
    return at
end

-- A task without a state of its own.
local function is_member(of, code, at)
    if not string.find(string.char(code), sought.codes) then return false end
    if sought.node == '' then return true end
    local outcome = code == member_code.succeeded and outcome_of(of, of.first + at)
    local hold = outcome and outcome.hold or of.holds[code]
    return hold and is_sought_node(hold.consumer)
end

-- Whether a consumer that is sought holds, or has held, tasks of a segment.
local function has_sought_hold(of)
    if sought.node == '' then return true end
    for _, hold in ipairs(of.holds) do
        if is_sought_node(hold.consumer) then
            spend_work(of.count, 0)  -- as all outcomes are read
            return true
        end
    end
    return false
end

-- Looks at tasks of a segment from a number down; gives the last one that it looked at.
local function look_at_segment(name, first, count, from)
    local of = open_segment(name, first, count)
    spend_work(search_cost.segment + (of and #of.holds or 0) / 2, of and #of.text or 0)
    local all = of and string.sub(of.text, of.codes_at, of.codes_at + from - first)
    if not of or not string.find(all, sought.codes) then return first end
    if sought.restricts_record then
        of.blob = call('HGET', keys.segments, first)
        spend_work(search_cost.segment, of.blob and #of.blob or 0)
        if not of.blob or #of.blob < segment_at.name then return first end
        if not is_sought_time(struct.unpack(format.time, of.blob)) then return first end
        local name_length = string.byte(of.blob, segment_at.name_length)
        if not is_sought_name(string.sub(of.blob, segment_at.name, segment_at.name - 1 + name_length)) then return first end
    end
    local own, states, known = {}, {}, 0
    for at = from - first, 0, -1 do
        local code = string.byte(all, at + 1)
        if code == member_code.own_state or code == member_code.in_turn then own[#own + 1] = first + at end
    end
    spend_work(#all / search_cost.members, 0)
    local has_hold = has_sought_hold(of)
    for seq = from, first, -1 do
        if seq == own[known + 1] then
            if seq < from and is_search_over() then return seq + 1 end
            local some, read_now = read_states(own, known)
            for n = 1, #some do states[some[n]] = read_now[n] end
            known = known + #some
        end
        local state, code = states[seq], string.byte(all, seq - first + 1)
        local is_it = state and is_sought_state(state) or state == nil and has_hold and is_member(of, code, seq - first)
        if is_it then take_found(seq) end
        if #sought.found >= sought.most then return seq end
    end
    return first
end

-- The segment at or below a number: some are read at a time.
local function segment_below(seq)
    local foreign = 0
    while true do
        if sought.next > #sought.names then
            sought.names, sought.next = call('ZRANGE', keys.segment_index, seq, '-inf', 'BYSCORE', 'REV', 'LIMIT', foreign,
                                             bound.search_segments), 1
            spend_work(#sought.names * search_cost.name, 0)
            if #sought.names == 0 then return nil, 0, 0 end
            foreign = foreign + #sought.names
        end
        local name = sought.names[sought.next]
        local first, count = span_of(name)
        if first and first <= seq then return name, first, count end
        sought.next = sought.next + 1
    end
end

-- When the task of that number, or one not far below it, was submitted, and its number; nothing where none is near.
local function time_near(seq)
    local end_of_segment = 0
    local below = call('ZRANGE', keys.segment_index, seq, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 1)[1]
    local first, count = span_of(below or '')
    if first then end_of_segment = first + count end
    for near = seq, math.max(seq - bound.first_slice + 1, end_of_segment), -1 do
        local record = call('HGET', keys.records, near)
        if record then
            spend_work(search_cost.record, #record)
            if #record >= record_at.name then return struct.unpack(format.time, record), near end
        end
    end
    local blob = first and call('HGET', keys.segments, first)
    spend_work(3 * search_cost.segment, blob and #blob or 0)
    if blob and #blob >= segment_at.name then return struct.unpack(format.time, blob), math.min(seq, end_of_segment - 1) end
end
