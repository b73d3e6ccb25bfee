-- Begins an operation on tasks that a filter is for, unless it has been begun.
-- in:  KEYS queue HASH, operations HASH, ended_operations HASH
--      ARGV id, verb, filter, by whom, why, '1' where it only counts or ''
-- out: {'OK', {row}}, see `operation_row`; {'OK', 'FULL'} where as many are under way as may be; {'OK'} where the queue has
--      never had a task
-- O(operations), which are few.
local of = stored_operation(ARGV[1])
if of then return {'OK', operation_row(ARGV[1], of)} end
local last, all, running = last_number(call('HGET', keys.queue, 'seq')), call('HGETALL', keys.operations), 0
if last == 0 then return {'OK'} end
for n = 1, #all, 2 do
    if unpack_operation(all[n + 1]) then running = running + 1 end
end
if running >= most_operations.running then return {'OK', 'FULL'} end
of = {
    verb = ARGV[2], filter = ARGV[3], by = ARGV[4], reason = ARGV[5], dry = ARGV[6], carrier = '', began = now, ended = 0,
    state = operation_state.running, from = last, next = last, looked = 0, matched = 0, done = 0, refused = 0,
}
call('HSET', keys.operations, ARGV[1], cmsgpack.pack(of))
return {'OK', operation_row(ARGV[1], of)}
