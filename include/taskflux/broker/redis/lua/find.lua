-- Finds a task by the user's own id.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, own_ids HASH,
--           segments HASH, segment_index ZSET, set_aside HASH
--      ARGV own id; key of the parent that it must have ('queue number nonce'; '': any)
-- out: {'OK', number, nonce}, or {'OK'} when there is none; DUE
-- O(log n).
if is_due() then return {'DUE'} end
local seq = whole(call('HGET', keys.own_ids, ARGV[1]))
if not seq then return {'OK'} end
load({seq})
local task = tasks[seq]
if not task then return {'OK'} end
local parent = ARGV[2] ~= '' and (info(task).parent or {queue = ''})
if parent and string.format('%s %d %d', parent.queue, parent.seq or 0, parent.nonce or 0) ~= ARGV[2] then return {'OK'} end
return {'OK', task.seq, task.nonce}
