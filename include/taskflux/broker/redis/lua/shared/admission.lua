-- The gate before every start: how many tasks may start now, and if not more, why. Every script that hands tasks out, or
-- wakes somebody who would fetch them, asks here; nothing else reads whether the queue is paused, or what limits it. One HMGET,
-- for the gate and what its caller needs of the same hash; and one more where the queue has a limit.
--
-- What holds a queue back is one field, `paused`: '=' and a limit, perhaps behind a throttle (throttle.lua); or anything else
-- where it is paused. Programs that know no limits take all of that for paused, and start nothing.

-- Nil while nothing holds the queue back, which so costs nothing. `room`: how many more tasks may start now; `opens`: when
-- time lets one start, where it is only for that that none may; `till`: when its throttle ends; `most`: how many may run;
-- `start`: to be told how many start; gives what is to be written into the field `tat`, or nil; `damage`: what is wrong with
-- the limit, which then limits nothing; `stated`: that field. A throttle that is over is taken out of that field by scripts
-- that write at all.
local gate = nil

local function is_in(least, number, most) return number and number >= least and number <= most end

-- The parts of a limit as text: most running, starts, in how many ms, burst; nil where it has none, or they are damaged. Last,
-- whether it is whole. As `limit` in core/limit.hpp takes them.
local function limit_in(text)
    local running, starts, per, burst = string.match(text, '^(%d*) (%d*) (%d*) (%d*) ?%d*$')
    local most, many, span, ahead = whole(running), whole(starts), whole(per), whole(burst)
    local has_rate = is_in(1, many, stored_time.never) and is_in(1, span, limits.per_ms) and is_in(1, ahead, limits.tasks) and
                         many / limits.starts_in_a_ms < span + 1 and ahead * span / many <= limits.burst_ms
    if not running or running ~= '' and not is_in(0, most, limits.tasks) or starts .. per .. burst ~= '' and not has_rate then
        return nil, nil, nil, nil, false
    end
    return most, has_rate and many or nil, span, ahead, true
end

-- Finds out what that field allows, when `ends` tasks run no more than are counted.
local function look_at_gate(stated, ends)
    gate = {room = math.huge, opens = stored_time.never, start = function() end, stated = stated}
    local till, rest = string.match(stated, '^!([^=]*)(=?.*)$')
    if till then
        till = throttle_end(till)
        if till then
            gate.room, gate.opens, gate.till = 0, till, till
            return
        end
        also[#also + 1] = rest ~= '' and {'HSET', keys.queue, 'paused', rest} or {'HDEL', keys.queue, 'paused'}
        also[#also + 1] = {'HDEL', keys.queue, 'throttled'}  -- else a clock that goes back puts it into force again
        if rest == '' then return end
        stated = rest
    end
    if string.sub(stated, 1, 1) ~= '=' then
        gate.room = 0
        return 'paused'
    end
    local most, many, span, ahead, is_whole = limit_in(string.sub(stated, 2))
    if is_whole and not most and not many then return end  -- it bounds only what waits
    if not is_whole then
        gate.damage = 'it is damaged, and limits nothing: set it again'
        return
    end
    local known = call('HMGET', keys.queue, counter.running, 'tat')
    local places = most and math.max(most - math.max((whole(known[1]) or 0) - ends, 0), 0) or math.huge
    gate.room, gate.most = places, most
    if not many then
        gate.start = function(taken) gate.room = gate.room - taken end
        return
    end
    -- The generic cell rate algorithm (ITU-T I.371, annex A), as in core/limit/rate_gate.hpp: a start every so many ms, and
    -- when the next one is due if they are spread evenly; a burst may come so many ms early. One that is due further ahead
    -- than any can have been put is damaged, or the clock went back, or the rate was lower: then one may start at once. Who
    -- comes a little late is on time.
    local every = span / many
    local early, next_at = every * (ahead - 1), moment(known[2])
    if not next_at or not is_time(next_at) then next_at = now end
    if next_at > now + early + every + rate_slack.error then next_at = now + early end
    if next_at <= now - math.min(every, rate_slack.late) then next_at = now end
    gate.start = function(taken)
        places, next_at = places - taken, next_at + taken * every
        local left = now + early - next_at + rate_slack.error
        local may = left < 0 and 0 or math.min(math.floor(left / every) + 1, ahead)
        gate.room = math.min(places, may)
        gate.opens = may == 0 and places > 0 and math.max(now + 1, math.ceil(next_at - early)) or stored_time.never
        return taken > 0 and string.format('%.4f', next_at) or nil
    end
    gate.start(0)
end

-- How many of `most` tasks may start now; why not more, or nil when nothing holds them back; and the values of these fields
-- of `keys.queue`.
local function admit(most, ...)
    local found = call('HMGET', keys.queue, 'paused', 'events', ...)
    listens = found[2]
    if not found[1] then return most, nil, unpack(found, 3) end
    local why = look_at_gate(found[1], 0)
    return math.min(most, gate.room), why or gate.room < most and 'limited' or nil, unpack(found, 3)
end

-- A limit that was stated, without when and why; nil where the text is none.
local function stated_limit(text)
    if not text then return nil end
    return string.match(text, '^%d+ (%d* %d* %d* %d*)\n') or string.match(text, '^%d+ (%d* %d* %d* %d* %d+)\n')
end

-- What the field `paused` is to be while the queue is not paused, by the throttle and what was declared and set live: the
-- latter counts. Nil: nothing.
local function in_force(declared, live, throttled)
    local found = stated_limit(live) or stated_limit(declared) or ''
    if throttled and not throttle_end(throttled) then also[#also + 1] = {'HDEL', keys.queue, 'throttled'} end  -- it is over
    return behind_throttle(throttle_end(throttled), string.find(found, '%d') and '=' .. found or '')
end

-- What that field is to be while the queue is paused: a limit may still bound how many tasks wait.
local function paused_over(stated) return '1' .. (string.match(stated or '', '=%d* %d* %d* %d* %d+$') or '') end

-- The queue is to be held back by that, or by nothing, and who ends a task must know of it.
local function put_in_force(stated)
    also[#also + 1] = stated and {'HSET', keys.queue, 'paused', stated} or {'HDEL', keys.queue, 'paused'}
    local has_limit = string.find(stated or '', '=', 1, true) and not string.find(stated, limit_text.of_waiting, 1, true)
    also[#also + 1] = has_limit and {'HSET', keys.waiters, waiter_field.place, '1'} or
                          {'HDEL', keys.waiters, waiter_field.place}
end

-- The queue starts nothing for so long, or for as long as was said before. `stated_now`: what will hold it back.
local stated_now = nil
local throttled_till = nil
local function hold_back(delay)
    local stated, till = unpack(call('HMGET', keys.queue, 'paused', 'throttled'))
    till = throttled_till or throttle_end(till) or 0
    throttled_till = math.max(till, now + math.max(throttle_bounds.least_ms, math.min(delay, throttle_bounds.most_ms)))
    also[#also + 1] = {'HSET', keys.queue, 'throttled', string.format('%d', throttled_till)}
    if stated and string.find(stated, '^[^!=]') then return end  -- it is paused, and throttled when it is resumed
    stated_now = behind_throttle(throttled_till, string.match(stated or '', '=.*$') or '')
    also[#also + 1] = {'HSET', keys.queue, 'paused', stated_now}
end
