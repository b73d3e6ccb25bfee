-- Says in which of several queues a sleeper has to look, as there may be something to do. KEYS are those of one queue after the
-- other. A damaged queue is one of those.
-- in:  KEYS queue HASH, scheduled ZSET, limited ZSET, leases ZSET, sleepers ZSET
--      ARGV consumer, member of the sleepers
-- out: {'OK', place of each such queue}
-- O(log n) a queue.
local consumer, member, reply = ARGV[1], ARGV[2], {'OK'}

local function is_quiet()
    if not all_leases_last(consumer) then return false end
    if call('EXISTS', keys.scheduled, keys.limited) > 0 and (due(keys.scheduled) or due(keys.limited)) then return false end
    local may_start, _, waiting = admit(1, counter.waiting)
    return (may_start == 0 or (waiting or '0') == '0') and time_of(keys.sleepers, member) ~= nil
end

for n = 1, #KEYS, 5 do
    keys.queue, keys.scheduled, keys.limited, keys.leases, keys.sleepers = unpack(KEYS, n, n + 4)
    local is_sound, quiet = pcall(is_quiet)
    if not is_sound or not quiet then reply[#reply + 1] = (n - 1) / 5 end
end
return reply
