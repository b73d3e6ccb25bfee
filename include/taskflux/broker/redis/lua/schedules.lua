-- Reads the schedules of the queue, or one of them.
-- in:  KEYS queue HASH, schedules HASH
--      ARGV id; none: all of them
-- out: {'OK', now in ms, which life of the queue this is, {[id, text] of each}}; '-' is that of a queue of an older version,
--      and '' that of one which the server does not have
-- O(schedules); O(1) for one.
local rows
if ARGV[1] then
    local text = call('HGET', keys.schedules, ARGV[1])
    rows = text and {ARGV[1], text} or {}
else
    rows = call('HGETALL', keys.schedules)
end
local known = call('HMGET', keys.queue, 'life', 'seq')
return {'OK', now, known[1] or (known[2] or #rows > 0) and '-' or '', rows}
