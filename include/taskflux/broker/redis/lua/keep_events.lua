-- Has events told from now on, or only as long as somebody reads them.
-- in:  KEYS queue HASH, waiters HASH, ev STREAM
--      ARGV how many entries are kept, about (0: only while somebody reads), for how long at most in ms (0: for ever)
-- out: {'OK'}; NEED, NEW
-- O(1).
local stated, number, life, leased = unpack(call('HMGET', keys.queue, 'events', 'events_n', 'seq', 'events_lease'))
if not life then return {'NEW'} end
local stream = key(own_key.events)
if #missing > 0 then return {'NEED', unpack(missing)} end
call('HLEN', keys.waiters)  -- a key of another type shows here
local keeps = tonumber(ARGV[1]) > 0
if keeps and not wants(stated) then
    number = string.format('%d', (whole(number) or 0) + 1)
    call('XADD', stream, 'MAXLEN', '~', ARGV[1], '*', '#', number, 'begun', '0  - ')
    call('HSET', keys.queue, 'events_n', number)
end
if keeps or wants(stated) then
    -- Without it, as long as those who read have asked for.
    local till = keeps and stored_time.never or math.max(whole(leased) or 0, now)  -- from then on they stay for a while
    local wanted = string.format('%016d %s %s', till, keeps and ARGV[1] or bound.events, keeps and ARGV[2] or '0')
    call('HSET', keys.queue, 'events', wanted)
    call('HSET', keys.waiters, waiter_field.events, wanted)
end
return {'OK'}
