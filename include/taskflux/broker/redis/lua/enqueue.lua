-- Stores tasks, all or none.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, leases ZSET, forgotten ZSET, unclaimed ZSET,
--           own_ids HASH, unique_keys HASH, successors HASH, sleepers ZSET, waiters HASH, reports HASH, names HASH, consumers
--           HASH, cancels HASH, segments HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET,
--           turn_times ZSET, key_rules HASH, key_starts HASH, outbox HASH, attempts HASH, arrivals ZSET, l:… LIST, a:… SET, j:…
--           HASH, p:… STRING, D HASH, ev STREAM
--      ARGV producer ('': none), batch number, the server's run id, channel that will hear of ends or '', of which ones (by
--           place, 2 bytes each); then of each: record without its time, and how it begins ('', or hold, delay in ms, at, and
--           perhaps what becomes of it where another has its unique key, and `at_most`)
-- out: {'OK', first number, [index, number, nonce] of each duplicate}; DUE, FULL, NEED, NEW, RELAY
-- O(log n) a task.
local producer, batch = ARGV[1] ~= '' and key(own_key.producer .. ARGV[1]), tonumber(ARGV[2])
if #missing > 0 then return {'NEED', unpack(missing)} end
local before = answered(producer, batch)
if before then return before end
local known = call('HMGET', keys.queue, 'seq', 'run', 'events', 'paused')
if not known[1] then return {'NEW'} end
listens = known[3]
local seq = last_number(known[1])
-- `maintain` must come first on a new server, and where who else has an id or key may be gone.
if is_new_server(ARGV[3], known[2]) or is_due() then return {'DUE'} end

local reply, heard, at = {'OK', seq + 1}, {}, 1
while at < #ARGV[5] do
    local place
    place, at = struct.unpack(format.u16, ARGV[5], at)
    heard[place] = true
end
seq = store_tasks(seq, 6, reply, {}, heard, ARGV[4])
local refused = refusal(known[4], seq - reply[2] + 1)
if refused then return refused end
also[#also + 1] = {'HSET', keys.queue, 'seq', string.format('%d', seq)}
remember_answer(producer, batch, reply)
return commit(reply)
