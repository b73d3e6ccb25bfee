-- Changes a schedule unless somebody else has, and stores tasks with it. server's run id; id; what it still has to be,
-- what it becomes ('': none); then tasks as for `enqueue`. {'OK', 1}, or {'OK', 0} when it is something else
local id, from, to = ARGV[2], ARGV[3], ARGV[4]
local there = call('HGET', S, id) or ''
if there == to then return {'OK', 1} end  -- the answer got lost
if there ~= from then return {'OK', 0} end
if #ARGV > 4 then
    local known = call('HMGET', c, 'seq', 'run')
    if ARGV[1] ~= '' and known[2] ~= ARGV[1] or is_due() then return {'DUE'} end
    local seq = store_tasks(tonumber(known[1] or 0), 5, {})
    also[#also + 1] = {'HSET', c, 'seq', string.format('%d', seq)}
end
also[#also + 1] = to == '' and {'HDEL', S, id} or {'HSET', S, id, to}
return commit({'OK', 1})
