-- Stores tasks, all or none. producer, batch number, server's run id; then a record without its time and how it
-- begins ('' or hold, delay, at) for each. {'OK', first seq, [index, seq, nonce] of each duplicate…}
local producer, batch = ARGV[1] ~= '' and key('p:' .. ARGV[1]), tonumber(ARGV[2])
if #missing > 0 then return {'NEED', unpack(missing)} end
local before = answered(producer, batch)
if before then return before end
local known = call('HMGET', c, 'seq', 'run')
local seq = tonumber(known[1] or 0)
-- `maintain` must come first on a new server, and where who else has an id or key may be gone.
if ARGV[3] ~= '' and known[2] ~= ARGV[3] or is_due() then return {'DUE'} end

local reply = {'OK', seq + 1}
seq = store_tasks(seq, 4, reply)
also[#also + 1] = {'HSET', c, 'seq', string.format('%d', seq)}
remember_answer(producer, batch, reply)
return commit(reply)
