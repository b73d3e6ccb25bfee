-- Renews a consumer's lease in several queues where nothing else is to be told. KEYS are those of one queue after the other.
-- in:  KEYS queue HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET, cancels HASH, operations
--           HASH, outbox HASH
--      ARGV consumer, lease in ms
-- out: {'OK', place of each queue where that is not so, or a key is damaged}: there `renew` is to be called
-- O(log n) of consumers a queue.
local consumer, renewed, reply = ARGV[1], {}, {'OK'}

local function is_usual()
    if not all_leases_last(consumer) then return false end
    if call('EXISTS', keys.scheduled, keys.limited, keys.forgotten, keys.unclaimed, keys.cancels, keys.operations,
            keys.outbox) == 0 then
        return true
    end
    if call('EXISTS', keys.unclaimed, keys.cancels, keys.outbox, keys.operations) > 0 then return false end
    return not (due(keys.scheduled) or due(keys.limited) or due(keys.forgotten))
end

for n = 1, #KEYS, 9 do
    keys.queue, keys.scheduled, keys.limited, keys.leases, keys.forgotten, keys.unclaimed, keys.cancels, keys.operations,
        keys.outbox = unpack(KEYS, n, n + 8)
    local is_sound, usual = pcall(is_usual)
    if is_sound and usual then renewed[#renewed + 1] = keys.leases else reply[#reply + 1] = (n - 1) / 9 end
end
local till = string.format('%d', math.min(now + tonumber(ARGV[2]), stored_time.never))
for _, leases in ipairs(renewed) do call('ZADD', leases, till, consumer) end
return reply
