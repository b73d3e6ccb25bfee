-- The end of a script. `commit` first plans: it reads what it still has to know, and makes every name of a key. When a key
-- was not declared, the script ends there and nothing has been changed; or else `apply` writes, and reads nothing.

-- Of those that peek all: none of them takes anything.
local function wake_some(members, most)
    for _, member in ipairs(members) do
        if is_peek(member) then
            wake(member)
        elseif most == 0 then
            break
        elseif member ~= myself and wake(member) then
            most = most - 1
        end
    end
end

-- What every script writes last.
local function write_rest(asleep)
    for what, by in pairs(counts) do
        if by ~= 0 then add_to('n' .. what, by) end
    end
    for _, command in ipairs(also) do call(unpack(command)) end
    for _, message in ipairs(messages) do publish(message[1], message[2]) end
    wake_some(knowers, knowers.most)
    wake_some(asleep, wakes)
    write_events()
end

-- Adds the lanes of those priorities to the known ones.
local function know_lanes(known, priorities)
    local all = known
    for _, priority in ipairs(priorities) do
        if not string.find(all, ',' .. priority .. ',', 1, true) then all = all .. priority .. ',' end
    end
    if all ~= known then also[#also + 1] = {'HSET', keys.queue, 'lanes', all} end
end

local function store_segment(of, text)
    if text then
        also[#also + 1] = {'HSET', keys.segments, of.first .. 't', text}
    else
        also[#also + 1] = {'HDEL', keys.segments, of.first, of.first .. 't', of.first .. 'o'}
        also[#also + 1] = {'ZREM', keys.segment_index, of.name}
    end
end

-- What becomes of the segments whose tasks have changed.
local function close_segments()
    for seq in pairs(changed) do
        local task = tasks[seq]
        local of = task.segment
        if of then
            local keeps_turn = task.in_turn and task.state == task_state.waiting
            mark(of, seq, keeps_turn and member_code.in_turn or member_code.own_state)
            if task.state == task_state.running then append(held_add, task.holder, seq) end
        end
    end
    for name, of in pairs(segments) do
        if next(of.changes) then
            local text, released = rewritten(of)
            for consumer in pairs(released) do append(held_remove, consumer, '@' .. name) end
            store_segment(of, text)
        end
    end
end

-- Keys of the right type, as a command has shown that would have failed otherwise.
local probed = {}
local function probe(command, name)
    if not probed[name] then call(command, name) end
    probed[name] = true
end

-- Sees to it that no write fails: a key of another type, of all that will be written and were not read, shows here.
local function probe_all()
    if next(counts) then probe('HLEN', keys.queue) end
    if #bodies > 0 or #erased > 0 then probe('HLEN', keys.records) end
    if #bodies > 0 and next(changed) then probe('HLEN', keys.states) end
    if #erased > 0 then probe('HLEN', keys.waiters) end
    for name, members in pairs(sorted_sets) do
        if next(members) then probe('ZCARD', name) end
    end
    for consumer in pairs(held_add) do probe('SCARD', key(own_key.held .. consumer)) end
    for consumer in pairs(held_remove) do probe('SCARD', key(own_key.held .. consumer)) end
    if next(cancels) then probe('HLEN', keys.cancels) end
    if next(unique_keys) then probe('HLEN', keys.unique_keys) end
    if next(successors) then probe('HLEN', keys.successors) end
    if next(own_ids) then probe('HLEN', keys.own_ids) end
    if next(outgoing) then probe('HLEN', keys.outbox) end
    for _, command in ipairs(also) do
        local kind = string.sub(command[1], 1, 1)
        if kind == 'H' then probe('HLEN', command[2]) elseif kind == 'Z' then probe('ZCARD', command[2]) end
    end
end

-- Reads what must be known before anything is written.
local function plan()
    tell_parents()
    place_arrivals()
    if touched[1] then turns_of_keys().place() end
    local of, merged = {told = tell_waiters()}, {}
    note_hearers()
    if next(counts) and call('HLEN', keys.queue) >= bound.counters then  -- of statistics: as `count_submitted` does
        for what, by in pairs(counts) do
            local place = string.match(what, '^:%d+:(%d+):.')
            if place then counts[what], merged[place] = 0, (merged[place] or 0) + by end
        end
    end
    for place, by in pairs(merged) do count(':0:' .. place .. ':', by) end
    local ends = -(counts[task_state.running] or 0)
    if ready > 0 or ends > 0 then
        wakes = wakes + called_by(ready, ends)
        probed[keys.queue] = true
    end
    if next(sorted_sets[keys.scheduled]) then  -- who sleeps until the next task falls due may have to wake earlier
        local soonest = stored_time.never
        for _, at in pairs(sorted_sets[keys.scheduled]) do soonest = math.min(soonest, at or stored_time.never) end
        if soonest < first_time(keys.scheduled) then wakes, shows = wakes + 1, true end
    end
    if touched[0] < stored_time.never and touched[0] < first_time(keys.turn_times) then wakes = wakes + 1 end
    of.asleep = sleepers()
    if next(lanes_head) or next(lanes_tail) then
        local priorities = {}
        for _, pushed in ipairs({lanes_head, lanes_tail}) do
            for name in pairs(pushed) do priorities[#priorities + 1] = string.sub(name, #prefix + #own_key.lane + 1) end
        end
        know_lanes(call('HGET', keys.queue, 'lanes') or ',', priorities)
    end
    of.lengths = {}
    for _, lists in ipairs({lanes_remove, lanes_head, lanes_tail}) do
        for name in pairs(lists) do of.lengths[name] = call('LLEN', name) end
    end
    of.has_reports = #erased > 0 and call('HLEN', keys.reports) > 0
    of.has_attempts = #erased > 0 and call('HLEN', keys.attempts) > 0
    for seq, list in pairs(past_attempts) do also[#also + 1] = {'HSET', keys.attempts, seq, list} end
    close_segments()
    for consumer in pairs(held_add) do key(own_key.held .. consumer) end
    for consumer in pairs(held_remove) do key(own_key.held .. consumer) end
    declare_events()
    if #missing == 0 then probe_all() end
    return of
end

-- Of tasks that are erased: progress and logs.
local function erase_reports()
    local fields = {}
    for _, seq in ipairs(erased) do
        fields[#fields + 1] = seq .. 'p'
        fields[#fields + 1] = seq .. 'l'
    end
    write('HDEL', keys.reports, fields)
end

local function erase_all(has_reports, has_attempts)
    write('HDEL', keys.records, erased)
    write('HDEL', keys.states, erased)
    write('HDEL', keys.waiters, erased)
    if has_attempts then write('HDEL', keys.attempts, erased) end
    if has_reports then erase_reports() end
end

local function write_lanes(lengths)
    for name, seqs in pairs(lanes_head) do
        table.sort(seqs, function(one, other) return one > other end)  -- the last one pushed is the first of the lane
        write('LPUSH', name, seqs)
    end
    for name, seqs in pairs(lanes_tail) do write('RPUSH', name, seqs) end
    for name, seqs in pairs(lanes_remove) do
        -- In a long lane what is out stays as a remnant, which `fetch` drops: finding it would take too long.
        if lengths[name] <= bound.searched_lane then
            for _, seq in ipairs(seqs) do call('LREM', name, 1, seq) end
        end
    end
end

local function write_sorted_sets()
    -- What will be forgotten is gathered by its time, and what goes out by its member, which may come back under that name.
    local ends, members = sorted_sets[keys.forgotten], {}
    for member, seqs in pairs(ends) do
        if not seqs then members[member] = false end
    end
    for at, seqs in pairs(ends) do
        if seqs and at < stored_time.never then members[table.concat(seqs, ',')] = at end
    end
    sorted_sets[keys.forgotten] = members
    for name, members in pairs(sorted_sets) do
        local add, out = {}, {}
        for member, score in pairs(members) do
            if score then
                add[#add + 1] = score == 0 and '0' or string.format('%d', score)
                add[#add + 1] = member
            else
                out[#out + 1] = member
            end
        end
        write('ZADD', name, add)
        write('ZREM', name, out)
    end
end

-- Writes everything, as planned.
local function apply(of)
    write('HSET', keys.records, bodies)
    for seq in pairs(changed) do
        states[#states + 1] = seq
        states[#states + 1] = tasks[seq].packed or pack_state(tasks[seq])
    end
    write('HSET', keys.states, states)
    if #erased > 0 then erase_all(of.has_reports, of.has_attempts) end
    write_lanes(of.lengths)
    write_sorted_sets()
    for consumer, seqs in pairs(held_remove) do write('SREM', key(own_key.held .. consumer), seqs) end
    for consumer, seqs in pairs(held_add) do write('SADD', key(own_key.held .. consumer), seqs) end
    for hash, changes in pairs({[keys.own_ids] = own_ids, [keys.unique_keys] = unique_keys, [keys.successors] = successors,
        [keys.cancels] = cancels}) do
        for field, value in pairs(changes) do
            if value then call('HSET', hash, field, value) else call('HDEL', hash, field) end
        end
    end
    if of.told and #of.told > 0 then write('HDEL', keys.waiters, of.told) end
    write_journals()
    write_rest(of.asleep)
end

-- Writes everything that was gathered. Gives `reply`, as RELAY where it was OK and the outbox has something new; or NEED.
local function commit(reply)
    local of = plan()
    if #missing > 0 then return {'NEED', unpack(missing)} end
    apply(of)
    if reply[1] == 'OK' and next(outgoing) then reply[1] = 'RELAY' end
    return reply
end
