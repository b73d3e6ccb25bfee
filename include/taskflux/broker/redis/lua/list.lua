-- Reads tasks in the order of their numbers.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           own_ids HASH, unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, cancels
--           HASH, segments HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET, turn_times ZSET,
--           key_rules HASH, key_starts HASH, outbox HASH, attempts HASH, arrivals ZSET, l:… LIST, a:… SET, j:… HASH, D HASH, ev
--           STREAM
--      ARGV the last number seen, how many tasks at most
-- out: {'OK', the last number looked at, 1 at the end or 0, {number, record, state, progress, log} of each}; DUE, NEED, RELAY
-- O(log n) a task, until these have 1 MiB; O(numbers) where tasks have gone, up to 4,500 of them in a call; no more
-- than 1 MiB are read, or one task.
if is_due() then return {'DUE'} end
local known = call('HMGET', keys.queue, 'seq', 'low', 'gaps')
local last, low, gaps = last_number(known[1]), whole(known[2]) or 0, gaps_in(known[3])
if low > last then low = 0 end
local from, reply = math.max(tonumber(ARGV[1]), low), {'OK', 0, 0}
local most = tonumber(ARGV[2])
local seen = walk(from, last, most, gaps, true, function(task)
    if #reply == 3 + most then return false end
    local told, state = call('HMGET', keys.reports, task.seq .. 'p', task.seq .. 'l'), pack_state(task)
    local progress, log = told[1] or '', told[2] or ''
    if not fits(#task.record + #state + #progress + #log) then return false end
    reply[#reply + 1] = {task.seq, task.record, state, progress, log}
end)
reply[2], reply[3] = seen, seen >= last and 1 or 0
if #reply == 3 and from == low and seen > low then
    also[#also + 1] = {'HSET', keys.queue, 'low', string.format('%d', seen), 'gaps', gaps_as_text(gaps)}
end
return commit(reply)
