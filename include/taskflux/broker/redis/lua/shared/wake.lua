-- Sleepers: fetches that found nothing and wait for word. One of them watches the clock for the queue.

-- Tells a sleeper to look again; false when it was not there any more.
local function wake(member)
    if call('ZREM', keys.sleepers, member) == 0 then return false end
    local inbox, sleeper = string.match(member, '^([^\n]*)\n([^\n]*)\n')
    local queue = queue_name()
    return inbox and publish(inbox, message_letter.look .. text(queue) .. text(sleeper)) ~= 0
end

-- When a rate of keys next lets one go on, or lets it be forgotten: of no importance while nothing of the queue may start.
local function first_turn_time()
    if gate and gate.room < 1 then return stored_time.never end
    local from = touched[-1] and '(' .. now or '-inf'
    local first = call('ZRANGE', keys.turn_times, from, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')[2]
    return math.min(touched[0], whole(first) or stored_time.never)
end

-- When time alone may next give sleepers something to do. Not the end of their own consumer's lease, with which their process
-- is gone; '': of no one's.
local function next_change(consumer)
    local opens = gate and gate.opens or stored_time.never
    return math.max(0, math.min(first_time(keys.scheduled), first_turn_time(), end_of_other_lease(consumer), opens,
                                stored_time.never))
end

-- Whether a sleeper must be woken to watch the clock, now that `member` does not: `member` was the watcher, or was woken
-- because something falls due earlier than the watcher knows, or because the watcher's time has come.
local function is_unwatched(consumer, member, watcher, till)
    local soonest, watched = next_change(consumer), whole(till) or 0
    return soonest < stored_time.never and (not watcher or watcher == member or watched <= now or soonest < watched)
end

-- Has sleepers woken who know one of these names, as many at most as can be reached.
local function call_those_who_know(names, most)
    local known, enough = {}, #knowers + most + bound.wakes  -- some may not be there any more
    knowers.most = math.max(knowers.most, most)
    for _, member in ipairs(call('ZRANGE', keys.sleepers, 1, '+inf', 'BYSCORE', 'LIMIT', 0, bound.asked_sleepers)) do
        if #knowers >= enough then return end
        local theirs = string.match(member, '\n([^\n]*)$') or ''
        if known[theirs] == nil then
            known[theirs] = theirs == '*'
            for name in string.gmatch(call('HGET', keys.names, theirs) or '', '[^\n]+') do
                if names[name] then known[theirs] = true end
            end
        end
        if known[theirs] and member ~= myself then knowers[#knowers + 1] = member end
    end
end

-- Has up to so many sleepers woken who know unclaimed tasks: only they can start them.
local function call_knowers(most)
    if most < 1 then return end
    local names, from = {}, '-'
    for _ = 1, bound.unclaimed_names do
        local first = call('ZRANGEBYLEX', keys.unclaimed, from, '+', 'LIMIT', 0, 1)[1]
        if not first then break end
        local name = string.match(first, '^[^%z]*')
        names[name], from = true, '(' .. name .. '\1'
    end
    if next(names) then call_those_who_know(names, most) end
end

-- What a fetch leaves behind: whether others must be woken, and whether it sleeps now. `sleeping`: some do; `fed`: this
-- one does not, as something was found or there is more to look at; `is_left`: something that may start is left for others;
-- `watcher` and `till`: who watches the clock, until when; `names`: what it has handlers for, or nil. Gives when something
-- will fall due for which it watches if it sleeps, or -1.
local function leave_behind(consumer, sleeping, fed, is_left, watcher, till, signature, names)
    if sleeping and is_left then wakes = gate and math.min(2, gate.room) or 2 end
    if sleeping and gate then
        local unclaimed = (whole(call('HGET', keys.queue, counter.unclaimed)) or 0) + (counts.u or 0)
        call_knowers(math.min(2, unclaimed, gate.room))
        if fed and not is_left and unclaimed < 1 then gate.opens = stored_time.never end  -- nothing waits for that
    end
    if myself == '' then return -1 end
    if fed then
        if not sleeping then return -1 end
        also[#also + 1] = {'ZREM', keys.sleepers, myself}
        if is_unwatched(consumer, myself, watcher, till) then wakes = math.max(wakes, 1) end
        return -1
    end
    also[#also + 1] = {'ZADD', keys.sleepers, now, myself}
    if names then also[#also + 1] = {'HSETNX', keys.names, signature, names} end
    local soonest, watched = next_change(consumer), whole(till) or 0
    if soonest == stored_time.never then
        if watcher == myself then also[#also + 1] = {'HDEL', keys.queue, 'watcher', 'watching'} end
        return -1
    end
    -- One sleeper keeps an eye on the clock: this one, unless another does so early enough, and is asleep. If all did that who
    -- come and find nothing, they would all be back at that time.
    local is_watched = watcher and watcher ~= myself and watched > now and watched <= soonest
    if is_watched and time_of(keys.sleepers, watcher) then return -1 end
    also[#also + 1] = {'HSET', keys.queue, 'watcher', myself, 'watching', string.format('%d', soonest)}
    return soonest
end

-- How many sleepers have something to do where so many tasks wait, and `stated` is the field `paused`. `unclaimed`: how many
-- of them others have passed over; who knows these is called besides. `ends`: how many tasks run no more, and yet are counted.
-- One at least where a rate holds all back and nobody watches for when it lets one start: `till` is until when somebody does.
local function called_for(stated, waiting, unclaimed, ends, watcher, till)
    if stated then look_at_gate(stated, ends) end
    local places = math.min(stated and gate.room or bound.wakes, bound.wakes)
    call_knowers(math.min(unclaimed, places))
    local most, watched = math.max(math.min(waiting - unclaimed, places), 0), whole(till) or 0
    if not stated then return most end
    local has_to_watch = places < 1 and waiting > 0 and gate.opens < stored_time.never
    return has_to_watch and (not watcher or watched <= now or gate.opens < watched) and 1 or most
end

-- The same when so many tasks have become ready, and so many run no more: these give places back, where a limit counts them.
local function called_by(new, ends)
    local found = call('HMGET', keys.queue, 'paused', 'events')
    local stated = stated_now or found[1]
    listens = listens == nil and found[2] or listens
    if not stated or string.find(stated, limit_text.of_waiting, 1, true) == 1 then return math.min(new, bound.wakes) end
    local waiting, unclaimed, watcher, watching =
        unpack(call('HMGET', keys.queue, counter.waiting, counter.unclaimed, 'watcher', 'watching'))
    unclaimed = math.max((whole(unclaimed) or 0) + (counts.u or 0), 0)
    waiting = math.max((whole(waiting) or 0) + (counts[task_state.waiting] or 0), unclaimed + new)
    waiting = math.min(waiting, unclaimed + new + math.max(ends, 0))  -- others may be of keys that are full
    return called_for(stated, waiting, unclaimed, ends, watcher, watching)
end

-- Whether it wants to see tasks, and not to get them.
local function is_peek(member) return string.sub(member, -#sleeper_mark.peeks) == sleeper_mark.peeks end

-- Those of whom some will be woken, behind all who want to see tasks, where there is something to see: these stand at 0.
local function sleepers()
    if not shows then
        return wakes > 0 and call('ZRANGE', keys.sleepers, 1, '+inf', 'BYSCORE', 'LIMIT', 0, wakes + bound.wakes) or {}
    end
    local peeks = 0
    while true do
        local found, first = call('ZRANGE', keys.sleepers, 0, wakes + bound.wakes + peeks - 1), 0
        while found[first + 1] and is_peek(found[first + 1]) do first = first + 1 end
        if first <= peeks or first < #found and #found < wakes + bound.wakes + peeks then return found end
        peeks = 2 * first
    end
end
