-- Counts the tasks of the queue by state.
-- in:  KEYS queue HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, set_aside HASH
--      ARGV none
-- out: {'OK', set aside, 1 if paused or 0, unclaimed, held … expired (as in `task_state`)}; DUE
-- O(1).
if is_due() then return {'DUE'} end
local found = {admit(0, 'nu', counter.held, counter.scheduled, counter.waiting, counter.running,
                   counter.waiting_children, counter.succeeded, counter.failed, counter.cancelled, counter.expired)}
local reply = {'OK', call('HLEN', keys.set_aside), found[2] == 'paused' and 1 or 0}
for n = 3, 12 do reply[n + 1] = tonumber(found[n] or 0) end
return reply
