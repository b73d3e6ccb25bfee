-- Hands out tasks. consumer, most, inbox to be woken by ('': none), sleeper, signature of the names, names…
-- {'OK', now, 1 if there is more to look at, when something will fall due or -1, [seq, record, state] of each…}
local consumer, most, inbox, sleeper, signature = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
if not has_lease(consumer) then return {'LOST'} end
if due(d) or due(e) or due(C) then return {'DUE'} end
local names
if #ARGV > 5 then
    names = {}
    for n = 6, #ARGV do names[ARGV[n]] = true end
end
if inbox ~= '' then myself = table.concat({inbox, sleeper, signature}, '\n') end

local state = call('HMGET', c, 'paused', 'lanes', 'watcher', 'watching')
local found, aside, all, budget = {}, {}, {}, 1000
if state[1] then most = 0 end
for priority in string.gmatch(state[2] or '', '-?%d+') do
    all[#all + 1] = {priority = tonumber(priority), name = lane(priority), taken = 0, seqs = {}, at = 1}
end
table.sort(all, function(a, b) return a.priority > b.priority end)
if #missing > 0 then return {'NEED', unpack(missing)} end

-- Those that others have passed over, and this consumer knows; best first.
local claimable = {}
if most > 0 and call('EXISTS', u) == 1 then
    local members = {}
    if names then
        for name in pairs(names) do
            for _, member in ipairs(call('ZRANGEBYLEX', u, '[' .. name .. '\0', '(' .. name .. '\1', 'LIMIT', 0, most)) do
                members[#members + 1] = member
            end
        end
    else
        members = call('ZRANGE', u, 0, 9999)
    end
    for _, member in ipairs(members) do
        claimable[#claimable + 1] = {order = string.sub(member, -18), seq = tonumber(string.sub(member, -14))}
    end
    table.sort(claimable, function(a, b) return a.order < b.order end)
end
local next_claimable = 1

-- The first task in a lane that is to be looked at: its seq and record, and the task, unless nothing has happened to
-- it and nothing is special about it. Remnants of tasks that have gone are dropped.
local function front(of)
    while true do
        if of.at > #of.seqs then
            local step = math.max(1, math.min(most - #found, 500))
            of.seqs, of.at = call('LRANGE', of.name, of.taken, of.taken + step - 1), 1
            if #of.seqs == 0 then return nil end
            for n = 1, #of.seqs do of.seqs[n] = tonumber(of.seqs[n]) end
            of.states, of.records = read(s, of.seqs), read(r, of.seqs)
        end
        local seq, state, record = of.seqs[of.at], of.states[of.at], of.records[of.at]
        if tasks[seq] == nil and record then
            if not state and string.byte(record, 8) == 0 then return seq, record end
            tasks[seq] = state and unpack_state(seq, state) or fresh(seq, record)
            tasks[seq].record = record
        end
        local task = tasks[seq]
        if task and task.state == WAITING and not task.unclaimed then return seq, record, task end
        of.at, of.taken = of.at + 1, of.taken + 1
    end
end

local function deliver(task)
    if task.unclaimed then
        sorted_sets[u][unclaimed_member(task)] = false
        task.unclaimed = false
        count('u', -1)
    end
    forget_limit(task)
    enter(task, RUNNING)
    task.deliveries, task.started, task.first_try, task.holder = task.deliveries + 1, now, task.first == 0, consumer
    if task.first_try then task.first = now end
    task.packed = pack_state(task)
    found[#found + 1] = task
end

-- The same for a task that nothing has happened to: its state but for the nonce is that of all such.
local head = struct.pack('<BB', RUNNING, 2)
local tail = struct.pack('<I4I4I4dddddH', 1, 0, 0, 0, now, now, 0, 0, #consumer) .. consumer .. struct.pack('<I4', 0)
local plain = 0
local function deliver_plain(seq, record)
    local packed = head .. string.sub(record, 10, 13) .. tail
    states[#states + 1] = seq
    states[#states + 1] = packed
    tasks[seq] = false  -- not to be found again
    plain = plain + 1
    found[#found + 1] = {seq = seq, record = record, packed = packed}
end

local current = 1
while #found < most and budget > 0 do
    local of, seq, record, task = all[current], nil, nil, nil
    if of then seq, record, task = front(of) end
    if of and not seq then
        current = current + 1
    else
        local other = claimable[next_claimable]
        if other and of and other.order > string.format('%03d\0%s', 100 - of.priority, padded(seq)) then other = nil end
        if other then
            next_claimable = next_claimable + 1
            load({other.seq}, true)
            if tasks[other.seq] then deliver(tasks[other.seq]) end
        elseif not of then
            break
        else
            of.at, of.taken = of.at + 1, of.taken + 1
            local name = names and string.sub(record, 15, 14 + string.byte(record, 14))
            if not names or names[name] then
                if task then deliver(task) else deliver_plain(seq, record) end
            else
                task = task or fresh(seq, record)
                tasks[seq] = task
                budget = budget - 1
                aside[name] = true
                task.unclaimed = true
                changed[seq] = true
                sorted_sets[u][unclaimed_member(task)] = 0
                count('u', 1)
            end
        end
    end
end
count(WAITING, -plain)
count(RUNNING, plain)

local sleeping = call('EXISTS', i) == 1
local is_left = false
for _, of in ipairs(all) do
    if of.taken > 0 then also[#also + 1] = {'LTRIM', of.name, of.taken, -1} end
    if sleeping and not is_left then is_left = call('LLEN', of.name) > of.taken end
end
if sleeping and is_left and not state[1] then wakes = 2 end
if sleeping and next(aside) then  -- those who know what was passed over
    local known = {}
    for _, member in ipairs(call('ZRANGE', i, 0, 999)) do
        local theirs = string.match(member, '\n([^\n]*)$')
        if known[theirs] == nil then
            known[theirs] = theirs == '*'
            for name in string.gmatch(call('HGET', N, theirs) or '', '[^\n]+') do
                if aside[name] then known[theirs] = true end
            end
        end
        if known[theirs] and member ~= myself then woken[#woken + 1] = member end
    end
end
local is_more = budget == 0 and #found < most
if myself ~= '' then
    if #found > 0 or is_more then
        sorted_sets[i][myself] = false
        if sleeping and is_unwatched(myself, state[3], state[4]) then wakes = math.max(wakes, 1) end
    else
        sorted_sets[i][myself] = now
        if names then also[#also + 1] = {'HSETNX', N, signature, table.concat(ARGV, '\n', 6)} end
    end
end
-- One sleeper at a time keeps an eye on the clock: the last one to fall asleep.
local reply = {'OK', now, is_more and 1 or 0, -1}
if #found == 0 and myself ~= '' then
    local soonest = next_change()
    if soonest < forever then
        reply[4] = soonest
        also[#also + 1] = {'HSET', c, 'watcher', myself, 'watching', string.format('%d', soonest)}
    end
end
local mine = {}
for n, task in ipairs(found) do
    mine[n] = task.seq
    reply[#reply + 1] = task.seq
    reply[#reply + 1] = task.record
    reply[#reply + 1] = task.packed
end
if #mine > 0 then held_add[consumer] = mine end
return commit(reply)
