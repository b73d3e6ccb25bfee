-- Looks at waiting tasks in the order in which they have become ready, and claims none.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, sleepers ZSET,
--           segments HASH, segment_index ZSET, set_aside HASH, outbox HASH, arrivals ZSET, ev STREAM
--      ARGV order and place of the last one that was seen ('0', '0': none), how many at most, 1: with payloads, channel to be
--           woken by when there are none ('': none); names ('any': none)
-- out: {'OK', now in ms, when time alone may next make one ready or -1, which order this is, the place up to which all was
--      looked at, 1 at the end or 0, {place, number, record, deliveries, bytes of the payload} of each}; DUE, RELAY
-- O(log n) a task, until these have 1 MiB; O(numbers) where tasks are in other states, up to 4,000 of them in a call; no more
-- than 1 MiB are read, or one task.
if is_due() then return {'DUE'} end
local known = call('HMGET', keys.queue, 'seq', 'low', 'gaps', 'peeked', 'held_up')
local last, gaps, most, with_payload = last_number(known[1]), gaps_in(known[3]), tonumber(ARGV[3]), ARGV[4] == '1'
local order, till = kept_order(known[4])
local is_new = not order
if is_new then order = string.format('%d', now) end
if known[1] and (is_new or till < now + bound.peeked_ms) then  -- for half of it longer, so as not to write it each time
    also[#also + 1] = {'HSET', keys.queue, 'peeked', string.format('%s %d', order, now + bound.peeked_ms * 1.5)}
end
local names
for n = 6, #ARGV do
    names = names or {}
    names[ARGV[n]] = true
end

local at = ARGV[1] == order and math.min(whole(ARGV[2]) or 0, last) or 0
local low = whole(known[2]) or 0
if low <= last then at = math.max(at, low) end
local late = {}
local has_late = call('ZCARD', keys.arrivals) > 0
if is_new and has_late then also[#also + 1], has_late = {'UNLINK', keys.arrivals}, false end
if has_late then
    late = call('ZRANGE', keys.arrivals, '(' .. at, '+inf', 'BYSCORE', 'LIMIT', 0, bound.arrivals, 'WITHSCORES')
end
call('ZCARD', keys.sleepers)
call('HLEN', keys.set_aside)

local reply, is_full, shown = {'OK', now, -1, order, 0, 0}, false, 0
-- Gives false where the page has no room for a task, or what was read leaves none for it.
local function show(task, place)
    shown = shown + 1
    if task.state ~= task_state.waiting then return true end
    local is_read = task.segment or task.record or may_read(call('HSTRLEN', keys.records, task.seq))
    if not is_read and shown > 1 then return false end
    local record = record_of(task)
    if limit(task) <= now or fault_in(record) or names and not names[name_in(record)] then return true end
    local size = #record - info(task).payload_at + 1
    if not with_payload then record = string.sub(record, 1, info(task).payload_at - 1) end
    is_full = #reply == 6 + most or not fits(#record)
    if is_full then return false end
    reply[#reply + 1] = {place, task.seq, record, task.deliveries, size}
end

local function by_number(task)
    if has_late and time_of(keys.arrivals, padded(task.seq)) then return true end  -- its place is another
    return show(task, task.seq)
end

local begin = at
-- Looks at the numbers up to `stop`.
local function look_till(stop)
    while at < stop and not is_full and not is_read_up and at - begin < bound.looked_at do
        at = walk(at, stop, bound.lane_page, gaps, false, by_number)
    end
end

for n = 1, #late, 2 do
    local seq, place = whole(late[n]), whole(late[n + 1])
    local stop = math.min(place or last, last)  -- a foreign one may stand anywhere
    look_till(stop)
    if is_full or at < stop then break end
    if seq and place and not may_read(bytes_of(seq)) then
        at = stop - 1
        break
    end
    if seq and place then load({seq}) end
    local task = seq and place and tasks[seq]
    if not task or task.state ~= task_state.waiting then
        also[#also + 1] = {'ZREM', keys.arrivals, late[n]}  -- it gets another one when it is ready again
    elseif show(task, place) == false then
        at = stop - 1
        break
    end
end
if #late == 0 or #late < 2 * bound.arrivals and at >= (whole(late[#late]) or 0) then look_till(last) end

local is_end = at >= last
local soonest = math.min(first_time(keys.scheduled), first_time(keys.limited), first_time(keys.leases))
if soonest < stored_time.never then reply[3] = math.max(soonest, 0) end
reply[5], reply[6] = at, is_end and 1 or 0
if is_end and #reply == 6 and ARGV[5] ~= '' then
    also[#also + 1] = {'ZADD', keys.sleepers, 0, ARGV[5] .. sleeper_mark.peeks}
    -- Where there is no queue of that name, nothing is left of those that have looked for it.
    if not known[1] then also[#also + 1] = {'PEXPIRE', keys.sleepers, bound.unknown_ms} end
end
if call('EXISTS', keys.outbox) == 1 and (whole(known[5]) or 0) <= now then reply[1] = 'RELAY' end
write_rest({})
return reply
