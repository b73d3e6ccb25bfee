-- Begins an operation on tasks that a filter is for, unless it has been begun.
-- in:  KEYS queue HASH, operations HASH
--      ARGV id, verb, filter, by whom, why, '1' where it only counts or ''
-- out: {'OK'} where as many are under way as may be, or {'OK', {row}}, see `operation_row`; NEW
-- O(operations), which are few.
local of = stored_operation(ARGV[1])
if of then return {'OK', operation_row(ARGV[1], of)} end
local seq = call('HGET', keys.queue, 'seq')
if not seq then return {'NEW'} end
local last, all = last_number(seq), call('HGETALL', keys.operations)
local running, ended, out = 0, {}, {}
for n = 1, #all, 2 do
    local other = unpack_operation(all[n + 1])
    local runs = other and other.state == operation_state.running
    if runs then running = running + 1 else ended[#ended + 1] = {all[n], other and other.ended or 0} end
end
if running >= most_operations.running then return {'OK'} end
table.sort(ended, function(one, other) return one[2] < other[2] end)
for n = 1, #ended - most_operations.ended + 1 do out[#out + 1] = ended[n][1] end
of = {
    verb = ARGV[2], filter = ARGV[3], by = ARGV[4], reason = ARGV[5], dry = ARGV[6], carrier = '', began = now, ended = 0,
    state = last > 0 and operation_state.running or operation_state.done, from = last, next = last,
    looked = 0, matched = 0, done = 0, refused = 0,
}
if last == 0 then of.ended = now end
call('HSET', keys.operations, ARGV[1], cmsgpack.pack(of))
write('HDEL', keys.operations, out)
return {'OK', operation_row(ARGV[1], of)}
