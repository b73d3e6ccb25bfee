-- Reads the schedules of the queue.
-- in:  KEYS queue HASH, schedules HASH
--      ARGV none
-- out: {'OK', now in ms, which life of the queue this is or '', {[id, text] of each}}
-- O(schedules).
return {'OK', now, call('HGET', keys.queue, 'life') or '', call('HGETALL', keys.schedules)}
