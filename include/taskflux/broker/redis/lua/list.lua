-- Reads tasks in the order of their numbers. the last seq seen, how many numbers to look at.
-- {'OK', the last seq looked at, 1 at the end, {seq, record, state, progress, log}…}
if is_due() then return {'DUE'} end
local state = call('HMGET', c, 'seq', 'low')
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
        local told = call('HMGET', g, seq .. 'p', seq .. 'l')
        reply[#reply + 1] = {seq, task.record, pack_state(task), told[1] or '', told[2] or ''}
    end
end
if #reply == 3 and from == low and till > low then also[#also + 1] = {'HSET', c, 'low', string.format('%d', till)} end
return commit(reply)
