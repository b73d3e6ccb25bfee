-- Begins an operation on tasks that a filter is for, unless it has been begun.
-- in:  KEYS queue HASH, operations HASH, ended_operations HASH
--      ARGV id, verb, filter, by whom, why, '1' where it only counts or ''
-- out: {'OK'} where as many are under way as may be, or {'OK', {row}}, see `operation_row`; NEW
-- O(operations), which are few.
local of = stored_operation(ARGV[1])
if of then return {'OK', operation_row(ARGV[1], of)} end
local seq = call('HGET', keys.queue, 'seq')
if not seq then return {'NEW'} end
local last, all, running = last_number(seq), call('HGETALL', keys.operations), 0
for n = 1, #all, 2 do
    if unpack_operation(all[n + 1]) then running = running + 1 end
end
if running >= most_operations.running then return {'OK'} end
local out = last == 0 and outdated_operations() or {}
of = {
    verb = ARGV[2], filter = ARGV[3], by = ARGV[4], reason = ARGV[5], dry = ARGV[6], carrier = '', began = now, ended = 0,
    state = last > 0 and operation_state.running or operation_state.done, from = last, next = last,
    looked = 0, matched = 0, done = 0, refused = 0,
}
if last == 0 then of.ended = now end
local packed = cmsgpack.pack(of)
if last == 0 then call('HSET', keys.ended_operations, ARGV[1], packed) else call('HSET', keys.operations, ARGV[1], packed) end
write('HDEL', keys.ended_operations, out)
return {'OK', operation_row(ARGV[1], of)}
