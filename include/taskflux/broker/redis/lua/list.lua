-- Reads tasks in the order of their numbers.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed
--           ZSET, own_ids HASH, unique_keys HASH, sleepers ZSET, waiters HASH, reports HASH, cancels HASH, segments HASH,
--           segment_index ZSET, set_aside HASH, outbox HASH, l:… LIST, a:… SET, j:… HASH, D HASH
--      ARGV the last number seen, how many numbers to look at
-- out: {'OK', the last number looked at, 1 at the end or 0, {number, record, state, progress, log} of each}; DUE, NEED, RELAY
-- O(numbers looked at).
if is_due() then return {'DUE'} end
local state = call('HMGET', keys.queue, 'seq', 'low')
local last, low = tonumber(state[1] or 0), tonumber(state[2] or 0)
local from = math.max(tonumber(ARGV[1]), low)
local till = math.min(from + tonumber(ARGV[2]), last)
local seqs = {}
for seq = from + 1, till do seqs[#seqs + 1] = seq end
load(seqs, true)
local reply = {'OK', till, till >= last and 1 or 0}
for _, seq in ipairs(seqs) do
    local task = tasks[seq]
    if task then
        local told = call('HMGET', keys.reports, seq .. 'p', seq .. 'l')
        reply[#reply + 1] = {seq, task.record, pack_state(task), told[1] or '', told[2] or ''}
    end
end
if #reply == 3 and from == low and till > low then also[#also + 1] = {'HSET', keys.queue, 'low', string.format('%d', till)} end
return commit(reply)
