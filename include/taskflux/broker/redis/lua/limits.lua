-- Tells what limits the queue.
-- in:  KEYS queue HASH
--      ARGV none
-- out: {'OK', what is declared, what was set live; '': nothing}
-- O(1).
local declared, live = unpack(call('HMGET', keys.queue, 'limit_declared', 'limit_live'))
return {'OK', declared or '', live or ''}
