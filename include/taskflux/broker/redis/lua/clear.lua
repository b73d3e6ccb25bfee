-- Looks for tasks to remove, in the order of their numbers.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, segments
--           HASH, segment_index ZSET, set_aside HASH
--      ARGV the last number seen, how many numbers to look at, how many tasks to find at most, state or -1
-- out: {'OK', the last number looked at, 1 at the end or 0, [number, nonce] of each}; DUE
-- O(log n) a task; O(numbers) where tasks have gone, up to 4,500 of them in a call; no more
-- than 1 MiB are read, or one task.
if is_due() then return {'DUE'} end
local most, state, known = tonumber(ARGV[3]), tonumber(ARGV[4]), call('HMGET', keys.queue, 'seq', 'low', 'gaps')
local last, low, found = last_number(known[1]), whole(known[2]) or 0, {}
if low > last then low = 0 end
local seen = walk(math.max(tonumber(ARGV[1]), low), last, tonumber(ARGV[2]), gaps_in(known[3]), false, function(task)
    if task.state == task_state.running or state >= 0 and task.state ~= state then return true end
    if #found == 2 * most then return false end
    found[#found + 1] = task.seq
    found[#found + 1] = task.nonce
end)
return {'OK', seen, seen >= last and 1 or 0, unpack(found)}
