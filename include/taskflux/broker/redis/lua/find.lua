-- The key of the task with the user's own id. id. {'OK', seq, nonce}, or {'OK'}
if is_due() then return {'DUE'} end
local seq = call('HGET', k, ARGV[1])
if not seq then return {'OK'} end
load({tonumber(seq)})
local task = tasks[tonumber(seq)]
return task and {'OK', task.seq, task.nonce} or {'OK'}
