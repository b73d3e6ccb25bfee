-- Gives back what a consumer holds, without counting a crash, and then forgets the consumer.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           own_ids HASH, unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, consumers
--           HASH, cancels HASH, segments HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET,
--           turn_times ZSET, key_rules HASH, key_starts HASH, outbox HASH, attempts HASH, arrivals ZSET, l:… LIST, a:… SET, j:…
--           HASH, D HASH, ev STREAM
--      ARGV consumer, how many tasks at most
-- out: {'OK', 1 if there is more or 0}; DUE, NEED, RELAY
-- O(tasks held), up to so many, and up to 1 MiB of them or one.
if is_due() then return {'DUE'} end
if not call('ZSCORE', keys.leases, ARGV[1]) then return {'OK', 0} end
local all, some = held_by(ARGV[1]), {}
for n = 1, math.min(#all, tonumber(ARGV[2])) do
    if not may_read(bytes_of(all[n], true)) then break end
    some[n] = all[n]
end
load(some)
for _, seq in ipairs(some) do
    if is_held_by(tasks[seq], ARGV[1]) then
        release(tasks[seq])
    else
        if is_set_aside(seq) then count(task_state.running, -1) end
        append(held_remove, ARGV[1], seq)
    end
end
if #some == #all then
    also[#also + 1] = {'ZREM', keys.leases, ARGV[1]}
    also[#also + 1] = {'HDEL', keys.consumers, ARGV[1]}
    count_none_running(1)
end
return commit({'OK', #some < #all and 1 or 0})
