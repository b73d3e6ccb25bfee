-- Asks for tasks' ends, and to be told when they have not come. inbox; then seq, nonce of each. For each: 4 (there
-- is no such task), 0 (it has not ended, the inbox will hear), or its outcome. In front of these: the time, and when
-- time alone may end one of them, or -1.
if is_due() then return {'DUE'} end
local soonest = forever
for _, set in ipairs({e, C}) do
    local first = call('ZRANGE', set, 0, 0, 'WITHSCORES')
    soonest = math.min(soonest, tonumber(first[2] or forever))
end
local reply, seqs = {'OK', now, soonest < forever and soonest or -1}, {}
for n = 2, #ARGV, 2 do seqs[#seqs + 1] = tonumber(ARGV[n]) end
load(seqs)
for n = 2, #ARGV, 2 do
    local task = find(tonumber(ARGV[n]), tonumber(ARGV[n + 1]))
    local answer = 4
    if task and task.state >= SUCCEEDED then
        answer = struct.pack('<BI4', task.state, attempts(task)) .. text(task.result) .. text(task.error)
    elseif task then
        answer = 0
        local known = call('HGET', w, task.seq) or ''
        if ARGV[1] ~= '' and not string.find(known, ARGV[1], 1, true) then
            also[#also + 1] = {'HSET', w, task.seq, known .. ARGV[1] .. '\n'}
        end
    end
    reply[#reply + 1] = answer
end
write_rest({})
return reply
