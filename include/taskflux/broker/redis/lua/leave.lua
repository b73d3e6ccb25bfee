-- Gives back what a consumer holds, without counting a crash, and then forgets it. consumer, how many at most.
-- {'OK', 1 if there is more}
if is_due() then return {'DUE'} end
if not call('ZSCORE', C, ARGV[1]) then return {'OK', 0} end
local all, some = held_by(ARGV[1]), {}
for n = 1, math.min(#all, tonumber(ARGV[2])) do some[n] = all[n] end
load(some)
for _, seq in ipairs(some) do
    if tasks[seq] then
        release(tasks[seq])
    else
        append(held_remove, ARGV[1], seq)
    end
end
if #some == #all then
    also[#also + 1] = {'ZREM', C, ARGV[1]}
    also[#also + 1] = {'HDEL', h, ARGV[1]}
end
return commit({'OK', #some < #all and 1 or 0})
