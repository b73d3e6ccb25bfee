-- Pauses or resumes the queue.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, forgotten ZSET, unclaimed ZSET, own_ids HASH,
--           unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, cancels HASH, segments HASH,
--           segment_index ZSET, set_aside HASH, outbox HASH, l:… LIST, a:… SET, j:… HASH, D HASH
--      ARGV 1: pause, 0: resume
-- out: {'OK'}; NEED, RELAY
-- O(1).
if ARGV[1] == '1' then
    also = {{'HSET', keys.queue, 'paused', '1'}}
else
    also = {{'HDEL', keys.queue, 'paused'}}
    wakes = math.min(whole(call('HGET', keys.queue, counter.waiting)) or 0, bound.wakes)
end
return commit({'OK'})
