-- Gives back tasks that a consumer holds without knowing: the answer to its fetch got lost. consumer, seqs.
local seqs = {}
for n = 2, #ARGV do seqs[n - 1] = tonumber(ARGV[n]) end
load(seqs)
for _, seq in ipairs(seqs) do
    local task = tasks[seq]
    if task and task.state == RUNNING and task.holder == ARGV[1] then release(task) end
end
return commit({'OK'})
