-- Replaces the payload of a task that has not started. seq, nonce, payload. An effect.
if is_due() then return {'DUE'} end
local task = find(tonumber(ARGV[1]), tonumber(ARGV[2]))
if not task then return {'OK', 4} end
if task.state > WAITING then return {'OK', 3} end
bodies = {task.seq, string.sub(record_of(task), 1, info(task).payload_at - 1) .. ARGV[3]}
if task.segment then changed[task.seq] = true end  -- it is the segment's record no more
return commit({'OK', 0})
