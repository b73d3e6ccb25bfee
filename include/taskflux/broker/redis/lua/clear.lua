-- Looks for tasks to remove, in the order of their numbers. the last seq seen, how many numbers to look at, how many
-- to find at most, state or -1. {'OK', the last seq looked at, 1 at the end, [seq, nonce] of each}
if is_due() then return {'DUE'} end
local from, most, state = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4])
local last = tonumber(call('HGET', c, 'seq') or 0)
local till = math.min(from + tonumber(ARGV[2]), last)
local seqs, keys, seen = {}, {}, till
for seq = from + 1, till do seqs[#seqs + 1] = seq end
load(seqs)
for _, seq in ipairs(seqs) do
    local task = tasks[seq]
    if task and task.state ~= RUNNING and (state < 0 or task.state == state) then
        if #keys == 2 * most then
            seen = seq - 1
            break
        end
        keys[#keys + 1] = seq
        keys[#keys + 1] = task.nonce
    end
end
return {'OK', seen, seen >= last and 1 or 0, unpack(keys)}
