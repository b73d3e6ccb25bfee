-- Begins a queue's life on its server, which has it for the first time, or has been emptied. After that `NEW` is not answered.
-- in:  KEYS queue HASH, sleepers ZSET
--      ARGV a random text, by which this life is told from others
-- out: {'OK', which life of the queue this is: another text where it has begun before}
-- O(1).
local life = call('HGET', keys.queue, 'life') or ARGV[1]
call('HSETNX', keys.queue, 'life', life)
call('HSETNX', keys.queue, 'seq', 0)
call('PERSIST', keys.sleepers)  -- of those that have waited for it
return {'OK', life}
