-- Replaces the payload of a task that has not started. seq, nonce, payload. An effect.
if is_due() then return {'DUE'} end
local task = find(tonumber(ARGV[1]), tonumber(ARGV[2]))
if not task then return {'OK', 4} end
if task.state > WAITING then return {'OK', 3} end
bodies = {task.seq, string.sub(task.record or call('HGET', r, task.seq), 1, info(task).payload_at - 1) .. ARGV[3]}
return commit({'OK', 0})
