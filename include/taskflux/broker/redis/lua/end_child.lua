-- Tells tasks that subtasks of theirs in other queues have ended.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, forgotten ZSET, unclaimed ZSET, own_ids HASH,
--           unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, cancels HASH, segments
--           HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET, turn_times ZSET, key_rules HASH,
--           key_starts HASH, outbox HASH, attempts HASH, arrivals ZSET, l:… LIST, a:… SET, j:… HASH, D HASH, ev STREAM
--      ARGV of each: number, nonce, key in the journal, the subtask's own id, state, attempts, result, error
-- out: {'OK'}; NEED, RELAY
-- O(log n) a subtask.
for n = 1, #ARGV, 8 do
    local task = find(tonumber(ARGV[n]), tonumber(ARGV[n + 1]))
    if task then
        end_child(task, ARGV[n + 2], ARGV[n + 3], tonumber(ARGV[n + 4]), tonumber(ARGV[n + 5]), ARGV[n + 6], ARGV[n + 7])
    end
end
return commit({'OK'})
