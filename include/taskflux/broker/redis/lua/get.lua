-- Reads tasks.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, reports HASH,
--           segments HASH, segment_index ZSET, set_aside HASH
--      ARGV of each: number, nonce
-- out: {'OK', {record, state, progress, log} or false of each}; DUE
-- O(log n) a task.
if is_due() then return {'DUE'} end
local reply = {'OK'}
for n = 1, #ARGV, 2 do
    local task = find(tonumber(ARGV[n]), tonumber(ARGV[n + 1]))
    if task then
        local told = call('HMGET', keys.reports, task.seq .. 'p', task.seq .. 'l')
        reply[#reply + 1] = {record_of(task), pack_state(task), told[1] or '', told[2] or ''}
    else
        reply[#reply + 1] = false
    end
end
return reply
