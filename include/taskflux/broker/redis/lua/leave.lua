-- Gives back what a consumer holds, without counting a crash, and forgets it. consumer.
if is_due() then return {'DUE'} end
if not call('ZSCORE', C, ARGV[1]) then return {'OK'} end
local seqs = held_by(ARGV[1])
load(seqs)
for _, seq in ipairs(seqs) do
    if tasks[seq] then release(tasks[seq]) end
end
also[#also + 1] = {'ZREM', C, ARGV[1]}
also[#also + 1] = {'HDEL', h, ARGV[1]}
return commit({'OK'})
