-- Gives back tasks that a consumer holds without knowing, as the answer to its fetch got lost.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, forgotten ZSET, unclaimed ZSET, own_ids HASH,
--           unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, cancels HASH, segments
--           HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET, turn_times ZSET, key_rules HASH,
--           key_starts HASH, outbox HASH, attempts HASH, arrivals ZSET, l:… LIST, a:… SET, j:… HASH, D HASH, ev STREAM
--      ARGV consumer, number and token of each…
-- out: {'OK'}; NEED, RELAY
-- O(log n) a task.
local seqs = {}
for n = 2, #ARGV, 2 do seqs[n / 2] = tonumber(ARGV[n]) end
load(seqs)
for n, seq in ipairs(seqs) do
    local task = tasks[seq]
    if is_held_by(task, ARGV[1]) and task.deliveries == tonumber(ARGV[2 * n + 1]) then release(task, true) end
end
return commit({'OK'})
