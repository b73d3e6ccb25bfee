-- Finds tasks by the user's own ids.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, own_ids HASH,
--           segments HASH, segment_index ZSET, set_aside HASH
--      ARGV key of the parent that they must have ('queue number nonce'; '': any); own ids
-- out: {'OK', [number, nonce] of each; 0, 0 where there is none}; DUE
-- O(log n) a task.
if is_due() then return {'DUE'} end
local seqs, known, reply = {}, call('HMGET', keys.own_ids, unpack(ARGV, 2)), {'OK'}
for n = 1, #ARGV - 1 do
    known[n] = whole(known[n])
    seqs[#seqs + 1] = known[n]
end
load(seqs)
for n = 1, #ARGV - 1 do
    local task = known[n] and tasks[known[n]]
    local parent = task and ARGV[1] ~= '' and (info(task).parent or {queue = ''})
    if parent and string.format('%s %d %d', parent.queue, parent.seq or 0, parent.nonce or 0) ~= ARGV[1] then task = nil end
    reply[#reply + 1] = task and task.seq or 0
    reply[#reply + 1] = task and task.nonce or 0
end
return reply
