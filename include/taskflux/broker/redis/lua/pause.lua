-- Pauses or resumes the queue, or lets it start tasks that is throttled.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, forgotten ZSET, unclaimed ZSET, own_ids HASH,
--           unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, cancels HASH, segments
--           HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET, turn_times ZSET, key_rules HASH,
--           key_starts HASH, outbox HASH, attempts HASH, arrivals ZSET, l:… LIST, a:… SET, j:… HASH, D HASH, ev STREAM
--      ARGV 1: pause, 0: resume, 2: end a throttle
-- out: {'OK'}; NEED, RELAY
-- O(1).
local declared, live, waiting, unclaimed, watcher, watching, throttled, paused = unpack(call(
    'HMGET', keys.queue, 'limit_declared', 'limit_live', counter.waiting, counter.unclaimed, 'watcher', 'watching',
    'throttled', 'paused'))
if ARGV[1] == '2' then
    throttled = nil
    also = {{'HDEL', keys.queue, 'throttled'}}
end
if ARGV[1] ~= '2' and is_heard() then tell(ARGV[1] == '1' and 'paused' or 'resumed', nil, 0, '', '') end
if ARGV[1] == '1' then
    also = {{'HSET', keys.queue, 'paused', paused_over(in_force(declared, live))}}
elseif ARGV[1] == '0' or not string.find(paused or '', '^[^=!]') then
    local stated = in_force(declared, live, throttled)
    put_in_force(stated)
    wakes = called_for(stated, whole(waiting) or 0, whole(unclaimed) or 0, 0, watcher, watching)
end
return commit({'OK'})
