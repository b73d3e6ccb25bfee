-- Sets what limits each key of the queue, or one key, or takes it back: as it is declared, or live, which counts in its place.
-- in:  KEYS queue HASH, records HASH, states HASH, scheduled ZSET, limited ZSET, forgotten ZSET, unclaimed ZSET, sleepers ZSET,
--           names HASH, segments HASH, segment_index ZSET, set_aside HASH, keyed ZSET, short_keys HASH, turns ZSET, turn_times
--           ZSET, key_rules HASH, key_starts HASH, arrivals ZSET, ev STREAM
--      ARGV key ('': each), 1: live, limit as text ('': none), reason
-- out: {'OK'}; NEW
-- O(log n) of sleepers.
local name, is_live, wanted, reason = ARGV[1], ARGV[2] == '1', ARGV[3], ARGV[4]
local known = call('HMGET', keys.queue, 'seq', 'keys_declared', 'keys_live', 'each')
if not known[1] then return {'NEW'} end
local declared, live = known[2], known[3]
if name ~= '' then declared, live = unpack(call('HMGET', keys.key_rules, 'd' .. name, 'l' .. name)) end
local before = is_live and live or not is_live and declared
-- What is declared again has been so since then, and a worker that joins says nothing new.
local is_known = not is_live and before and string.match(before, '^%d+ (.*)$') == wanted .. '\n' .. reason
if is_known or wanted == '' and not before then return {'OK'} end
local stated = wanted ~= '' and string.format('%d ', now) .. wanted .. '\n' .. reason
local function store(hash, field) also[#also + 1] = stated and {'HSET', hash, field, stated} or {'HDEL', hash, field} end
if is_live then live = stated else declared = stated end
local has_keyed = call('EXISTS', keys.keyed, keys.short_keys) > 0
wakes = has_keyed and 1 or 0
local asleep = sleepers()
if name == '' then
    store(keys.queue, is_live and 'keys_live' or 'keys_declared')
    local next_one = in_force(declared, live)
    next_one = next_one and string.sub(next_one, 2)
    also[#also + 1] = next_one and {'HSET', keys.queue, 'each', next_one} or {'HDEL', keys.queue, 'each'}
    if has_keyed and next_one ~= known[4] then
        also[#also + 1] = {'HSET', keys.queue, 'sift', key_letter.short}
        also[#also + 1] = {'HDEL', keys.queue, 'sift_since'}
    end
else
    store(keys.key_rules, (is_live and 'l' or 'd') .. name)
    local left = call('HLEN', keys.key_rules) + (stated and 1 or 0) - (before and 1 or 0)
    also[#also + 1] = left > 0 and {'HSET', keys.queue, 'own', '1'} or {'HDEL', keys.queue, 'own'}
    if has_keyed then
        local of = touch(name)
        of.is_due, of.stated = true, {declared, live}
        turns_of_keys().place()
        for _, set in ipairs({keys.keyed, keys.turns, keys.turn_times, keys.unclaimed}) do
            probe('ZCARD', set)
            for member, at in pairs(sorted_sets[set]) do
                also[#also + 1] = at and {'ZADD', set, string.format('%d', at), member} or {'ZREM', set, member}
            end
        end
        probe('HLEN', keys.key_starts)
    end
end
write_rest(asleep)
return {'OK'}
