-- The key of the task with the user's own id. id; key of the parent that it must have ('': any). {'OK', seq, nonce}, or
-- {'OK'}
if is_due() then return {'DUE'} end
local seq = call('HGET', k, ARGV[1])
if not seq then return {'OK'} end
load({tonumber(seq)})
local task = tasks[tonumber(seq)]
if not task then return {'OK'} end
local parent = ARGV[2] ~= '' and (info(task).parent or {queue = ''})
if parent and string.format('%s %d %d', parent.queue, parent.seq or 0, parent.nonce or 0) ~= ARGV[2] then return {'OK'} end
return {'OK', task.seq, task.nonce}
