-- Makes a consumer known, with a lease.
-- in:  KEYS queue HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, sleepers ZSET, consumers HASH, ev STREAM
--      ARGV consumer, lease in ms, channel
-- out: {'OK', which life of the queue this is or ''}; DUE
-- O(log n) of consumers.
if is_due() then return {'DUE'} end
local life = call('HGET', keys.queue, 'life') or ''
also = {{'HSET', keys.consumers, ARGV[1], ARGV[2] .. ':' .. ARGV[3]},  -- first, as it fails where the key has another type
        {'ZADD', keys.leases, string.format('%d', math.min(now + tonumber(ARGV[2]), stored_time.never)), ARGV[1]}}
write_rest({})
return {'OK', life}
