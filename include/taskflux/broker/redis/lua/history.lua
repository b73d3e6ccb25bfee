-- Reads what is known of a task's attempts.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, segments HASH,
--           segment_index ZSET, set_aside HASH, attempts HASH
--      ARGV number, nonce
-- out: {'OK'}: there is no such task; or {'OK', state without its result, attempts that did not end it}; DUE
-- O(log n).
if is_due() then return {'DUE'} end
local task = find(tonumber(ARGV[1]), tonumber(ARGV[2]))
if not task then return {'OK'} end
task.result = ''
if task.state ~= task_state.failed then task.error = '' end
return {'OK', pack_state(task), call('HGET', keys.attempts, task.seq) or ''}
