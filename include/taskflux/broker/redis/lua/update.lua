-- Replaces the payload of a task that has not started.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           own_ids HASH, unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, cancels
--           HASH, segments HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET, turn_times ZSET,
--           key_rules HASH, key_starts HASH, outbox HASH, attempts HASH, arrivals ZSET, l:… LIST, a:… SET, j:… HASH, D HASH, ev
--           STREAM
--      ARGV number, nonce, payload
-- out: {'OK', effect}; DUE, NEED, RELAY
-- O(log n).
if is_due() then return {'DUE'} end
local task = find(tonumber(ARGV[1]), tonumber(ARGV[2]))
if not task then return {'OK', effect.not_found} end
if not is_before_attempt(task.state) then return {'OK', effect.wrong_state} end
bodies = {task.seq, string.sub(record_of(task), 1, info(task).payload_at - 1) .. ARGV[3]}
if task.segment then changed[task.seq] = true end  -- it is the segment's record no more
return commit({'OK', effect.done})
