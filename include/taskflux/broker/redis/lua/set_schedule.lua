-- Changes a schedule unless somebody else has, and stores tasks with it.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           own_ids HASH, unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, consumers
--           HASH, cancels HASH, segments HASH, segment_index ZSET, set_aside HASH, schedules HASH, keyed ZSET, short_keys HASH,
--           turns ZSET, turn_times ZSET, key_rules HASH, key_starts HASH, outbox HASH, attempts HASH, arrivals ZSET, l:… LIST,
--           a:… SET, j:… HASH, D HASH, ev STREAM
--      ARGV the server's run id; id; text that it must still have, text that it gets ('': none); then tasks as for `enqueue`
-- out: {'OK', 1}, or {'OK', 0} when its text is another; DUE, FULL, NEED, NEW, RELAY
-- O(log n) a task.
local id, from, to = ARGV[2], ARGV[3], ARGV[4]
local there = call('HGET', keys.schedules, id) or ''
if there == to then return {'OK', 1} end  -- the answer got lost
if there ~= from then return {'OK', 0} end
local known = call('HMGET', keys.queue, 'seq', 'run', 'events', 'paused')
listens = known[3]
if to ~= '' and not known[1] then return {'NEW'} end
if #ARGV > 4 then
    if is_new_server(ARGV[1], known[2]) or is_due() then return {'DUE'} end
    local last, numbers = last_number(known[1]), {}
    local seq = store_tasks(last, 5, {}, numbers)
    local refused = refusal(known[4], seq - last)
    if refused then return refused end
    for _, number in ipairs(is_heard() and numbers or {}) do tell('schedule_fired', number, 0, '', id) end
    also[#also + 1] = {'HSET', keys.queue, 'seq', string.format('%d', seq)}
end
also[#also + 1] = to == '' and {'HDEL', keys.schedules, id} or {'HSET', keys.schedules, id, to}
return commit({'OK', 1})
