-- Sets what limits each key of the queue, or one key, or takes it back: as it is declared, or live, which counts in its place.
-- in:  KEYS queue HASH, sleepers ZSET, keyed ZSET, key_rules HASH, ev STREAM
--      ARGV key ('': each), 1: live, limit as text ('': none), reason
-- out: {'OK'}; NEW
-- O(log n) of sleepers.
local name, is_live, wanted, reason = ARGV[1], ARGV[2] == '1', ARGV[3], ARGV[4]
local known = call('HMGET', keys.queue, 'seq', 'keys_declared', 'keys_live')
if not known[1] then return {'NEW'} end
local declared, live = known[2], known[3]
if name ~= '' then declared, live = unpack(call('HMGET', keys.key_rules, 'd' .. name, 'l' .. name)) end
local before = is_live and live or not is_live and declared
-- What is declared again has been so since then.
local is_known = not is_live and before and string.match(before, '^%d+ (.*)$') == wanted .. '\n' .. reason
local stated = wanted ~= '' and (is_known and before or string.format('%d ', now) .. wanted .. '\n' .. reason)
local function store(hash, field) also[#also + 1] = stated and {'HSET', hash, field, stated} or {'HDEL', hash, field} end
if name == '' then
    store(keys.queue, is_live and 'keys_live' or 'keys_declared')
    local next_one = in_force(is_live and declared or stated, is_live and stated or not is_live and live)
    also[#also + 1] = next_one and {'HSET', keys.queue, 'each', string.sub(next_one, 2)} or {'HDEL', keys.queue, 'each'}
else
    store(keys.key_rules, (is_live and 'l' or 'd') .. name)
    local left = call('HLEN', keys.key_rules) + (stated and 1 or 0) - (before and 1 or 0)
    also[#also + 1] = left > 0 and {'HSET', keys.queue, 'own', '1'} or {'HDEL', keys.queue, 'own'}
end
if call('EXISTS', keys.keyed) == 1 then
    also[#also + 1] = {'HSET', keys.queue, 'sift', key_letter.waiting}
    wakes = 1
end
write_rest(sleepers())
return {'OK'}
