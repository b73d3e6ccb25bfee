-- Looks for tasks to remove, in the order of their numbers.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, segments
--           HASH, segment_index ZSET, set_aside HASH
--      ARGV the last number seen, how many numbers to look at, how many tasks to find at most, state or -1
-- out: {'OK', the last number looked at, 1 at the end or 0, [number, nonce] of each}; DUE
-- O(numbers looked at).
if is_due() then return {'DUE'} end
local from, most, state = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4])
local last = tonumber(call('HGET', keys.queue, 'seq') or 0)
local till = math.min(from + tonumber(ARGV[2]), last)
local seqs, found, seen = {}, {}, till
for seq = from + 1, till do seqs[#seqs + 1] = seq end
load(seqs)
for _, seq in ipairs(seqs) do
    local task = tasks[seq]
    if task and task.state ~= task_state.running and (state < 0 or task.state == state) then
        if #found == 2 * most then
            seen = seq - 1
            break
        end
        found[#found + 1] = seq
        found[#found + 1] = task.nonce
    end
end
return {'OK', seen, seen >= last and 1 or 0, unpack(found)}
