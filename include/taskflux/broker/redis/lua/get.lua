-- Reads tasks. seq, nonce of each. For each: false, or record, state ('' while nothing has happened), progress, log.
if is_due() then return {'DUE'} end
local reply = {'OK'}
for n = 1, #ARGV, 2 do
    local task = find(tonumber(ARGV[n]), tonumber(ARGV[n + 1]))
    if task then
        local told = call('HMGET', g, task.seq .. 'p', task.seq .. 'l')
        reply[#reply + 1] = {record_of(task), pack_state(task), told[1] or '', told[2] or ''}
    else
        reply[#reply + 1] = false
    end
end
return reply
