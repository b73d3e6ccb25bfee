-- Reads what has happened in the queue, behind some entry of its stream, and has it told for a while longer.
-- in:  KEYS queue HASH, waiters HASH, ev STREAM
--      ARGV id of that entry ('': the newest, or the one that begins now), how many entries at most, for how long in ms (0: as
--           it is)
-- out: {'OK', now in ms, number of the newest entry, id of that entry or of the one that was asked for, entry…};
--      NEED, NEW
-- O(entries).
local stated, number, life = unpack(call('HMGET', keys.queue, 'events', 'events_n', 'seq'))
if not life then return {'NEW'} end
local stream = key(own_key.events)
if #missing > 0 then return {'NEED', unpack(missing)} end
local till, most, age = string.match(stated or '', '^(%d+) (%d+) (%d+)$')
till, number = whole(till) or 0, whole(number) or 0
local lease, id, entries = tonumber(ARGV[3]), ARGV[1], {}
if id ~= '' then
    entries = call('XRANGE', stream, '(' .. id, '+', 'COUNT', ARGV[2])
else
    local newest = call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
    id = newest and newest[1] or '0-0'
end
call('HLEN', keys.waiters)  -- a key of another type shows here
if lease > 0 and till < now + lease / 2 then
    if till <= now then
        number = number + 1
        local begins = call('XADD', stream, 'MAXLEN', '~', most or bound.events, '*', '#', string.format('%d', number),
                            'begun', '0 - - ')
        call('HSET', keys.queue, 'events_n', string.format('%d', number))
        if ARGV[1] == '' then id = begins end
    end
    local wanted = string.format('%016d %s %s', now + lease, most or bound.events, age or '0')
    call('HSET', keys.queue, 'events', wanted)
    call('HSET', keys.waiters, waiter_field.events, wanted)
end
return {'OK', now, number, id, unpack(entries)}
