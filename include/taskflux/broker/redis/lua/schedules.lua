-- Reads the schedules of the queue.
-- in:  KEYS queue HASH, schedules HASH
--      ARGV none
-- out: {'OK', now in ms, {[id, text] of each}}
-- O(schedules).
return {'OK', now, call('HGETALL', keys.schedules)}
