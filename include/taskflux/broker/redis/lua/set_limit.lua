-- Sets what limits the queue, or takes it back: as it is declared, or live, which counts in its place.
-- in:  KEYS queue HASH, unclaimed ZSET, sleepers ZSET, waiters HASH, names HASH, ev STREAM
--      ARGV field (`limit_declared` or `limit_live`), limit as text ('': none), reason
-- out: {'OK'}; NEED, NEW
-- O(log n) of sleepers.
local field, wanted, reason = ARGV[1], ARGV[2], ARGV[3]
local known = call('HMGET', keys.queue, 'seq', 'limit_declared', 'limit_live', counter.waiting, 'watcher', 'watching', 'paused',
                   counter.unclaimed, 'events', 'throttled')
if not known[1] then return {'NEW'} end
listens = known[9]
local is_declared = field == 'limit_declared'
local before = is_declared and known[2] or known[3]
-- What is declared again has been so since then.
local is_known = is_declared and before and string.match(before, '^%d+ (.*)$') == wanted .. '\n' .. reason
local stated = wanted ~= '' and (is_known and before or string.format('%d ', now) .. wanted .. '\n' .. reason)
also[#also + 1] = stated and {'HSET', keys.queue, field, stated} or {'HDEL', keys.queue, field}
local next_one = in_force(is_declared and stated or not is_declared and known[2], is_declared and known[3] or stated, known[10])
if not is_known and is_heard() then tell('limit_changed', nil, 0, '', '') end
declare_events()
if #missing > 0 then return {'NEED', unpack(missing)} end
call('HLEN', keys.waiters)  -- a key of another type shows here
local is_paused = known[7] and string.find(known[7], '^[^=!]')
if not string.find(next_one or '', '=', 1, true) then also[#also + 1] = {'HDEL', keys.queue, 'tat'} end
if is_paused then
    also[#also + 1] = {'HSET', keys.queue, 'paused', paused_over(next_one)}
else
    put_in_force(next_one)
    wakes = called_for(next_one, whole(known[4]) or 0, whole(known[8]) or 0, 0, known[5], known[6])
end
write_rest(sleepers())
return {'OK'}
