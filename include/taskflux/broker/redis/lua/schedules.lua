-- Reads the schedules of the queue, or one of them.
-- in:  KEYS queue HASH, schedules HASH
--      ARGV id; none: all of them
-- out: {'OK', now in ms, which life of the queue this is or '', {[id, text] of each}}
-- O(schedules); O(1) for one.
local rows
if ARGV[1] then
    local text = call('HGET', keys.schedules, ARGV[1])
    rows = text and {ARGV[1], text} or {}
else
    rows = call('HGETALL', keys.schedules)
end
return {'OK', now, call('HGET', keys.queue, 'life') or '', rows}
