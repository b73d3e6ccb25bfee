-- Removes tasks in the order of their numbers. the last seq seen, how many numbers to look at, how many to remove
-- at most, state or -1. {'OK', the last seq looked at, 1 at the end, how many were removed}
if is_due() then return {'DUE'} end
local from, state = tonumber(ARGV[1]), tonumber(ARGV[4])
local last = tonumber(call('HGET', c, 'seq') or 0)
local till = math.min(from + tonumber(ARGV[2]), last)
local seqs, removed, seen = {}, 0, till
for seq = from + 1, till do seqs[#seqs + 1] = seq end
load(seqs)
for _, seq in ipairs(seqs) do
    local task = tasks[seq]
    if task and task.state ~= RUNNING and (state < 0 or task.state == state) then
        if removed == tonumber(ARGV[3]) then
            seen = seq - 1
            break
        end
        if task.state < SUCCEEDED then conclude(task, CANCELLED) end
        erase(task)
        removed = removed + 1
    end
end
return commit({'OK', seen, seen >= last and 1 or 0, removed})
