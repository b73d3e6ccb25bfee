-- Tells what limits the queue.
-- in:  KEYS queue HASH
--      ARGV none
-- out: {'OK', what is declared, what was set live; '': nothing; until when it is throttled, in ms, or 0}
-- O(1).
local declared, live, throttled = unpack(call('HMGET', keys.queue, 'limit_declared', 'limit_live', 'throttled'))
return {'OK', declared or '', live or '', throttle_end(throttled) or 0}
