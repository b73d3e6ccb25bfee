-- Reads what has happened in the queue, behind some entry of its stream, and has it told for a while longer.
-- in:  KEYS queue HASH, waiters HASH, ev STREAM
--      ARGV id of that entry ('': from now on), how many entries at most, for how long in ms (0: as it is)
-- out: {'OK', now in ms, number of the newest entry, id of the newest one in the stream where there are none behind that
--      entry, entry…}; where events begin here the last entry says so, unless there are too many;
--      NEED, NEW
-- O(entries).
local stated, number, life, leased = unpack(call('HMGET', keys.queue, 'events', 'events_n', 'seq', 'events_lease'))
if not life then return {'NEW'} end
local stream = key(own_key.events)
if #missing > 0 then return {'NEED', unpack(missing)} end
local till, most, age = string.match(stated or '', '^(%d+) (%d+) (%d+)$')
till, number, leased = whole(till) or 0, whole(number) or 0, whole(leased) or 0
local lease, id, entries = tonumber(ARGV[3]), ARGV[1], {}
if id ~= '' then
    local oldest, from = age and age ~= '0' and now - age or 0, '(' .. id
    if (whole(string.match(id, '^%d+')) or 0) < oldest then from = string.format('%d', oldest) end
    entries = call('XRANGE', stream, from, '+', 'COUNT', ARGV[2])
end
if #entries == 0 then
    local newest = call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
    id = newest and newest[1] or '0-0'
end
call('HLEN', keys.waiters)  -- a key of another type shows here
if lease > 0 then
    -- It is written for half a lease longer, and so not at each call.
    local needed = math.min(now + lease, stored_time.never - 1)
    local renewed = string.format('%016d', math.min(now + lease + math.floor(lease / 2), stored_time.never - 1))
    if till <= now then
        number = number + 1
        local begins = {'#', string.format('%d', number), 'begun', '0  - '}
        id = call('XADD', stream, 'MAXLEN', '~', most or bound.events, '*', unpack(begins))
        call('HSET', keys.queue, 'events_n', begins[2])
        if ARGV[1] ~= '' and #entries < tonumber(ARGV[2]) then entries[#entries + 1] = {id, begins} end
    end
    if till < needed then
        local wanted = renewed .. ' ' .. (most or bound.events) .. ' ' .. (age or '0')
        call('HSET', keys.queue, 'events', wanted, 'events_lease', renewed)
        call('HSET', keys.waiters, waiter_field.events, wanted)
    elseif till == stored_time.never and leased < needed then  -- for when they are kept no more
        call('HSET', keys.queue, 'events_lease', renewed)
    end
end
return {'OK', now, number, id, unpack(entries)}
