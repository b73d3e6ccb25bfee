-- Reads the operations of a queue.
-- in:  KEYS queue HASH, operations HASH, ended_operations HASH
--      ARGV none
-- out: {'OK', {row} of each}, see `operation_row`
-- O(operations), which are few.
local reply = {'OK'}
for _, hash in ipairs({keys.operations, keys.ended_operations}) do
    local all = call('HGETALL', hash)
    for n = 1, #all, 2 do
        local of = unpack_operation(all[n + 1])
        if of then reply[#reply + 1] = operation_row(all[n], of) end
    end
end
return reply
