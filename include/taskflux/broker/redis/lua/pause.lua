-- Pauses or resumes the queue.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, forgotten ZSET, unclaimed ZSET, own_ids HASH,
--           unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, cancels HASH, segments
--           HASH, segment_index ZSET, set_aside HASH, outbox HASH, attempts HASH, l:… LIST, a:… SET, j:… HASH, D HASH, ev
--           STREAM
--      ARGV 1: pause, 0: resume
-- out: {'OK'}; NEED, RELAY
-- O(1).
if is_heard() then tell(ARGV[1] == '1' and 'paused' or 'resumed', nil, 0, '', '') end
if ARGV[1] == '1' then
    also = {{'HSET', keys.queue, 'paused', '1'}}
else
    local declared, live, waiting, unclaimed, watcher, watching = unpack(call(
        'HMGET', keys.queue, 'limit_declared', 'limit_live', counter.waiting, counter.unclaimed, 'watcher', 'watching'))
    local stated = in_force(declared, live)
    put_in_force(stated)
    wakes = called_for(stated, whole(waiting) or 0, whole(unclaimed) or 0, 0, watcher, watching)
end
return commit({'OK'})
