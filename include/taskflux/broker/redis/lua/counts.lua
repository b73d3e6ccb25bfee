-- Counts the tasks of the queue by state.
-- in:  KEYS queue HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, set_aside HASH
--      ARGV none
-- out: {'OK', set aside, consumers, 1 if paused or 0, unclaimed, then of each state in the order of `task_state`}; DUE
-- O(1).
if is_due() then return {'DUE'} end
local fields = {'nu'}
for state = 0, task_states.known - 1 do fields[state + 2] = 'n' .. state end
local found = {admit(0, unpack(fields))}
local reply = {'OK', call('HLEN', keys.set_aside), call('ZCARD', keys.leases), found[2] == 'paused' and 1 or 0}
for n = 1, #fields do reply[n + 4] = whole(found[n + 2]) or 0 end
return reply
