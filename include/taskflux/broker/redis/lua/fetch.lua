-- Hands out tasks of any kind.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           own_ids HASH, unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, cancels
--           HASH, segments HASH, segment_index ZSET, set_aside HASH, outbox HASH, l:… LIST, a:… SET, j:… HASH, D HASH
--      ARGV consumer, how many at most, channel to be woken by ('': none), sleeper, signature of the names, 1: what is due was
--           done in part and holds this up no longer ('': all of it comes first), names ('any': none)
-- out: {'OK', now in ms, 1 if there is more to look at, 2 if something is due, or 0, when something will fall due or -1,
--      [number, record, state] of each}; also [0, what, why] of corrupt data that was met, and [0, '', as `maintain` tells of
--      them] of tasks that have failed here; DUE, LOST, NEED, RELAY
-- O(log n) a task; at most 100 tasks of unknown names are passed over in a call.
local consumer, most, inbox, sleeper, signature = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
local alive, is_expired = has_lease(consumer)
if is_expired and ARGV[6] ~= '1' then return {'DUE'} end
if not alive then return {'LOST'} end
local has_due = due(keys.scheduled) or due(keys.limited) or due(keys.leases)
if has_due and ARGV[6] ~= '1' then return {'DUE'} end
local names
if #ARGV > 6 then
    names = {}
    for n = 7, #ARGV do names[ARGV[n]] = true end
end
if inbox ~= '' then myself = table.concat({inbox, sleeper, signature}, '\n') end

local _, lanes, watcher, watching
most, _, lanes, watcher, watching = admit(most, 'lanes', 'watcher', 'watching')
if gate and gate.damage then set_aside('limit', gate.damage) end
local found, aside, all, budget = {}, {}, {}, bound.passed_over
for n, priority in ipairs(priorities_in(lanes)) do
    all[n] = {priority = priority, name = lane(priority), taken = 0, entries = {}, entry = 1, seqs = {}, at = 1}
end
if #missing > 0 then return {'NEED', unpack(missing)} end

-- Those that others have passed over, and this consumer knows; best first.
local claimable = {}
if most > 0 and call('EXISTS', keys.unclaimed) == 1 then
    local members = {}
    if names then
        for name in pairs(names) do
            local passed_over = call('ZRANGEBYLEX', keys.unclaimed, '[' .. name .. '\0', '(' .. name .. '\1', 'LIMIT', 0, most)
            for _, member in ipairs(passed_over) do
                members[#members + 1] = member
            end
        end
    else
        members = call('ZRANGE', keys.unclaimed, 0, bound.claimable - 1)
    end
    for _, member in ipairs(members) do
        local seq = whole(string.sub(member, -unclaimed_tail.number))
        if seq then
            claimable[#claimable + 1] = {order = string.sub(member, -unclaimed_tail.order), seq = seq, member = member}
        else
            drop_foreign(keys.unclaimed, member)
        end
    end
    table.sort(claimable, function(left, right) return left.order < right.order end)
end
claimable.next = 1  -- the place of the one that is next

-- Goes on to what comes next in a lane: a segment, or some tasks that came alone. False at its end.
local function turn(of)
    if not of.entries[of.entry] then
        local till = of.taken + math.max(1, math.min(most - #found, bound.lane_page)) - 1
        of.entries, of.entry = redis.pcall('LRANGE', of.name, of.taken, till), 1
        if of.entries.err then
            of.is_foreign = true
            set_aside(string.sub(of.name, #prefix + 1), of.entries.err)
            of.entries = {}
        end
    end
    of.seqs, of.at, of.segment = {}, 1, nil
    while of.entries[of.entry] and not of.segment do
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
    load(of.seqs, true)
    return of.segment ~= nil or #of.seqs > 0
end

-- The first is done with.
local function advance(of)
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
local function front(of)
    while true do
        while of.at > #of.seqs do
            if not turn(of) then return nil end
        end
        local task = tasks[of.seqs[of.at]]
        if task and task.state == task_state.waiting and not task.unclaimed then return task end
        advance(of)
    end
end

-- Hands a task out; one whose time is over, though `maintain` has not come to it, is given up.
local function deliver(task)
    if limit(task) <= now then
        budget = budget - 1
        give_up(task)
        return note_failed(task)
    end
    if task.unclaimed then
        sorted_sets[keys.unclaimed][unclaimed_member(task)] = false
        task.unclaimed = false
        count('u', -1)
    end
    forget_limit(task)
    enter(task, task_state.running)
    task.deliveries, task.started, task.first_try, task.holder = task.deliveries + 1, now, task.first == 0, consumer
    if task.first_try then task.first = now end
    task.packed = pack_state(task)
    found[#found + 1] = task
end

all.current = 1  -- the place of the lane that is looked at
while #found < most and budget > 0 do
    local of = all[all.current]
    local task = of and front(of)
    if of and not task then
        all.current = all.current + 1
    else
        local other = claimable[claimable.next]
        if other and of and other.order > string.format('%03d\0%s', stored_base.priority - of.priority, padded(task.seq)) then
            other = nil
        end
        if other then
            claimable.next = claimable.next + 1
            load({other.seq}, true)
            local passed_over = tasks[other.seq]
            if passed_over and passed_over.state == task_state.waiting and passed_over.unclaimed then
                deliver(passed_over)
            else
                sorted_sets[keys.unclaimed][other.member] = false
                if is_set_aside(other.seq) then
                    count('u', -1)
                    count(task_state.waiting, -1)
                end
            end
        elseif not of then
            break
        else
            advance(of)
            local name = names and name_in(task.record)
            if not names or names[name] then
                task.in_turn = true  -- it is out of the lane by `advance`
                deliver(task)
            else
                budget = budget - 1
                aside[name] = true
                task.unclaimed, task.in_turn = true, false
                changed[task.seq] = true
                sorted_sets[keys.unclaimed][unclaimed_member(task)] = 0
                count('u', 1)
            end
        end
    end
end

local due_next = gate and gate.start(#found)
if due_next then also[#also + 1] = {'HSET', keys.queue, 'tat', due_next} end
local sleeping = call('ZCARD', keys.sleepers) > 0
local is_left = false
for _, of in ipairs(all) do
    if of.taken > 0 then also[#also + 1] = {'LTRIM', of.name, of.taken, -1} end
    is_left = is_left or sleeping and not of.is_foreign and call('LLEN', of.name) > of.taken
end
if sleeping and next(aside) then call_those_who_know(aside, bound.asked_sleepers) end
local is_more = budget == 0 and #found < most
local soonest = leave_behind(consumer, sleeping, #found > 0 or is_more or has_due, is_left, watcher, watching,
                             signature, names and table.concat(ARGV, '\n', 7))
local reply = {'OK', now, is_more and 1 or has_due and 2 or 0, soonest}
local mine = {}
for n, task in ipairs(found) do
    mine[n] = task.seq
    reply[#reply + 1] = task.seq
    reply[#reply + 1] = task.record
    reply[#reply + 1] = task.packed
end
for _, command in ipairs(also) do
    if command[2] == keys.set_aside then
        reply[#reply + 1] = 0
        reply[#reply + 1] = tostring(command[3])
        reply[#reply + 1] = command[4]
    end
end
if #dead_letters > 0 then
    reply[#reply + 1] = 0
    reply[#reply + 1] = ''
    reply[#reply + 1] = dead_letters
end
if #mine > 0 then held_add[consumer] = mine end
return commit(reply)
