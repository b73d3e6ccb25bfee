-- How many tasks are in each state. {'OK', set aside, paused, unclaimed, held … expired}
if is_due() then return {'DUE'} end
local found = call('HMGET', c, 'paused', 'nu', 'n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8')
local reply = {'OK', call('HLEN', q)}
for n = 1, #found do reply[n + 2] = tonumber(found[n] or 0) end
return reply
